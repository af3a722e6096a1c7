"""Restores a state that a run could not save: the disk was full, the credentials had expired, or the network failed.

Terraform then writes it to ``errored.tfstate`` in its folder; where that fails too, gen-infra saves what Terraform
prints (see `gen_infra.terraform.adapter`). A full disk also leaves a ``terraform.tfstate`` that is cut off, with which
every command of Terraform fails.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.errors import GenInfraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from gen_infra.environment import Environment
    from gen_infra.tools.process import Progress

_STATE, _BACKUP = "terraform.tfstate", "terraform.tfstate.backup"
_LINEAGE = re.compile(rb'"lineage":\s*"([^"]+)"')


class SavedState(NamedTuple):
    """A state in a file.

    Attributes:
        serial: a number that grows with each change.
        lineage: what all states of one history share.
        path: the file.
    """

    serial: int
    lineage: str
    path: Path


def restore_state(environment: Environment, progress: Progress) -> None:
    """Put the newest state that a run rescued into its place, if it is of the same lineage and newer.

    Raises:
        UsageError: the state file is damaged, and there is no state to restore.
        GenInfraError: the state cannot be put into its place; the rescued file stays where it is.
    """
    rescued = list(_rescued(environment.rescue_folders))
    if environment.manifest.state == "local":
        _restore_file(environment.terraform_folder, rescued, progress)
    elif rescued:
        _push(environment, rescued, progress)


def _restore_file(folder: Path, rescued: list[SavedState], progress: Progress) -> None:
    file, backup = folder / _STATE, _read(folder / _BACKUP)
    current = _read(file)
    is_damaged = current is None and file.is_file()
    if current:
        newest = _newest(rescued, current.lineage, above=current.serial)
    elif is_damaged:
        found = _LINEAGE.search(file.read_bytes())
        lineage = found[1].decode(errors="replace") if found else backup.lineage if backup else None
        newest = _newest([*rescued, *([backup] if backup else [])], lineage)
    else:
        newest = _newest(rescued, None)
    if newest is None:
        if is_damaged and file.stat().st_size:  # terraform takes an empty file for no state
            raise UsageError(
                f"{file} is damaged, and there is no rescued copy or backup of it",
                hint=f"move {file} elsewhere, then run the same command again; what exists in AWS is adopted",
            )
        return
    try:
        kept = _put(newest, file, folder / f"{_STATE}.new", is_damaged=is_damaged)
    except OSError as error:
        raise GenInfraError(
            f"cannot restore the state from {newest.path}: {error.strerror}",
            hint="make room on the disk, then run the same command again; do not remove that file",
        ) from error
    what = "its backup" if newest is backup else "the state that the last run could not save"
    damaged = f"; the damaged file is kept as {kept.name}" if kept else ""
    progress(f"restored {what} from {newest.path} (serial {newest.serial}){damaged}")


def _put(state: SavedState, file: Path, new: Path, *, is_damaged: bool) -> Path | None:
    """Move a state into its place; return what a damaged one is kept as. At any time one of both is in a file."""
    if state.path.parent == file.parent:
        new = state.path
    else:
        try:
            shutil.copyfile(state.path, new)
            with new.open("rb") as stream:
                os.fsync(stream.fileno())
        except OSError:
            new.unlink(missing_ok=True)
            raise
    new.chmod(0o600)
    kept = None
    if is_damaged:
        kept = next(path for n in count(1) if not (path := file.with_name(f"{file.name}.damaged-{n}")).exists())
        file.rename(kept)
    elif file.exists():
        file.replace(file.with_name(_BACKUP))
    new.replace(file)
    state.path.unlink(missing_ok=True)
    return kept


def _push(environment: Environment, rescued: list[SavedState], progress: Progress) -> None:
    """Write the newest state to the bucket, as ``terraform state push`` does it, which looks at lineage and serial."""
    terraform = environment.terraform()
    current = terraform.state_pull()
    if lineage := current.get("lineage"):
        newest = _newest(rescued, lineage, above=current["serial"])
    else:  # none was ever written there; the first one may have no lineage yet either
        newest = _newest(rescued, None)
    if newest:
        terraform.state_push(newest.path)
        newest.path.unlink()
        progress(f"restored the state that the last run could not save from {newest.path} (serial {newest.serial})")


def _newest(states: Iterable[SavedState], lineage: str | None, above: int = -1) -> SavedState | None:
    """Return the newest state of a lineage; without one to compare with, all states must be of the same."""
    fitting = [each for each in states if lineage in {None, each.lineage} and each.serial > above]
    if len({each.lineage for each in fitting}) > 1:
        raise UsageError(
            f"rescued states of several histories: {', '.join(str(each.path) for each in fitting)}",
            hint="keep the one of this environment, and move the others elsewhere",
        )
    return max(fitting, default=None)


def _rescued(folders: Iterable[Path]) -> Iterator[SavedState]:
    for folder in folders:
        for path in [folder / "errored.tfstate", *sorted(folder.glob("rescued-*.tfstate"))]:
            if state := _read(path):
                yield state


def _read(path: Path) -> SavedState | None:
    """Read which state a file holds; None where it holds none, or a part of one."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        state = json.loads(path.read_bytes())
        return SavedState(int(state["serial"]), str(state["lineage"]), path)
    return None
