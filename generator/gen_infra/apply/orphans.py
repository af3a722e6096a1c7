"""What is named as an environment's own, stands in the account, and is not in Terraform's state.

A run that was killed between a call and the writing of the state leaves such things, which may cost.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen_infra.aws.leftovers import own_names, visible_inventory

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gen_infra.aws.leftovers import Resource
    from gen_infra.aws.session import Clients

# Batch is done with disabling some seconds after it says so.
_REMOVALS = {
    "compute environment": "aws batch update-compute-environment --compute-environment {0} --state DISABLED "
    "&& sleep 15 && aws batch delete-compute-environment --compute-environment {0}",
    "function": "aws lambda delete-function --function-name {0}",
    "instance profile": "aws iam delete-instance-profile --instance-profile-name {0}",
    "job definition": "aws batch deregister-job-definition --job-definition {0}",
    "job queue": "aws batch update-job-queue --job-queue {0} --state DISABLED "
    "&& sleep 15 && aws batch delete-job-queue --job-queue {0}",
    "key": "aws kms schedule-key-deletion --key-id {0}",  # in 30 days; until then cancel-key-deletion takes it back
    "key alias": "aws kms delete-alias --alias-name {0}",
    "launch template": "aws ec2 delete-launch-template --launch-template-name {0}",
    "log group": "aws logs delete-log-group --log-group-name {0}",
    "message queue": "aws sqs delete-queue --queue-url {0}",
    "repository": "aws ecr delete-repository --repository-name {0}",
    "role": "aws iam delete-role --role-name {0}",
    "scheduling policy": "aws batch delete-scheduling-policy --arn {0}",
}


@dataclass(frozen=True, slots=True)
class Stray:
    """One thing that the state does not know; ``remove`` is the command that removes it, or empty."""

    kind: str
    name: str
    remove: str

    def __str__(self) -> str:
        command = f"; if an interrupted run left it: {self.remove}" if self.remove else ""
        return f"not in Terraform's state: {self.kind} {self.name}{command}"


def beside(
    known: Iterable[str], clients: Clients, environment: str, keys: Collection[str], repositories: Collection[str]
) -> list[Stray]:
    """What there is beside that which the state knows; other revisions of its job definitions do not count.

    Args:
        known: every text in the state: names, ids, ARNs, URLs.
        clients: where to look.
        environment: the environment's name.
        keys: the keys of its compute environments, queues and jobs.
        repositories: its repositories' names without the environment.
    """
    ours = own_names(environment, keys, repositories)
    named = {part for text in known for part in (text, text.rpartition("/")[2])}
    return [
        _stray(resource)
        for resource in visible_inventory(clients)
        if ours.fullmatch(resource.name) and _known_as(resource) not in named
    ]


def _known_as(resource: Resource) -> str:
    """What the state calls it."""
    if resource.kind == "key":
        return resource.name.partition("/")[0]
    return resource.name.rpartition(":")[0] if resource.kind == "job definition" else resource.name


def _stray(resource: Resource) -> Stray:
    name = _known_as(resource) if resource.kind == "key" else resource.name
    return Stray(resource.kind, name, _REMOVALS.get(resource.kind, "").format(shlex.quote(name)))
