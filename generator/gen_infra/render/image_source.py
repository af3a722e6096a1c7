"""Collect the files from which CodeBuild rebuilds the image: a folder in which ``gen-infra image rebuild`` can run.

It contains gen-infra itself, laid out as in an installed wheel, so that the account builds with the version that
rendered the environment, and this version need not be published. The embedded AWS and the demo are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import gen_infra
from gen_infra.resources import DataKind, data_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PIPELINE_SOURCES = "image-pipeline/src"
_DATA: tuple[DataKind, ...] = ("modules", "packer", "templates")  # without manifests, which describe other environments
_LEFT_OUT = frozenset({"__pycache__", "_data", "tests"})
_LOCAL_ONLY = ("gen_infra/emulator/", "gen_infra/cli/demo.py", "gen_infra/cli/demo_image.py")


def image_source(name: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return every file of that folder, by its relative path.

    Args:
        name: the environment's name.
        files: the environment's rendered files, with its Packer folder and its resolved manifest.
    """
    packer = {f"build/{name}/{path}": content for path, content in files.items() if path.startswith("packer/")}
    sources = dict(_read(data_dir("modules") / _PIPELINE_SOURCES))
    return {"manifest.yaml": files["manifest.resolved.yaml"], **packer, **sources, **_package()}


def _package() -> dict[str, bytes]:
    """Return the files of the package gen_infra, including its data files, without what only an embedded AWS needs."""
    code = {f"gen_infra/{path}": content for path, content in _read(Path(gen_infra.__file__).parent)}
    data = {f"gen_infra/_data/{kind}/{path}": content for kind in _DATA for path, content in _read(data_dir(kind))}
    return {path: content for path, content in code.items() if not path.startswith(_LOCAL_ONLY)} | data


def _read(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in path.parts)  # such as the folder of terraform init
        if file.is_file() and not is_hidden and not _LEFT_OUT.intersection(path.parts):
            yield path.as_posix(), file.read_bytes()
