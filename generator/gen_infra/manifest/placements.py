"""Will it ever start: which instance types of its queue can hold a job, and how many of it at once."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.manifest.instances import InstanceType, named

if TYPE_CHECKING:
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest


class Demand(NamedTuple):
    """What decides where a job fits."""

    vcpus: int
    memory_mib: int
    gpus: int = 0

    def at_once(self, vcpus: int, memory_mib: int, gpus: int) -> int:
        """How many of it this much holds."""
        most = min(vcpus // self.vcpus, memory_mib // self.memory_mib)
        return min(most, gpus // self.gpus) if self.gpus else most


def enabled(manifest: Manifest, queue: str) -> list[str]:
    """The compute environments of a queue that start jobs."""
    return [
        compute for compute in manifest.queues[queue].compute
        if compute in manifest.compute and manifest.compute[compute].state == "ENABLED"
    ]  # fmt: skip


def demand(job: Job) -> Demand:
    """What a job asks of its instance."""
    return Demand(math.ceil(job.vcpus), job.memory_mib, job.gpus or 0)


def all_vcpus(job: Job) -> float:
    """What a job takes of its compute environment's maximum: the vCPUs of all its nodes."""
    return job.vcpus * (job.nodes or 1)


@cache
def fitting(words: tuple[str, ...], job: Demand) -> tuple[tuple[InstanceType, int], ...]:
    """The types behind these words of ``instance_types`` that can hold the job, with how many of it at once."""
    return tuple(
        (instance, at_once)
        for instance in offered(words)
        if (at_once := job.at_once(instance.vcpus, instance.usable_mib, instance.gpus))
    )


@cache
def offered(words: tuple[str, ...]) -> tuple[InstanceType, ...]:
    """Every type behind these words, each once."""
    return tuple(dict.fromkeys(instance for word in words for instance in named(word)))
