"""Finds what an environment left behind, and removes the two things that Terraform does not.

Terraform manages one revision of each job definition and cannot delete a repository that holds images, so ``destroy``
also calls :func:`deregister_definitions` and :func:`empty_repositories`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from gen_infra.aws.definitions import active_definitions
from gen_infra.aws.errors import aws_errors
from gen_infra.aws.inventory import AwsResource, inventory
from gen_infra.aws.owners import other_owner, without_others
from gen_infra.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gen_infra.aws.kinds import Part
    from gen_infra.aws.session import Clients

_DELETE_AT_MOST = 100  # images in one BatchDeleteImage
_ENGINES = ("nextflow", "snakemake", "miniwdl", "redun")


def leftovers(
    clients: Clients,
    environment: str,
    keys: Collection[str],
    repositories: Collection[str],
    *,
    own_network: bool,
    rebuilds: bool,
) -> list[AwsResource]:
    """List what still exists of an environment, such as ``job queue highPriority-prod``.

    Args:
        clients: where to look.
        environment: the environment's name, such as ``prod``.
        keys: what its resources' names have before its own, such as ``isaac`` for ``isaac-prod``.
        repositories: its repositories' names without the environment, such as ``isaac`` for ``prod/isaac``.
        own_network: whether it made its network; a network made elsewhere may have any name.
        rebuilds: whether it rebuilt its image; who does not may not be allowed to look at such things.
    """
    ours = own_names(environment, keys, repositories)
    found = inventory(clients, "environment")
    if own_network:
        found += inventory(clients, "network")
    if rebuilds:
        found += inventory(clients, "rebuild")
    return without_others(clients, [resource for resource in found if ours.fullmatch(resource.name)], environment)


@aws_errors()
def deregister_definitions(clients: Clients, names: Iterable[str], environment: str) -> int:
    """Deregister every active revision of these job definitions and return how many; submitted jobs still run.

    Revisions that bear the tag of another environment stay.
    """
    arns = [
        definition["jobDefinitionArn"]
        for name in names
        for definition in active_definitions(clients, name)
        if other_owner(definition.get("tags", {}), environment) is None
    ]
    for arn in arns:
        clients.batch.deregister_job_definition(jobDefinition=arn)
    return len(arns)


@aws_errors()
def definitions_with_roles(clients: Clients, roles: Collection[str], own: Collection[str]) -> dict[str, str]:
    """Map ``name:revision`` of active job definitions to the role among ``roles`` that they use, without ``own`` names.

    Workflow engines and teams register definitions with the roles of an environment; they outlive it.

    Args:
        clients: where to look.
        roles: the ARNs of roles; a definition may also give the name alone.
        own: the names of the environment's own definitions.
    """
    found = {}
    for definition in active_definitions(clients):
        text = json.dumps(definition, default=str)
        used = [role for role in roles if f'"{role}"' in text or f'"{role.rpartition("/")[2]}"' in text]
        if used and definition["jobDefinitionName"] not in own:
            found[f"{definition['jobDefinitionName']}:{definition['revision']}"] = used[0]
    return found


@aws_errors()
def empty_repositories(clients: Clients, names: Iterable[str]) -> int:
    """Delete every image in these ECR repositories and return how many; a repository that does not exist is empty.

    Raises:
        AwsError: ECR keeps an image; it says why.
    """
    return sum(_empty(clients, name) for name in names)


@aws_errors()
def delete_images(clients: Clients, repository: str, digests: Iterable[str]) -> None:
    """Delete these images of an ECR repository.

    Raises:
        AwsError: ECR keeps an image; it says why.
    """
    left = sorted(digests)
    while left:
        kept: dict[str, str] = {}
        for start in range(0, len(left), _DELETE_AT_MOST):
            some = left[start : start + _DELETE_AT_MOST]
            answer = clients.ecr.batch_delete_image(
                repositoryName=repository, imageIds=[{"imageDigest": digest} for digest in some]
            )
            kept |= {
                failure["imageId"]["imageDigest"]: failure.get("failureReason", failure.get("failureCode", ""))
                for failure in answer["failures"]
            }
        if len(kept) == len(left):
            digest, reason = next(iter(kept.items()))
            raise AwsError(f"ECR keeps {len(kept)} images of {repository}, {digest} for one: {reason}")
        left = sorted(kept)  # an image can be deleted only after the multi-platform index that refers to it


@aws_errors()
def leftovers_named(clients: Clients, part: Part, names: Collection[str]) -> list[AwsResource]:
    """List what still exists of a part that not every environment has, such as its notifications, by whole names.

    A topic and the rule that publishes to it share a name. Asked for by itself: who has no such part may not be allowed
    to look at such things.
    """
    return [resource for resource in inventory(clients, part) if resource.name.rpartition(":")[2] in names]


def own_names(environment: str, keys: Collection[str], repositories: Collection[str]) -> re.Pattern[str]:
    """Match an environment's names: ``isaac-prod`` and what starts with it, ``prod/isaac``, ``/aws/batch/prod/…``.

    A name may follow a path or an ARN, as in ``alias/batch-prod``, and be followed by ``-job``, ``-execution`` or
    ``-workflow`` (roles), ``:3`` (revisions) or the 26 digits that Terraform appends to a ``name_prefix``. The parts of
    a network are named below their VPC: ``batch-prod/private/us-east-1a``. Of workflow engines only the roles are the
    environment's own: ``redun-prod`` is a definition that redun registers.
    """
    own = "|".join(["batch(?:[A-Z][A-Za-z]*)?", *map(re.escape, keys)])
    prefix = re.escape(environment)
    images = "|".join(map(re.escape, repositories)) or r"(?!)"
    named = rf"(?:.*[/:])?(?:{own})-{prefix}(?:-job|-execution|-workflow|:\d+|-[0-9a-f]{{26}})?"
    engine_roles = rf"(?:{'|'.join(_ENGINES)})-{prefix}-(?:worker|head)"
    return re.compile(rf"{named}|{engine_roles}|{prefix}/(?:{images})|/aws/batch/{prefix}/.+|batch-{prefix}/.+")


def _empty(clients: Clients, repository: str) -> int:
    pages = clients.ecr.get_paginator("list_images").paginate(repositoryName=repository)
    try:
        found = {image["imageDigest"] for page in pages for image in page["imageIds"]}
    except clients.ecr.exceptions.RepositoryNotFoundException:
        return 0
    delete_images(clients, repository, found)
    return len(found)
