"""Check jobs' containers: their access to the host, to file systems and to secrets."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from gen_infra.check.rules.rule import Accepted, Rule, rule, rule_beyond
from gen_infra.manifest.host_access import may_mount, may_use_device
from gen_infra.manifest.reading.secrets import is_secret, secrets, secrets_in_value, takes_a_secret
from gen_infra.manifest.rules.container_properties import TASK_MEMBERS
from gen_infra.manifest.rules.provider_members import KEPT
from gen_infra.terraform.job_definitions import at, containers
from gen_infra.terraform.policy_documents import listed
from gen_infra.terraform.source import Resource, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

_BATCH = "https://docs.aws.amazon.com/batch/latest/userguide/security-best-practices.html"


@rule(
    "GI_BATCH_1",
    "aws_batch_job_definition",
    severity="high",
    title="Containers are not privileged",
    remedy="remove privileged; add the device that the program needs",
    source=_BATCH,
    privilege=True,
)
def not_privileged(resource: Resource) -> Iterator[str]:
    """Refuse privileged containers, which are root on the host; checkov checks single-container jobs only."""
    if any(_is_not(container.get("privileged"), None, False, "false") for container in containers(resource.values)):
        yield "a container is privileged"
    if resource.values.get("eks_properties"):
        yield "it runs on EKS, where its containers are not checked"


@rule_beyond(
    "GI_BATCH_2",
    "aws_batch_job_definition",
    severity="high",
    title="Containers mount no part of the host that controls it",
    remedy="mount the scratch volume, or let an owner of the policy file add the folder to its host_paths",
    source=_BATCH,
)
def host_is_hidden(resource: Resource, accepted: Accepted) -> Iterator[str]:
    """Accept the scratch volume and the policy file's folders: a job that writes to most others controls the host."""
    for container in containers(resource.values):
        for volume in listed(container.get("volumes")):
            path = at(volume, "host", "sourcePath")
            if isinstance(path, str) and path and not may_mount(path, accepted.job_folders, accepted.host_paths):
                yield f"it mounts the host's {path}"
        for name in ("ipcMode", "pidMode"):
            if container.get(name) == "host":
                yield f"its {name} is the host's"


@rule(
    "GI_BATCH_3",
    "aws_batch_job_definition",
    "aws_lambda_function",
    severity="high",
    title="No secret is written into a definition",
    remedy="keep it in Secrets Manager or SSM, and name it under secrets",
    source="https://docs.aws.amazon.com/batch/latest/userguide/specifying-sensitive-data.html",
)
def no_secret_in_plain_sight(resource: Resource) -> Iterator[str]:
    """Refuse secrets as values: every principal that can describe a job definition can read them."""
    variables = [
        (variable.get("name"), variable.get("value"))
        for container in containers(resource.values)
        for variable in listed(container.get("environment"))
        if isinstance(variable, dict)
    ]
    for block in resource.values.get("environment") or []:
        if resource.kind == "aws_lambda_function" and isinstance(block.get("variables"), dict):
            variables += block["variables"].items()
    for name, value in variables:
        if isinstance(value, str) and (is_secret(str(name), value) or any(secrets(value))):
            yield f"the environment variable {name} looks like a secret"
    parameters = resource.values.get("parameters")
    for name, value in parameters.items() if isinstance(parameters, dict) else ():
        if isinstance(value, str) and (is_secret(str(name), value) or any(secrets(value))):
            yield f"the parameter {name} looks like a secret"
    if any(_holds_secret(container.get("command")) for container in containers(resource.values)):
        yield "a command contains what looks like a secret"


def _holds_secret(command: Any) -> bool:
    """Return whether a command contains a secret: in a word, after an option, or over several words."""
    words = [word for word in listed(command) if isinstance(word, str)]
    after = any(takes_a_secret(word) and is_secret(word, value) for word, value in pairwise(words))
    return after or any(any(found(text)) for text in (*words, " ".join(words)) for found in (secrets, secrets_in_value))


@rule_beyond(
    "GI_BATCH_4",
    "aws_batch_job_definition",
    severity="high",
    title="Containers get no device that controls the host",
    remedy="use /dev/fuse, a GPU or EFA, or let an owner of the policy file add the device to its host_paths",
    source="https://docs.aws.amazon.com/batch/latest/APIReference/API_Device.html",
)
def devices_are_harmless(resource: Resource, accepted: Accepted) -> Iterator[str]:
    """Accept named devices: disks and memory contain the data of all jobs, and the host's credentials."""
    for container in containers(resource.values):
        for device in listed(at(container, "linuxParameters", "devices")):
            path = at(device, "hostPath")
            if isinstance(path, str) and not may_use_device(path, accepted.host_paths):
                yield f"it gets the host's {path}"


@rule(
    "GI_BATCH_5",
    "aws_batch_job_definition",
    severity="high",
    title="Containers have the settings that gen-infra renders",
    remedy="remove the setting; gen-infra never renders it",
    source="https://docs.aws.amazon.com/batch/latest/APIReference/API_ContainerProperties.html",
    privilege=True,
)
def settings_are_known(resource: Resource) -> Iterator[str]:
    """Accept known settings only, because AWS adds others, such as capabilities and modes of the host."""
    for container in containers(resource.values):
        yield from (f"it sets {name}" for name in _unknown_settings(container, _SETTINGS))
        linux = _unknown_settings(container.get("linuxParameters"), _LINUX)
        yield from (f"it sets linuxParameters.{name}" for name in linux)


def _unknown_settings(settings: Any, known: frozenset[str]) -> list[str]:
    if not isinstance(settings, dict):
        return []
    return sorted(str(name) for name, value in settings.items() if name not in known and value not in (None, [], {}))


_LINUX = frozenset(member.split(".")[1] for member in KEPT if member.startswith("linuxParameters."))
_OF_TASKS = ("containers", "dependsOn", "essential", "name", "taskRoleArn", *TASK_MEMBERS)
_SETTINGS = frozenset((*(member.split(".")[0] for member in KEPT), *_OF_TASKS))


@rule(
    "GI_EFS_1",
    "aws_batch_job_definition",
    severity="high",
    title="File systems are mounted with TLS",
    remedy='set transitEncryption = "ENABLED" in efsVolumeConfiguration',
    source="https://docs.aws.amazon.com/batch/latest/userguide/efs-volumes.html",
)
def file_systems_are_encrypted_in_transit(resource: Resource) -> Iterator[str]:
    """Require TLS, which is off by default; checkov checks ECS task definitions only."""
    for name, configuration in _file_systems(resource):
        if _is_not(configuration.get("transitEncryption"), "ENABLED"):
            yield f"the file system {name} is mounted without TLS"


@rule(
    "GI_EFS_2",
    "aws_batch_job_definition",
    severity="medium",
    title="File systems are mounted with the job's role",
    remedy='set authorizationConfig = { iam = "ENABLED" } in efsVolumeConfiguration',
    source="https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html",
)
def file_systems_ask_for_the_role(resource: Resource) -> Iterator[str]:
    """Require IAM: without it the file system admits every client that reaches the port."""
    for name, configuration in _file_systems(resource):
        authorization = configuration.get("authorizationConfig")
        if not isinstance(authorization, Unknown) and _is_not(at(authorization, "iam"), "ENABLED"):
            yield f"the file system {name} is mounted without IAM"


def _file_systems(resource: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    for container in containers(resource.values):
        for volume in listed(container.get("volumes")):
            configuration = at(volume, "efsVolumeConfiguration")
            if isinstance(configuration, dict):
                yield str(configuration.get("fileSystemId")), configuration


def _is_not(value: Any, *expected: object) -> bool:
    return not isinstance(value, Unknown) and value not in expected


RULES: tuple[Rule, ...] = (
    not_privileged,
    host_is_hidden,
    no_secret_in_plain_sight,
    devices_are_harmless,
    settings_are_known,
    file_systems_are_encrypted_in_transit,
    file_systems_ask_for_the_role,
)
