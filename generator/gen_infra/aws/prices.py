"""List prices of AWS by region, from a data file that ``make price-data`` renews: to compare with, not to bill by.

All are in USD, before taxes, discounts, Savings Plans and free tiers. Each has a source and a date. What the file does
not have is unknown: no price of one region stands in for another's.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

DATA_FILE = Path(__file__).with_name("prices.json")
HOURS_A_MONTH = 730  # AWS's own month: a twelfth of a year


class PriceSource(msgspec.Struct, frozen=True):
    """Where prices are from, the date as of which they were read, and what to know of them in a few words."""

    text: str
    date: str
    note: str = ""


class ServicePrice(NamedTuple):
    """A price, and the key of its source."""

    usd: float
    source: str


class PricesOfRegion(msgspec.Struct, frozen=True):
    """The prices of one region.

    Args:
        on_demand: the key of the source of On-Demand prices.
        spot: the key of the source of Spot prices.
        services: by names that end in their unit, such as ``nat_gateway_hour``.
        families: family -> size -> On-Demand price an hour, and where they are known the lowest and highest for Spot.
    """

    on_demand: str = ""
    spot: str = ""
    services: dict[str, ServicePrice] = {}
    families: dict[str, dict[str, tuple[float, ...]]] = {}


class _DataFile(msgspec.Struct, frozen=True):
    currency: str
    sources: dict[str, PriceSource]
    regions: dict[str, msgspec.Raw]  # only one is read


@cache
def _data() -> _DataFile:
    return msgspec.json.decode(DATA_FILE.read_bytes(), type=_DataFile)


@cache
def prices_of(region: str) -> PricesOfRegion:
    """Return the prices of a region; without any for a region that the file does not have."""
    found = _data().regions.get(region)
    return PricesOfRegion() if found is None else msgspec.json.decode(found, type=PricesOfRegion)


def source_of(key: str) -> PriceSource:
    """Return a source by its key."""
    return _data().sources[key]


def on_demand_price(region: str, instance_type: str) -> float | None:
    """Return the On-Demand price of an hour with Linux; None: unknown."""
    row = _row(region, instance_type)
    return row[0] if row else None


def spot_prices(region: str, instance_type: str) -> tuple[float, float] | None:
    """Return the lowest and the highest Spot price of an hour with Linux; None: unknown."""
    _, *both = _row(region, instance_type) or (0.0,)
    return (both[0], both[1]) if len(both) > 1 else None


def service_price(region: str, name: str) -> float | None:
    """Return the price of a service by its name in the data file; None: unknown."""
    found = prices_of(region).services.get(name)
    return found.usd if found else None


def _row(region: str, instance_type: str) -> tuple[float, ...]:
    family, _, size = instance_type.partition(".")
    return prices_of(region).families.get(family, {}).get(size, ())
