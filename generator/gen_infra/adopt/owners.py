"""Finds who else manages a resource: a stack, another Terraform or another environment, by what each leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen_infra.aws.errors import TransientAwsError, aws_errors
from gen_infra.aws.owners import other_owner
from gen_infra.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen_infra.aws.session import Clients
    from gen_infra.tools.process import Progress

_STACK_TAG = "aws:cloudformation:stack-name"
_ENDED = {"DELETE_COMPLETE", "CREATE_FAILED"}
# Tags that teams and public modules set, in lower case without punctuation, and their values.
_TERRAFORM_KEYS = ("managedby", "createdby", "provisioner", "iac", "provisionedby", "deployedby")
_TERRAFORM_VALUES = ("terraform", "opentofu", "terragrunt", "tofu")


@dataclass(frozen=True, slots=True, order=True)
class Owner:
    """Who manages a resource.

    Attributes:
        kind: ``CloudFormation``, ``Terraform`` or ``gen-infra``.
        name: the stack, the tag that says so, such as ``ManagedBy=terraform``, or the environment.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        words = {"CloudFormation": "CloudFormation stack {}", "Terraform": "Terraform (tag {})"}
        return words.get(self.kind, "environment {} (tag gen-infra:environment)").format(self.name)


@dataclass(frozen=True)
class Owners:
    """What is known about owners.

    Attributes:
        environment: the name of the environment that is to own them.
        stacks: the resources of all stacks, by what CloudFormation calls them: a name or an ARN.
        can_list: whether the stacks could be listed; else only tags say something.
        tags: tags of the user's own Terraform, ``KEY=VALUE`` or ``KEY``.
    """

    environment: str
    stacks: Mapping[str, str]
    can_list: bool
    tags: tuple[str, ...] = ()

    def of(self, names: Iterable[str], tags: Mapping[str, str]) -> Owner | None:
        """Return the owner of a resource with these names and ARNs, and these tags.

        A stack that has released a resource leaves its tag on it, so that the stack's own list decides.
        """
        for name in names:
            if name in self.stacks:
                return Owner("CloudFormation", self.stacks[name])
        if not self.can_list and _STACK_TAG in tags:
            return Owner("CloudFormation", tags[_STACK_TAG])
        if environment := other_owner(tags, self.environment):
            return Owner("gen-infra", environment)
        for key, value in tags.items():
            if self._is_terraforms(key, value):
                return Owner("Terraform", f"{key}={value}")
        return None

    def _is_terraforms(self, key: str, value: str) -> bool:
        """Return whether a tag says Terraform; examples of public modules have ``Repository`` with their address."""
        if key in self.tags or f"{key}={value}" in self.tags:
            return True
        plain = "".join(character for character in key.lower() if character.isalnum())
        if plain in _TERRAFORM_VALUES:
            return value.lower() not in {"false", "no", "0"}
        if plain == "repository":
            return "/terraform-" in value.lower()
        return plain in _TERRAFORM_KEYS and value.lower() in _TERRAFORM_VALUES


def find_owners(clients: Clients, environment: str, tags: tuple[str, ...], progress: Progress) -> Owners:
    """List the resources of every stack; where that is refused, only tags say who manages what.

    Args:
        clients: where the stacks are.
        environment: the name of the environment that adopts.
        tags: tags of the user's own Terraform.
        progress: receives the warning.
    """
    try:
        return Owners(environment, _stack_resources(clients), can_list=True, tags=tags)
    except TransientAwsError:
        raise
    except AwsError as error:
        progress(f"warning: only tags say what CloudFormation manages, because its stacks are unknown: {error.message}")
        return Owners(environment, {}, can_list=False, tags=tags)


@aws_errors()
def _stack_resources(clients: Clients) -> dict[str, str]:
    found: dict[str, str] = {}
    for page in clients.stacks.get_paginator("list_stacks").paginate():
        for stack in page["StackSummaries"]:
            if stack["StackStatus"] in _ENDED:
                continue
            resources = clients.stacks.get_paginator("list_stack_resources")
            for part in resources.paginate(StackName=stack["StackName"]):
                for resource in part["StackResourceSummaries"]:
                    if resource.get("ResourceStatus") != "DELETE_SKIPPED" and resource.get("PhysicalResourceId"):
                        found[resource["PhysicalResourceId"]] = stack["StackName"]
    return found
