"""Accepts what `gen-infra check` reports of adopted resources, which stay as they are."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gen_infra.adopt.account import role_arns
from gen_infra.check.rules import broken_rules
from gen_infra.check.rules.rule import Accepted
from gen_infra.terraform.source import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from gen_infra.adopt.account import AccountContents
    from gen_infra.adopt.choice import Choice

_ACCEPTED_FOR = timedelta(days=180)
_LONGEST_REASON = 300
_REPOSITORY_CHECKS = ("CKV_AWS_51", "CKV_AWS_136", "CKV_AWS_163", "GI_ECR_1")
_LOG_GROUP_CHECKS = ("CKV_AWS_66", "CKV_AWS_158", "CKV_AWS_338", "GI_LOGS_1")


def suppressions(choice: Choice, today: date) -> list[dict[str, str]]:
    """Return suppressions for the findings that a manifest may accept, each with its reason.

    Repositories and log groups are rendered without their settings, so that each check of those fails.
    """
    expires = (today + _ACCEPTED_FOR).isoformat()
    return [
        {"check": check, "resource": resource, "reason": f"adopted: {reason}", "expires": expires}
        for check, resource, reason in _accepted(choice)
    ]


def _accepted(choice: Choice) -> Iterator[tuple[str, str, str]]:
    if choice.repositories:
        for check in _REPOSITORY_CHECKS:
            yield check, "aws_ecr_repository.*", "repositories keep their settings"
    if choice.log_groups:
        for check in _LOG_GROUP_CHECKS:
            yield check, "aws_cloudwatch_log_group.existing*", "log groups keep their settings"
    for key, environment in choice.compute.items():
        resources = environment.get("computeResources", {})
        address = f"module.compute_{key}.aws_batch_compute_environment.this"
        if resources.get("ec2KeyPair"):
            yield "GI_EC2_3", address, "its instances keep their key pair"
        if not resources.get("launchTemplate") and not resources.get("type", "").startswith("FARGATE"):
            yield "GI_EC2_4", address, "it stays without a launch template"


def policy_entries(account: AccountContents, choice: Choice, today: date) -> dict[str, Any]:
    """Return what the policy file must have for `check` to pass, which no manifest may accept; empty without roles.

    ``roles`` has the roles that adopted things use, ``suppressions`` the findings on adopted roles and profiles, each
    with what was found as its reason.
    """
    things: list[Any] = [*choice.jobs.values(), *choice.compute.values()]
    arns = sorted({arn for each in things for arn in role_arns(each) if ":role/aws-service-role/" not in arn})
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for broken in broken_rules([*_adopted(account, choice)], Accepted(account=account.id, trusted=frozenset())):
        found[broken.rule.id, broken.resource.address].append(broken.problem)
    expires = (today + _ACCEPTED_FOR).isoformat()
    accepted = [
        {
            "check": check,
            "resource": address,
            "reason": f"adopted: {'; '.join(problems)}"[:_LONGEST_REASON],
            "expires": expires,
        }
        for (check, address), problems in sorted(found.items())
    ]
    return {key: value for key, value in {"roles": arns, "suppressions": accepted}.items() if value}


def _adopted(account: AccountContents, choice: Choice) -> Iterator[Resource]:
    """Yield the adopted roles and instance profiles as a plan shows them after their import."""
    for name in choice.roles:
        role = account.roles[name]
        values = {
            "name": name,
            "assume_role_policy": role["AssumeRolePolicyDocument"],
            "managed_policy_arns": [policy["PolicyArn"] for policy in role["AttachedPolicies"]],
        }
        yield Resource("aws_iam_role", f'aws_iam_role.existing["{name}"]', values)
    for name in choice.profiles:
        for held in account.profiles[name]["Roles"]:
            values = {"name": name, "role": held["RoleName"]}
            yield Resource("aws_iam_instance_profile", f'aws_iam_instance_profile.existing["{name}"]', values)
