"""Say where each job can run, how well it fills the instances there, and what these cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.instances import named
from gen_infra.manifest.placements import demand, places
from gen_infra.report.data import FittingCompute, FittingType, ReportedJob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gen_infra.manifest import Manifest
    from gen_infra.manifest.instances import InstanceType
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.placements import Demand, Place

    HourlyPrice = Callable[[str], float | None]
    """Gives the On-Demand price of an instance type in USD by the hour; None where it is not known."""


def reported_jobs(manifest: Manifest, hourly_price: HourlyPrice) -> Iterator[ReportedJob]:
    """Yield every job definition of the manifest, in its order."""
    found = places(manifest)
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
            places=tuple(_fitting(job, place, hourly_price) for place in found[key]),
        )


def _fitting(job: Job, place: Place, hourly_price: HourlyPrice) -> FittingCompute:
    types = place.instance_types
    best = _best(demand(job), types, hourly_price) if types else None
    return FittingCompute(place.compute_environment, place.type, place.jobs_in_max_vcpus, len(types), best)


def _best(wanted: Demand, types: Mapping[str, int], hourly_price: HourlyPrice) -> FittingType:
    """Return the type on which a job costs least; where no price is known, the one that such jobs fill best."""
    found = [
        _fitting_type(wanted, instance, at_once, hourly_price(instance.name))
        for name, at_once in types.items()
        for instance in named(name)
    ]
    if priced := [each for each in found if each.usd_a_job_hour is not None]:
        return min(priced, key=lambda each: (each.usd_a_job_hour or 0, each.at_once))
    return max(found, key=lambda each: (each.vcpus_percent + each.memory_percent, -each.at_once))


def _fitting_type(wanted: Demand, instance: InstanceType, at_once: int, usd: float | None) -> FittingType:
    return FittingType(
        name=instance.name,
        at_once=at_once,
        vcpus_percent=round(100 * wanted.vcpus * at_once / instance.vcpus, 1),
        memory_percent=round(100 * wanted.memory_mib * at_once / instance.usable_mib, 1),
        usd_an_hour=usd,
        usd_a_job_hour=None if usd is None else round(usd / at_once, 4),
    )
