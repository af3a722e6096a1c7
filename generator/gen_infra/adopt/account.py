"""Reads what an account has for AWS Batch: queues, what they run on, and what their jobs are made of."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from gen_infra.aws.definitions import active_definitions, containers_of_definition, newest_revisions
from gen_infra.aws.errors import aws_errors, error_code
from gen_infra.aws.session import identity
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from gen_infra.aws.session import Clients, Json
    from gen_infra.tools.process import Progress

_DESCRIBE_AT_MOST = 100
_NOT_FOUND = {"NoSuchEntity", "RepositoryNotFoundException", "ResourceNotFoundException"}
_GONE = {"DELETING", "DELETED"}
_ROLE = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):role/([A-Za-z0-9_+=,.@/-]+)")
_PROFILE = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:instance-profile/[A-Za-z0-9_+=,.@/-]+")
_IMAGE = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([a-z0-9._/-]+)")


@dataclass(frozen=True)
class AccountContents:
    """What was found, in the API's own shapes.

    Attributes:
        id: of the account.
        region: where everything is.
        queues: every job queue, by name.
        environments: the compute environments of all queues, by ARN.
        definitions: the newest ACTIVE revision of each job definition, by name.
        revisions: how many ACTIVE revisions each has.
        policies: the scheduling policies of queues, by ARN.
        repositories: the repositories of the definitions' images, by name.
        log_groups: those that the definitions name, by name.
        roles: those that definitions and compute environments name, by name.
        profiles: the instance profiles of compute environments, by name.
    """

    id: str
    region: str
    queues: dict[str, Json] = field(default_factory=dict)
    environments: dict[str, Json] = field(default_factory=dict)
    definitions: dict[str, Json] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    policies: dict[str, Json] = field(default_factory=dict)
    repositories: dict[str, Json] = field(default_factory=dict)
    log_groups: dict[str, Json] = field(default_factory=dict)
    roles: dict[str, Json] = field(default_factory=dict)
    profiles: dict[str, Json] = field(default_factory=dict)


def read_account(clients: Clients, progress: Progress) -> AccountContents:
    """Read the account; what does not exist any more is left out.

    Raises:
        AwsError: the caller may not list something; the message names it.
    """
    caller = identity(clients)
    account = AccountContents(caller.account, clients.region)
    progress(f"reading the queues of account {account.id} in {account.region} …")
    _read_queues(clients, account)
    progress(f"reading {len(account.environments)} compute environments and all job definitions …")
    _read_definitions(clients, account)
    progress(f"reading what {len(account.definitions)} job definitions name: images, log groups, roles …")
    _read_named(clients, account)
    return account


@aws_errors()
def _read_queues(clients: Clients, account: AccountContents) -> None:
    for page in clients.batch.get_paginator("describe_job_queues").paginate():
        for queue in page["jobQueues"]:
            if queue.get("status") not in _GONE:
                account.queues[queue["jobQueueName"]] = queue
    for found in clients.batch.get_paginator("describe_compute_environments").paginate():
        for environment in found["computeEnvironments"]:
            if environment.get("status") not in _GONE:
                account.environments[environment["computeEnvironmentArn"]] = environment
    arns = sorted(
        {queue["schedulingPolicyArn"] for queue in account.queues.values() if queue.get("schedulingPolicyArn")}
    )
    for start in range(0, len(arns), _DESCRIBE_AT_MOST):
        policies = clients.batch.describe_scheduling_policies(arns=arns[start : start + _DESCRIBE_AT_MOST])
        account.policies.update({policy["arn"]: policy for policy in policies["schedulingPolicies"]})


@aws_errors()
def _read_definitions(clients: Clients, account: AccountContents) -> None:
    definitions = [*active_definitions(clients)]
    account.revisions.update(Counter(each["jobDefinitionName"] for each in definitions))
    account.definitions.update(newest_revisions(definitions))


def _read_named(clients: Clients, account: AccountContents) -> None:
    """Look up what is named; a call that AWS refuses is an error, what is not there is left out."""
    definitions, environments = [*account.definitions.values()], [*account.environments.values()]
    roles = {name for each in (*definitions, *environments) for name in role_names(each, account.id)}
    repositories = {name for each in definitions for name in repository_names(each, account)}
    account.roles.update(_found(roles, partial(_role, clients)))
    account.profiles.update(_found(filter(None, map(profile_name, environments)), partial(_profile, clients)))
    account.repositories.update(_found(repositories, partial(_repository, clients)))
    groups = {name for each in definitions for name in log_group_names(each)}
    account.log_groups.update(_found(groups, partial(_log_group, clients)))


def _found(names: Iterable[str], look_up: Callable[[str], Any]) -> Iterator[tuple[str, Json]]:
    """Yield each name that exists, with AWS's object."""
    from botocore.exceptions import ClientError

    for name in sorted({*names}):
        with aws_errors():
            try:
                value = look_up(name)
            except ClientError as error:
                if error_code(error) not in _NOT_FOUND:
                    raise
                continue
        if value:
            yield name, value


def _role(clients: Clients, name: str) -> Any:
    role: Any = clients.iam.get_role(RoleName=name)["Role"]
    attached = clients.iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
    return {**role, "AttachedPolicies": [policy for page in attached for policy in page["AttachedPolicies"]]}


def _profile(clients: Clients, name: str) -> Any:
    return clients.iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]


def _repository(clients: Clients, name: str) -> Any:
    repository: Any = clients.ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    return {**repository, "Tags": clients.ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]}


def _log_group(clients: Clients, name: str) -> Any:
    groups = clients.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    group: Any = next((group for group in groups if group["logGroupName"] == name), None)
    if group is None:
        return None
    arn = group["arn"].removesuffix(
        ":*"
    )  # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
    return {**group, "Tags": clients.logs.list_tags_for_resource(resourceArn=arn)["tags"]}


# --- what things name -------------------------------------------------------------------------------------------------


def role_names(thing: Json, account: str) -> Iterator[str]:
    """Yield the names of the roles of this account that a definition or a compute environment names."""
    for found in _ROLE.finditer(json.dumps(thing, default=str)):
        if found[1] == account:
            yield found[2].rpartition("/")[2]


def role_arns(thing: Json) -> Iterator[str]:
    """Yield the ARNs of the roles and instance profiles that a definition or a compute environment names."""
    text = json.dumps(thing, default=str)
    yield from (found[0] for found in _ROLE.finditer(text))
    yield from (found[0] for found in _PROFILE.finditer(text))


def profile_name(environment: Json) -> str:
    """Return the name of the instance profile of a compute environment; empty on Fargate."""
    return str(environment.get("computeResources", {}).get("instanceRole", "")).rpartition("/")[2]


def repository_names(definition: Json, account: AccountContents) -> Iterator[str]:
    """Yield the repositories of this account and region that a definition's images are in."""
    for container in containers_of_definition(definition):
        found = _IMAGE.match(container.get("image", ""))
        if found and found.groups()[:2] == (account.id, account.region):
            yield found[3].partition(":")[0]


def log_group_names(definition: Json) -> Iterator[str]:
    """Yield the log groups that a definition names."""
    for container in containers_of_definition(definition):
        group = container.get("logConfiguration", {}).get("options", {}).get("awslogs-group")
        if group:
            yield group


def compute_arns(queue: Json) -> list[str]:
    """Return the ARNs of a queue's compute environments in their order."""
    order = sorted(queue.get("computeEnvironmentOrder", []), key=lambda each: each["order"])
    return [str(each["computeEnvironment"]) for each in order]


def require_queues(account: AccountContents, names: Collection[str]) -> None:
    """Check the names of ``--queue``.

    Raises:
        UsageError: there is no queue at all, or none of a name.
    """
    known = ", ".join(sorted(account.queues))
    for name in names:
        if name not in account.queues:
            raise UsageError(
                f'unknown queue "{name}" in {account.region}; '
                + (f"choose from: {known}" if known else "there is none")
            )
    if not account.queues:
        raise UsageError(
            f"account {account.id} has no job queue in {account.region}", hint="choose another region with --region"
        )
