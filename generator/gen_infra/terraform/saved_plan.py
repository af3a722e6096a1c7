"""A plan as a value: the bytes that terraform applies, what they were made from and for, and what they say.

The plan file is beside the rendered files, where the next command finds it. Before anything is changed, its bytes
are compared with the plan that was shown, and terraform gets a private copy of exactly these bytes: a file that is
swapped at any time is never applied.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from gen_infra.errors import UsageError
from gen_infra.terraform.messages import TerraformError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gen_infra.terraform.plan import PlanContent

Intent: TypeAlias = Literal["apply", "destroy", "partial"]

_INTENTS: dict[Intent, str] = {
    "apply": "to apply the manifest",
    "destroy": "to destroy the environment",
    "partial": "for a part of the environment",
}
_AGAIN = "run the same command again, and read the new plan"


class Origin(NamedTuple):
    """What a plan is made from, and for.

    Args:
        environment: the identity of the environment: its name, account, region and folder.
        intent: what the plan is for.
        files: the hash of the rendered files.
    """

    environment: Mapping[str, str]
    intent: Intent
    files: str

    def mismatch(self, wanted: Origin) -> str:
        """Say why a plan of this origin cannot be used where another one is wanted; empty if it can."""
        if self.environment != wanted.environment:
            return f"it is for {_named(self.environment)}, not for {_named(wanted.environment)}"
        if self.intent != wanted.intent:
            return f"it was made {_INTENTS.get(self.intent, 'for something else')}, not {_INTENTS[wanted.intent]}"
        return "" if self.files == wanted.files else "the rendered files changed after it was made"


@dataclass(frozen=True)
class Plan:
    """One plan of one environment; it is applied once, whole or in part.

    Args:
        path: the plan file.
        sha256: the hash of its bytes, in hexadecimal.
        origin: what it was made from, and for.
        content: what it says.
    """

    path: Path
    sha256: str
    origin: Origin
    content: PlanContent = field(repr=False)

    @contextmanager
    def verified_copy(self, wanted: Origin) -> Iterator[Path]:
        """Give a private copy of the plan file for terraform, after every check.

        Args:
            wanted: what the plan must have been made from, and for.

        Raises:
            UsageError: the plan is another one, or its file is not the one that was shown; nothing was changed.
        """
        if problem := self.origin.mismatch(wanted):
            raise UsageError(f"this plan cannot be used: {problem}; nothing was changed", hint=_AGAIN)
        found = _read(self.path)
        if found is None or sha256(found).hexdigest() != self.sha256:
            happened = "is gone" if found is None else "is not the one that was shown"
            raise UsageError(
                f"the plan file {self.path} {happened}: something else planned or applied meanwhile; "
                "nothing was changed",
                hint=_AGAIN,
            )
        with _private_file(found) as copy:
            yield copy


def lineage(file: Path) -> str:
    """Read the lineage of the state that a plan was made from; empty if the plan file does not say it.

    A plan file is a zip archive with a copy of that state.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return str(json.loads(archive.read("tfstate"))["lineage"])
    except (OSError, ValueError, LookupError, TypeError, zipfile.BadZipFile):
        return ""


class Unusable(NamedTuple):
    """Why a saved plan cannot be used."""

    reason: str


@dataclass(frozen=True)
class SavedPlan:
    """The plan beside the rendered files. It holds values of the state, so its folder is for its owner only."""

    folder: Path

    @property
    def path(self) -> Path:
        """Return the plan file."""
        return self.folder / "tfplan"

    @property
    def _record(self) -> Path:
        return self.folder / "made-from.json"

    @property
    def exists(self) -> bool:
        """Return whether anything is saved, usable or not."""
        return os.path.lexists(self.folder)

    def save(self, file: Path, origin: Origin, content: PlanContent) -> Plan:
        """Keep a new plan file in place of the last plan; without a record, a plan for a part is never found again."""
        found = file.read_bytes()
        plan = Plan(self.path, sha256(found).hexdigest(), origin, content)
        self.discard()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(self.path, found)
        if origin.intent != "partial":
            _write(self._record, json.dumps({"sha256": plan.sha256, **origin._asdict()}).encode())
        return plan

    def find(self, wanted: Origin, show: Callable[[Path], PlanContent]) -> Plan | Unusable:
        """Read the saved plan, if it can be used.

        Args:
            wanted: what it must have been made from, and for.
            show: reads a plan file.
        """
        record = self._recorded()
        if record is None:
            return Unusable("it was applied before, or its record is damaged")
        recorded_hash, origin = record
        if problem := origin.mismatch(wanted):
            return Unusable(problem)
        found = _read(self.path)
        if found is None or sha256(found).hexdigest() != recorded_hash:
            return Unusable("its file is damaged or was replaced")
        with _private_file(found) as copy:
            try:
                content = show(copy)
            except TerraformError as error:
                return Unusable(f"terraform cannot read it: {error.message}")
        return Plan(self.path, recorded_hash, origin, content)

    def is_for(self, wanted: Origin) -> bool:
        """Return whether the saved plan was made from this, and for this, as its record says."""
        record = self._recorded()
        return record is not None and not record[1].mismatch(wanted) and self.path.is_file()

    def spend(self) -> None:
        """Remove the record before the plan is applied, so that it is not found again if the apply is killed."""
        self._record.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the plan."""
        if self.folder.is_symlink() or self.folder.is_file():
            self.folder.unlink()
        elif self.folder.exists():
            shutil.rmtree(self.folder)

    def _recorded(self) -> tuple[str, Origin] | None:
        """Read the hash and the origin of the plan; None where the record is missing or damaged."""
        try:
            fields = json.loads(_read(self._record) or b"")
            origin = Origin(dict(fields["environment"]), fields["intent"], fields["files"])
            return fields["sha256"], origin
        except (ValueError, LookupError, TypeError):
            return None


def _named(environment: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in environment.items())


def _read(path: Path) -> bytes | None:
    """Return the content of a file; None where there is none that can be read. Links are not followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            return file.read()
    except OSError:
        return None


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    staged = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    staged.replace(path)


@contextmanager
def _private_file(content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gen-infra-plan-") as folder:  # mode 0700
        path = Path(folder) / "tfplan"
        _write(path, content)
        yield path
