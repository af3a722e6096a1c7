"""Tell the resources of two environments apart: ``isaac-b-prod`` is a name of ``prod`` and of ``b-prod``.

The provider gives every resource the tag ``gen-infra:environment``. A resource without it, such as one that an older
version of gen-infra created, is known by its name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gen_infra.aws.definitions import active_definitions, newest_revisions
from gen_infra.aws.errors import aws_errors
from gen_infra.aws.inventory import AwsResource
from gen_infra.aws.queues import stopped_by_budget
from gen_infra.aws.tags import ENVIRONMENT_TAG
from gen_infra.errors import AwsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gen_infra.aws.session import Clients


def other_owner(tags: Mapping[str, str], environment: str) -> str | None:
    """Return which other environment a resource with these tags belongs to; None for this environment's own."""
    owner = tags.get(ENVIRONMENT_TAG, environment)
    return owner if owner != environment else None


@aws_errors()
def named_definitions(clients: Clients, names: Collection[str]) -> list[AwsResource]:
    """List the newest active revision of each of these job definitions; Batch would add a revision to it."""
    newest = newest_revisions(active_definitions(clients)) if names else {}
    kind = "aws_batch_job_definition"
    return [AwsResource("job definition", name, kind, "", newest[name]) for name in sorted({*newest} & {*names})]


def without_others(clients: Clients, resources: Iterable[AwsResource], environment: str) -> list[AwsResource]:
    """Leave out what bears the tag of another environment, whose names may be those of this one."""
    return [each for each in resources if other_owner(_tags(clients, each), environment) is None]


@aws_errors()
def require_free_names(clients: Clients, resources: Iterable[AwsResource], environment: str) -> None:
    """Refuse to create what another environment has under the same name.

    Args:
        clients: where the resources are.
        resources: those that exist and have a name that is to be created.
        environment: whose plan it is.

    Raises:
        UsageError: some of them bear the tag of another environment.
    """
    owners = {str(each): other_owner(_tags(clients, each), environment) for each in resources}
    if found := [f"{resource} (of {owner})" for resource, owner in owners.items() if owner]:
        raise UsageError(
            f"other environments have resources with names of {environment}: {', '.join(found)}",
            hint="rename the keys that make these names, or the environment: a hyphen joins key and environment",
        )


@aws_errors()
def require_own(clients: Clients, queue: str, definition: str, environment: str) -> str:
    """Refuse to submit to a queue, or a definition, that does not exist or is another environment's of the same name.

    Returns:
        The definition with its newest revision, such as ``isaac-prod:3``, of which policies know the tags.

    Raises:
        AwsError: one of them does not exist, or the queue is disabled.
        UsageError: one of them is another environment's.
    """
    queues: Any = clients.batch.describe_job_queues(jobQueues=[queue])["jobQueues"]
    if not queues:
        raise _not_applied(f"job queue {queue}")
    newest = newest_revisions(active_definitions(clients, definition))
    if not newest:
        raise _not_applied(f"job definition {definition}")
    used = {f"job queue {queue}": queues[0], f"job definition {definition}": newest[definition]}
    for resource, described in used.items():
        if owner := other_owner(described.get("tags", {}), environment):
            raise UsageError(
                f"{resource} belongs to the environment {owner}, not to {environment}; nothing was submitted",
                hint=f"rename it in the manifest of {environment} or of {owner}, and apply",
            )
    if queues[0].get("state") == "DISABLED":
        raise _disabled(queue, queues[0].get("tags"))
    return f"{definition}:{newest[definition]['revision']}"


def _disabled(queue: str, tags: Mapping[str, str] | None) -> AwsError:
    """Return what AWS Batch would refuse with fewer words."""
    if since := stopped_by_budget("DISABLED", tags):
        return AwsError(
            f"job queue {queue} is disabled since {since}, because notifications.budget was used up; "
            "nothing was submitted",
            hint="raise the budget, then run gen-infra apply with --allow enable-queues",
        )
    hint = "set its state to ENABLED in the manifest, and apply"
    return AwsError(f"job queue {queue} is disabled: it accepts no new jobs; nothing was submitted", hint=hint)


def _not_applied(what: str) -> AwsError:
    return AwsError(f"{what} does not exist; nothing was submitted", hint="run gen-infra apply first")


def _tags(clients: Clients, resource: AwsResource) -> Mapping[str, str]:
    """Return the tags of a resource, also those that AWS does not list with it; none where it refuses the look."""
    from botocore.exceptions import ClientError

    read = _READ_TAGS.get(resource.type) if not resource.members else None
    try:
        return read(clients, resource.name) if read else resource.tags
    except ClientError:
        return {}


def _tags_of_role(clients: Clients, name: str) -> Mapping[str, str]:
    return {tag["Key"]: tag["Value"] for tag in clients.iam.get_role(RoleName=name)["Role"].get("Tags", [])}


def _tags_of_queue(clients: Clients, name: str) -> Mapping[str, str]:
    queues: Any = clients.batch.describe_job_queues(jobQueues=[name])["jobQueues"]
    return queues[0].get("tags", {}) if queues else {}


def _tags_of_scheduling_policy(clients: Clients, name_or_arn: str) -> Mapping[str, str]:
    pages = clients.batch.get_paginator("list_scheduling_policies").paginate()
    arns = [each["arn"] for page in pages for each in page["schedulingPolicies"]]
    same = [arn for arn in arns if arn.rpartition("/")[2] == name_or_arn.rpartition("/")[2]]
    policies: Any = clients.batch.describe_scheduling_policies(arns=same)["schedulingPolicies"] if same else []
    return policies[0].get("tags", {}) if policies else {}


def _tags_of_state_machine(clients: Clients, arn: str) -> Mapping[str, str]:
    return {tag["key"]: tag["value"] for tag in clients.states.list_tags_for_resource(resourceArn=arn)["tags"]}


def _tags_of_definition(clients: Clients, name: str) -> Mapping[str, str]:
    found: Any = clients.batch.describe_job_definitions(jobDefinitions=[name])["jobDefinitions"] if ":" in name else []
    return found[0].get("tags", {}) if found else {}


def _tags_of_log_group(clients: Clients, name: str) -> Mapping[str, str]:
    groups = clients.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    found = [group["arn"].removesuffix(":*") for group in groups if group["logGroupName"] == name and "arn" in group]
    return clients.logs.list_tags_for_resource(resourceArn=found[0])["tags"] if found else {}


def _tags_of_rule(clients: Clients, arn: str) -> Mapping[str, str]:
    return {tag["Key"]: tag["Value"] for tag in clients.events.list_tags_for_resource(ResourceARN=arn)["Tags"]}


def _tags_of_alarm(clients: Clients, arn: str) -> Mapping[str, str]:
    return {tag["Key"]: tag["Value"] for tag in clients.alarms.list_tags_for_resource(ResourceARN=arn)["Tags"]}


def _tags_of_topic(clients: Clients, arn: str) -> Mapping[str, str]:
    return {tag["Key"]: tag["Value"] for tag in clients.sns.list_tags_for_resource(ResourceArn=arn)["Tags"]}


_READ_TAGS: Mapping[str, Callable[[Clients, str], Mapping[str, str]]] = {
    "aws_batch_job_definition": _tags_of_definition,
    "aws_batch_job_queue": _tags_of_queue,
    "aws_batch_scheduling_policy": _tags_of_scheduling_policy,
    "aws_cloudwatch_event_rule": _tags_of_rule,
    "aws_cloudwatch_log_group": _tags_of_log_group,
    "aws_cloudwatch_metric_alarm": _tags_of_alarm,
    "aws_iam_role": _tags_of_role,
    "aws_sfn_state_machine": _tags_of_state_machine,
    "aws_sns_topic": _tags_of_topic,
}
# The types whose names two environments can share, and whose owner is therefore looked up.
READS_TAGS = frozenset(_READ_TAGS)
