"""Where templates, modules, Packer files and example environments are, in a checkout or in an installed wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

DataKind = Literal["templates", "modules", "packer", "envs"]


def data_dir(kind: DataKind) -> Path:
    """The folder of that kind of data: inside the installed package, else beside ``generator/`` in a checkout."""
    package = Path(__file__).parent
    installed = package / "_data" / kind
    return installed if installed.is_dir() else package.parents[1] / kind
