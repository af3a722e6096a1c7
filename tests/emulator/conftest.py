from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_infra import emulator

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def aws() -> Iterator[emulator.Emulator]:
    """An embedded AWS, seeded, for the whole session: use names of your own in it."""
    with emulator.start() as running:
        yield running
