"""The table of documented limits, and its conditions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.loaders import create_loader

from gen_infra.emulator.validation.containers import covers_all_nodes, fits_fargate
from gen_infra.emulator.validation.limit import values
from gen_infra.emulator.validation.limits import LIMITS
from gen_infra.emulator.validation.policies import is_public, lets_its_policy_change, unknown_service
from gen_infra.emulator.validation.schedules import is_schedule, is_scheduler_expression


def policy(**statement: Any) -> str:
    statement = {"Effect": "Allow", "Resource": "*", "Action": "kms:*"} | statement
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_every_limit_is_of_an_operation_and_has_a_source() -> None:
    loader = create_loader()
    operations = {
        each.service: set(loader.load_service_model(each.service, "service-2")["operations"]) for each in LIMITS
    }
    assert [each for each in LIMITS if not set(each.actions) <= operations[each.service]] == []
    assert [each for each in LIMITS if not each.source.startswith("https://docs.aws.amazon.com/")] == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b", [1]),
        ("list[].c", [2, 3]),
        ("list[]", [{"c": 2}, {"c": 3}, {}]),
        ("map{}", ["x", "y"]),
        ("absent.b", []),
        ("a.absent", []),
        ("list{}", []),
        ("map[]", []),
    ],
)
def test_values_at_a_path(path: str, expected: list[Any]) -> None:
    parameters = {"a": {"b": 1}, "list": [{"c": 2}, {"c": 3}, {}], "map": {"x": 1, "y": 2}}
    assert list(values(parameters, path)) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 day)", "rate(5 minutes)", "cron(0 10 * * ? *)", "cron(15 12 ? * MON-FRI *)", "cron(0/10 * ? * 2 2026)",
        "cron(0 8 1 * ? *)", "cron(0 18 L * ? *)", "cron(0 9 ? * 2#1 *)", "cron(0 9 3W JAN,JUL ? 2026-2030)",
    ],
)  # fmt: skip
def test_schedules(expression: str) -> None:
    assert is_schedule(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "", "daily", "rate(0 days)", "rate(1 days)", "rate(2 day)", "rate(1 week)", "cron(0 10 * * *)",
        "cron(0 10 * * * *)", "cron(0 10 ? * ? *)", "cron(60 10 * * ? *)", "cron(0 24 * * ? *)", "cron(0 10 32 * ? *)",
        "cron(0 10 * 13 ? *)", "cron(0 10 ? * 8 *)", "cron(0 10 ? * XXX *)", "cron(0 20-10 * * ? *)",
        "cron(0 10 * * ? 1900)",
    ],
)  # fmt: skip
def test_invalid_schedules(expression: str) -> None:
    assert not is_schedule(expression)


def test_only_the_scheduler_has_one_time_schedules() -> None:
    assert is_scheduler_expression("at(2026-11-20T13:00:00)")
    assert not is_schedule("at(2026-11-20T13:00:00)")
    assert not is_scheduler_expression("at(2026-11-20)")


@pytest.mark.parametrize(
    ("document", "safe"),
    [
        (policy(Principal={"AWS": "arn:aws:iam::123456789012:root"}), True),
        (policy(Principal="*", Action=["kms:Put*"]), True),
        (policy(Principal={"Service": "logs.amazonaws.com"}), False),
        (policy(Principal={"AWS": "123456789012"}, Action="kms:Decrypt"), False),
        (policy(Principal={"AWS": "123456789012"}, Effect="Deny"), False),
        (policy(Principal={}), False),
    ],
)
def test_key_policies_that_lock_out(document: str, safe: bool) -> None:
    assert lets_its_policy_change({"Policy": document}) is safe
    assert lets_its_policy_change({"Policy": document, "BypassPolicyLockoutSafetyCheck": True})


@pytest.mark.parametrize(
    ("services", "unknown"),
    [
        ("batch.amazonaws.com", ""),
        (["ec2.amazonaws.com", "spotfleet.amazonaws.com"], ""),
        ("logs.eu-central-1.amazonaws.com", ""),
        ("vpc-flow-logs.amazonaws.com", ""),
        (["ec2.amazonaws.com", "btach.amazonaws.com"], "btach.amazonaws.com"),
        ("ecs-tasks", "ecs-tasks"),
        ("ec2.amazonaws.com.example.org", "ec2.amazonaws.com.example.org"),
    ],
)
def test_services_of_trust_policies(services: Any, unknown: str) -> None:
    assert unknown_service(policy(Principal={"Service": services})) == unknown


@pytest.mark.parametrize(
    ("statement", "public"),
    [
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": ["*"]}}, True),
        ({"Principal": "*", "Effect": "Deny"}, False),
        ({"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, True),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}, False),
        ({"Principal": {"AWS": "123456789012"}}, False),
    ],
)
def test_public_bucket_policies(statement: dict[str, Any], public: bool) -> None:
    assert is_public(policy(**statement)) is public


@pytest.mark.parametrize(
    ("vcpus", "memory", "fits"),
    [
        ("0.25", "512", True),
        ("0.25", "4096", False),
        ("16", "122880", True),
        ("16", "36864", False),
        ("3", "8192", False),
    ],
)
def test_sizes_of_fargate(vcpus: str, memory: str, fits: bool) -> None:
    asked = [{"type": "VCPU", "value": vcpus}, {"type": "MEMORY", "value": memory}]
    assert fits_fargate({"resourceRequirements": asked}) is fits


@pytest.mark.parametrize(
    ("ranges", "covered"), [(["0:"], True), ([":1", "2:3"], True), (["0:1", "3"], False), ([], False)]
)
def test_node_ranges(ranges: list[str], covered: bool) -> None:
    assert (
        covers_all_nodes({"numNodes": 4, "nodeRangeProperties": [{"targetNodes": each} for each in ranges]}) is covered
    )
