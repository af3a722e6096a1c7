"""Write the golden files again: ``make golden``. Read the difference before you commit it."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gen_infra.graph import graph, svg
from gen_infra.manifest import load, load_with_warnings
from gen_infra.render.files import render
from tests.conftest import ROOT
from tests.provider_schema import ADOPTED, for_version_6

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HERE = Path(__file__).parent
EXPECTED = HERE / "expected"
# Copies of files in this repository, or of manifest.resolved.yaml, say nothing new.
_COPIES = (
    "terraform/modules/",
    "terraform/manifest.json",
    "terraform/environment-alarms.zip",
    "terraform/job-functions.zip",
    "terraform/image-rebuild.zip",
    "terraform/queue-stop.zip",
    "packer/scripts/",
    "packer/files/",
    "packer/plugins.pkr.hcl",
)

_FOR_VERSION_6 = ("demo", "fargate")  # these have every kind of compute environment


PICTURE = ROOT / "docs" / "environment.svg"


def pictured() -> Path:
    """Return the manifest of the picture in README.md."""
    return ROOT / "envs" / "prod.yaml"


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


def rendered_for_version_6(manifest: Path) -> dict[str, bytes]:
    """Return the files that differ for version 6 of the AWS provider, those of modules too."""
    for_5, for_6 = render(load(manifest)), render(for_version_6(manifest))
    return {path: for_6[path] for path in for_6 if for_6[path] != for_5[path] and path != "terraform/manifest.json"}


def goldens() -> Mapping[str, Callable[[], dict[str, bytes]]]:
    """Return what makes the golden files of each folder in ``expected``."""
    paths = {path.stem: path for path in manifests()}
    paths["adopted"] = ADOPTED
    return {name: partial(rendered, path) for name, path in paths.items()} | {
        f"{name}-provider-6": partial(rendered_for_version_6, paths[name]) for name in _FOR_VERSION_6
    }


def expected(name: str) -> dict[str, bytes]:
    """Return the golden files of a manifest."""
    folder = EXPECTED / name
    return {str(path.relative_to(folder)): path.read_bytes() for path in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def main() -> None:
    """Write them all, and the picture in README.md, for which Graphviz must be installed."""
    shutil.rmtree(EXPECTED, ignore_errors=True)
    for name, files in goldens().items():
        for path, content in files().items():
            target = EXPECTED / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    PICTURE.write_text(svg(graph(load_with_warnings(pictured()))))


if __name__ == "__main__":
    main()
