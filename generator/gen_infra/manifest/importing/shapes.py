"""Find the containers of a job definition, in any of AWS Batch's four shapes.

https://docs.aws.amazon.com/batch/latest/APIReference/API_RegisterJobDefinition.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

from gen_infra.manifest.importing.values import Note, dicts, flag, is_empty, whole
from gen_infra.manifest.rules.provider_members import NO_CONSUMABLES

_SHAPES = ("containerProperties", "ecsProperties", "nodeProperties", "eksProperties")
_NEVER_CARRIED_OVER = ("executionRoleArn", "logConfiguration")


class RefusedError(ValueError):
    """A job definition that a manifest cannot express, with the reason."""


class Containers(NamedTuple):
    """What a definition runs: one container as ``containerProperties`` has it, or several, which share the ``task``."""

    one: dict[str, Any]
    several: list[dict[str, Any]]
    task: dict[str, Any]
    nodes: int | None = None


def find_containers(definition: dict[str, Any], note: Note) -> Containers:
    """Return the containers of a definition, and on how many nodes its one container runs.

    Raises:
        RefusedError: there is none, AWS Batch refuses the definition, or a manifest cannot express them.
    """
    given = [key for key in _SHAPES if not is_empty(definition.get(key))]
    if len(given) > 1:
        raise RefusedError(f"it has {' and '.join(given)}; AWS Batch accepts one of them")
    if definition.get("type") == "multinode" and given and given != ["nodeProperties"]:
        raise RefusedError(f"its type is multinode, but it has {given[0]}; AWS Batch accepts nodeProperties")
    if not is_empty(definition.get("eksProperties")):
        raise RefusedError("EKS job definitions are not supported; compute environments run on ECS")
    container = definition.get("containerProperties")
    if len(listed := dicts(container)) == 1:  # as published examples have it
        container = listed[0]
    if isinstance(container, dict) and container:
        return Containers(container, [], {})
    if not is_empty(definition.get("ecsProperties")):
        task, containers = _task(definition["ecsProperties"])
        if len(containers) == 1:
            return Containers(_single(task, containers[0], note), [], {})
        return Containers({}, containers, task)
    if not is_empty(definition.get("nodeProperties")):
        one, nodes = _of_nodes(definition["nodeProperties"], note)
        return Containers(one, [], {}, nodes)
    if not is_empty(container):
        raise RefusedError("its containerProperties are not a mapping")
    raise RefusedError("it has no container properties")


def _task(given: object) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the settings of the only ECS task, and its containers.

    Raises:
        RefusedError: there is no task or container, or several tasks.
    """
    tasks = dicts(given.get("taskProperties")) if isinstance(given, dict) else []
    if len(tasks) != 1:
        raise RefusedError(f"its ecsProperties have {len(tasks)} tasks; AWS Batch accepts one")
    task = dict(tasks[0])
    containers = dicts(task.pop("containers", None))
    if not containers:
        raise RefusedError("its ecsProperties have no containers")
    return task, containers


def _single(task: dict[str, Any], container: dict[str, Any], note: Note) -> dict[str, Any]:
    """Return the single container of an ECS task, with the settings of the task itself."""
    container = dict(container)
    container.pop("name", None)
    if flag(container.get("essential")) is not False:  # with one container, that one always is
        container.pop("essential", None)
    for key in ("dependsOn", "firelensConfiguration", "startTimeout", "stopTimeout"):
        if not is_empty(container.pop(key, None)):
            note(f"ecsProperties: {key}", "is not carried over: it is for jobs of several containers")
    task = as_container(task)
    for key in ("ipcMode", "pidMode", "networkMode"):
        if not is_empty(value := task.pop(key, None)):
            note(f"ecsProperties: {key} {value}", "is not carried over: a job of one container has no such setting")
    return {**container, **task}


def as_container(task: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a task by the names that they have in ``containerProperties``."""
    renamed = dict(task)
    for there, here in (("taskRoleArn", "jobRoleArn"), ("platformVersion", "fargatePlatformConfiguration")):
        if value := renamed.pop(there, None):
            renamed[here] = {"platformVersion": value} if there == "platformVersion" else value
    return renamed


def _of_task_of_nodes(given: object, note: Note) -> dict[str, Any]:
    """Return the single container of a node range's task.

    Raises:
        RefusedError: it has several.
    """
    task, containers = _task(given)
    if len(containers) > 1:
        names = ", ".join(str(one.get("name", number)) for number, one in enumerate(containers, 1))
        raise RefusedError(
            f"its nodes run {len(containers)} containers ({names}); a multi-node job of a manifest has one container"
        )
    return _single(task, containers[0], note)


def _of_nodes(given: object, note: Note) -> tuple[dict[str, Any], int | None]:
    """Return the container that all nodes have in common."""
    given = given if isinstance(given, dict) else {}
    ranges = dicts(given.get("nodeRangeProperties"))
    if not ranges:
        raise RefusedError("its nodeProperties have no node ranges")
    if any(not is_empty(item.get("eksProperties")) for item in ranges):
        raise RefusedError("EKS job definitions are not supported; compute environments run on ECS")
    containers = [
        item["container"]
        if isinstance(item.get("container"), dict)
        else _of_task_of_nodes(item.get("ecsProperties"), _drop_note)
        for item in ranges
    ]
    for item, container in zip(ranges[1:], containers[1:], strict=True):
        differing = [
            key for key in {**containers[0], **container}
            if key not in _NEVER_CARRIED_OVER
            and containers[0].get(key) != container.get(key)
            and not (is_empty(containers[0].get(key)) and is_empty(container.get(key)))
        ]  # fmt: skip
        if differing:
            raise RefusedError(
                f"its nodes differ: {ranges[0].get('targetNodes')} and {item.get('targetNodes')} in "
                f"{', '.join(differing)}; a job of a manifest runs the same container on every node"
            )
    if ranges[0].get("container") != containers[0]:
        _of_task_of_nodes(ranges[0].get("ecsProperties"), note)
    if whole(given.get("mainNode")):
        note("nodeProperties.mainNode", "becomes 0")
    if any(item.get("instanceTypes") for item in ranges):
        note("instanceTypes", "is not carried over; set the `instance_types` of the compute environment")
    if any(item.get("consumableResourceProperties") for item in ranges):
        note("consumableResourceProperties", f"is not carried over: {NO_CONSUMABLES}")
    nodes = whole(given.get("numNodes"))
    if nodes <= 1:
        note("nodeProperties", "of one node become a job of one container")
    return containers[0], nodes if nodes > 1 else None


def _drop_note(_what: str, _message: str) -> None:
    """Drop a note: the same task is read once more for its notes."""
