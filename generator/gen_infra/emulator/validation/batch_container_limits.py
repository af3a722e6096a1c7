"""Limits of the members of a container of a Batch job: volumes, file systems, logs, and what Fargate does not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gen_infra.emulator.validation.batch import TASK, batch_limit
from gen_infra.emulator.validation.limit import Condition, Limit, between, one_of

_SINGLE = ("containerProperties", "nodeProperties.nodeRangeProperties[].container")
_CONTAINERS = (*_SINGLE, f"{TASK}.containers[]")
_TASKS = (*_SINGLE, TASK)
_LOGS_ON_FARGATE = ("awslogs", "splunk", "awsfirelens")
_ULIMITS = (
    *("core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss"),
    *("rtprio", "rttime", "sigpending", "stack"),
)


def _each(paths: tuple[str, ...], path: str, holds: Condition, words: str, source: str) -> Iterator[Limit]:
    for place in paths:
        yield batch_limit("RegisterJobDefinition", f"{place}.{path}", holds, words, source)


def _on_fargate(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the containers of a definition for Fargate, each with its volumes."""
    if "FARGATE" not in (request.get("platformCapabilities") or ()):
        return
    if container := request.get("containerProperties"):
        yield container
    for task in (request.get("ecsProperties") or {}).get("taskProperties") or ():
        for each in task.get("containers") or ():
            yield {**each, "volumes": task.get("volumes")}


def _fargate(holds: Condition, words: str, source: str) -> Limit:
    return batch_limit(
        "RegisterJobDefinition", "", lambda request: all(map(holds, _on_fargate(request))), words, source
    )


def _has_tls(file_system: Mapping[str, Any]) -> bool:
    access = file_system.get("authorizationConfig") or {}
    return file_system.get("transitEncryption") == "ENABLED" or not (
        access.get("iam") == "ENABLED" or access.get("accessPointId")
    )


def _has_one_root(file_system: Mapping[str, Any]) -> bool:
    access = file_system.get("authorizationConfig") or {}
    return not access.get("accessPointId") or file_system.get("rootDirectory") in (None, "", "/")


def _has_no_gpu(container: Mapping[str, Any]) -> bool:
    return all(each.get("type") != "GPU" for each in container.get("resourceRequirements") or ())


def _has_no_host(container: Mapping[str, Any]) -> bool:
    return not any((volume.get("host") or {}).get("sourcePath") for volume in container.get("volumes") or ())


def _log_driver(container: Mapping[str, Any]) -> str:
    return str((container.get("logConfiguration") or {}).get("logDriver", "awslogs"))


LIMITS: tuple[Limit, ...] = (
    *_each(
        _TASKS,
        "volumes[].efsVolumeConfiguration",
        _has_tls,
        "transitEncryption must be ENABLED for an access point or IAM authorization",
        "EFSAuthorizationConfig",
    ),
    *_each(
        _TASKS,
        "volumes[].efsVolumeConfiguration",
        _has_one_root,
        "rootDirectory must be omitted or / with an access point",
        "EFSAuthorizationConfig",
    ),
    *_each(
        _TASKS,
        "volumes[].efsVolumeConfiguration.transitEncryptionPort",
        between(0, 65_535),
        "transitEncryptionPort must be between 0 and 65535, not {value}",
        "EFSVolumeConfiguration",
    ),
    *_each(_CONTAINERS, "ulimits[].name", one_of(*_ULIMITS), "Invalid name of a ulimit: {value}", "Ulimit"),
    *_each(
        _CONTAINERS,
        "runtimePlatform.cpuArchitecture",
        one_of("X86_64", "ARM64"),
        "Invalid cpuArchitecture {value}",
        "RuntimePlatform",
    ),
    _fargate(_has_no_gpu, "GPU is not applicable for Fargate.", "ResourceRequirement"),
    _fargate(_has_no_host, "host.sourcePath is not applicable for Fargate.", "Host"),
    _fargate(
        lambda container: _log_driver(container) in _LOGS_ON_FARGATE,
        "logDriver must be awslogs or splunk on Fargate",
        "ContainerProperties",
    ),
)
