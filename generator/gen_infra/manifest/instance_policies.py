"""Name what the role of instances reaches: the ECS clusters of AWS Batch, ECR repositories and log groups.

Every job on an instance can use this role, because it shares the host's network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.manifest.job_policies import ECR_IMAGE, ROLE_POLICIES_LIMIT
from gen_infra.manifest.model.settings import DEFAULT_LOG_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.manifest import Manifest

UNIQUE = "?" * 26  # Terraform appends 26 characters to a name prefix
# AWS Batch names a cluster after its compute environment, today and in former years.
CLUSTERS = ("AWSBatch-{}-*", "{}_Batch_*")
# The role's policies without names have at most this many characters, and each name has its ARN's beginning.
_FIXED_SIZE, _PREFIX_SIZE = 1_900, 60
_MOST_NAMED = 8


def clusters(manifest: Manifest) -> list[str]:
    """Return the names of the clusters that instances join, as patterns; one pair for all where there are many."""
    keys = [key for key, compute in manifest.own_compute.items() if not compute.is_fargate]
    named = keys if len(keys) <= _MOST_NAMED else ["*"]
    return [form.format(f"{manifest.suffixed(key)}-{UNIQUE}") for key in named for form in CLUSTERS]


def pulled_repositories(manifest: Manifest) -> list[str]:
    """Return the ARNs of the repositories whose images instances pull with their own role.

    These are the environment's own, those that jobs without an execution role name, and what ``image_repositories``
    adds. Where they would be too long for one role, one pattern stands for all of the environment's own.
    """
    arn = f"arn:{manifest.partition}:ecr"
    here = f"{arn}:{manifest.region}:{manifest.account}:repository"
    own = [f"{here}/{manifest.repository_name(repository)}" for repository in manifest.repositories]
    uris = [
        manifest.image_uri(container.image)
        for _, job, container in manifest.containers()
        if not manifest.needs_execution_role(job)
    ]
    named = [found.groups() for uri in uris if (found := ECR_IMAGE.match(uri))]
    others = [f"{arn}:{region}:{account}:repository/{name}" for account, region, name in named]
    more = manifest.iam.image_repositories
    below = tuple(each.removesuffix("*") for each in more if each.endswith("*"))
    pulled = dict.fromkeys((*(each for each in (*own, *others) if not each.startswith(below)), *more))
    if instance_policies_size(manifest, pulled) <= ROLE_POLICIES_LIMIT:
        return [*pulled]
    prefix = f"{here}/{manifest.name}/"
    return [*dict.fromkeys(f"{prefix}*" if each.startswith(prefix) else each for each in pulled)]


def instance_log_groups(manifest: Manifest) -> list[str]:
    """Return the names of the log groups that the ECS agent writes to for jobs, as patterns.

    Batch's default group is needed where definitions may name none: those that are kept, and those of engines.
    """
    registers = any(not engine.jobs for engine in manifest.given_engines.values())
    by_default = manifest.logs.default_group or manifest.kept_jobs or registers
    return [
        manifest.job_log_group("*"),
        *manifest.adopted.log_groups,
        *([DEFAULT_LOG_GROUP] if by_default and DEFAULT_LOG_GROUP not in manifest.adopted.log_groups else []),
    ]


def instance_policies_size(manifest: Manifest, repositories: Iterable[str]) -> int:
    """Return the most characters of the inline policies of the instances' role if it may pull from these."""
    named = (*clusters(manifest), *clusters(manifest), *instance_log_groups(manifest))
    return _FIXED_SIZE + sum(len(name) + _PREFIX_SIZE for name in named) + sum(len(arn) + 3 for arn in repositories)
