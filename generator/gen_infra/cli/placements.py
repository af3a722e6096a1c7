"""Show where each job can run as text, for `gen-infra show`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from gen_infra.cli.console import terminal_width
from gen_infra.manifest.placements import Place, places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.manifest import Manifest

_WIDTH = 118  # columns at most, with the comment's mark


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


def wrapped_comments(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines in the terminal's width, each continued two columns to the right."""
    for line in lines:
        text = line.lstrip()
        yield from _wrapped(text, indent=len(line) - len(text))


def _wrapped(line: str, indent: int) -> list[str]:
    return textwrap.wrap(
        line,
        min(_WIDTH, terminal_width() - len("# ")),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
