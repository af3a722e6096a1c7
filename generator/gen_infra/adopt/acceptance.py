"""Accepts what `gen-infra check` reports of adopted resources, which stay as they are."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gen_infra.adopt.account import role_arns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from gen_infra.adopt.choice import Choice

_ACCEPTED_FOR = timedelta(days=180)
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


def note_on_roles(choice: Choice) -> str:
    """Return a note on the findings that only the policy file may accept; empty if nothing names a role."""
    things: list[Any] = [*choice.jobs.values(), *choice.compute.values()]
    arns = sorted({arn for each in things for arn in role_arns(each) if ":role/aws-service-role/" not in arn})
    if not arns:
        return ""
    return (
        "gen-infra check reports roles that gen-infra did not create, their trust and their policies (GI_IAM_*): fix "
        f"them, or accept them in the policy file; its `roles` are [{', '.join(arns)}]"
    )
