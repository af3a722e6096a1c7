"""Read durations such as ``90s``, ``10m``, ``2h`` and ``3d``, and times that may be given as one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from gen_infra.errors import UsageError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta | None:
    """Return the duration, or None if the text is not one; 0 needs no unit."""
    found = re.fullmatch(r"([0-9]{1,5})([smhd])", text)
    if found:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    return timedelta() if text == "0" else None


def parse_since(text: str, now: datetime) -> datetime:
    """Return the time that ``10m``, ``2h`` or ``3d`` (before now) or a time in ISO 8601 means; UTC without an offset.

    Raises:
        UsageError: it is neither.
    """
    if (span := duration(text)) is not None:
        return now - span
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f'invalid time "{text}"', hint="use 10m, 2h, 3d or 2026-09-30T12:00:00Z") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
