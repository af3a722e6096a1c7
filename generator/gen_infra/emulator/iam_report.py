"""Record what the emulator evaluated: for ``gen-infra emulator --iam-report``, and to evaluate it again in tests."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gen_infra.iam import Decision

KEPT = 50_000  # different requests; the oldest ones are dropped
_OF_ONE_CALL = frozenset({"aws:currenttime", "aws:epochtime", "aws:useragent"})  # condition keys that are left out


class Evaluated(NamedTuple):
    """A request that was evaluated.

    Args:
        action: IAM's action.
        is_known: whether its resource was known; otherwise it was evaluated on ``*``.
        is_allowed: the decision.
        caller: the ARN of the user or the role; of a service its name.
        resource: the ARN of the resource, or ``*``.
        context: the condition keys' values, by the key's name in lower case, without those that differ between calls.
    """

    action: str
    is_known: bool
    is_allowed: bool
    caller: str = ""
    resource: str = "*"
    context: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Report:
    """Counts the evaluated requests; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Evaluated] = Counter()

    def add(self, decision: Decision, *, is_known: bool) -> None:
        """Count one evaluation."""
        request, principal = decision.request, decision.principal
        context = tuple(sorted((key, value) for key, value in request.context.items() if key not in _OF_ONE_CALL))
        caller = principal.role_arn or principal.arn
        line = Evaluated(request.action, is_known, decision.is_allowed, caller, request.resource, context)
        with self._lock:
            self._counts[line] += 1
            if len(self._counts) > KEPT:
                del self._counts[next(iter(self._counts))]

    def lines(self) -> list[dict[str, Any]]:
        """Return each action with its counts, sorted."""
        counts: Counter[tuple[str, bool, bool]] = Counter()
        with self._lock:
            for line, count in self._counts.items():
                counts[line[:3]] += count
        return [dict(zip(Evaluated._fields, line, strict=False), count=count) for line, count in sorted(counts.items())]

    def requests(self) -> list[dict[str, Any]]:
        """Return each request with its counts, the oldest first."""
        with self._lock:
            return [
                {**line._asdict(), "context": dict(line.context), "count": count}
                for line, count in self._counts.items()
            ]


REPORT = Report()  # of this process
