"""Show where each job can run, as text and as data, for `gen-infra show`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.cli.console import terminal_width
from gen_infra.manifest.placements import all_vcpus, demand, enabled, fitting, usable_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest

_WIDTH = 118  # columns at most, with the comment's mark


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


def described(manifest: Manifest) -> Iterator[str]:
    """Yield the placements as lines of text, with the families that have the same sizes together."""
    for key, found in places(manifest).items():
        job = manifest.jobs[key]
        yield from _wrapped(f"{key} ({_requirements(job)}), queue {manifest.queue_of(job)}:", indent=0)
        for place in found:
            yield from _wrapped(f"{place.compute_environment}, {_capacity(place, job)}", indent=2)
            for line in _families(place.instance_types, counted=not job.nodes):
                yield from _wrapped(line, indent=4)


def _requirements(job: Job) -> str:
    gpus = f", {job.total_gpus} GPU" if job.total_gpus else ""
    many = f"{job.nodes} nodes of " if job.nodes else f"{len(job.containers)} containers: " if job.containers else ""
    return f"{many}{job.total_vcpus} vCPU, {job.total_memory_mib} MiB{gpus}"


def _capacity(place: Place, job: Job) -> str:
    if not place.instance_types:
        kind = "Fargate Spot" if place.type == "FARGATE_SPOT" else "Fargate"
        size = f"{job.total_vcpus} vCPU / {job.total_memory_mib} MiB"
        return f"{kind}, {size}: {place.jobs_in_max_vcpus} at once within max_vcpus"
    return f"{place.type}, each node on an instance of its own:" if job.nodes else f"{place.type}:"


def _families(types: dict[str, int], *, counted: bool) -> Iterator[str]:
    """Turn ``{"m6i.large": 1, "r6i.large": 1, "m6i.xlarge": 2, …}`` into ``m6i, r6i: 1 on large, 2 on xlarge``."""
    sizes_of: dict[str, dict[int, list[str]]] = {}
    for name, at_once in types.items():
        family, _, size = name.partition(".")
        sizes_of.setdefault(family, {}).setdefault(at_once, []).append(size)
    families_of: dict[str, list[str]] = {}
    for family, sizes in sizes_of.items():
        row = ", ".join((f"{at_once} on " if counted else "") + "/".join(names) for at_once, names in sizes.items())
        families_of.setdefault(row, []).append(family)
    for row, families in families_of.items():
        yield f"{', '.join(families)}: {row}"


def _wrapped(line: str, indent: int) -> list[str]:
    return textwrap.wrap(
        line,
        min(_WIDTH, terminal_width() - len("# ")),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
