"""Rules for compute environments and jobs on Fargate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.model.base import fields_of
from gen_infra.manifest.rules.rule import total_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.base import Model
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

# vCPU -> the memory sizes that it can have, in MiB.
# https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html (value)
FARGATE_SIZES: dict[float, tuple[int, ...]] = {
    0.25: (512, 1024, 2048),
    0.5: tuple(range(1024, 4096 + 1, 1024)),
    1: tuple(range(2048, 8192 + 1, 1024)),
    2: tuple(range(4096, 16384 + 1, 1024)),
    4: tuple(range(8192, 30720 + 1, 1024)),
    8: tuple(range(16384, 61440 + 1, 4096)),
    16: tuple(range(32768, 122_880 + 1, 8192)),
}

# https://docs.aws.amazon.com/batch/latest/userguide/job_timeouts.html
_FARGATE_MINUTES = 14 * 24 * 60

_COMPUTE_ON_EC2 = (
    "allocation_strategy",
    "bid_percentage",
    "min_vcpus",
    "instance_types",
    "image",
    "user_data",
    "capacity_reservation",
    "efa",
    "placement_group",
    "service_role",
    "update_timeout_minutes",
)
_CONTAINER_ON_EC2 = ("scratch", "fsx", "gpus", "ulimits")
_LINUX_ON_EC2 = ("shared_memory_mib", "max_swap_mib", "swappiness", "tmpfs", "devices")


def fargate_has_no_instances(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse settings of instances for Fargate, as Batch does; gen-infra uses the service-linked role there.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResource.html
    """
    for key, compute in manifest.compute.items():
        if compute.is_fargate:
            for field in _set_among(compute, _COMPUTE_ON_EC2):
                yield ("compute", key, field), f"{field} is not supported in a {compute.type} compute environment"


def queues_do_not_mix_fargate_and_ec2(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse EC2 and Fargate in one queue.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateJobQueue.html (computeEnvironmentOrder)
    """
    for key, queue in manifest.queues.items():
        kinds = {name: manifest.compute[name].is_fargate for name in queue.compute if name in manifest.compute}
        for index, name in enumerate(queue.compute):
            if name in kinds and kinds[name] != kinds[next(iter(kinds))]:
                yield (
                    ("queues", key, "compute", index),
                    "a queue cannot have compute environments on both EC2 and Fargate",
                )


def fargate_jobs_use_what_fargate_has(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse mounts of the host, GPUs and limits of the host; require a size of the table.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html ("not applicable to … Fargate")
    """
    for key, job in manifest.jobs.items():
        if not manifest.is_on_fargate(job):
            continue
        if job.nodes:
            yield ("jobs", key, "nodes"), "a job on Fargate has no nodes"
        if job.timeout_minutes > _FARGATE_MINUTES:
            yield (
                ("jobs", key, "timeout_minutes"),
                f"{job.timeout_minutes} is above {_FARGATE_MINUTES}: Fargate stops each job after 14 days",
            )
        yield from _size(key, job)
    for path, job, container in manifest.containers():
        if manifest.is_on_fargate(job):
            for field in _set_among(container, _CONTAINER_ON_EC2):
                instead = "; use ephemeral_storage_gib" if field == "scratch" else ""
                yield (*path, field), f"a job on Fargate has no {field}{instead}"
            for field in _set_among(container.linux, _LINUX_ON_EC2) if container.linux else ():
                yield (*path, "linux", field), f"a job on Fargate has no {field}"


def _size(key: str, job: Job) -> Iterable[ManifestFinding]:
    vcpus, memory_mib = job.total_vcpus, job.total_memory_mib
    whose = " of all containers" if job.containers else ""
    if vcpus not in FARGATE_SIZES:
        sizes = _numbers(tuple(FARGATE_SIZES))
        yield total_path(key, job, "vcpus"), f"{vcpus}{whose} is not a Fargate size: {sizes}"
    elif memory_mib not in FARGATE_SIZES[vcpus]:
        sizes = _numbers(FARGATE_SIZES[vcpus])
        yield (
            total_path(key, job, "memory_mib"),
            f"{memory_mib}{whose} does not go with {vcpus} vCPU on Fargate: {sizes}",
        )


def ec2_jobs_use_what_instances_have(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a part of a vCPU and ephemeral storage on EC2: they are Fargate's (same page)."""
    for key, job in manifest.jobs.items():
        if manifest.is_on_fargate(job):
            continue
        if job.ephemeral_storage_gib is not None:
            yield ("jobs", key, "ephemeral_storage_gib"), "only a job on Fargate has it; on EC2 there is scratch"
    for path, job, container in manifest.containers():
        if isinstance(container.vcpus, float) and not manifest.is_on_fargate(job):
            yield (*path, "vcpus"), f"{container.vcpus} is for Fargate; on EC2 it is a whole number"


def _set_among(struct: Model, names: tuple[str, ...]) -> list[str]:
    """Return the fields that differ from their defaults."""
    defaults = {field.name: field.default for field in fields_of(type(struct))}
    return [name for name in names if getattr(struct, name) not in (defaults[name], {}, ())]


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" if value < 1 else str(value) for value in values)


ERRORS: tuple[ManifestRule, ...] = (
    fargate_has_no_instances,
    queues_do_not_mix_fargate_and_ec2,
    fargate_jobs_use_what_fargate_has,
    ec2_jobs_use_what_instances_have,
)
