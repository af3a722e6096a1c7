"""The check of parameters against a service's model."""

from __future__ import annotations

from typing import Any

import pytest

from gen_infra.emulator.operations import Operation
from gen_infra.emulator.validation.errors import of_violations
from gen_infra.emulator.validation.shapes import violations


def kinds(service: str, action: str, protocol: str = "json", **parameters: Any) -> list[tuple[str, str]]:
    found = violations(Operation(service, action, protocol, parameters), parameters)
    return [(each.path, each.kind) for each in found]


@pytest.mark.parametrize(
    ("action", "parameters", "expected"),
    [
        ("CreateLogGroup", {"logGroupName": "/aws/batch/job"}, []),
        ("CreateLogGroup", {}, [("logGroupName", "missing")]),
        ("CreateLogGroup", {"logGroupName": ""}, [("logGroupName", "size"), ("logGroupName", "pattern")]),
        ("CreateLogGroup", {"logGroupName": 5}, [("logGroupName", "type")]),
        ("CreateLogGroup", {"logGroupName": "a", "tags": {"ключ": "Größe 1"}}, []),
        ("CreateLogGroup", {"logGroupName": "a", "tags": {"<": "v"}}, [("tags.<.key", "pattern")]),
        ("PutRetentionPolicy", {"logGroupName": "a", "retentionInDays": True}, [("retentionInDays", "type")]),
        ("NoSuchOperation", {"anything": 1}, []),
    ],
)
def test_violations_of_json(action: str, parameters: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert kinds("logs", action, **parameters) == expected


def test_paths_are_those_of_aws() -> None:
    rules = {"attempts": 1, "evaluateOnExit": [{"action": "retry"}, {}]}
    job = {"jobName": "a", "jobQueue": "q", "jobDefinition": "d"}
    assert kinds("batch", "SubmitJob", "rest-json", **job, retryStrategy=rules) == [
        ("retryStrategy.evaluateOnExit.2.member.action", "missing")
    ]


def test_no_tags_are_as_an_empty_map() -> None:
    job = {"jobName": "a", "jobQueue": "q", "jobDefinition": "d"}
    assert kinds("batch", "SubmitJob", "rest-json", **job, tags={}) == []
    assert kinds("batch", "SubmitJob", "rest-json", **job, tags={str(n): "" for n in range(51)}) == [("tags", "size")]


def test_a_form_is_checked_by_the_names_of_its_members() -> None:
    assert kinds("ec2", "CreateLaunchTemplate", "ec2", LaunchTemplateName="workers") == [
        ("launchTemplateData", "missing")
    ]


def test_a_payload_that_is_not_parameters_is_not_checked() -> None:
    assert kinds("lambda", "Invoke", "rest-json", FunctionName="submit", InvocationType=5, anything="else") == []


def test_numbers_of_a_query_are_converted_before_they_are_checked() -> None:
    assert kinds("lambda", "ListFunctions", "rest-json", MaxItems="50") == []
    assert kinds("lambda", "ListFunctions", "rest-json", MaxItems="0") == [("maxItems", "size")]
    assert kinds("lambda", "ListFunctions", "rest-json", MaxItems="many") == [("maxItems", "type")]


@pytest.mark.parametrize(
    ("service", "action", "parameters", "code", "words"),
    [
        ("logs", "CreateLogGroup", {}, "InvalidParameterException", "Value null at 'logGroupName' failed to satisfy"),
        ("ecr", "CreateRepository", {"repositoryName": "AB"}, "InvalidParameterException", "'must satisfy regular"),
        ("kms", "DescribeKey", {"KeyId": 5}, "SerializationException", "NUMBER_VALUE"),
        ("iam", "GetRole", {"RoleName": ""}, "ValidationError", "2 validation errors detected"),
    ],
)  # fmt: skip
def test_each_service_has_its_words(
    service: str, action: str, parameters: dict[str, Any], code: str, words: str
) -> None:
    protocol = "query" if service == "iam" else "json"
    problem = of_violations(service, violations(Operation(service, action, protocol, parameters), parameters))
    assert problem is not None
    assert (problem.code, words in problem.message) == (code, True), problem
