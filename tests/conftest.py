"""What every test may use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def envs() -> Path:
    """The real manifests."""
    return ROOT / "envs"


def require_tool(name: str) -> str:
    """The path of a program that a test runs; without it the test is skipped, and in CI it fails."""
    if found := shutil.which(name):
        return found
    if os.environ.get("CI"):
        pytest.fail(f"{name} is missing; requirements/debian.txt should have brought it")
    pytest.skip(f"{name} is not installed")


def write_terraform(files: Mapping[str, bytes], folder: Path) -> None:
    """Put the terraform part of rendered files into a folder."""
    for path, content in files.items():
        if path.startswith("terraform/"):
            target = folder / PurePosixPath(path).relative_to("terraform")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
