"""packer (skeleton)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Packer:
    executable: str
    version: tuple[int, int, int]

    @property
    def is_modern(self) -> bool:
        """Whether it knows ``packer init`` and ``required_plugins`` (1.7 and later)."""
        return self.version >= (1, 7, 0)


@dataclass(frozen=True, slots=True)
class PackerFinding:
    message: str
    file: str = ""
    line: int = 0


def find_packer(environ: Mapping[str, str]) -> Packer | None:
    raise NotImplementedError


def validate(packer: Packer, folder: Path, single_file: str, environ: Mapping[str, str]) -> tuple[PackerFinding, ...]:
    """Empty: valid. ``single_file`` is what packer < 1.7 is given instead of the folder."""
    raise NotImplementedError
