"""gen-infra's own checks and the lint: on the plan's shape, and where they must keep silent."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from typing import Any

import pytest

from gen_infra.check import rules
from gen_infra.check.rules import RULES, broken_rules
from gen_infra.check.rules.iam_lint import LINTS, IamAction, lint, mentioned_actions
from gen_infra.check.rules.rule import Accepted, Rule
from gen_infra.terraform.plan import PlanContent
from gen_infra.terraform.source import UNKNOWN, Resource

SERVICE_LINKED = "arn:aws:iam::123456789012:role/aws-service-role"


def broken(kind: str, **values: Any) -> list[str]:
    return [each.rule.id for each in broken_rules([Resource(kind, f"{kind}.x", values)], Accepted())]


def planned(after: dict[str, Any], after_unknown: dict[str, Any]) -> Resource:
    change = {"actions": ["create"], "after": after, "after_unknown": after_unknown}
    (resource,) = PlanContent(
        {"resource_changes": [{"mode": "managed", "type": "aws_ecr_repository", "address": "a", "change": change}]}
    ).planned_resources
    return resource


def test_ids_are_unique_and_every_rule_has_a_remedy() -> None:
    every = [*RULES, *LINTS]

    assert len({rule.id for rule in every}) == len(every) >= 30
    for rule in every:
        assert re.fullmatch(r"GI_[A-Z0-9]+_[0-9]+", rule.id)
        assert rule.title
        assert rule.remedy
        assert rule.source.startswith("https://")


def test_every_rule_is_listed_once() -> None:
    modules = [
        importlib.import_module(each.name) for each in pkgutil.iter_modules(rules.__path__, rules.__name__ + ".")
    ]
    written = [value for module in modules for value in vars(module).values() if isinstance(value, Rule)]

    assert sorted(each.id for each in written) == sorted(each.id for each in (*RULES, *LINTS))


@pytest.mark.parametrize(
    ("resources", "service_role", "found"),
    [
        ({"ec2_key_pair": ""}, "batch.amazonaws.com/AWSServiceRoleForBatch", []),
        ({"ec2_key_pair": "lab"}, "batch.amazonaws.com/AWSServiceRoleForBatch", ["GI_EC2_3"]),
        ({}, "ecs.amazonaws.com/AWSServiceRoleForBatch", ["GI_IAM_9"]),
        (
            {"instance_role": f"{SERVICE_LINKED}/batch.amazonaws.com/AWSServiceRoleForBatch"},
            "",
            ["GI_IAM_9"],
        ),
    ],
)
def test_an_imported_compute_environment_has_an_empty_key_pair_and_the_role_of_batch(
    resources: dict[str, str], service_role: str, found: list[str]
) -> None:
    role = f"{SERVICE_LINKED}/{service_role}" if service_role else None

    assert broken("aws_batch_compute_environment", compute_resources=[resources], service_role=role) == found


@pytest.mark.parametrize("text", [True, False])
def test_a_policy_is_the_same_as_text_and_as_values(text: bool) -> None:
    policy = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}}

    assert broken("aws_kms_key", policy=json.dumps(policy) if text else policy) == ["GI_KMS_1"]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("aws_kms_key", {"policy": UNKNOWN}),
        ("aws_kms_key", {"policy": {"Statement": [{"Principal": {"AWS": "*"}, "Condition": UNKNOWN}]}}),
        ("aws_cloudwatch_log_group", {"kms_key_id": UNKNOWN, "retention_in_days": UNKNOWN}),
        ("aws_launch_template", {"block_device_mappings": [{"ebs": [{"encrypted": UNKNOWN, "kms_key_id": UNKNOWN}]}],
                                 "metadata_options": [{"http_tokens": UNKNOWN}]}),
        ("aws_batch_job_definition", {"container_properties": UNKNOWN}),
        ("aws_batch_job_definition", {"container_properties": {
            "volumes": [{"efsVolumeConfiguration": {"transitEncryption": UNKNOWN, "authorizationConfig": UNKNOWN}},
                        {"efsVolumeConfiguration": UNKNOWN}],
            "linuxParameters": {"devices": [{"hostPath": UNKNOWN}, {"hostPath": "/dev/infiniband/uverbs0"}]},
        }}),
        ("aws_iam_role_policy", {"policy": {"Statement": [{"Action": ["kms:Decrypt"], "Resource": [UNKNOWN]}]}}),
        ("aws_iam_role_policy_attachment", {"policy_arn": UNKNOWN}),
    ],
)  # fmt: skip
def test_unknown_values_violate_no_rule(kind: str, values: dict[str, Any]) -> None:
    assert broken(kind, **values) == []


def test_a_plan_marks_values_that_are_known_after_apply() -> None:
    later = planned({"encryption_configuration": [{"encryption_type": "KMS"}]},
                    {"encryption_configuration": [{"kms_key": True}]})  # fmt: skip
    never = planned({"encryption_configuration": [{"encryption_type": "AES256"}]}, {})

    assert [each.rule.id for each in broken_rules([later, never], Accepted())] == ["GI_ECR_1"]


def test_ingress_from_the_own_network_is_allowed() -> None:
    inside = {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["10.0.0.0/16"]}

    assert broken("aws_security_group", ingress=[inside], egress=[{**inside, "cidr_blocks": ["0.0.0.0/0"]}]) == []


REFERENCE = {
    "s3:GetObject": (IamAction("s3:GetObject", ("arn:${Partition}:s3:::${BucketName}/${ObjectName}",)),),
    "s3:Get*": (IamAction("s3:GetObject", ("arn:${Partition}:s3:::${BucketName}/${ObjectName}",)),),
    "batch:DescribeJobs": (IamAction("batch:DescribeJobs", ()),),
    "s3:Fetch": (),
}


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("s3:GetObject", "arn:aws:s3:::b/*", []),
        ("s3:GetObject", "arn:aws:s3:::b/c/d", []),
        ("s3:Get*", "arn:aws-cn:s3:::b/*", []),
        ("s3:GetObject", "arn:aws:s3:::b", ["GI_LINT_2"]),
        ("s3:GetObject", "arn:aws:sqs:us-east-1:1:q", ["GI_LINT_2"]),
        ("s3:GetObject", "*", ["GI_LINT_3"]),
        ("s3:Fetch", "*", ["GI_LINT_1"]),
        ("batch:DescribeJobs", "*", []),
        ("s3:GetObject", UNKNOWN, []),
    ],
)
def test_lint(action: str, resource: object, expected: list[str]) -> None:
    policy = {"Statement": [{"Effect": "Allow", "Action": [action], "Resource": [resource]}]}
    resources = [Resource("aws_iam_role_policy", "p", {"policy": policy})]

    assert mentioned_actions(resources) == {action}
    assert [each.rule.id for each in lint(resources, REFERENCE)] == expected


_INSTANCES = "arn:aws:ec2:us-east-1:123456789012:instance/*"
_OURS = {"StringEquals": {"aws:ResourceTag/gen-infra:environment": "prod"}}
_JOBS = "arn:aws:batch:us-east-1:123456789012:job/*"
_UNTAGGED, _TAGGED = ({"Null": {"aws:ResourceTag/gen-infra:environment": value}} for value in ("true", "false"))


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ({"Action": "ec2:TerminateInstances", "Resource": _INSTANCES}, ["GI_IAM_5"]),
        ({"Action": "ec2:TerminateInstances", "Resource": _INSTANCES, "Condition": _OURS}, []),
        (
            {
                "Action": "ec2:TerminateInstances",
                "Resource": _INSTANCES,
                "Condition": {"StringNotEquals": {"aws:ResourceTag/gen-infra:environment": "prod"}},
            },
            ["GI_IAM_5"],
        ),
        (
            {
                "Action": "ec2:TerminateInstances",
                "Resource": "arn:aws:ec2:us-east-1:*:instance/*",
                "Condition": _OURS,
            },
            ["GI_IAM_5"],
        ),
        ({"Action": "ec2:RunInstances", "Resource": _INSTANCES}, []),
        ({"Action": ["ec2:RunInstances", "ec2:StopInstances"], "Resource": _INSTANCES}, ["GI_IAM_5"]),
        ({"Action": "ec2:CreateImage", "Resource": _INSTANCES}, ["GI_IAM_5"]),
        ({"Action": "ec2:CreateImage", "Resource": "arn:aws:ec2:us-east-1::image/*"}, []),
        ({"Action": "batch:TerminateJob", "Resource": _JOBS, "Condition": _UNTAGGED}, []),
        ({"Action": "batch:TerminateJob", "Resource": _JOBS, "Condition": _TAGGED}, ["GI_IAM_5"]),
        (
            {"Action": ["batch:TerminateJob", "batch:TagResource"], "Resource": _JOBS, "Condition": _UNTAGGED},
            ["GI_IAM_5"],
        ),
        ({"Action": "ec2:TerminateInstances", "Resource": _INSTANCES, "Condition": _UNTAGGED}, ["GI_IAM_5"]),
    ],
)
def test_a_wildcard_for_a_name_needs_a_reason(statement: dict[str, Any], found: list[str]) -> None:
    policy = {"Statement": [{"Effect": "Allow", **statement}]}

    assert [each for each in broken("aws_iam_role_policy", policy=policy) if each == "GI_IAM_5"] == found


@pytest.mark.parametrize(
    ("account", "condition", "is_broken"),
    [
        ("123456789012", {}, False),
        ("999999999999", {}, True),
        ("999999999999", {"StringEquals": {"sts:ExternalId": "partner-4711"}}, False),
        ("999999999999", {"StringLike": {"sts:ExternalId": "*"}}, True),
    ],
)
def test_principals_of_another_account_send_an_external_id(
    account: str, condition: dict[str, Any], is_broken: bool
) -> None:
    principal = {"AWS": f"arn:aws:iam::{account}:role/Operator"}
    trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Condition": condition}]}
    role = Resource("aws_iam_role", "aws_iam_role.x", {"assume_role_policy": trust})
    found = [each.rule.id for each in broken_rules([role], Accepted(account="123456789012"))]
    assert ("GI_IAM_3" in found) == is_broken
