"""Conditions of policies, and the resources that stand beside others: what is missing, weaker or another one."""

from __future__ import annotations

from typing import Any

import pytest

from gen_infra.check.rules import broken_rules
from gen_infra.check.rules.companions import COMPANIONS
from gen_infra.check.rules.conditions import KEY, TOPIC, TRUST
from gen_infra.check.rules.rule import Accepted
from gen_infra.terraform.source import UNKNOWN, Resource, read_source

ACCOUNT = "123456789012"
ACCEPTED = Accepted(account=ACCOUNT)
OURS = {"aws:sourceaccount": ACCOUNT, "aws:sourcearn": f"arn:aws:x:us-east-1:{ACCOUNT}:y"}


def ids(*resources: Resource, accepted: Accepted = ACCEPTED) -> list[str]:
    return [each.rule.id for each in broken_rules(resources, accepted)]


def policy(kind: str, *statements: dict[str, Any]) -> Resource:
    document = {"Statement": [{"Effect": "Allow", **each} for each in statements]}
    return Resource(kind, f"{kind}.x", {"assume_role_policy" if kind == "aws_iam_role" else "policy": document})


SERVICES = [
    *(("aws_iam_role", "GI_IAM_1", "sts:AssumeRole", service, keys) for service, keys in TRUST.items()),
    *(("aws_kms_key", "GI_KMS_3", "kms:Decrypt", service, keys) for service, keys in KEY.items()),
    *(("aws_sns_topic_policy", "GI_IAM_6", "sns:Publish", service, keys) for service, keys in TOPIC.items()),
]


@pytest.mark.parametrize(("kind", "found", "action", "service", "keys"), SERVICES)
def test_a_service_has_each_of_its_conditions(
    kind: str, found: str, action: str, service: str, keys: tuple[str, ...]
) -> None:
    statement = {"Principal": {"Service": f"{service}.amazonaws.com"}, "Action": action}
    given = {key: OURS.get(key, OURS["aws:sourcearn"]) for key in keys}

    assert found not in ids(policy(kind, {**statement, "Condition": {"StringEquals": given}}))
    for key in keys:
        less = {name: value for name, value in given.items() if name != key}
        assert found in ids(policy(kind, {**statement, "Condition": {"StringEquals": less}}))
        assert found in ids(
            policy(kind, {**statement, "Condition": {"StringEquals": less, "StringEqualsIfExists": given}})
        )


def test_the_key_is_for_known_services() -> None:
    statement = {"Principal": {"Service": "s3.amazonaws.com"}, "Condition": {"StringEquals": OURS}}

    assert ids(policy("aws_kms_key", {"Action": "kms:Decrypt", **statement})) == ["GI_KMS_3"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, []),
        ({"StringLike": {"s3:prefix": ["a", "a/*"]}}, []),
        ({UNKNOWN: UNKNOWN}, []),
        ({"StringEquals": {UNKNOWN: "x"}}, []),
        ({"StringNotEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, ["GI_IAM_13"]),
        ({"StringEqualsIfExists": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, ["GI_IAM_13"]),
        ({"ForAllValues:StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, ["GI_IAM_13"]),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, ["GI_IAM_13"]),
        ({"StringLike": {"s3:prefix": "*"}}, ["GI_IAM_13"]),
    ],
)
def test_conditions_are_those_that_are_rendered(condition: dict[Any, Any], found: list[str]) -> None:
    statement = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::lab/a/*", "Condition": condition}

    assert ids(policy("aws_iam_role_policy", statement)) == found


@pytest.mark.parametrize(
    ("action", "condition", "boundary", "found"),
    [
        ("iam:PassRole", {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}, "", []),
        ("iam:PassRole", {}, "", ["GI_IAM_14"]),
        ("batch:TerminateJob", {"StringEquals": {"aws:ResourceTag/gen-infra:environment": "prod"}}, "", []),
        ("batch:TerminateJob", {"Null": {"aws:ResourceTag/gen-infra:environment": "true"}}, "", []),
        ("batch:TerminateJob", {"Null": {"aws:ResourceTag/gen-infra:environment": "false"}}, "", ["GI_IAM_14"]),
        ("iam:CreateRole", {}, "", []),
        ("iam:CreateRole", {"StringEquals": {"iam:PermissionsBoundary": "b"}}, "b", []),
        ("iam:CreateRole", {}, "b", ["GI_IAM_14"]),
    ],
)
def test_actions_have_the_conditions_that_limit_them(
    action: str, condition: dict[str, Any], boundary: str, found: list[str]
) -> None:
    statement = {"Action": action, "Resource": "arn:aws:x:us-east-1:123456789012:job/a-prod", "Condition": condition}

    accepted = Accepted(account=ACCOUNT, boundary=boundary)
    assert ids(policy("aws_iam_role_policy", statement), accepted=accepted) == found


@pytest.mark.parametrize(
    ("kind", "action", "principal", "found"),
    [
        ("aws_iam_role", "sts:*", {"Service": "ec2.amazonaws.com"}, ["GI_IAM_4"]),
        ("aws_sns_topic_policy", "sns:*", {"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}, ["GI_IAM_4"]),
        ("aws_kms_key", "kms:GenerateDataKey*", {"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}, []),
        ("aws_kms_key", "kms:*", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, []),
        ("aws_kms_key", "kms:*", {"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}, ["GI_IAM_4"]),
    ],
)
def test_trust_keys_and_topics_name_their_actions(
    kind: str, action: str, principal: dict[str, str], found: list[str]
) -> None:
    assert ids(policy(kind, {"Action": action, "Principal": principal})) == found


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("lab/a", []),
        ("lab/a/*", []),
        ("other/a/*", ["GI_IAM_15"]),
        ("lab/*", ["GI_IAM_15"]),
        ("lab/ab/*", ["GI_IAM_15"]),
        ("all/*", []),
    ],
)
def test_roles_reach_the_objects_of_the_manifest(key: str, found: list[str]) -> None:
    accepted = Accepted(account=ACCOUNT, objects={"lab": frozenset({"a"}), "all": frozenset({"b", ""})})
    statement = {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{key}"}

    assert ids(policy("aws_iam_role_policy", statement), accepted=accepted) == found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({}, ["GI_IAM_15"]),
        ({"StringLike": {"s3:prefix": ["a", "a/*"]}}, []),
        ({"StringLike": {"s3:prefix": ["a*"]}}, ["GI_IAM_15"]),
        ({"Null": {"s3:prefix": "true"}}, []),
        (UNKNOWN, []),
    ],
)
def test_lists_show_the_prefixes_of_the_manifest(condition: Any, found: list[str]) -> None:
    accepted = Accepted(account=ACCOUNT, objects={"lab": frozenset({"a"})})
    statement = {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::lab", "Condition": condition}

    assert ids(policy("aws_iam_role_policy", statement), accepted=accepted) == found


@pytest.mark.parametrize(
    ("condition", "registers_privileged", "found"),
    [
        ({"BoolIfExists": {"batch:Privileged": "false"}}, False, []),
        ({"BoolIfExists": {"batch:Privileged": "true"}}, False, ["GI_IAM_14"]),
        ({}, False, ["GI_IAM_14"]),
        ({}, True, []),
    ],
)
def test_engines_register_privileged_containers_only_if_the_manifest_says_so(
    condition: dict[str, Any], registers_privileged: bool, found: list[str]
) -> None:
    accepted = Accepted(account=ACCOUNT, registers_privileged=registers_privileged)
    arn = f"arn:aws:batch:us-east-1:{ACCOUNT}:job-definition/nf-*"
    statement = {"Action": "batch:RegisterJobDefinition", "Resource": arn, "Condition": condition}

    assert ids(policy("aws_iam_role_policy", statement), accepted=accepted) == found


@pytest.mark.parametrize(("kind", "companion"), [(kind, each) for kind in COMPANIONS for each in COMPANIONS[kind]])
def test_a_resource_needs_each_of_its_companions_in_its_own_module(kind: str, companion: str) -> None:
    def made(kind: str, module: str = "module.one.") -> Resource:
        return Resource(kind, f"{module}{kind}.this", {}, "modules/one/main.tf", 1)

    beside = [made(each) for each in COMPANIONS[kind] if each != companion]

    def is_lonely(*more: Resource) -> bool:
        found = broken_rules([made(kind), *beside, *more], ACCEPTED)
        return any(companion in each.problem for each in found if each.rule.id == "GI_TF_9")

    assert is_lonely()
    assert is_lonely(made(companion, "module.two."))
    assert not is_lonely(made(companion))


def test_a_statement_that_only_some_environments_have_is_read() -> None:
    text = b"""
    resource "a" "b" {
      x = concat([1], length(var.names) > 0 ? [2] : [], var.other ? [3] : [4])
    }
    """
    (resource,) = read_source({"main.tf": text}).resources

    assert resource.values["x"] == [1, 2, UNKNOWN, 3, 4, UNKNOWN]
