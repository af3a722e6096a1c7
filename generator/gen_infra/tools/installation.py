"""Compare the installed files with what the wheel brought, without the network."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import FileHash, PackagePath

_NAME = "gen-infra"


@dataclass(frozen=True, slots=True)
class Installation:
    """What was compared.

    Attributes:
        folder: the folder of the package.
        files: how many files the wheel brought; 0 where gen-infra runs from a checkout or a plain folder.
        differing: those that were changed or are missing, relative to the folder of installed packages.
    """

    folder: Path
    files: int
    differing: tuple[str, ...]


def examine() -> Installation:
    """Compare each file of the package with its checksum in the record that the installer kept of the wheel."""
    folder = Path(__file__).parents[1]
    try:
        found = distribution(_NAME)
    except PackageNotFoundError:
        return Installation(folder, 0, ())
    recorded = {
        str(file): Path(str(file.locate())).is_relative_to(folder) and _is_unchanged(file, file.hash)
        for file in found.files or ()
        if file.hash and file.parts[0] == folder.name  # what Python compiled itself has no hash
    }
    if f"{folder.name}/__init__.py" not in recorded:  # an editable install records only data files
        return Installation(folder, 0, ())
    return Installation(
        folder, len(recorded), tuple(file for file, is_unchanged in recorded.items() if not is_unchanged)
    )


def _is_unchanged(file: PackagePath, recorded: FileHash) -> bool:
    try:
        content = Path(str(file.locate())).read_bytes()
    except OSError:
        return False
    digest = base64.urlsafe_b64encode(hashlib.new(recorded.mode, content).digest())
    return digest.rstrip(b"=").decode() == recorded.value
