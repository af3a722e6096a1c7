"""Conditions on the containers of Batch job definitions and jobs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gen_infra.emulator.validation.limit import Condition

# vCPUs -> MiB: https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html
_FARGATE: dict[float, set[int]] = {
    0.25: {512, 1024, 2048},
    0.5: {1024 * gib for gib in range(1, 5)},
    1: {1024 * gib for gib in range(2, 9)},
    2: {1024 * gib for gib in range(4, 17)},
    4: {1024 * gib for gib in range(8, 31)},
    8: {1024 * gib for gib in range(16, 61, 4)},
    16: {1024 * gib for gib in range(32, 121, 8)},
}


def requested(container: Mapping[str, Any], kind: str) -> float | None:
    """Return the value of a resource requirement, or of the older member for it; None if there is none."""
    values = [each.get("value") for each in container.get("resourceRequirements") or () if each.get("type") == kind]
    old = {"VCPU": "vcpus", "MEMORY": "memory"}.get(kind, "")
    value = values[0] if values else container.get(old)
    return None if value is None else float(value)


def is_number(requirement: Mapping[str, Any]) -> bool:
    """Return whether a resource requirement is a positive number, whole except for vCPUs."""
    pattern = r"[0-9]+(\.[0-9]+)?" if requirement.get("type") == "VCPU" else r"[0-9]+"
    value = requirement.get("value", "")
    return re.fullmatch(pattern, value, re.ASCII) is not None and float(value) > 0


def has_memory(container: Mapping[str, Any]) -> bool:
    """Return whether a container has at least 4 MiB, if it sets that."""
    memory = requested(container, "MEMORY")
    return memory is None or memory >= 4


def has_whole_vcpus(container: Mapping[str, Any]) -> bool:
    """Return whether a container on EC2 has whole vCPUs, if it sets that."""
    vcpus = requested(container, "VCPU")
    return vcpus is None or (vcpus >= 1 and vcpus.is_integer())


def fits_fargate(container: Mapping[str, Any]) -> bool:
    """Return whether Fargate has that combination of vCPUs and memory."""
    vcpus, memory = requested(container, "VCPU"), requested(container, "MEMORY")
    return vcpus is None or memory is None or memory in _FARGATE.get(vcpus, set())


def show_sizes(container: Mapping[str, Any]) -> str:
    """Write the sizes as Batch does."""
    return f"{requested(container, 'VCPU') or 0:.2f} vCPU, {requested(container, 'MEMORY') or 0:.0f} MiB"


def as_one(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task of several containers as one container that requests all that they request."""
    each = task.get("containers") or ()
    totals = {kind: sum(requested(container, kind) or 0 for container in each) for kind in ("VCPU", "MEMORY")}
    requirements = [{"type": kind, "value": f"{total:g}"} for kind, total in totals.items()]
    return {**task, "resourceRequirements": requirements}


def containers_have_volumes(task: Mapping[str, Any]) -> bool:
    """Return whether each mount point of a task's containers has its volume."""
    volumes = task.get("volumes")
    return all(mounts_have_volumes({**each, "volumes": volumes}) for each in task.get("containers") or ())


def has_role_for_containers(task: Mapping[str, Any]) -> bool:
    """Return whether a task whose containers have secrets has an execution role."""
    role = task.get("executionRoleArn")
    return all(has_role_for_secrets({**each, "executionRoleArn": role}) for each in task.get("containers") or ())


def has_essential(task: Mapping[str, Any]) -> bool:
    """Return whether the end of a container ends the task."""
    return any(each.get("essential", True) for each in task.get("containers") or ())


def depends_on_containers(task: Mapping[str, Any]) -> bool:
    """Return whether containers depend on containers of their task, without a circle."""
    needed = {
        each.get("name"): [one.get("containerName") for one in each.get("dependsOn") or ()]
        for each in task.get("containers") or ()
    }
    try:
        TopologicalSorter(needed).prepare()
    except CycleError:
        return False
    return all(other in needed for others in needed.values() for other in others)


def waits_for_ends(task: Mapping[str, Any]) -> bool:
    """Return whether containers wait only for the end of containers that are not essential."""
    essential = {each.get("name") for each in task.get("containers") or () if each.get("essential", True)}
    return not any(
        one.get("condition") in ("COMPLETE", "SUCCESS") and one.get("containerName") in essential
        for each in task.get("containers") or ()
        for one in each.get("dependsOn") or ()
    )


def mounts_have_volumes(container: Mapping[str, Any]) -> bool:
    """Return whether each mount point has its volume."""
    names = {each.get("name") for each in container.get("volumes") or ()}
    return all(each.get("sourceVolume") in names for each in container.get("mountPoints") or ())


def has_image(container: Mapping[str, Any]) -> bool:
    """Return whether a container has an image."""
    return bool(container.get("image"))


def has_role_for_secrets(container: Mapping[str, Any]) -> bool:
    """Return whether a container with secrets has an execution role."""
    return not container.get("secrets") or bool(container.get("executionRoleArn"))


def covers_all_nodes(nodes: Mapping[str, Any]) -> bool:
    """Return whether the node ranges cover all nodes."""
    covered: set[int] = set()
    for each in nodes.get("nodeRangeProperties") or ():
        first, colon, last = str(each.get("targetNodes", "")).partition(":")
        end = int(last) if last else nodes["numNodes"] - 1 if colon else int(first or 0)
        covered |= set(range(int(first or 0), end + 1))
    return covered == set(range(nodes["numNodes"]))


def requires(kind: str) -> Condition:
    """Accept containers that have the resource."""
    return lambda container: not container or requested(container, kind) is not None
