"""What CodeBuild rebuilds the image from: a folder in which ``gen-infra image rebuild`` runs as it does anywhere else.

gen-infra itself goes along as a package that runs from where it lies, laid out as in an installed wheel: the account
builds with the very version that rendered it, and nobody has to publish that anywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import gen_infra
from gen_infra.resources import Kind, data_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PIPELINE_SOURCES = "image-pipeline/src"
_DATA: tuple[Kind, ...] = ("modules", "packer", "templates")  # no manifests: other environments are not its business
_LEFT_OUT = frozenset({"__pycache__", "_data", "tests"})


def image_source(name: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Every file of that folder, by its path below it.

    Args:
        name: the environment.
        files: what it renders to; its Packer folder and its resolved manifest are taken from there.
    """
    packer = {f"build/{name}/{path}": content for path, content in files.items() if path.startswith("packer/")}
    sources = dict(_read(data_dir("modules") / _PIPELINE_SOURCES))
    return {"manifest.yaml": files["manifest.resolved.yaml"], **packer, **sources, **_package()}


def _package() -> dict[str, bytes]:
    """The package gen_infra, with its data inside it."""
    code = {f"gen_infra/{path}": content for path, content in _read(Path(gen_infra.__file__).parent)}
    data = {f"gen_infra/_data/{kind}/{path}": content for kind in _DATA for path, content in _read(data_dir(kind))}
    return code | data


def _read(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in path.parts)  # what terraform init leaves, for one
        if file.is_file() and not is_hidden and not _LEFT_OUT.intersection(path.parts):
            yield path.as_posix(), file.read_bytes()
