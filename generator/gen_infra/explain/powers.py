"""What a resource has power over beyond its jobs' own work: a table, each row with its reason.

A plan marks what a resource gains; what it had before is no news. The rows see a resource's attributes, so that they
hold for all files, rendered or not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gen_infra.explain.permissions import grants
from gen_infra.explain.rule import Danger, Effect
from gen_infra.manifest.host_access import may_mount, may_use_device
from gen_infra.manifest.model.image import Scratch
from gen_infra.manifest.user_data import scripts_in
from gen_infra.terraform.job_definitions import at, compute_roles, containers, roles
from gen_infra.terraform.policy_documents import listed


@dataclass(frozen=True, slots=True)
class Known:
    """What is no danger.

    Args:
        job_folders: the folders of the hosts that every job may mount, such as scratch.
        own_roles: the roles and instance profiles of the environment, each as ``/path/name``.
        own_scripts: the SHA-256 of gen-infra's own scripts.
    """

    job_folders: tuple[str, ...] = (Scratch().mount,)
    own_roles: frozenset[str] = frozenset()
    own_scripts: frozenset[str] = frozenset()


NOTHING_KNOWN = Known()


@dataclass(frozen=True, slots=True)
class PowerRule:
    """A row: what resources of a type can get power over; ``find`` yields it as the end of a sentence."""

    kind: str
    danger: Danger
    find: Callable[[Mapping[str, Any], Known], Iterable[str]]
    reason: str


def _host_access(values: Mapping[str, Any], known: Known) -> Iterator[str]:
    for container in containers(values):
        if container.get("privileged") in {True, "true"}:
            yield "its container is privileged, and so root on its host"
        for volume in listed(container.get("volumes")):
            path = at(volume, "host", "sourcePath")
            if isinstance(path, str) and path and not may_mount(path, known.job_folders, ()):
                yield f"its jobs can use the host's folder {path}"
        for device in listed(at(container, "linuxParameters", "devices")):
            path = at(device, "hostPath")
            if isinstance(path, str) and not may_use_device(path, ()):
                yield f"its jobs can use the host's device {path}"
        for name in ("ipcMode", "pidMode"):
            if container.get(name) == "host":
                yield f"its {name} is the host's"


def _roles_of_jobs(values: Mapping[str, Any], known: Known) -> Iterator[str]:
    for label, arn in roles(values):
        if not _is_own(arn, known):
            yield f"its {label} is {arn}, which this environment does not create"


def _roles_of_compute(values: Mapping[str, Any], known: Known) -> Iterator[str]:
    for label, arn in compute_roles(values):
        if not _is_own(arn, known) and not _is_service_linked(arn):
            yield f"its {label} is {arn}, which this environment does not create"


def _scripts_of_instances(values: Mapping[str, Any], known: Known) -> Iterator[str]:
    """Name each script with its hash, so that one that changes is marked again."""
    user_data = values.get("user_data")
    if isinstance(user_data, str) and user_data:
        for name, sha256 in scripts_in(user_data):
            if sha256 in known.own_scripts:
                continue
            yield f"its instances run {name or 'user data'} as root when they start (SHA-256 {sha256})"


def _is_service_linked(arn: str) -> bool:
    """Recognize roles that only the AWS service itself can change and use, such as AWSServiceRoleForBatch."""
    return ":role/aws-service-role/" in arn


def _who_may_assume(values: Mapping[str, Any], _: Known) -> Iterator[str]:
    """Name each principal with its conditions, so that a wider condition is marked too."""
    for grant in grants(values.get("assume_role_policy")):
        if grant.effect == "Allow" and not _SERVICE.fullmatch(grant.principal):
            when = f" if {grant.condition}" if grant.condition else ""
            yield f"{grant.principal or 'any principal'} may assume it{when}"


_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?", re.ASCII)


def _is_own(arn: str, known: Known) -> bool:
    """Compare path and name: the ARN of a role is unknown until it is created."""
    resource = arn.split(":", 5)[-1]
    return resource[resource.find("/") :] in known.own_roles


POWER_RULES = (
    PowerRule(
        "aws_batch_job_definition", "host-access", _host_access,
        "what controls a host can use its role, and read and change the data of every job there",
    ),
    PowerRule(
        "aws_batch_job_definition", "other-roles", _roles_of_jobs,
        "every user who may submit the job can do all that the role may do",
    ),
    PowerRule(
        "aws_batch_compute_environment", "other-roles", _roles_of_compute,
        "Batch acts with the service role, and every job on an instance can do all that the instance's role may do",
    ),
    PowerRule(
        "aws_launch_template", "root-scripts", _scripts_of_instances,
        "what runs as root on a host can use its role, and read and change the data of every job there",
    ),
    PowerRule(
        "aws_iam_role", "access", _who_may_assume,
        "all that the role may do, these principals may do; only an administrator of the account can apply it",
    ),
)  # fmt: skip


def gained_powers(kind: str, before: Mapping[str, Any], after: Mapping[str, Any], known: Known) -> Iterator[Effect]:
    """Yield what a resource has power over after a change and not before, each once."""
    for rule in POWER_RULES:
        if rule.kind == kind:
            had = set(rule.find(before, known))
            for text in dict.fromkeys(rule.find(after, known)):
                if text not in had:
                    yield Effect(text, rule.danger, rule.reason)
