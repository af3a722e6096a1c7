"""Find templates, modules, Packer files and example environments, in a checkout or in an installed wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

DataKind = Literal["templates", "modules", "packer", "envs"]


def data_dir(kind: DataKind) -> Path:
    """Return the folder of this kind of data: in the installed package, or beside ``generator/`` in a checkout."""
    package = Path(__file__).parent
    installed = package / "_data" / kind
    return installed if installed.is_dir() else package.parents[1] / kind
