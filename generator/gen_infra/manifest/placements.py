"""Where a job can run: the instance types of its queue that are large enough, and how many such jobs fit on each."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.manifest.instances import InstanceType, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.model.scheduling import ComputeEnvironment


class Demand(NamedTuple):
    """The resources that a job requires of its instance."""

    vcpus: int
    memory_mib: int
    gpus: int = 0

    def at_once(self, vcpus: int, memory_mib: int, gpus: int) -> int:
        """Return how many such jobs these resources are enough for."""
        most = min(vcpus // self.vcpus, memory_mib // self.memory_mib)
        return min(most, gpus // self.gpus) if self.gpus else most


def enabled(manifest: Manifest, queue: str) -> list[str]:
    """Return the enabled compute environments of a queue."""
    return [
        compute for compute in manifest.queues[queue].compute
        if compute in manifest.compute and manifest.compute[compute].state == "ENABLED"
    ]  # fmt: skip


def demand(job: Job) -> Demand:
    """Return the resources that a job requires of its instance."""
    return Demand(math.ceil(job.total_vcpus), job.total_memory_mib, job.total_gpus)


def usable_types(job: Job, compute: ComputeEnvironment) -> tuple[str, ...]:
    """Return the part of ``instance_types`` that a job can use: all, or those that its ``instanceType`` picks.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html (instanceType: multi-node only)
    """
    picked = job.container_properties.get("instanceType") if job.nodes else None
    if not isinstance(picked, str):
        return compute.instance_types
    names = {instance.name for instance in named(picked)}
    return tuple(instance.name for instance in offered(compute.instance_types) if instance.name in names)


def all_vcpus(job: Job) -> float:
    """Return the vCPUs of all nodes of a job, which count towards the compute environment's maximum."""
    return job.total_vcpus * (job.nodes or 1)


@cache
def fitting(words: tuple[str, ...], job: Demand) -> tuple[tuple[InstanceType, int], ...]:
    """Return those types of these ``instance_types`` that can run the job, with how many such jobs fit on each."""
    return tuple(
        (instance, at_once)
        for instance in offered(words)
        if (at_once := job.at_once(instance.vcpus, instance.usable_mib, instance.gpus))
    )


@cache
def offered(words: tuple[str, ...]) -> tuple[InstanceType, ...]:
    """Return every type of these ``instance_types``, each once."""
    return tuple(dict.fromkeys(instance for word in words for instance in named(word)))


class Place(NamedTuple):
    """A compute environment that can run a job."""

    compute_environment: str
    type: str
    """Its `type` in the manifest: ``SPOT``, ``EC2``, ``FARGATE`` or ``FARGATE_SPOT``."""
    instance_types: dict[str, int]
    """The types that can run the job, each with the number of such jobs (or nodes: one) that fit on the instance."""
    jobs_in_max_vcpus: int
    """The number of such jobs that ``max_vcpus`` is enough for."""


def places(manifest: Manifest) -> dict[str, list[Place]]:
    """Return the compute environments of each job's queue that can run it, in the queue's order."""
    return {key: list(_places(manifest, job)) for key, job in manifest.jobs.items()}


def _places(manifest: Manifest, job: Job) -> Iterator[Place]:
    for name in enabled(manifest, manifest.queue_of(job)):
        compute = manifest.compute[name]
        # a node has an instance for itself
        types = {
            instance.name: 1 if job.nodes else at_once
            for instance, at_once in (() if compute.is_fargate else fitting(usable_types(job, compute), demand(job)))
        }
        jobs = int(compute.max_vcpus // all_vcpus(job))
        if jobs and (types or compute.is_fargate):
            yield Place(name, compute.type, types, jobs)
