"""Two environments of one account can make the same name: what bears another environment's tag is never touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.apply.orphans import find_orphans
from gen_infra.aws.inventory import AwsResource
from gen_infra.aws.kinds import KINDS, Listing
from gen_infra.aws.leftovers import deregister_definitions
from gen_infra.aws.owners import named_definitions, require_free_names, require_own, without_others
from gen_infra.errors import AwsError, UsageError
from gen_infra.prune.account import find_prunable
from tests.unit.recorded import Account, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "isaac-b-prod"  # of the job isaac-b in prod, and of the job isaac in b-prod
TAG = "gen-infra:environment"


def definition(revision: int, **tags: str) -> dict[str, Any]:
    arn = f"arn:aws:batch:us-east-1:123456789012:job-definition/{NAME}:{revision}"
    named = {"jobDefinitionName": NAME, "jobDefinitionArn": arn, "revision": revision, "type": "container"}
    return {**named, "tags": {TAG: tags["owner"]} if tags else {}}


def queue(**tags: str) -> dict[str, Any]:
    arn = f"arn:aws:batch:us-east-1:123456789012:job-queue/{NAME}"
    given = {"jobQueueName": NAME, "jobQueueArn": arn, "state": "ENABLED", "priority": 1, "computeEnvironmentOrder": []}
    return {**given, "tags": {TAG: tags["owner"]} if tags else {}}


def role(owner: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::123456789012:role/{NAME}-job"
    tags = [{"Key": TAG, "Value": owner}] if owner else []
    made = {"Path": "/", "RoleName": f"{NAME}-job", "RoleId": "A" * 16, "Arn": arn, "CreateDate": 0, "Tags": tags}
    return {"Role": made}


ROLE = AwsResource("role", f"{NAME}-job", "aws_iam_role")


@pytest.mark.parametrize(("owner", "is_refused"), [("b-prod", True), ("prod", False), ("", False)])
def test_a_name_of_another_environment_is_not_created(account: Account, owner: str, is_refused: bool) -> None:
    account.answers = {"GetRole": role(owner)}
    if is_refused:
        with pytest.raises(UsageError, match=rf"names of prod: role {NAME}-job \(of b-prod\)"):
            require_free_names(account.clients, [ROLE], "prod")
    else:
        require_free_names(account.clients, [ROLE], "prod")


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("aws_batch_job_queue", NAME),
        ("aws_batch_scheduling_policy", NAME),
        ("aws_batch_scheduling_policy", f"arn:aws:batch:us-east-1:123456789012:scheduling-policy/{NAME}"),
        ("aws_sfn_state_machine", f"arn:aws:states:us-east-1:123456789012:stateMachine:{NAME}"),
        ("aws_cloudwatch_log_group", f"/aws/vendedlogs/states/{NAME}"),
        ("aws_cloudwatch_event_rule", f"arn:aws:events:us-east-1:123456789012:rule/{NAME}"),
        ("aws_cloudwatch_metric_alarm", f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{NAME}"),
        ("aws_sns_topic", f"arn:aws:sns:us-east-1:123456789012:{NAME}"),
        ("aws_batch_job_definition", f"{NAME}:3"),
    ],
)
@pytest.mark.parametrize("owner", ["prod", "b-prod"])
def test_the_tags_of_each_kind_are_read(account: Account, type_: str, name: str, owner: str) -> None:
    policy = f"arn:aws:batch:us-east-1:123456789012:scheduling-policy/{NAME}"
    tagged: dict[str, dict[str, Any]] = {  # each service answers in its own spelling
        "aws_sfn_state_machine": {"tags": [{"key": TAG, "value": owner}]},
        "aws_cloudwatch_log_group": {"tags": {TAG: owner}},
    }
    account.answers = {
        "DescribeJobQueues": {"jobQueues": [queue(owner=owner)]},
        "ListSchedulingPolicies": {"schedulingPolicies": [{"arn": f"{policy}-2"}, {"arn": policy}]},
        "DescribeSchedulingPolicies": lambda asked: {
            "schedulingPolicies": [{"arn": asked["arns"][0], "name": NAME, "tags": {TAG: owner}}]
        },
        "DescribeJobDefinitions": {"jobDefinitions": [definition(3, owner=owner)]},
        "DescribeLogGroups": lambda asked: {
            "logGroups": [
                {
                    "logGroupName": f"{asked['logGroupNamePrefix']}{more}",
                    "arn": f"arn:aws:logs:us-east-1:1:log-group:{more}:*",
                }
                for more in ("-2", "")
            ]
        },
        "ListTagsForResource": tagged.get(type_, {"Tags": [{"Key": TAG, "Value": owner}]}),
    }
    resource = AwsResource("kind", name, type_)
    assert without_others(account.clients, [resource], "prod") == ([resource] if owner == "prod" else [])
    if owner == "prod":
        require_free_names(account.clients, [resource], "prod")
        return
    with pytest.raises(UsageError, match=r"names of prod: kind .* \(of b-prod\)"):
        require_free_names(account.clients, [resource], "prod")


def test_a_role_that_may_not_be_looked_at_is_left_to_terraform(account: Account) -> None:
    account.answers = {"GetRole": Refusal("AccessDenied")}
    require_free_names(account.clients, [ROLE], "prod")


def test_no_revision_is_added_to_the_definition_of_another_environment(account: Account) -> None:
    revisions = [definition(9, owner="b-prod"), definition(10, owner="b-prod")]
    account.answers = {"DescribeJobDefinitions": {"jobDefinitions": revisions}}
    found = named_definitions(account.clients, [NAME])
    assert [each.members["revision"] for each in found] == [10]
    with pytest.raises(UsageError, match=rf"job definition {NAME} \(of b-prod\)"):
        require_free_names(account.clients, found, "prod")
    assert named_definitions(account.clients, ["other"]) == []


@pytest.mark.parametrize(
    ("queues", "definitions", "what"),
    [
        ([queue(owner="b-prod")], [definition(1)], "job queue"),
        ([queue(owner="prod")], [definition(2, owner="prod"), definition(10, owner="b-prod")], "job definition"),
        ([queue(owner="prod")], [definition(2, owner="b-prod"), definition(10, owner="prod")], ""),
        ([queue()], [definition(1)], ""),
    ],
)
def test_nothing_is_submitted_to_another_environment(
    account: Account, queues: list[Any], definitions: list[Any], what: str
) -> None:
    account.answers = {
        "DescribeJobQueues": {"jobQueues": queues},
        "DescribeJobDefinitions": {"jobDefinitions": definitions},
    }
    if what:
        with pytest.raises(UsageError, match=f"{what} {NAME} belongs to the environment b-prod, not to prod; nothing"):
            require_own(account.clients, NAME, NAME, "prod")
    else:
        newest = max(each["revision"] for each in definitions)
        assert require_own(account.clients, NAME, NAME, "prod") == f"{NAME}:{newest}"


@pytest.mark.parametrize(
    ("marks", "words", "fix"),
    [
        ({}, "it accepts no new jobs", "set its state to ENABLED"),
        (
            {"gen-infra:stopped-by-budget": "2026-11-29T12:00:00Z"},
            "since 2026-11-29T12:00:00Z, because notifications.budget was used up",
            "raise the budget, then run gen-infra apply with --allow enable-queues",
        ),
    ],
)
def test_nothing_is_submitted_to_a_disabled_queue(
    account: Account, marks: dict[str, str], words: str, fix: str
) -> None:
    account.answers = {
        "DescribeJobQueues": {"jobQueues": [{**queue(), "state": "DISABLED", "tags": marks}]},
        "DescribeJobDefinitions": {"jobDefinitions": [definition(1)]},
    }
    with pytest.raises(AwsError, match=f"job queue {NAME} is disabled.*{words}") as refused:
        require_own(account.clients, NAME, NAME, "prod")
    assert fix in str(refused.value.hint)


@pytest.mark.parametrize(("queues", "what"), [([], "job queue"), ([queue(owner="prod")], "job definition")])
def test_what_was_not_applied_is_named_before_anything_is_submitted(
    account: Account, queues: list[Any], what: str
) -> None:
    account.answers = {"DescribeJobQueues": {"jobQueues": queues}, "DescribeJobDefinitions": {"jobDefinitions": []}}
    with pytest.raises(AwsError, match=f"^{what} {NAME} does not exist; nothing was submitted$") as refused:
        require_own(account.clients, NAME, NAME, "prod")
    assert refused.value.hint == "run gen-infra apply first"


def test_destroy_and_prune_leave_the_revisions_of_another_environment(account: Account) -> None:
    deregistered: list[str] = []

    def deregister(request: Mapping[str, Any]) -> dict[str, Any]:
        deregistered.append(request["jobDefinition"])
        return {}

    revisions = [definition(1, owner="b-prod"), definition(2, owner="prod"), definition(3), definition(4, owner="prod")]
    account.answers = {
        "DescribeJobDefinitions": {"jobDefinitions": revisions},
        "DescribeJobQueues": {"jobQueues": []},
        "DeregisterJobDefinition": deregister,
    }
    prunable = find_prunable(account.clients, [NAME], [], "prod", keep=1)
    assert sorted(prunable.revisions.values()) == [f"{NAME}:2", f"{NAME}:3"]
    assert deregister_definitions(account.clients, [NAME], "prod") == 3
    assert [arn.rpartition(":")[2] for arn in deregistered] == ["2", "3", "4"]


@pytest.mark.parametrize(("owner", "is_reported"), [("b-prod", False), ("prod", True), ("", True)])
def test_no_removal_is_advised_of_what_another_environment_owns(
    account: Account, owner: str, is_reported: bool
) -> None:
    listings = (row.listing for row in KINDS.values() if isinstance(row.listing, Listing))
    account.answers = {
        "".join(word.capitalize() for word in each.operation.split("_")): Refusal("AccessDenied") for each in listings
    }
    account.answers["DescribeJobQueues"] = {"jobQueues": [queue(owner=owner) if owner else queue()]}
    found = find_orphans([], account.clients, "prod", ["isaac-b"], [])
    assert [each.name for each in found] == ([NAME] if is_reported else [])
