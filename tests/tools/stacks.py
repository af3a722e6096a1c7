"""Rendered files on disk, as terraform and checkov read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath


def write_terraform(files: Mapping[str, bytes], folder: Path) -> None:
    """Write what is below ``terraform/`` into a folder."""
    for path, content in files.items():
        if path.startswith("terraform/"):
            target = folder / PurePosixPath(path).relative_to("terraform")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
