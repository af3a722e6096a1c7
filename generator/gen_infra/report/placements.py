"""Say where each job can run, how well it fills the instances there, and what these cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.cost.hourly import task_price
from gen_infra.cost.jobs import share
from gen_infra.manifest.instances import named
from gen_infra.manifest.placements import demand, places
from gen_infra.report.data import FittingCompute, FittingType, ReportedJob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.cost.amounts import UsdRange
    from gen_infra.cost.hourly import InstancePrice
    from gen_infra.manifest import Manifest
    from gen_infra.manifest.instances import InstanceType
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.placements import Place

    _Prices = Mapping[tuple[str, str], UsdRange | None]  # by compute environment and instance type


def reported_jobs(manifest: Manifest, prices: Iterable[InstancePrice]) -> Iterator[ReportedJob]:
    """Yield every job definition of the manifest, in its order.

    Args:
        manifest: the environment's.
        prices: of the instance types of its compute environments.
    """
    found = places(manifest)
    priced = {(each.compute, each.instance.name): each.all_usd for each in prices}
    for key, job in manifest.jobs.items():
        yield ReportedJob(
            key=key,
            definition=manifest.definition_name(key),
            queue=manifest.queue_of(job),
            vcpus=job.total_vcpus,
            memory_mib=job.total_memory_mib,
            gpus=job.total_gpus,
            nodes=job.nodes or 0,
            attempts=job.attempts,
            timeout_minutes=job.timeout_minutes,
            places=tuple(_fitting(manifest.region, job, place, priced) for place in found[key]),
        )


def _fitting(region: str, job: Job, place: Place, prices: _Prices) -> FittingCompute:
    best = _best(job, place, prices) if place.instance_types else None
    usd = best.usd_a_job_hour if best else task_price(region, job, is_spot=place.type == "FARGATE_SPOT")
    return FittingCompute(
        place.compute_environment, place.type, place.jobs_in_max_vcpus, len(place.instance_types), best, usd
    )


def _best(job: Job, place: Place, prices: _Prices) -> FittingType:
    """Return the type on which a job costs least; where no price is known, the one that such jobs fill best."""
    found = [
        _fitting_type(job, instance, at_once, prices.get((place.compute_environment, name)))
        for name, at_once in place.instance_types.items()
        for instance in named(name)
    ]
    if priced := [(each.usd_a_job_hour, each) for each in found if each.usd_a_job_hour]:
        return min(priced, key=lambda each: (each[0].low + each[0].high, each[1].at_once))[1]
    return max(found, key=lambda each: (each.vcpus_percent + each.memory_percent, -each.at_once))


def _fitting_type(job: Job, instance: InstanceType, at_once: int, usd: UsdRange | None) -> FittingType:
    wanted = demand(job)
    return FittingType(
        name=instance.name,
        at_once=at_once,
        vcpus_percent=round(100 * wanted.vcpus * at_once / instance.vcpus, 1),
        memory_percent=round(100 * wanted.memory_mib * at_once / instance.usable_mib, 1),
        usd_an_hour=usd,
        usd_a_job_hour=usd * (float(job.nodes) if job.nodes else share(wanted, instance)) if usd else None,
    )
