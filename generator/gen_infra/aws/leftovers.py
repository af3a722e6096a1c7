"""What an environment left behind, asked of the APIs; and the two things that Terraform does not clear away itself.

Terraform knows one revision of each job definition and cannot delete a repository that holds images, so ``destroy``
also calls :func:`deregister_definitions` and :func:`empty_repositories`.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.aws.errors import aws_errors, error_code
from gen_infra.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from gen_infra.aws.session import Clients

_DELETE_AT_MOST = 100  # images in one BatchDeleteImage
_SIDE_BY_SIDE = 8  # listings


class Resource(NamedTuple):
    """One thing in the account: ``job queue``, ``highPriority-prod``. Named by its ARN or URL where AWS lists those."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class _Listing(NamedTuple):
    """A paginated call: on which client, with which arguments, and the JMESPath of the names in its answer."""

    client: str
    operation: str
    arguments: dict[str, object]
    names: str


_LISTINGS = {
    "compute environment": _Listing(
        "batch", "describe_compute_environments", {}, "computeEnvironments[?status!='DELETED'].computeEnvironmentName"
    ),
    "function": _Listing("functions", "list_functions", {}, "Functions[].FunctionName"),
    "IAM policy": _Listing("iam", "list_policies", {"Scope": "Local"}, "Policies[].PolicyName"),
    "instance profile": _Listing("iam", "list_instance_profiles", {}, "InstanceProfiles[].InstanceProfileName"),
    "job definition": _Listing(
        "batch",
        "describe_job_definitions",
        {"status": "ACTIVE"},
        "jobDefinitions[].join(':', [jobDefinitionName, to_string(revision)])",
    ),
    "job queue": _Listing("batch", "describe_job_queues", {}, "jobQueues[?status!='DELETED'].jobQueueName"),
    "key alias": _Listing("kms", "list_aliases", {}, "Aliases[?!starts_with(AliasName, 'alias/aws/')].AliasName"),
    "launch template": _Listing("ec2", "describe_launch_templates", {}, "LaunchTemplates[].LaunchTemplateName"),
    "log group": _Listing("logs", "describe_log_groups", {}, "logGroups[].logGroupName"),
    # Without a page size SQS returns the first thousand and no token for the rest.
    "message queue": _Listing("sqs", "list_queues", {"PaginationConfig": {"PageSize": 1000}}, "QueueUrls[]"),
    "repository": _Listing("ecr", "describe_repositories", {}, "repositories[].repositoryName"),
    "role": _Listing("iam", "list_roles", {}, "Roles[].RoleName"),
    "scheduling policy": _Listing("batch", "list_scheduling_policies", {}, "schedulingPolicies[].arn"),
}

_NAMES = "Tags[?Key=='Name'].Value[]"
_NETWORK_LISTINGS = {
    "flow log": _Listing("ec2", "describe_flow_logs", {}, f"FlowLogs[].{_NAMES}"),
    "internet gateway": _Listing("ec2", "describe_internet_gateways", {}, f"InternetGateways[].{_NAMES}"),
    "NAT gateway": _Listing("ec2", "describe_nat_gateways", {}, f"NatGateways[?State!='deleted'][].{_NAMES}"),
    "route table": _Listing("ec2", "describe_route_tables", {}, f"RouteTables[].{_NAMES}"),
    "security group": _Listing("ec2", "describe_security_groups", {}, f"SecurityGroups[].{_NAMES}"),
    "subnet": _Listing("ec2", "describe_subnets", {}, f"Subnets[].{_NAMES}"),
    "VPC": _Listing("ec2", "describe_vpcs", {}, f"Vpcs[].{_NAMES}"),
    "VPC endpoint": _Listing("ec2", "describe_vpc_endpoints", {}, f"VpcEndpoints[?State!='deleted'][].{_NAMES}"),
}

_REBUILD_LISTINGS = {
    "alarm": _Listing("alarms", "describe_alarms", {}, "MetricAlarms[].AlarmName"),
    "build project": _Listing("builds", "list_projects", {}, "projects[]"),
    "schedule group": _Listing("schedules", "list_schedule_groups", {}, "ScheduleGroups[].Name"),
    "topic": _Listing("sns", "list_topics", {}, "Topics[].TopicArn"),
}

_NOTIFICATION_LISTINGS = {
    "event rule": _Listing("events", "list_rules", {}, "Rules[].Name"),
    "topic": _Listing("sns", "list_topics", {}, "Topics[].TopicArn"),
}


@aws_errors()
def inventory(clients: Clients) -> list[Resource]:
    """Everything in the account and region of the kinds that an environment is made of, whoever made it; sorted.

    Keys that are waiting for their deletion do not count: KMS deletes none at once.
    """
    return sorted([*_listed(clients, _LISTINGS), *_keys(clients)])


def visible_inventory(clients: Clients) -> list[Resource]:
    """The same, asked side by side, without the kinds that the caller may not list or AWS does not list now."""
    asked = [partial(_listed, clients, {kind: listing}) for kind, listing in _LISTINGS.items()]
    with ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE) as pool:
        return sorted(chain.from_iterable(pool.map(_if_it_can_be, [*asked, partial(_keys, clients)])))


def _if_it_can_be(listed: Callable[[], Iterator[Resource]]) -> list[Resource]:
    try:
        with aws_errors():
            return list(listed())
    except AwsError:
        return []


@aws_errors()
def network_inventory(clients: Clients) -> list[Resource]:
    """Every piece of a network in the account and region that has a ``Name`` tag, whoever made it; sorted."""
    return sorted([*_listed(clients, _NETWORK_LISTINGS), *_addresses(clients)])


@aws_errors()
def rebuild_inventory(clients: Clients) -> list[Resource]:
    """What rebuilds the images of environments, in the account and region; sorted. A group's schedule goes with it."""
    return sorted(_listed(clients, _REBUILD_LISTINGS))


def leftovers(
    clients: Clients,
    environment: str,
    keys: Collection[str],
    repositories: Collection[str],
    *,
    own_network: bool,
    rebuilds: bool,
) -> list[str]:
    """What still exists of an environment, such as ``job queue highPriority-prod``; nothing if all of it was destroyed.

    Args:
        clients: where to look.
        environment: the environment's name, such as ``prod``.
        keys: the keys of its compute environments, queues and jobs, such as ``isaac`` for ``isaac-prod``.
        repositories: its repositories' names without the environment, such as ``isaac`` for ``prod/isaac``.
        own_network: whether it made its network; a network made elsewhere may have any name.
        rebuilds: whether it rebuilt its image; who does not may not be allowed to look at such things.
    """
    ours = own_names(environment, keys, repositories)
    found = inventory(clients)
    if own_network:
        found += network_inventory(clients)
    if rebuilds:
        found += rebuild_inventory(clients)
    return [str(resource) for resource in found if ours.fullmatch(resource.name)]


@aws_errors()
def deregister_definitions(clients: Clients, names: Iterable[str]) -> int:
    """Deregister every active revision of these job definitions and return how many; submitted jobs still run."""
    pages = clients.batch.get_paginator("describe_job_definitions")
    arns = [
        definition["jobDefinitionArn"]
        for name in names
        for page in pages.paginate(jobDefinitionName=name, status="ACTIVE")
        for definition in page["jobDefinitions"]
    ]
    for arn in arns:
        clients.batch.deregister_job_definition(jobDefinition=arn)
    return len(arns)


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
        left = sorted(kept)  # an image goes only after the multi-platform index that refers to it


@aws_errors()
def notification_leftovers(clients: Clients, topics: Collection[str]) -> list[str]:
    """What still exists of an environment's notifications; a topic and the rule that publishes to it share a name.

    Asked for by itself: who has no notifications may not be allowed to look at such things.
    """
    found = _listed(clients, _NOTIFICATION_LISTINGS)
    return sorted(str(resource) for resource in found if resource.name.rpartition(":")[2] in topics)


def own_names(environment: str, keys: Collection[str], repositories: Collection[str]) -> re.Pattern[str]:
    """What an environment calls its own: ``isaac-prod`` and what is built on it, ``prod/isaac``, ``/aws/batch/prod/…``.

    A name may follow a path or an ARN, as in ``alias/batch-prod``, and be followed by ``-job`` or ``-execution``
    (roles), ``:3`` (revisions) or the 26 digits that Terraform appends to a ``name_prefix``. The parts of a network
    are named below their VPC: ``batch-prod/private/us-east-1a``.
    """
    own = "|".join(["batch(?:[A-Z][A-Za-z]*)?", *map(re.escape, keys)])
    prefix = re.escape(environment)
    images = "|".join(map(re.escape, repositories)) or r"(?!)"
    named = rf"(?:.*[/:])?(?:{own})-{prefix}(?:-job|-execution|:\d+|-[0-9a-f]{{26}})?"
    return re.compile(rf"{named}|{prefix}/(?:{images})|/aws/batch/{prefix}/.+|batch-{prefix}/.+")


def _listed(clients: Clients, listings: Mapping[str, _Listing]) -> Iterator[Resource]:
    for kind, listing in listings.items():
        paginator = getattr(clients, listing.client).get_paginator(listing.operation)
        for name in paginator.paginate(**listing.arguments).search(listing.names):
            if name is not None:  # what JMESPath makes of a page without results
                yield Resource(kind, name)


def _addresses(clients: Clients) -> Iterator[Resource]:
    """The Elastic IP addresses, which EC2 lists without pages."""
    for address in clients.ec2.describe_addresses()["Addresses"]:
        for tag in address.get("Tags", []):
            if tag["Key"] == "Name":
                yield Resource("Elastic IP address", tag["Value"])


def _keys(clients: Clients) -> Iterator[Resource]:
    """The customer managed keys that are not about to be deleted, under the last word of their description.

    That is where an environment's key carries its name: an alias can be lost while the key stays, and costs.
    """
    for key_id in clients.kms.get_paginator("list_keys").paginate().search("Keys[].KeyId"):
        try:
            key = clients.kms.describe_key(KeyId=key_id)["KeyMetadata"]
        except clients.kms.exceptions.ClientError as error:
            if error_code(error) != "AccessDeniedException":
                raise
            continue  # its own policy shuts the caller out; an environment's key admits the whole account
        if key["KeyManager"] == "CUSTOMER" and key["KeyState"] != "PendingDeletion":
            yield Resource("key", f"{key_id}/{key.get('Description', '').rpartition(' ')[2]}")


def _empty(clients: Clients, repository: str) -> int:
    pages = clients.ecr.get_paginator("list_images").paginate(repositoryName=repository)
    try:
        found = {image["imageDigest"] for page in pages for image in page["imageIds"]}
    except clients.ecr.exceptions.RepositoryNotFoundException:
        return 0
    delete_images(clients, repository, found)
    return len(found)
