"""Write AWS's errors for a call that its caller may not make: code, words and status, which differ by service.

The API references, "Common errors", and https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.emulator.authorization.actions import PREFIXES
from gen_infra.emulator.authorization.callers import InvalidKey
from gen_infra.emulator.validation.errors import ErrorAnswer
from gen_infra.iam import PrincipalKind

if TYPE_CHECKING:
    from gen_infra.emulator.operations import Operation
    from gen_infra.iam import Decision

# Where a service's code differs from AccessDeniedException.
_CODES = {
    "autoscaling": "AccessDenied",
    "cloudwatch": "AccessDenied",
    "ec2": "UnauthorizedOperation",
    "iam": "AccessDenied",
    "s3": "AccessDenied",
    "sns": "AuthorizationError",
    "sts": "AccessDenied",
}
_STATUS_400 = frozenset(
    {"cloudtrail", "codebuild", "dynamodb", "ecr", "events", "kms", "logs", "secretsmanager", "servicequotas", "ssm"}
)
# Services that had a protocol with forms before JSON, and keep its codes.
_WITH_FORM_CODES = frozenset({"cloudwatch", "sqs"})
# Errors for a key that is unknown, and for one that has expired.
_OWN_WORDS = {
    "ec2": (
        ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
        ("RequestExpired", "Request has expired.", 400),
    ),
    "s3": (
        ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
        ("ExpiredToken", "The provided token has expired.", 400),
    ),
}
_UNKNOWN = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"


def denied(service: str, decision: Decision) -> ErrorAnswer:
    """Return a service's error for a decision that refuses."""
    is_anonymous = decision.principal.kind is PrincipalKind.ANONYMOUS
    message = "Access Denied" if is_anonymous else decision.message
    if service == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
    status = 400 if PREFIXES.get(service, service) in _STATUS_400 else 403
    return ErrorAnswer(_CODES.get(service, "AccessDeniedException"), message, status)


def invalid_key(operation: Operation, reason: InvalidKey) -> ErrorAnswer:
    """Return a service's error for a request without an access key, or with one that does not count."""
    if reason is InvalidKey.TOO_LATE:
        return ErrorAnswer("AccessDenied", "Request has expired", 403)
    if reason is InvalidKey.ABSENT and not operation.service:
        return _of_protocol(operation, "MissingAuthenticationToken", "Missing Authentication Token")
    is_expired = reason is InvalidKey.EXPIRED
    if operation.service in _OWN_WORDS:
        return ErrorAnswer(*_OWN_WORDS[operation.service][is_expired])
    if operation.protocol == "query" or operation.service in _WITH_FORM_CODES:
        code = "ExpiredToken" if is_expired else "InvalidClientTokenId"
        return ErrorAnswer(code, _EXPIRED if is_expired else _UNKNOWN, 403)
    code = "ExpiredTokenException" if is_expired else "UnrecognizedClientException"
    return ErrorAnswer(code, _EXPIRED if is_expired else _UNKNOWN, 403 if operation.protocol == "rest-json" else 400)


def _of_protocol(operation: Operation, code: str, message: str) -> ErrorAnswer:
    is_form = operation.protocol in ("query", "ec2")
    return ErrorAnswer(code if is_form else f"{code}Exception", message, 403 if is_form else 400)
