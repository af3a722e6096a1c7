"""Find old plans and folders below ``build/``: plans of changed files, and folders that belong to no manifest."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.errors import GenInfraError
from gen_infra.manifest import load
from gen_infra.render.writer import RECORD, read_back

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.environment import Environment

# Files of terraform and gen-infra in a rendered folder; any other file is kept, and so is its folder.
_LEFT_BEHIND = (
    ".gen-infra",
    "plan/",
    "terraform/.terraform/",
    "terraform/.terraform.lock.hcl",
    "terraform/terraform.tfstate",
)


class OldBuild(NamedTuple):
    """One folder that can be removed, and why."""

    path: Path
    reason: str

    def remove(self) -> None:
        """Delete the folder with its content."""
        shutil.rmtree(self.path)


def old_builds(environment: Environment, manifest: Path) -> list[OldBuild]:
    """Find the environment's plan if its files have changed, and the folders beside it that belong to no manifest.

    A folder counts only if it holds unchanged rendered files and no others, and, as far as its files show, nothing that
    was applied from it still exists.
    """
    return [*_old_plan(environment), *_old_folders(environment.root, manifest)]


def _old_plan(environment: Environment) -> Iterator[OldBuild]:
    saved = environment.saved_plan
    if saved.exists and not saved.is_for(environment.plan_origin("apply")):
        yield OldBuild(saved.folder, "its files have changed since")


def _old_folders(root: Path, manifest: Path) -> Iterator[OldBuild]:
    in_use = {root.name, *_names(manifest.parent)}
    for record in sorted(root.parent.glob(f"*/{RECORD}")):
        folder = record.parent
        if folder.name not in in_use and _is_untouched(folder) and not _may_be_applied(folder / "terraform"):
            yield OldBuild(folder, f"no manifest in {manifest.parent} is named {folder.name}")


def _names(folder: Path) -> Iterator[str]:
    """Yield the names of the environments of a folder's manifests; for an invalid manifest, its file name."""
    for path in [*folder.glob("*.yaml"), *folder.glob("*.yml")]:
        try:
            yield load(path).name
        except GenInfraError:
            yield path.stem


def _is_untouched(folder: Path) -> bool:
    if folder.is_symlink():
        return False
    try:
        rendered = read_back(folder)
    except GenInfraError:
        return False
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return all(path in rendered or path.startswith(_LEFT_BEHIND) for path in found)


def _may_be_applied(terraform: Path) -> bool:
    """Return whether a state, local or in a bucket, may still list resources."""
    state = terraform / "terraform.tfstate"
    if not state.is_file():
        return (terraform / ".terraform").exists()
    try:
        return bool(json.loads(state.read_text())["resources"])
    except (OSError, ValueError, LookupError, TypeError):
        return True
