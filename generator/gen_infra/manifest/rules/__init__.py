"""Rules between values of a manifest.

Each module lists its rules in ``ERRORS`` and ``WARNINGS``; this package puts the lists together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.rules import (
    access,
    buckets,
    budget,
    container_properties,
    engines,
    existing,
    fargate,
    file_systems,
    hosts,
    images,
    jobs,
    launch,
    limits,
    machine_image,
    names,
    notifications,
    placement,
    rebuild,
    references,
    several_containers,
    suppressions,
    tags,
    workflows,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

ERRORS: tuple[ManifestRule, ...] = (
    *references.ERRORS,
    *existing.ERRORS,
    *images.ERRORS,
    *names.ERRORS,
    *limits.ERRORS,
    *launch.ERRORS,
    *machine_image.ERRORS,
    *tags.ERRORS,
    *jobs.ERRORS,
    *several_containers.ERRORS,
    *fargate.ERRORS,
    *file_systems.ERRORS,
    *placement.ERRORS,
    *container_properties.ERRORS,
    *rebuild.ERRORS,
    *notifications.ERRORS,
    *buckets.ERRORS,
    *budget.ERRORS,
    *hosts.ERRORS,
    *access.ERRORS,
    *workflows.ERRORS,
    *engines.ERRORS,
    *suppressions.ERRORS,
)
WARNINGS: tuple[ManifestRule, ...] = (
    *images.WARNINGS,
    *limits.WARNINGS,
    *machine_image.WARNINGS,
    *tags.WARNINGS,
    *several_containers.WARNINGS,
    *placement.WARNINGS,
    *budget.WARNINGS,
    *workflows.WARNINGS,
    *engines.WARNINGS,
)


def errors(manifest: Manifest) -> Iterator[ManifestFinding]:
    """Yield what AWS would refuse, or what would let jobs wait forever."""
    for rule in ERRORS:
        yield from rule(manifest)


def warnings(manifest: Manifest) -> Iterator[ManifestFinding]:
    """Yield what works, but seldom as intended; the manifest must have no errors."""
    for rule in WARNINGS:
        yield from rule(manifest)
