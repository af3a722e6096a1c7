"""What one attempt of a job costs: its share of an instance and of the instance's volumes, or its Fargate task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.cost.amounts import UsdRange, as_json, types_without_price
from gen_infra.cost.hourly import InstancePrice, is_on_arm, task_price
from gen_infra.manifest.placements import Demand, demand, places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.manifest.instances import InstanceType
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.placements import Place


@dataclass(frozen=True, slots=True)
class JobCost:
    """What one attempt of a job costs on any instance type that can run it; None: unknown.

    Args:
        job: its key in the manifest.
        usd_an_hour: what it costs while it runs; of a multi-node job all nodes.
        timeout_hours: after how long Batch stops an attempt.
        usual_hours: how long an attempt usually takes, the median of those that succeeded; None: unknown.
        attempts: how many there may be at most.
        unpriced: which of the types that can run it have no known price, such as ``2 of 41 types``; empty if none.
    """

    job: str
    usd_an_hour: UsdRange | None
    timeout_hours: float
    usual_hours: float | None
    attempts: int
    unpriced: str = ""

    @property
    def at_timeout(self) -> UsdRange | None:
        """Return what an attempt costs that runs until its timeout."""
        return self.usd_an_hour * self.timeout_hours if self.usd_an_hour else None

    @property
    def usual(self) -> UsdRange | None:
        """Return what an attempt usually costs."""
        return self.usd_an_hour * self.usual_hours if self.usd_an_hour and self.usual_hours is not None else None

    def to_dict(self) -> dict[str, Any]:
        """Convert it for JSON."""
        return {
            "job": self.job,
            "usd_an_hour": as_json(self.usd_an_hour),
            "timeout_hours": round(self.timeout_hours, 4),
            "usd_at_timeout": as_json(self.at_timeout),
            "usual_hours": None if self.usual_hours is None else round(self.usual_hours, 4),
            "usd_usually": as_json(self.usual),
            "attempts": self.attempts,
            "unpriced": self.unpriced or None,
        }


def job_costs(
    manifest: Manifest, prices: Iterable[InstancePrice], usual_hours: Mapping[str, float]
) -> Iterator[JobCost]:
    """Yield the cost of each job.

    Args:
        manifest: the environment.
        prices: those of its instance types.
        usual_hours: how long an attempt of a job usually takes, by the job's key.
    """
    priced = {(each.compute, each.instance.name): each for each in prices}
    by_demand: dict[tuple[object, ...], tuple[UsdRange | None, str]] = {}  # many jobs have the same
    for key, found in places(manifest).items():
        job = manifest.jobs[key]
        fargate = job.total_vcpus, job.ephemeral_storage_gib, is_on_arm(job)
        alike = (demand(job), job.nodes, fargate, *map(_identity, found))
        if alike not in by_demand:
            by_demand[alike] = _usd_an_hour(manifest, job, found, priced)
        usd, unpriced = by_demand[alike]
        yield JobCost(key, usd, job.timeout_minutes / 60, usual_hours.get(key), job.attempts, unpriced)


def _identity(place: Place) -> tuple[object, ...]:
    return place.compute_environment, tuple(place.instance_types)


def _usd_an_hour(
    manifest: Manifest, job: Job, found: Iterable[Place], priced: Mapping[tuple[str, str], InstancePrice]
) -> tuple[UsdRange | None, str]:
    """Return the range of all places where a job can run, None if no price is known, and which types have none."""
    usd: UsdRange | None = None
    unpriced = types = 0
    needs = demand(job)
    for place in found:
        if not place.instance_types:
            hours = [task_price(manifest.region, job, is_spot=place.type == "FARGATE_SPOT")]
        else:
            offers = [priced[place.compute_environment, name] for name in place.instance_types]
            hours = [
                each.all_usd * (float(job.nodes) if job.nodes else share(needs, each.instance))
                if each.all_usd
                else None
                for each in offers
            ]
        types += len(hours)
        unpriced += hours.count(None)
        for each_usd in filter(None, hours):
            usd = usd | each_usd if usd else each_usd
    return usd, types_without_price(unpriced, types) if usd else ""


def share(needs: Demand, instance: InstanceType) -> float:
    """Return the part of an instance that a job takes from others: of its vCPUs, memory or GPUs, whichever is most."""
    parts = [needs.vcpus / instance.vcpus, needs.memory_mib / instance.usable_mib]
    if instance.gpus:
        parts.append(needs.gpus / instance.gpus)
    return min(max(parts), 1)
