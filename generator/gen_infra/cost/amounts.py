"""Amounts of money: ranges in USD, sums that name what is unknown, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

UNKNOWN = "unknown"
_CENTS = 2
_DIGITS = 6


@dataclass(frozen=True, slots=True, order=True)
class UsdRange:
    """An amount in USD, from the lowest to the highest that it may be; both are the same where it is certain."""

    low: float
    high: float

    @classmethod
    def exactly(cls, usd: float) -> UsdRange:
        """Return an amount that is certain."""
        return cls(usd, usd)

    def __add__(self, other: UsdRange) -> UsdRange:
        """Add another amount."""
        return UsdRange(self.low + other.low, self.high + other.high)

    def __mul__(self, factor: float) -> UsdRange:
        """Multiply by a number that is not negative."""
        return UsdRange(self.low * factor, self.high * factor)

    def __or__(self, other: UsdRange) -> UsdRange:
        """Return the range that has both."""
        return UsdRange(min(self.low, other.low), max(self.high, other.high))

    def __str__(self) -> str:
        """Return text such as ``4.10 USD`` or ``1.20 to 4.10 USD``."""
        return self.text()

    def text(self, digits: int = _CENTS) -> str:
        """Return the same with a number of digits after the point."""
        low, high = written(self.low, digits), written(self.high, digits)
        return f"{low} USD" if low == high else f"{low} to {high} USD"

    def to_dict(self) -> dict[str, float]:
        """Convert it for JSON."""
        return {"low": round(self.low, _DIGITS), "high": round(self.high, _DIGITS)}


ZERO = UsdRange(0, 0)


@dataclass(frozen=True, slots=True)
class Total:
    """A sum.

    Args:
        usd: the sum of all that is known.
        unknown: what has no known price, and is not in the sum.
    """

    usd: UsdRange
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return text such as ``117.80 USD`` or ``117.80 USD, and NAT gateways, whose price is unknown``."""
        if not self.unknown:
            return str(self.usd)
        names = f"{', '.join(self.unknown)} ({UNKNOWN})"
        return f"{self.usd} and {names}" if self.usd != ZERO else names

    def to_dict(self) -> dict[str, Any]:
        """Convert it for JSON."""
        return {"usd": self.usd.to_dict(), "unknown": list(self.unknown)}


def types_without_price(count: int, of: int) -> str:
    """Return what a sum lacks, such as ``2 of 41 types``; empty if it lacks none."""
    return f"{count} of {of} types" if count else ""


def total(parts: Iterable[tuple[str, UsdRange | None]]) -> Total:
    """Add up named amounts; None: unknown."""
    named = list(parts)
    unknown = tuple(dict.fromkeys(name for name, usd in named if usd is None))
    return Total(sum((usd for _, usd in named if usd), ZERO), unknown)


def written(usd: float, digits: int = _CENTS) -> str:
    """Write an amount, by default in dollars and cents; what that would make nothing with as many digits that count."""
    if abs(usd) >= 10**-digits or not usd:
        return f"{usd:,.{digits}f}"
    return f"{Decimal(f'{usd:.{digits}g}'):f}"  # a float of less than 0.0001 would have an exponent


def shown(usd: UsdRange | None, digits: int = _CENTS) -> str:
    """Write an amount with a number of digits after the point, or ``unknown``."""
    return UNKNOWN if usd is None else usd.text(digits)


def as_json(usd: UsdRange | None) -> dict[str, float] | None:
    """Convert an amount for JSON; None: unknown."""
    return usd.to_dict() if usd else None
