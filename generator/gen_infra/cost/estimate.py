"""The estimate of one environment: by the month, the hour, the job and the worst day."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gen_infra.aws.prices import prices_of, source_of
from gen_infra.cost.amounts import UNKNOWN, Total, total
from gen_infra.cost.fixed import FixedCost, Rate, fixed_costs, rates
from gen_infra.cost.hourly import InstancePrice, instance_prices
from gen_infra.cost.jobs import JobCost, job_costs
from gen_infra.cost.worst_day import WorstDay, worst_days

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_infra.aws.prices import PriceSource
    from gen_infra.cost.amounts import UsdRange
    from gen_infra.manifest.model.manifest import Manifest

NOTE = "estimated by AWS's list prices in USD, before taxes, discounts and free tiers"


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What an environment costs, by list prices of its region; None: unknown.

    Args:
        region: where.
        fixed: what costs the same each month, with and without jobs.
        rates: the prices of what depends on use, which is in no sum.
        instances: the price of each instance type of each compute environment by the hour.
        jobs: what an attempt of each job costs.
        worst_days: what a day of each compute environment costs at most.
        sources: where the prices of the region are from, newest first.
    """

    region: str
    fixed: tuple[FixedCost, ...]
    rates: tuple[Rate, ...]
    instances: tuple[InstancePrice, ...]
    jobs: tuple[JobCost, ...]
    worst_days: tuple[WorstDay, ...]
    sources: tuple[PriceSource, ...]

    @property
    def prices_note(self) -> str:
        """Return one line about the age of the prices, or that there are none."""
        return prices_note(self.region)

    @property
    def fixed_month(self) -> Total:
        """Add up what costs the same each month."""
        return total((each.name, each.usd) for each in self.fixed)

    @property
    def worst_day(self) -> Total:
        """Add up the worst day of every compute environment."""
        lacks: list[tuple[str, UsdRange | None]] = [
            (f"{each.unpriced} of {each.compute}", None) for each in self.worst_days if each.unpriced
        ]
        return total([*((each.compute, each.usd) for each in self.worst_days), *lacks])

    def to_dict(self) -> dict[str, Any]:
        """Convert it for JSON."""
        return {
            "currency": "USD",
            "note": NOTE,
            "region": self.region,
            "fixed_month": {**self.fixed_month.to_dict(), "items": [each.to_dict() for each in self.fixed]},
            "rates": [each.to_dict() for each in self.rates],
            "instance_hour": [each.to_dict() for each in self.instances],
            "jobs": [each.to_dict() for each in self.jobs],
            "worst_day": {
                **self.worst_day.to_dict(),
                "compute_environments": [each.to_dict() for each in self.worst_days],
            },
            "prices_note": self.prices_note,
            "sources": [{"text": each.text, "date": each.date} for each in self.sources],
        }


def estimate(manifest: Manifest, usual_hours: Mapping[str, float] = MappingProxyType({})) -> CostEstimate:
    """Estimate what an environment costs; nothing is called.

    Args:
        manifest: the environment.
        usual_hours: how long an attempt of a job usually takes by the job's key, as :func:`.history.usual_hours` finds.
    """
    instances = tuple(instance_prices(manifest))
    return CostEstimate(
        manifest.region,
        tuple(fixed_costs(manifest)),
        tuple(rates(manifest)),
        instances,
        tuple(job_costs(manifest, instances, usual_hours)),
        tuple(worst_days(manifest, instances)),
        _sources(manifest.region),
    )


def prices_note(region: str) -> str:
    """Return one line about the age of a region's prices, or that there are none."""
    prices = prices_of(region)
    volumes = prices.services.get("gp3_gib_month")
    keys = {"On-Demand": prices.on_demand, "Spot": prices.spot, "volumes": volumes.source if volumes else ""}
    if not any(keys.values()):
        return f"no price of instances or volumes in {region} is known"
    named = []
    for name, key in keys.items():
        source = source_of(key) if key else None
        note = f" ({source.note})" if source and source.note else ""
        named.append(f"{name} {source.date if source else UNKNOWN}{note}")
    return f"prices of {', '.join(named)}"


def _sources(region: str) -> tuple[PriceSource, ...]:
    prices = prices_of(region)
    keys = dict.fromkeys(key for key in (prices.on_demand, prices.spot) if key)
    keys |= dict.fromkeys(price.source for price in prices.services.values())
    return tuple(sorted(map(source_of, keys), key=lambda source: source.date, reverse=True))
