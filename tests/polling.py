"""Wait for a condition without keeping the CPU busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
_INTERVAL = 0.05  # seconds


def wait_until(condition: Callable[[], _T], *, seconds: float = 60) -> _T:
    """Evaluate the condition until it is true, and return its value; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "timed out"
        time.sleep(_INTERVAL)
    return found
