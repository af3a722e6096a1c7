"""What an environment costs by the month whether or not it runs jobs, and the prices of what depends on use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.aws.prices import HOURS_A_MONTH, service_price
from gen_infra.cost.amounts import UsdRange, as_json, types_without_price
from gen_infra.cost.hourly import instance_prices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.manifest.model.manifest import Manifest

# What the function that measures an environment writes, with its alarms and for the dashboard: the environment's
# metrics, and those of each queue. modules/environment-alarms/src/batch_measure.py
_METRICS, _METRICS_OF_A_QUEUE = 8, 5


@dataclass(frozen=True, slots=True)
class FixedCost:
    """Resources of one kind that cost the same each month.

    Args:
        name: such as ``NAT gateways``.
        count: how many there are.
        usd: what they cost together by the month; None: unknown.
    """

    name: str
    count: int
    usd: UsdRange | None

    def to_dict(self) -> dict[str, Any]:
        """Convert it for JSON."""
        return {"name": self.name, "count": self.count, "usd_a_month": as_json(self.usd)}


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of what depends on use, such as USD for a GB through NAT gateways; None: unknown."""

    name: str
    unit: str
    usd: float | None

    def to_dict(self) -> dict[str, Any]:
        """Convert it for JSON."""
        return {"name": self.name, "unit": self.unit, "usd": self.usd}


def fixed_costs(manifest: Manifest) -> Iterator[FixedCost]:
    """Yield what costs the same each month; kinds that the environment does not have are left out."""
    create = manifest.network.create
    gateways = create.nat_gateways if create else 0
    endpoints = len(create.endpoint_services) * create.zone_count if create else 0
    asked = manifest.notifications
    metrics = _METRICS + (_METRICS_OF_A_QUEUE * len(manifest.queues) if asked.dashboard else 0)
    kinds = (
        ("NAT gateways", gateways, "nat_gateway_hour", HOURS_A_MONTH),
        ("public IPv4 addresses", gateways, "public_ipv4_hour", HOURS_A_MONTH),
        ("interface endpoints, in each zone", endpoints, "endpoint_hour", HOURS_A_MONTH),
        ("KMS key", int(manifest.creates_key), "kms_key_month", 1),
        ("metrics of alarms", _alarm_metrics(manifest), "alarm_month", 1),
        ("own metrics", metrics if asked.measures else 0, "metric_month", 1),
        ("dashboard", len(manifest.dashboards), "dashboard_month", 1),
    )
    for name, count, price_name, per_month in kinds:
        if count:
            price = service_price(manifest.region, price_name)
            usd = None if price is None else UsdRange.exactly(count * price * per_month)
            yield FixedCost(name, count, usd)
    yield from _kept_instances(manifest)


def _alarm_metrics(manifest: Manifest) -> int:
    """Count the metrics that alarms watch, which is what alarms cost by: two of them combine two metrics."""
    asked = manifest.notifications
    both = bool(asked.failed_jobs) + bool(asked.waiting_minutes and asked.invalid_compute_environments)
    return len(manifest.alarms) + both


def _kept_instances(manifest: Manifest) -> Iterator[FixedCost]:
    """Yield the instances of `min_vcpus`, which run without jobs: as many of one type as have these vCPUs."""
    prices = list(instance_prices(manifest)) if any(each.min_vcpus for each in manifest.compute.values()) else []
    for key, compute in manifest.compute.items():
        types = [each for each in prices if each.compute == key]
        if not (compute.min_vcpus and types):
            continue
        counts = [math.ceil(compute.min_vcpus / each.instance.vcpus) for each in types]
        usd: UsdRange | None = None
        unpriced = types_without_price(sum(not each.all_usd for each in types), len(types))
        for each, count in zip(types, counts, strict=True):
            if each.all_usd:
                month = each.all_usd * (count * HOURS_A_MONTH)
                usd = usd | month if usd else month
        yield FixedCost(f"instances of {key}, for min_vcpus {compute.min_vcpus}", max(counts), usd)
        if usd and unpriced:
            yield FixedCost(f"{unpriced} of {key}", max(counts), None)


def rates(manifest: Manifest) -> Iterator[Rate]:
    """Yield the prices of what the environment has and what depends on use."""
    create = manifest.network.create
    kinds = (
        ("NAT gateways", "GB", "nat_gateway_gb", bool(create and create.nat_gateways)),
        ("interface endpoints", "GB", "endpoint_gb", bool(create and create.endpoint_services)),
        ("logs written", "GB", "log_ingested_gb", True),
        ("logs kept", "GB and month", "log_stored_gb_month", True),
        ("container images", "GiB and month", "ecr_gib_month", bool(manifest.own_repositories)),
        ("snapshots of machine images", "GiB and month", "snapshot_gib_month", not manifest.image.is_stock),
        ("EFS file systems", "GiB and month", "efs_gib_month", bool(manifest.created_file_systems)),
        ("functions", "million requests", "lambda_request", bool(manifest.jobs) or manifest.notifications.measures),
        ("functions", "1,000 GB-seconds", "lambda_gb_second", bool(manifest.jobs) or manifest.notifications.measures),
        ("workflows", "1,000 state transitions", "state_transition", bool(manifest.workflows)),
    )
    units = {"million requests": 1_000_000, "1,000 state transitions": 1000, "1,000 GB-seconds": 1000}
    for name, unit, price_name, has_it in kinds:
        if has_it:
            price = service_price(manifest.region, price_name)
            yield Rate(name, unit, None if price is None else round(price * units.get(unit, 1), 6))
