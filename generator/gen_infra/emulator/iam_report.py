"""Count the IAM actions that the emulator evaluated, for ``gen-infra emulator --iam-report``."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any, NamedTuple


class Evaluated(NamedTuple):
    """A line of the report.

    Args:
        action: IAM's action.
        is_known: whether its resources were known; otherwise it was evaluated on ``*``.
        is_allowed: the decision.
    """

    action: str
    is_known: bool
    is_allowed: bool


class Report:
    """Counts the evaluated actions; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Evaluated] = Counter()

    def add(self, line: Evaluated) -> None:
        """Count one evaluation."""
        with self._lock:
            self._counts[line] += 1

    def lines(self) -> list[dict[str, Any]]:
        """Return each action with its counts, sorted."""
        with self._lock:
            return [{**line._asdict(), "count": count} for line, count in sorted(self._counts.items())]


REPORT = Report()  # of this process
