"""What a day costs at most: every compute environment full of instances, up to `max_vcpus`, with all their volumes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.cost.amounts import UsdRange, as_json, types_without_price
from gen_infra.cost.hourly import fargate_price, volumes_of
from gen_infra.manifest.placements import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.cost.hourly import InstancePrice
    from gen_infra.manifest.model.manifest import Manifest

_HOURS = 24
# A vCPU on Fargate has at most 8 GiB.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
_FARGATE_GIB_PER_VCPU = 8


@dataclass(frozen=True, slots=True)
class WorstDay:
    """What a day of one compute environment costs at most; None: unknown.

    Args:
        compute: the compute environment.
        max_vcpus: its vCPUs at most.
        instance_type: the type whose instances with their volumes cost most; empty on Fargate.
        instances: how many of them have these vCPUs.
        volumes_gib: the size of all their volumes.
        compute_usd: the instances, or the tasks on Fargate.
        volumes_usd: the volumes, with their IOPS and throughput.
        most_volumes_gib: the most that volumes can be in all, on instances of the smallest type.
        unpriced: which of its types have no known price, such as ``2 of 41 types``: one of them may cost more; empty
            if none.
    """

    compute: str
    max_vcpus: int
    instance_type: str
    instances: int
    volumes_gib: int
    compute_usd: UsdRange | None
    volumes_usd: UsdRange | None
    most_volumes_gib: int
    unpriced: str = ""

    @property
    def usd(self) -> UsdRange | None:
        """Return the sum; None if a part is unknown."""
        return self.compute_usd + self.volumes_usd if self.compute_usd and self.volumes_usd else None

    def to_dict(self) -> dict[str, Any]:
        """Convert it for JSON."""
        return {
            "compute_environment": self.compute,
            "max_vcpus": self.max_vcpus,
            "instance_type": self.instance_type or None,
            "instances": self.instances,
            "volumes_gib": self.volumes_gib,
            "most_volumes_gib": self.most_volumes_gib,
            "unpriced": self.unpriced or None,
            "compute_usd": as_json(self.compute_usd),
            "volumes_usd": as_json(self.volumes_usd),
            "usd": as_json(self.usd),
        }


def worst_days(manifest: Manifest, prices: Iterable[InstancePrice]) -> Iterator[WorstDay]:
    """Yield the most expensive day of each compute environment: it runs on the types that its jobs can use.

    Without jobs in the manifest, or with a workflow engine, which brings its own, any type may be started. A type with
    more vCPUs than `max_vcpus` counts only where there is no smaller one.
    """
    used = _used_types(manifest)
    by_compute: dict[str, list[InstancePrice]] = {}
    for each in prices:
        by_compute.setdefault(each.compute, []).append(each)
    for key, compute in manifest.compute.items():
        if compute.is_fargate:
            usd = fargate_price(
                manifest.region,
                compute.max_vcpus,
                compute.max_vcpus * _FARGATE_GIB_PER_VCPU,
                0,
                on_arm=False,
                is_spot=compute.type == "FARGATE_SPOT",
            )
            day = usd * _HOURS if usd else None
            yield WorstDay(key, compute.max_vcpus, "", 0, 0, day, UsdRange(0, 0), 0)
            continue
        offers = by_compute.get(key, [])
        types = [each for each in offers if each.instance.name in used.get(key, ())] or offers
        types = [each for each in types if each.instance.vcpus <= compute.max_vcpus] or types
        gib = sum(volume.size_gib for volume in volumes_of(manifest.image_of(key)))
        yield _worst(key, compute.max_vcpus, types, gib)


def _used_types(manifest: Manifest) -> dict[str, set[str]]:
    if manifest.given_engines:
        return {}
    used: dict[str, set[str]] = {}
    for found in places(manifest).values():
        for place in found:
            used.setdefault(place.compute_environment, set()).update(place.instance_types)
    return used


def _worst(key: str, max_vcpus: int, types: list[InstancePrice], gib: int) -> WorstDay:
    """Compare full compute environments of one type each; AWS Batch may exceed `max_vcpus` by less than an instance."""
    most_gib = max((_count(max_vcpus, each) * gib for each in types), default=0)
    known = [each for each in types if each.all_usd]
    if not known:
        return WorstDay(key, max_vcpus, "", 0, 0, None, None, most_gib)
    worst = max(known, key=lambda each: _day(max_vcpus, each, each.all_usd).high)
    count = _count(max_vcpus, worst)
    compute, volumes = _day(max_vcpus, worst, worst.usd), _day(max_vcpus, worst, worst.volumes_usd)
    unpriced = types_without_price(len(types) - len(known), len(types))
    return WorstDay(key, max_vcpus, worst.instance.name, count, count * gib, compute, volumes, most_gib, unpriced)


def _count(max_vcpus: int, price: InstancePrice) -> int:
    return math.ceil(max_vcpus / price.instance.vcpus)


def _day(max_vcpus: int, price: InstancePrice, usd: UsdRange | None) -> UsdRange:
    return (usd or UsdRange(0, 0)) * (_count(max_vcpus, price) * _HOURS)
