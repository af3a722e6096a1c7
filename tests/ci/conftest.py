"""What a release consists of, built once for all tests of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tasks import release

if TYPE_CHECKING:
    from tests.emulator.session import Session


@pytest.fixture(scope="session")
def released(session: Session) -> Path:
    """Return a folder with the release in ``dist``, and in ``environment`` the wheel with its locked dependencies."""

    def make() -> str:
        folder = session.new_folder("release")
        release.build(folder / "dist", folder / "environment")
        return str(folder)

    return Path(session.once("release", make))
