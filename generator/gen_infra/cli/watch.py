"""The live table of `gen-infra jobs --watch`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import WIDE, fold, terminal_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gen_infra.aws.queues import QueueState

_STATES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


def show(snapshots: Iterable[Sequence[QueueState]], *, as_json: bool) -> None:
    """Redraw the table on a terminal; elsewhere print each table that differs from the last. Ctrl-C ends it."""
    live = sys.stdout.isatty() and not as_json
    seen: Sequence[QueueState] = ()
    drawn = 0
    try:
        for states in snapshots:
            if live or states != seen:
                lines = _json(states) if as_json else table(states, datetime.now(UTC), terminal_width())
                click.echo((f"\x1b[{drawn}F\x1b[J" if live and drawn else "") + "\n".join(lines))
                drawn = len(lines)
            seen = states
    except KeyboardInterrupt:
        return


def table(states: Sequence[QueueState], now: datetime, columns: int = WIDE) -> list[str]:
    """Return a heading, and a line for each queue; where that is too wide, some lines for each queue."""
    width = max(len("queue"), *(len(each.queue) for each in states))
    heading = [f"{'queue':<{width}}", *(f"{state:>9}" for state in _STATES), f"{'oldest RUNNABLE':>15}", "busy vCPUs"]
    if len("  ".join(heading)) <= columns:
        return ["  ".join(heading), *("  ".join(_row(each, width, now)) for each in states)]
    return [line for each in states for line in fold(_labelled(each, now), columns)]


def _labelled(state: QueueState, now: datetime) -> list[str]:
    """Return the row of a queue with the name of each column before its value."""
    oldest = _age(state.oldest_runnable, now)
    return [
        state.queue,
        *(f"{each} {state.counts[each]}" for each in _STATES),
        f"oldest RUNNABLE {oldest}" if oldest else "",
        f"busy vCPUs {state.busy_vcpus:g} of {state.max_vcpus}",
    ]


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
