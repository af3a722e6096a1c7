"""The history of an execution: https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html."""

from __future__ import annotations

import json
import time
from typing import Any

_STATE_DETAILS = {"Entered": "stateEnteredEventDetails", "Exited": "stateExitedEventDetails"}


class History:
    """The events of an execution, the oldest first."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, kind: str, previous: int, /, **details: Any) -> int:
        """Add an event and return its id.

        Args:
            kind: the type of the event, such as ``TaskScheduled``.
            previous: the id of the event that it follows; 0 for the first.
            details: the members of its details, if it has any.
        """
        event: dict[str, Any] = {"timestamp": time.time(), "type": kind, "id": len(self.events) + 1}
        event["previousEventId"] = previous
        if details:
            event[_details_member(kind)] = {name: value for name, value in details.items() if value is not None}
        self.events.append(event)
        return len(self.events)


def text(value: Any) -> str:
    """Write a value of an execution as JSON."""
    return json.dumps(value, separators=(",", ":"))


def _details_member(kind: str) -> str:
    """Return the member for the details of an event; the states of all types share two."""
    for end, member in _STATE_DETAILS.items():
        if kind.endswith(f"State{end}"):
            return member
    if kind.startswith("MapIteration"):
        return f"mapIteration{kind.removeprefix('MapIteration')}EventDetails"
    return f"{kind[:1].lower()}{kind[1:]}EventDetails"
