"""Rules for a job of several containers, which share one ECS task.

https://docs.aws.amazon.com/batch/latest/APIReference/API_TaskContainerProperties.html
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from gen_infra.manifest.model.base import fields_of
from gen_infra.manifest.model.container import ContainerSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen_infra.manifest.model.container import Container, EfsVolume
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule


def settings_are_those_of_a_container(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse settings of one container on a job of several; multi-node jobs and ``container_properties`` have one."""
    defaults = {field.name: field.default for field in fields_of(ContainerSettings)}
    for key, job in manifest.jobs.items():
        if not job.containers:
            continue
        for name, default in defaults.items():
            if getattr(job, name) not in (default, {}, ()):
                yield ("jobs", key, name), f"{name} belongs to a container here; set it in one of containers"
        if job.nodes:
            yield ("jobs", key, "nodes"), "a multi-node job has one container, which runs on every node"
        if job.container_properties:
            yield (
                ("jobs", key, "container_properties"),
                "container_properties are for a job of one container; use the keys of containers, or task_properties",
            )


def one_container_is_essential(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require an essential container, as Batch does (essential)."""
    for key, job in manifest.jobs.items():
        if job.containers and not any(container.essential for container in job.containers.values()):
            yield ("jobs", key, "containers"), "no container is essential; the end of one has to end the job"


def containers_wait_for_what_can_happen(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require that containers wait for others of their job, without a circle, and not for the end of essential ones.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_TaskContainerDependency.html (condition)
    """
    for key, job in manifest.jobs.items():
        for name, container in job.containers.items():
            for other, condition in container.depends_on.items():
                path = ("jobs", key, "containers", name, "depends_on", other)
                if other not in job.containers:
                    yield path, f'unknown container "{other}"; choose from: {", ".join(job.containers)}'
                elif condition != "START" and job.containers[other].essential:
                    yield path, f"{condition} is for a container that is not essential, and {other} is; use START"
        if circle := _circle(job.containers):
            yield ("jobs", key, "containers"), f"these containers wait for each other: {' -> '.join(circle)}"


def _circle(containers: Mapping[str, Container]) -> list[str]:
    """Return containers that wait for each other, from the first to the first again; empty if none do."""
    try:
        TopologicalSorter({name: container.depends_on for name, container in containers.items()}).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found[::-1]
    return []


def volumes_are_shared(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn about a shared volume that a single container names: it is often a mistake for another name."""
    for path, job, container in manifest.containers():
        for name in container.shared_volumes:
            users = [each for each in job.all_containers.values() if name in each.shared_volumes]
            if len(users) == 1:
                yield (*path, "shared_volumes", name), "no other container of this job names this volume"


def file_systems_are_named_once(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse one name for two file systems, because containers share the volumes of their job."""
    for key, job in manifest.jobs.items():
        seen: dict[str, tuple[str, tuple[str | None, ...]]] = {}
        for name, container in job.containers.items():
            for volume_name, volume in container.efs.items():
                first, what = seen.setdefault(volume_name, (name, _identity(volume)))
                if what != _identity(volume):
                    yield (
                        ("jobs", key, "containers", name, "efs", volume_name),
                        f"container {first} has another file system with this name; rename one",
                    )


def _identity(volume: EfsVolume) -> tuple[str | None, ...]:
    return volume.file_system, volume.access_point, volume.directory


ERRORS: tuple[ManifestRule, ...] = (
    settings_are_those_of_a_container,
    one_container_is_essential,
    containers_wait_for_what_can_happen,
    file_systems_are_named_once,
)
WARNINGS: tuple[ManifestRule, ...] = (volumes_are_shared,)
