"""Limits of Batch job definitions and jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gen_infra.emulator.validation import containers
from gen_infra.emulator.validation.batch import NAME, QUOTAS, SHARE, TASK, batch_limit, given, is_unique
from gen_infra.emulator.validation.limit import (
    Condition,
    Limit,
    at_least,
    at_most,
    between,
    length,
    matches,
    never_starts,
)

_KIB = 1024
_CONTAINERS = ("containerProperties", "nodeProperties.nodeRangeProperties[].container")
_NOT_ON_FARGATE = (
    "privileged",
    "ulimits",
    *(f"linuxParameters.{name}" for name in ("devices", "sharedMemorySize", "maxSwap", "swappiness", "tmpfs")),
)
_PROPERTIES = ("containerProperties", "nodeProperties", "ecsProperties", "eksProperties")
_JOBS = "RegisterJobDefinition SubmitJob"
_CREATIONS = (
    "RegisterJobDefinition SubmitJob CreateJobQueue CreateComputeEnvironment CreateSchedulingPolicy TagResource"
)


def _of_containers(path: str, holds: Condition, words: str, source: str) -> Iterator[Limit]:
    """Make the rows for a job's container and for those of a multi-node job."""
    for container in _CONTAINERS:
        yield batch_limit("RegisterJobDefinition", f"{container}.{path}".rstrip("."), holds, words, source)


def _of_all_containers(path: str, holds: Condition, words: str, source: str) -> Iterator[Limit]:
    """Make the same rows, and one for each container of several."""
    yield from _of_containers(path, holds, words, source)
    yield batch_limit("RegisterJobDefinition", f"{TASK}.containers[].{path}".rstrip("."), holds, words, source)


def _whole(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the container of a job, or all containers of its task as one."""
    tasks = (request.get("ecsProperties") or {}).get("taskProperties")
    return containers.as_one(tasks[0]) if tasks else request.get("containerProperties") or {}


def _is_fargate(request: Mapping[str, Any]) -> bool:
    return "FARGATE" in (request.get("platformCapabilities") or ())


def _on_ec2(holds: Condition) -> Condition:
    return lambda request: _is_fargate(request) or holds(_whole(request))


def _on_fargate(holds: Condition) -> Condition:
    return lambda request: not _is_fargate(request) or holds(_whole(request))


def _show_container(request: Mapping[str, Any]) -> str:
    return containers.show_sizes(_whole(request))


def _has_properties(request: Mapping[str, Any]) -> bool:
    if request["type"] == "multinode":
        return bool(request.get("nodeProperties"))
    return any(request.get(name) for name in ("containerProperties", "ecsProperties", "eksProperties"))


def _depends_with_reason(request: Mapping[str, Any]) -> bool:
    return all(each.get("jobId") or each.get("type") == "SEQUENTIAL" for each in request.get("dependsOn") or ())


def _only_arrays_have_types(request: Mapping[str, Any]) -> bool:
    kinds = {each.get("type") for each in request.get("dependsOn") or ()}
    return bool((request.get("arrayProperties") or {}).get("size")) or not kinds & {"SEQUENTIAL", "N_TO_N"}


def _not(holds: Condition) -> Condition:
    return lambda value: not holds(value)


LIMITS: tuple[Limit, ...] = (
    # every resource
    batch_limit(_CREATIONS, "tags{}", never_starts("aws:"), "Tag keys must not start with aws:", "TagResource"),
    batch_limit(
        "RegisterJobDefinition",
        "jobDefinitionName",
        matches(NAME),
        "Job definition name should match valid pattern",
        "RegisterJobDefinition",
    ),
    batch_limit("SubmitJob", "jobName", matches(NAME), "Job name should match valid pattern", "SubmitJob"),
    batch_limit(
        "CreateJobQueue", "jobQueueName", matches(NAME), "Job queue name should match valid pattern", "CreateJobQueue"
    ),
    batch_limit(
        "CreateComputeEnvironment",
        "computeEnvironmentName",
        matches(NAME),
        "Compute environment name should match valid pattern",
        "CreateComputeEnvironment",
    ),
    batch_limit(
        "CreateSchedulingPolicy",
        "name",
        matches(NAME),
        "Scheduling policy name should match valid pattern",
        "CreateSchedulingPolicy",
    ),
    # job definitions and jobs
    batch_limit(
        _JOBS,
        "timeout.attemptDurationSeconds",
        at_least(60),
        "Timeout attemptDurationSeconds must be at least 60 seconds, not {value}",
        "JobTimeout",
    ),
    batch_limit(
        _JOBS,
        "retryStrategy.attempts",
        between(1, 10),
        "attempts must be between 1 and 10, not {value}",
        "RetryStrategy",
    ),
    batch_limit(
        _JOBS, "retryStrategy.evaluateOnExit", at_most(5), "evaluateOnExit has at most 5 conditions", "RetryStrategy"
    ),
    batch_limit(
        _JOBS,
        "retryStrategy.evaluateOnExit[].onExitCode",
        matches(r"[0-9]{1,511}\*?|\*"),
        "onExitCode must match [0-9]*\\*?, not {value}",
        "EvaluateOnExit",
    ),
    batch_limit(
        _JOBS,
        "retryStrategy.evaluateOnExit[].onReason",
        matches(r"[\w.: \t\r\n/(),\[\]'\"=-]{0,512}\*?"),
        "onReason must match its pattern, not {value}",
        "EvaluateOnExit",
    ),
    batch_limit(
        _JOBS,
        "retryStrategy.evaluateOnExit[].onStatusReason",
        matches(r"[\w.: \t\r\n/(),\[\]'\"=-]{0,512}\*?"),
        "onStatusReason must match its pattern, not {value}",
        "EvaluateOnExit",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "schedulingPriority",
        between(0, 9999),
        "schedulingPriority must be between 0 and 9999, not {value}",
        "RegisterJobDefinition",
    ),
    batch_limit(
        "SubmitJob",
        "schedulingPriorityOverride",
        between(0, 9999),
        "schedulingPriorityOverride must be between 0 and 9999, not {value}",
        "SubmitJob",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "",
        _has_properties,
        "containerProperties or nodeProperties must be provided for the job definition type",
        "RegisterJobDefinition",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "",
        lambda request: sum(bool(request.get(name)) for name in _PROPERTIES) <= 1,
        "Only one of containerProperties, nodeProperties, ecsProperties and eksProperties may be provided",
        "RegisterJobDefinition",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "",
        lambda request: len(json.dumps(request)) <= 24 * _KIB,
        "Job definition size exceeds 24 KiB",
        QUOTAS,
    ),
    batch_limit(
        "SubmitJob",
        "",
        lambda request: len(json.dumps(request)) <= 30 * _KIB,
        "Job payload size exceeds 30 KiB",
        QUOTAS,
    ),
    *_of_all_containers(
        "", containers.has_image, "Container properties image must not be empty", "ContainerProperties"
    ),
    *_of_all_containers(
        "image", matches(r"[A-Za-z0-9][A-Za-z0-9._:/@#-]{0,254}"), "Invalid image {value}", "ContainerProperties"
    ),
    *_of_all_containers(
        "resourceRequirements[]",
        containers.is_number,
        "resourceRequirements has an invalid value: {value}",
        "ResourceRequirement",
    ),
    batch_limit(
        "SubmitJob",
        "containerOverrides.resourceRequirements[]",
        containers.is_number,
        "resourceRequirements has an invalid value: {value}",
        "ResourceRequirement",
    ),
    batch_limit(
        "SubmitJob",
        "nodeOverrides.nodePropertyOverrides[].containerOverrides.resourceRequirements[]",
        containers.is_number,
        "resourceRequirements has an invalid value: {value}",
        "ResourceRequirement",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "containerProperties",
        containers.requires("VCPU"),
        "vCPU is not provided.",
        "ResourceRequirement",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "containerProperties",
        containers.requires("MEMORY"),
        "Memory is not provided.",
        "ResourceRequirement",
    ),
    *_of_all_containers("", containers.has_memory, "Memory must be at least 4 MiB", "ResourceRequirement"),
    batch_limit(
        "SubmitJob",
        "containerOverrides",
        containers.has_memory,
        "Memory must be at least 4 MiB",
        "ResourceRequirement",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "",
        _on_ec2(containers.has_whole_vcpus),
        "vCPU must be a whole number of at least 1 on EC2, not {value}",
        "ResourceRequirement",
        _show_container,
    ),
    batch_limit(
        "RegisterJobDefinition",
        "",
        _on_fargate(containers.fits_fargate),
        "Fargate resource requirements ({value}) not valid.",
        "ResourceRequirement",
        _show_container,
    ),
    batch_limit(
        "RegisterJobDefinition",
        "",
        _on_fargate(lambda container: bool(container.get("executionRoleArn"))),
        "Fargate jobs require an executionRoleArn",
        "ContainerProperties",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "",
        _on_fargate(lambda container: "vcpus" not in container),
        "vcpus is not applicable for Fargate. Use resource requirements instead.",
        "ContainerProperties",
    ),
    *(
        batch_limit(
            "RegisterJobDefinition",
            "",
            _on_fargate(_not(given(path))),
            f"{path} is not applicable for Fargate.",
            "ContainerProperties",
        )
        for path in _NOT_ON_FARGATE
    ),
    batch_limit(
        "RegisterJobDefinition",
        "",
        _on_ec2(lambda container: not container.get("networkConfiguration")),
        "networkConfiguration is not applicable for EC2.",
        "ContainerProperties",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "",
        _on_ec2(lambda container: not container.get("fargatePlatformConfiguration")),
        "fargatePlatformConfiguration is not applicable for EC2.",
        "ContainerProperties",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "containerProperties.instanceType",
        lambda value: not value,
        "instanceType is only applicable for multi-node parallel jobs",
        "ContainerProperties",
    ),
    *_of_containers(
        "", containers.mounts_have_volumes, "A sourceVolume of mountPoints is not among the volumes", "MountPoint"
    ),
    *_of_containers("volumes", is_unique("name"), "The names of volumes must be unique", "Volume"),
    *_of_containers("volumes[].name", matches(r"[A-Za-z0-9_-]{1,255}"), "Invalid volume name {value}", "Volume"),
    *_of_all_containers(
        "environment[].name",
        never_starts("aws_batch"),
        "Environment variables cannot start with AWS_BATCH: {value}",
        "ContainerProperties",
    ),
    *_of_containers("", containers.has_role_for_secrets, "secrets require an executionRoleArn", "ContainerProperties"),
    *_of_all_containers(
        "linuxParameters.swappiness", between(0, 100), "swappiness must be between 0 and 100", "LinuxParameters"
    ),
    *_of_all_containers("linuxParameters.maxSwap", at_least(0), "maxSwap must not be negative", "LinuxParameters"),
    *_of_all_containers(
        "linuxParameters.sharedMemorySize", at_least(1), "sharedMemorySize must be positive", "LinuxParameters"
    ),
    *_of_containers(
        "ephemeralStorage.sizeInGiB",
        between(21, 200),
        "ephemeralStorage sizeInGiB must be between 21 and 200, not {value}",
        "EphemeralStorage",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "nodeProperties.numNodes",
        at_least(1),
        "numNodes must be positive",
        "NodeProperties",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "nodeProperties",
        lambda nodes: 0 <= nodes["mainNode"] < nodes["numNodes"],
        "mainNode must be smaller than numNodes",
        "NodeProperties",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "nodeProperties.nodeRangeProperties[].targetNodes",
        matches(r"[0-9]+|[0-9]*:[0-9]*"),
        "Invalid targetNodes {value}",
        "NodeRangeProperty",
    ),
    batch_limit(
        "RegisterJobDefinition",
        "nodeProperties",
        containers.covers_all_nodes,
        "nodeRangeProperties must cover all nodes",
        "NodeRangeProperty",
    ),
    batch_limit(
        "SubmitJob",
        "arrayProperties.size",
        between(2, 10_000),
        "array size must be between 2 and 10,000, not {value}",
        "ArrayProperties",
    ),
    batch_limit("SubmitJob", "dependsOn", at_most(20), "A job can depend on at most 20 jobs", "SubmitJob"),
    batch_limit(
        "SubmitJob", "", _depends_with_reason, "A dependency without a jobId must be SEQUENTIAL", "JobDependency"
    ),
    batch_limit(
        "SubmitJob",
        "",
        _only_arrays_have_types,
        "Only an array job has dependencies of type SEQUENTIAL or N_TO_N",
        "JobDependency",
    ),
    batch_limit(
        "SubmitJob",
        "containerOverrides.environment[].name",
        never_starts("aws_batch"),
        "Environment variables cannot start with AWS_BATCH: {value}",
        "ContainerOverrides",
    ),
    batch_limit(
        "SubmitJob",
        "eksPropertiesOverride",
        lambda value: not value,
        "eksPropertiesOverride is only applicable for jobs on Amazon EKS",
        "SubmitJob",
    ),
    batch_limit("SubmitJob", "shareIdentifier", matches(SHARE), "Invalid shareIdentifier {value}", "SubmitJob"),
    batch_limit(
        "CancelJob TerminateJob", "reason", length(1, 1024), "reason must have 1 to 1024 characters", "TerminateJob"
    ),
)
