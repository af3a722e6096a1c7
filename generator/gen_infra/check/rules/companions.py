"""Check that nothing is missing: a resource without the one that protects or watches it is a weakness in no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.check.rules.rule import Rule, existed_before
from gen_infra.terraform.policy_documents import allowing, conditions, listed, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gen_infra.terraform.source import Resource

COMPANIONS: Mapping[str, tuple[str, ...]] = {
    "aws_cloudwatch_event_rule": ("aws_cloudwatch_event_target",),
    "aws_codebuild_project": ("aws_cloudwatch_log_group", "aws_cloudwatch_metric_alarm", "aws_iam_role_policy"),
    "aws_ecr_repository": ("aws_ecr_lifecycle_policy",),
    "aws_efs_file_system": ("aws_efs_backup_policy", "aws_efs_file_system_policy"),
    "aws_kms_key": ("aws_kms_alias",),
    "aws_lambda_function": ("aws_cloudwatch_log_group", "aws_iam_role_policy", "aws_sqs_queue"),
    "aws_scheduler_schedule": ("aws_iam_role_policy", "aws_scheduler_schedule_group"),
    "aws_sfn_state_machine": ("aws_cloudwatch_log_group", "aws_iam_role_policy"),
    "aws_sns_topic": ("aws_sns_topic_policy",),
    "aws_vpc": ("aws_cloudwatch_log_group", "aws_default_security_group", "aws_flow_log"),
}
"""The types of resources that stand beside each, in the module that makes it."""

COMPANIONS_RULE = Rule(
    "GI_TF_9",
    "high",
    "Resources have those beside them that protect and watch them",
    "render it again; gen-infra always renders both",
    "https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/detection.html",
    (),
    lambda *_: (),
    privilege=True,
)

_CHANGES_ROLES = frozenset({"iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy"})


def lonely(resources: Sequence[Resource]) -> Iterator[tuple[Resource, str]]:
    """Yield each resource of the source without a companion, and what is missing."""
    beside: dict[str, set[str]] = {}
    for each in resources:
        beside.setdefault(_module(each), set()).add(each.kind)
    for each in resources:
        if not each.line:
            continue
        for kind in COMPANIONS.get(each.kind, ()):
            # What the manifest took over, as it was: GI_ECR_1 and others say what an adopted repository lacks.
            is_adopted = each.kind == "aws_ecr_repository" and existed_before(each)
            if not is_adopted and kind not in beside[_module(each)]:
                yield each, f"there is no {kind} beside it"
        if each.kind == "aws_efs_file_system_policy" and not _denies_plain_transport(each):
            yield each, "it does not deny connections without TLS"
    yield from _unlimited(resources)


def _module(resource: Resource) -> str:
    """Return the address of the module that makes a resource; empty for the root."""
    name = resource.address.partition("[")[0]
    module, _, _ = name.rpartition(f"{resource.kind}.")
    return module


def _denies_plain_transport(resource: Resource) -> bool:
    policy = resource.values.get("policy")
    return not isinstance(policy, dict | str) or any(
        statement.get("Effect") == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and ("Bool", "aws:securetransport", ["false"]) in conditions(statement)
        and {"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"}
        <= {*map(str, listed(statement["Action"]))}
        for statement in statements(policy)
    )


def _unlimited(resources: Sequence[Resource]) -> Iterator[tuple[Resource, str]]:
    """Yield policies with which roles can be made, if nothing denies changes of the roles of `access`."""
    policies = [each for each in resources if each.line and each.kind == "aws_iam_policy"]
    found = [(each, statement) for each in policies for statement in statements(each.values.get("policy"))]
    denied = {str(action) for _, each in found if each.get("Effect") == "Deny" for action in listed(each.get("Action"))}
    for resource in policies:
        allowed = {str(a) for each in allowing(resource.values.get("policy")) for a in listed(each.get("Action"))}
        for action in sorted((allowed & _CHANGES_ROLES) - denied):
            yield resource, f"no statement denies {action} for the roles of access"
