"""Finds orphans: what is named as an environment's own, exists in the account, and is not in Terraform's state.

A run that is killed between a call to AWS and the writing of the state leaves them; they may cost money.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen_infra.aws.kinds import KINDS
from gen_infra.aws.leftovers import own_names, visible_inventory

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gen_infra.aws.leftovers import AwsResource
    from gen_infra.aws.session import Clients


@dataclass(frozen=True, slots=True)
class Orphan:
    """One resource that is not in the state; ``remove`` is the command that removes it, or empty."""

    kind: str
    name: str
    remove: str

    def __str__(self) -> str:
        command = f"; if an interrupted run left it: {self.remove}" if self.remove else ""
        return f"not in Terraform's state: {self.kind} {self.name}{command}"


def find_orphans(
    known: Iterable[str], clients: Clients, environment: str, keys: Collection[str], repositories: Collection[str]
) -> list[Orphan]:
    """List what is not in the state; other revisions of the environment's job definitions do not count.

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
        _orphan(resource)
        for resource in visible_inventory(clients)
        if ours.fullmatch(resource.name) and _known_as(resource) not in named
    ]


def _known_as(resource: AwsResource) -> str:
    """Return what the state calls it."""
    if resource.type == "aws_kms_key":
        return resource.name.partition("/")[0]
    return resource.name.rpartition(":")[0] if resource.type == "aws_batch_job_definition" else resource.name


def _orphan(resource: AwsResource) -> Orphan:
    name = _known_as(resource) if resource.type == "aws_kms_key" else resource.name
    removal = KINDS[resource.type].removal
    return Orphan(resource.label, name, removal.format(shlex.quote(name)) if isinstance(removal, str) else "")
