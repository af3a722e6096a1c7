"""Short texts of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


def count(number: float, singular: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 job``, ``0.5 vCPUs``, ``2 policies``."""
    return f"{number:g} {singular if number == 1 else plural or singular + 's'}"


def several(names: Collection[str], most: int = 3) -> str:
    """Return the first names, and how many more there are: ``isaac, snpeff and 9 more``."""
    shown = list(names)[: most if len(names) > most + 1 else most + 1]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
