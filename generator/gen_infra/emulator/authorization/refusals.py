"""Write AWS's errors for a call that its caller may not make: code, words and status, which differ by service.

The API references, "Common errors", and https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.emulator.authorization.actions import PREFIXES
from gen_infra.emulator.authorization.callers import InvalidKey
from gen_infra.emulator.validation.errors import ErrorAnswer

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
_UNKNOWN = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"


def denied(service: str, decision: Decision) -> ErrorAnswer:
    """Return a service's error for a decision that refuses."""
    message = decision.message
    if service == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
    status = 400 if PREFIXES.get(service, service) in _STATUS_400 else 403
    return ErrorAnswer(_CODES.get(service, "AccessDeniedException"), message, status)


def invalid_key(operation: Operation, reason: InvalidKey) -> ErrorAnswer:
    """Return a service's error for an access key that does not count."""
    is_expired = reason is InvalidKey.EXPIRED
    if operation.service == "ec2":
        if is_expired:
            return ErrorAnswer("RequestExpired", "Request has expired.", 400)
        return ErrorAnswer("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if operation.service == "s3":
        if is_expired:
            return ErrorAnswer("ExpiredToken", "The provided token has expired.", 400)
        message = "The AWS Access Key Id you provided does not exist in our records."
        return ErrorAnswer("InvalidAccessKeyId", message, 403)
    if operation.protocol == "query" or operation.service in _WITH_FORM_CODES:
        code = "ExpiredToken" if is_expired else "InvalidClientTokenId"
        return ErrorAnswer(code, _EXPIRED if is_expired else _UNKNOWN, 403)
    code = "ExpiredTokenException" if is_expired else "UnrecognizedClientException"
    return ErrorAnswer(code, _EXPIRED if is_expired else _UNKNOWN, 403 if operation.protocol == "rest-json" else 400)
