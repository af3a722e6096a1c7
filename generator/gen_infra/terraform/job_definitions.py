"""Read job definitions, as Terraform's source and plans have them: a JSON text in one of three attributes.

Beside these, the roles of compute environments, which are judged like those of jobs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gen_infra.terraform.policy_documents import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The members of containers and tasks that name a role, and what the role is for.
_ROLES = {"jobRoleArn": "job role", "taskRoleArn": "job role", "executionRoleArn": "execution role"}
_INSTANCE_ROLES = {"instance_role": "instance profile", "spot_iam_fleet_role": "Spot Fleet role"}


def containers(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every container of an ``aws_batch_job_definition``: single, multi-node, or a task's, and the task."""
    found = [_decoded(values.get("container_properties"))]
    for node in listed(at(_decoded(values.get("node_properties")), "nodeRangeProperties")):
        found += [at(node, "container"), *_task_containers(at(node, "ecsProperties"))]
    found += _task_containers(_decoded(values.get("ecs_properties")))
    yield from (container for container in found if isinstance(container, dict))


def roles(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the roles of an ``aws_batch_job_definition``, each as what it is for and its ARN."""
    for container in containers(values):
        for member, label in _ROLES.items():
            if isinstance(arn := container.get(member), str):
                yield label, arn


def compute_roles(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the roles of an ``aws_batch_compute_environment``, each as what it is for and its ARN."""
    found = [("service role", values.get("service_role"))]
    for block in listed(values.get("compute_resources")):
        found += [(label, at(block, attribute)) for attribute, label in _INSTANCE_ROLES.items()]
    yield from ((label, arn) for label, arn in found if isinstance(arn, str) and arn)


def at(value: Any, *path: str) -> Any:
    """Return the value at nested keys; None if there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _task_containers(properties: Any) -> list[Any]:
    """Return a task's containers, and the task itself for its roles, volumes and network."""
    tasks = listed(at(properties, "taskProperties"))
    return [*tasks, *(container for task in tasks for container in listed(at(task, "containers")))]


def _decoded(properties: Any) -> Any:
    """Parse a JSON text; states have an empty one for properties that are not set."""
    return json.loads(properties or "{}") if isinstance(properties, str) else properties
