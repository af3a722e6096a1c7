"""The floor: a short script with PyYAML and Jinja2 that writes as much text, without any checks.

    python bench/bare/render.py MANIFEST OUT STATIC

Reads the manifest and its parent, renders two templates, copies the static files, writes everything again each time.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader


def merged(parent: Any, child: Any) -> Any:
    """Merge maps; anything else replaces."""
    if not (isinstance(parent, dict) and isinstance(child, dict)):
        return child
    return {**parent, **{key: merged(parent.get(key), value) for key, value in child.items()}}


def load(path: Path) -> Any:
    """Return a manifest over its parent."""
    document = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    parent = document.pop("extends", None)
    return merged(load(path.parent / parent), document) if parent else document


def main() -> None:
    """Render."""
    manifest, out, static = map(Path, sys.argv[1:])
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), trim_blocks=True, lstrip_blocks=True)
    env = load(manifest)
    shutil.copytree(static, out, dirs_exist_ok=True)
    for name in ("main.tf", "jobs.tf"):
        (out / name).write_text(environment.get_template(f"{name}.j2").render(env=env))
    (out / "manifest.resolved.yaml").write_text(yaml.dump(env, Dumper=yaml.CSafeDumper, sort_keys=False))


main()
