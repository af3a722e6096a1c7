"""Read the containers of a Batch job from its entry of DescribeJobs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def container_of(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    """Find a job's container in its entry of DescribeJobs: its only one, its main node's, or one of several.

    Of several it is the first that failed in the last attempt, or else the first that is essential. What a main node's
    containers wrote is known to DescribeJobs of the node alone, ``JOB_ID#NODE``.
    """
    every = containers_of(detail)
    last = (detail.get("attempts") or [{}])[-1]
    ended = [{**container_of_attempt(last, each.get("name", "")), **each} for each in every]
    for is_decisive in (_has_failed, _has_reason, _is_essential):
        if found := [each for each, known in zip(every, ended, strict=True) if is_decisive(known)]:
            return found[0]
    return every[0]


def containers_of(detail: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List a job's containers from its entry of DescribeJobs; of a task, each with the task's roles and place."""
    ranges = detail.get("nodeProperties", {}).get("nodeRangeProperties") or [{}]
    if only := detail.get("container") or ranges[0].get("container"):
        return [only]
    task = (detail.get("ecsProperties", {}).get("taskProperties") or [{}])[0]
    shared = {here: task[there] for here, there in _OF_THE_TASK.items() if there in task}
    return [shared | container for container in task.get("containers") or [{}]]


_OF_THE_TASK = {
    "jobRoleArn": "taskRoleArn",
    **{name: name for name in ("executionRoleArn", "taskArn", "containerInstanceArn")},
}


def container_of_attempt(attempt: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Find the container of a past attempt: its only one, or the one with that name."""
    if only := attempt.get("container"):
        found: Mapping[str, Any] = only
        return found
    task = (attempt.get("taskProperties") or [{}])[0]
    shared = {key: task[key] for key in ("taskArn", "containerInstanceArn") if key in task}
    return shared | next((each for each in task.get("containers") or () if each.get("name") == name), {})


def _has_failed(container: Mapping[str, Any]) -> bool:
    return bool(container.get("exitCode")) and _is_essential(container)


def _has_reason(container: Mapping[str, Any]) -> bool:
    return bool(container.get("reason"))


def _is_essential(container: Mapping[str, Any]) -> bool:
    return container.get("essential", True) is not False


def asked_by(detail: Mapping[str, Any], kind: str) -> float:
    """Add up what all containers of a job, or of one of its nodes, request, as :func:`asked_of`."""
    return sum(asked_of(container, kind) for container in containers_of(detail))


def asked_of(container: Mapping[str, Any], kind: str) -> float:
    """Read what a container requests: ``VCPU``, ``MEMORY`` in MiB or ``GPU``; 0 where it says nothing."""
    needs = {each.get("type"): each.get("value") for each in container.get("resourceRequirements") or []}
    old = {"VCPU": "vcpus", "MEMORY": "memory"}.get(kind, "")
    try:
        number = float(needs.get(kind) or container.get(old) or 0)
    except ValueError:  # Batch passes on what its own checks let through
        return 0.0
    return number if math.isfinite(number) else 0.0
