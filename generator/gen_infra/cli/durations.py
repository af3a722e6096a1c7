"""Spans of time as people type them: ``90s``, ``10m``, ``2h``, ``3d``."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta | None:
    """The span, or None where the text is none; nothing needs no unit."""
    found = re.fullmatch(r"([0-9]{1,5})([smhd])", text)
    if found:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    return timedelta() if text == "0" else None
