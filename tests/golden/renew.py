"""Write the golden files again: ``make golden``. Read the difference before you commit it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gen_infra.manifest import load
from gen_infra.render.files import render
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
EXPECTED = HERE / "expected"
# Copies of files in this repository, or of manifest.resolved.yaml, say nothing new.
_COPIES = (
    "terraform/modules/",
    "terraform/manifest.json",
    "terraform/job-functions.zip",
    "terraform/image-rebuild.zip",
    "packer/scripts/",
    "packer/files/",
    "packer/plugins.pkr.hcl",
)


def manifests() -> list[Path]:
    """Return every complete manifest of the repository."""
    return [
        *(ROOT / "envs" / f"{name}.yaml" for name in ("demo", "dev", "prod")),
        *sorted((HERE / "manifests").glob("*.yaml")),
        *sorted((ROOT / "envs" / "examples").glob("*.yaml")),
    ]


def rendered(manifest: Path) -> dict[str, bytes]:
    """Return what a manifest renders to, without copies."""
    return {path: content for path, content in render(load(manifest)).items() if not path.startswith(_COPIES)}


def expected(name: str) -> dict[str, bytes]:
    """Return the golden files of a manifest."""
    folder = EXPECTED / name
    return {str(path.relative_to(folder)): path.read_bytes() for path in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def main() -> None:
    """Write them all."""
    shutil.rmtree(EXPECTED, ignore_errors=True)
    for manifest in manifests():
        for path, content in rendered(manifest).items():
            target = EXPECTED / manifest.stem / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


if __name__ == "__main__":
    main()
