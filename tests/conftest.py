"""What every test may use."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

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
