"""What piles up below ``build/``: plans of files that have changed, and folders of environments that are no more."""

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

# What terraform and gen-infra itself leave in a rendered folder; anything else is somebody's.
_LEFT_BEHIND = (
    ".gen-infra",
    "plan/",
    "terraform/.terraform/",
    "terraform/.terraform.lock.hcl",
    "terraform/terraform.tfstate",
)


class OldBuild(NamedTuple):
    """One folder that may go, and why."""

    path: Path
    reason: str

    def remove(self) -> None:
        """Delete it and all that is in it."""
        shutil.rmtree(self.path)


def old_builds(environment: Environment, manifest: Path) -> list[OldBuild]:
    """The environment's plan if its files changed since, and the folders beside it that no manifest is behind.

    Such a folder goes only if it is as it was rendered, holds nothing of anybody else's, and nothing was applied from
    it that is not destroyed as far as the files can tell.
    """
    return [*_old_plan(environment), *_old_folders(environment.root, manifest)]


def _old_plan(environment: Environment) -> Iterator[OldBuild]:
    saved = environment.saved_plan
    if saved.exists and not saved.is_for(environment.plan_origin("apply")):
        yield OldBuild(saved.folder, "a plan of other files")


def _old_folders(root: Path, manifest: Path) -> Iterator[OldBuild]:
    in_use = {root.name, *_names(manifest.parent)}
    for record in sorted(root.parent.glob(f"*/{RECORD}")):
        folder = record.parent
        if folder.name not in in_use and _is_untouched(folder) and not _may_be_applied(folder / "terraform"):
            yield OldBuild(folder, f"no manifest in {manifest.parent} is named {folder.name}")


def _names(folder: Path) -> Iterator[str]:
    """The environments that the manifests of a folder make; one that is not accepted may be of its file's name."""
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
    """Whether a state, here or in a bucket, may still list something."""
    state = terraform / "terraform.tfstate"
    if not state.is_file():
        return (terraform / ".terraform").exists()
    try:
        return bool(json.loads(state.read_text())["resources"])
    except (OSError, ValueError, LookupError, TypeError):
        return True
