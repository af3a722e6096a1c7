"""Limits of Batch job definitions with several containers, which share one ECS task."""

from __future__ import annotations

from gen_infra.emulator.validation import containers
from gen_infra.emulator.validation.batch import TASK, batch_limit, given, is_unique
from gen_infra.emulator.validation.limit import Condition, Limit, length, matches


def _of_tasks(path: str, holds: Condition, words: str, source: str) -> Limit:
    """Make a row for the task of a job of several containers."""
    return batch_limit("RegisterJobDefinition", f"{TASK}.{path}".rstrip("."), holds, words, source)


LIMITS: tuple[Limit, ...] = (
    batch_limit(
        "RegisterJobDefinition",
        "ecsProperties.taskProperties",
        length(1, 1),
        "ecsProperties must have one element in taskProperties",
        "EcsProperties",
    ),
    _of_tasks("containers", length(1, 10), "A task must have 1 to 10 containers", "EcsTaskProperties"),
    _of_tasks("containers", is_unique("name"), "The names of containers must be unique", "TaskContainerProperties"),
    _of_tasks("containers[]", given("name"), "A container of a task must have a name", "TaskContainerProperties"),
    _of_tasks(
        "containers[].name",
        matches(r"[A-Za-z0-9_-]{1,255}"),
        "Invalid container name {value}",
        "TaskContainerProperties",
    ),
    *(
        _of_tasks("containers[]", containers.requires(kind), words, "ResourceRequirement")
        for kind, words in (("VCPU", "vCPU is not provided."), ("MEMORY", "Memory is not provided."))
    ),
    _of_tasks("", containers.has_essential, "A task must have an essential container", "TaskContainerProperties"),
    _of_tasks(
        "",
        containers.depends_on_containers,
        "dependsOn must name containers of the task, without a circle",
        "TaskContainerDependency",
    ),
    _of_tasks(
        "",
        containers.waits_for_ends,
        "The conditions COMPLETE and SUCCESS cannot be set on an essential container",
        "TaskContainerDependency",
    ),
    _of_tasks(
        "", containers.containers_have_volumes, "A sourceVolume of mountPoints is not among the volumes", "MountPoint"
    ),
    _of_tasks("volumes", is_unique("name"), "The names of volumes must be unique", "Volume"),
    _of_tasks("", containers.has_role_for_containers, "secrets require an executionRoleArn", "EcsTaskProperties"),
)
