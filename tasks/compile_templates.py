"""Compile the templates when the package is built: hatchling calls the hook, for a wheel and for an editable install.

In a checkout whose templates were edited since, the sources are used: see `gen_infra.render.templates`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE_ROOT = Path(__file__).parents[1] / "generator"


def compile_templates(folder: Path) -> None:
    """Compile every template into a folder, whole or not at all, unless that was done from the same sources."""
    from jinja2 import FileSystemLoader

    from gen_infra.render.templates import DIGEST, make_environment, sources_digest
    from gen_infra.resources import data_dir

    digest = folder / DIGEST
    if digest.is_file() and digest.read_text() == sources_digest():
        return
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="compiled-", dir=folder.parent) as scratch:
        made = Path(scratch) / folder.name
        environment = make_environment(FileSystemLoader(data_dir("templates")))
        environment.compile_templates(made, zip=None, ignore_errors=False)
        (made / DIGEST).write_text(sources_digest())
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)


class CompileTemplates(BuildHookInterface[Any]):
    """Puts the compiled templates into the wheel; git ignores them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Compile before the files of the wheel are collected."""
        sys.path.insert(0, str(SOURCE_ROOT))
        from gen_infra.render.templates import COMPILED

        compile_templates(COMPILED)
        build_data["artifacts"].append(str(COMPILED.relative_to(SOURCE_ROOT.parent)))
