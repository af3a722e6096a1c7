"""Finds orphans: what is named as an environment's own, exists in the account, and is not in Terraform's state.

A run that is killed between a call to AWS and the writing of the state leaves them; they may cost money.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen_infra.aws.inventory import visible_inventory
from gen_infra.aws.kinds import KINDS
from gen_infra.aws.leftovers import own_names
from gen_infra.aws.owners import without_others
from gen_infra.cost.resources import monthly_price

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gen_infra.aws.inventory import AwsResource
    from gen_infra.aws.kinds import Part
    from gen_infra.aws.session import Clients


@dataclass(frozen=True, slots=True)
class Orphan:
    """One resource that is not in the state.

    Attributes:
        kind: such as ``NAT gateway``.
        name: its name, or its id where that is all that AWS calls it.
        remove: the command that removes it, or empty.
        id: the id that AWS assigned, or empty.
        price: what it costs by the month, or empty.
    """

    kind: str
    name: str
    remove: str
    id: str = ""
    price: str = ""

    def __str__(self) -> str:
        command = f"; if an interrupted run left it: {self.remove}" if self.remove else ""
        return f"not in Terraform's state: {self.title}{command}"

    @property
    def still_there(self) -> str:
        """``NAT gateway … (nat-0123, about 33 USD a month); remove it: aws ec2 …``."""
        return self.title + (f"; remove it: {self.remove}" if self.remove else "")

    @property
    def title(self) -> str:
        """``NAT gateway batch-prod/nat/us-east-1a (nat-0123, about 33 USD a month)``."""
        known = ", ".join(text for text in (self.id if self.id != self.name else "", self.price) if text)
        return f"{self.kind} {self.name}{f' ({known})' if known else ''}"


def find_orphans(
    known: Iterable[str],
    clients: Clients,
    environment: str,
    keys: Collection[str],
    repositories: Collection[str],
    *,
    others: Collection[Part] = (),
) -> list[Orphan]:
    """List what is not in the state; other revisions of the environment's job definitions do not count.

    Args:
        known: every text in the state: names, ids, ARNs, URLs.
        clients: where to look.
        environment: the environment's name.
        keys: what its resources' names have before its own, such as ``isaac`` for ``isaac-prod``.
        repositories: its repositories' names without the environment.
        others: the parts that it has and not every environment has; roles may list only what theirs has.
    """
    ours = own_names(environment, keys, repositories)
    named = {part for text in known for part in (text, text.rpartition("/")[2])}
    found = [
        resource
        for resource in visible_inventory(clients, "environment", "network", *others)
        if ours.fullmatch(resource.name) and _known_as(resource) not in named
    ]
    return [as_orphan(resource, clients.region) for resource in without_others(clients, found, environment)]


def as_orphan(resource: AwsResource, region: str) -> Orphan:
    """Return the orphan with the command that removes it and what it costs."""
    name = resource.id if resource.type == "aws_kms_key" else resource.name
    removal = KINDS[resource.type].removal
    remove = removal.format(shlex.quote(resource.id or resource.name)) if isinstance(removal, str) else ""
    return Orphan(resource.label, name, remove, resource.id, monthly_price(resource, region))


def _known_as(resource: AwsResource) -> str:
    """Return what the state calls it."""
    if resource.type == "aws_batch_job_definition":
        return resource.name.rpartition(":")[0]
    return resource.id or resource.name
