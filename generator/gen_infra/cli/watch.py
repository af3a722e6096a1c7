"""The live table of `gen-infra jobs --watch`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gen_infra.aws.queues import QueueState

_STATES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


def show(snapshots: Iterable[Sequence[QueueState]], *, as_json: bool) -> None:
    """Redraw the table on a terminal; elsewhere print each table that differs from the last. Ctrl-C ends it."""
    live = sys.stdout.isatty() and not as_json
    seen: Sequence[QueueState] = ()
    try:
        for states in snapshots:
            if live or states != seen:
                lines = _json(states) if as_json else table(states, datetime.now(UTC))
                click.echo((f"\x1b[{len(seen) + 1}F\x1b[J" if live and seen else "") + "\n".join(lines))
            seen = states
    except KeyboardInterrupt:
        return


def table(states: Sequence[QueueState], now: datetime) -> list[str]:
    """Return a heading, and a line for each queue."""
    width = max(len("queue"), *(len(each.queue) for each in states))
    heading = [f"{'queue':<{width}}", *(f"{state:>9}" for state in _STATES), f"{'oldest RUNNABLE':>15}", "busy vCPUs"]
    return ["  ".join(heading), *("  ".join(_row(each, width, now)) for each in states)]


def _row(state: QueueState, width: int, now: datetime) -> list[str]:
    return [
        f"{state.queue:<{width}}",
        *(f"{state.counts[each]:>9}" for each in _STATES),
        f"{_age(state.oldest_runnable, now):>15}",
        f"{state.busy_vcpus:g} of {state.max_vcpus}",
    ]


def _age(time: datetime | None, now: datetime) -> str:
    if time is None:
        return ""
    minutes = max(int((now - time).total_seconds()) // 60, 0)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _json(states: Sequence[QueueState]) -> list[str]:
    import json

    return [json.dumps([each.to_dict() for each in states])]
