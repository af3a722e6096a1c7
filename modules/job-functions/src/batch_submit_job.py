"""batchSubmitJob: submit a job to AWS Batch.

In: ``jobName``, ``jobQueue`` and ``jobDefinition``; optional, null standing for not given, ``containerOverrides``,
``ecsPropertiesOverride``, ``arrayProperties``, ``dependsOn``, ``parameters``, ``shareIdentifier`` and ``tags``, all as
SubmitJob takes them. Out: the same event with ``jobId``. Other fields pass through, so that a workflow can carry its
own along. The job gets the environment as a tag.

Other fields of SubmitJob are refused: a job that ignores the timeout that was asked for would be a surprise.

What an event may name and change is in :mod:`batch_limits`; the function's IAM role allows no other queues and job
definitions either.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

from batch_function import (
    Event,
    EventValueError,
    NotAllowedError,
    batch_client,
    checked,
    log,
    quoted,
    required,
    short,
)
from batch_limits import Limits, limits

_JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)
_MOST_DEPENDENCIES = 20
_DEPENDENCY = {"jobId", "type"}
# Characters of the overrides as JSON, which ECS checks when Batch starts the job:
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
_LONGEST_OVERRIDES = 8192
# The other members of https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html
_AS_DECLARED = (
    "consumableResourcePropertiesOverride",
    "eksPropertiesOverride",
    "nodeOverrides",
    "propagateTags",
    "retryStrategy",
    "schedulingPriorityOverride",
    "timeout",
)


def handler(event: Event, _context: object) -> Event:
    """Submit the job that the event describes and return the event with its ``jobId``."""
    allowed = limits(os.environ["ENVIRONMENT"])
    request = submission(event, allowed)
    if allowed.definitions_by_tag:
        request["jobDefinition"] = _with_revision(request["jobDefinition"])
    job_id = batch_client().submit_job(**request)["jobId"]
    log("job submitted", jobId=job_id, **{field: request[field] for field in ("jobName", "jobQueue", "jobDefinition")})
    return {**event, "jobId": job_id}


def submission(event: object, allowed: Limits) -> dict[str, Any]:
    """Make the arguments of SubmitJob of this event.

    Raises:
        EventTypeError: a field has the wrong type.
        EventValueError: a field is missing, or its value cannot be right.
        NotAllowedError: the manifest does not allow what the event changes.
        OtherEnvironmentError: the queue or the definition belongs to another environment.
    """
    event = checked(event, dict, "the event")
    for field in _AS_DECLARED:
        if event.get(field) is not None:
            raise NotAllowedError(f"{field} stays as the job definition declares it; leave it out")
    name = required(event, "jobName")
    if not _JOB_NAME.fullmatch(name):
        raise EventValueError(
            f"jobName: {quoted(name)} is not 1 to 128 letters, digits, _ or -, the first a letter or digit"
        )
    request: dict[str, Any] = {
        "jobName": name,
        "jobQueue": allowed.queue(event),
        "jobDefinition": allowed.definition(event),
        "containerOverrides": _container(_optional(event, "containerOverrides", {}), "containerOverrides", allowed),
        "ecsPropertiesOverride": _ecs_properties_override(event, allowed),
        "arrayProperties": allowed.array(event),
        "dependsOn": _depends_on(event),
        "parameters": _parameters(event),
        "shareIdentifier": allowed.share(event, allowed.queue(event)),
        "tags": {**allowed.tags(event), "gen-infra:environment": allowed.environment},
    }
    for field in ("containerOverrides", "ecsPropertiesOverride"):
        length = len(json.dumps(request[field], ensure_ascii=False, separators=(",", ":")))
        if length > _LONGEST_OVERRIDES:
            raise EventValueError(f"{field}: {length} characters are more than {_LONGEST_OVERRIDES}")
    return {field: value for field, value in request.items() if value}


def _with_revision(definition: str) -> str:
    """Add the newest active revision to a definition that has none; what Batch would run.

    Raises:
        EventValueError: it has no active revision.
    """
    name, _, revision = definition.rpartition("/")[2].partition(":")
    if revision:
        return definition
    pages = batch_client().get_paginator("describe_job_definitions").paginate(jobDefinitionName=name, status="ACTIVE")
    revisions = [each["revision"] for page in pages for each in page["jobDefinitions"]]
    if not revisions:
        raise EventValueError(f"jobDefinition: {quoted(definition)} has no active revision")
    return f"{definition}:{max(revisions)}"


def _ecs_properties_override(event: Event, allowed: Limits) -> dict[str, Any]:
    """Check the overrides of each container of a job of several."""
    name = "ecsPropertiesOverride"
    override = _only(_optional(event, name, {}), "taskProperties", name)
    for task_index, task in enumerate(checked(override.get("taskProperties", []), list, f"{name}.taskProperties")):
        where = f"{name}.taskProperties[{task_index}]"
        containers = checked(_only(task, "containers", where).get("containers", []), list, f"{where}.containers")
        names: set[str] = set()
        for index, container in enumerate(containers):
            place = f"{where}.containers[{index}]"
            container_name = required(checked(container, dict, place), "name", place)
            if container_name in names:
                raise EventValueError(f"{place}.name: {quoted(container_name)} is given twice")
            names.add(container_name)
            _container({key: value for key, value in container.items() if key != "name"}, place, allowed)
    return override


def _only(given: object, field: str, where: str) -> dict[str, Any]:
    """Return an object that has this field, and no other."""
    value = checked(given, dict, where)
    if set(value) - {field}:
        raise EventValueError(f"{where} must have {field}, and nothing else")
    return value


def _container(given: object, name: str, allowed: Limits) -> dict[str, Any]:
    """Check what may hold secrets here, because botocore's own message would quote it."""
    overrides = checked(given, dict, name)
    for index, part in enumerate(checked(overrides.get("command", []), list, f"{name}.command")):
        checked(part, str, f"{name}.command[{index}]")
    for index, variable in enumerate(checked(overrides.get("environment", []), list, f"{name}.environment")):
        where = f"{name}.environment[{index}]"
        if set(checked(variable, dict, where)) != {"name", "value"}:
            raise EventValueError(f"{where} must have a name and a value, and nothing else")
        required(variable, "name", where)
        checked(variable["value"], str, f"{where}.value")
    allowed.check_container(overrides, name)
    return overrides


def _depends_on(event: Event) -> list[dict[str, str]]:
    dependencies = checked(_optional(event, "dependsOn", []), list, "dependsOn")
    if len(dependencies) > _MOST_DEPENDENCIES:
        raise EventValueError(f"dependsOn: {len(dependencies)} jobs are more than {_MOST_DEPENDENCIES}")
    for index, dependency in enumerate(dependencies):
        where = f"dependsOn[{index}]"
        if set(checked(dependency, dict, where)) - _DEPENDENCY or not dependency:
            raise EventValueError(f"{where} must have a jobId, a type or both, and nothing else")
        for key, value in dependency.items():
            checked(value, str, f"{where}.{key}")
    return dependencies


def _parameters(event: Event) -> dict[str, str]:
    parameters = checked(_optional(event, "parameters", {}), dict, "parameters")
    for name, value in parameters.items():
        checked(value, str, f"parameters.{short(name)}")
    return parameters


def _optional(event: Event, field: str, default: object) -> object:
    value = event.get(field)
    return default if value is None else value
