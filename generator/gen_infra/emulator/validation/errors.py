"""AWS's error codes and words for invalid requests, which differ by service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen_infra.emulator.validation.shapes import Violation

# The services whose requests are checked, and their codes for an invalid parameter (API references, "Common errors").
CODES = {
    "autoscaling": "ValidationError",
    "batch": "ClientException",
    "cloudtrail": "InvalidParameterException",
    "codebuild": "InvalidInputException",
    "ec2": "InvalidParameterValue",
    "ecr": "InvalidParameterException",
    "efs": "BadRequest",
    "events": "ValidationException",
    "iam": "ValidationError",
    "kms": "ValidationException",
    "lambda": "ValidationException",
    "logs": "InvalidParameterException",
    "s3": "MalformedXML",
    "scheduler": "ValidationException",
    "secretsmanager": "InvalidParameterException",
    "sns": "InvalidParameter",
    "sqs": "InvalidParameterValue",
    "ssm": "ValidationException",
    "stepfunctions": "ValidationException",
    "sts": "ValidationError",
}
_MISSING = {"ec2": "MissingParameter", "sqs": "MissingRequiredParameterException"}
_JSON = {"batch", "cloudtrail", "codebuild", "ecr", "efs", "events", "kms", "lambda", "logs", "scheduler"} | {
    "secretsmanager",
    "sqs",
    "ssm",
    "stepfunctions",
}
_LONGEST_VALUE = 200  # characters of a value that an error repeats


class ErrorAnswer(NamedTuple):
    """An error answer, with AWS's code and message."""

    code: str
    message: str
    status: int = 400


def of_violations(service: str, violations: Sequence[Violation]) -> ErrorAnswer | None:
    """Return the error for violations of a service's model; None if there are none."""
    if not violations:
        return None
    first = violations[0]
    if first.kind == "type" and service in _JSON:
        return ErrorAnswer("SerializationException", f"{_type_of(first.value)} can not be converted: {first.path}")
    code = _MISSING.get(service, CODES[service]) if first.kind == "missing" else CODES[service]
    writer = {"ec2": _ec2, "ecr": _ecr, "s3": _s3}.get(service, _default)
    return ErrorAnswer(code, writer(violations))


def _default(violations: Sequence[Violation]) -> str:
    noun = "error" if len(violations) == 1 else "errors"
    each = (
        f"Value {_shown(one.value)} at '{one.path}' failed to satisfy constraint: {one.constraint}"
        for one in violations
    )
    return f"{len(violations)} validation {noun} detected: {'; '.join(each)}"


def _ecr(violations: Sequence[Violation]) -> str:
    first = violations[0]
    constraint = first.constraint.replace("Member must ", "must ").replace(" pattern:", "")
    return f"Invalid parameter at '{first.path}' failed to satisfy constraint: '{constraint}'"


def _ec2(violations: Sequence[Violation]) -> str:
    first = violations[0]
    name = first.path.rpartition(".")[2]
    name = name[:1].upper() + name[1:]
    if first.kind == "missing":
        return f"The request must contain the parameter {name}"
    return f"Value ({first.value}) for parameter {name} is invalid. {first.constraint}"


def _s3(violations: Sequence[Violation]) -> str:
    del violations
    return "The XML you provided was not well-formed or did not validate against our published schema"


def _shown(value: Any) -> str:
    return "null" if value is None else f"'{str(value)[:_LONGEST_VALUE]}'"


def _type_of(value: Any) -> str:
    names = {
        bool: "TRUE_VALUE",
        int: "NUMBER_VALUE",
        float: "NUMBER_VALUE",
        str: "STRING_VALUE",
        list: "class java.util.ArrayList",
    }
    return names.get(type(value), "class java.util.HashMap")
