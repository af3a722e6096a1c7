"""Authorize calls as AWS does, before they are carried out: who calls, what the call needs, which policies apply.

    caller(access key) -> the principal with its policies        callers
    actions(operation) -> IAM's actions                          actions, passed_roles, linked_roles, keys
    resources(action)  -> ARNs                                   resources
    context(action)    -> the condition keys' values             context, resource_context, tags
    evaluate(request, principal, the resource's policy)          decide, gen_infra.iam

The account's administrator, who has the access key ``testing``, may do everything. A call whose resources are not known
is evaluated on ``*``; `iam_report` counts what was evaluated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID

from gen_infra.emulator.administrator import is_from_container
from gen_infra.emulator.authorization import web_identity
from gen_infra.emulator.authorization.callers import InvalidKey, caller
from gen_infra.emulator.authorization.decide import decide
from gen_infra.emulator.authorization.needs import needed
from gen_infra.emulator.authorization.presigned import is_expired
from gen_infra.emulator.authorization.refusals import denied, invalid_key
from gen_infra.emulator.validation.errors import ErrorAnswer
from gen_infra.emulator.validation.parameters import parameters
from gen_infra.iam import Principal, PrincipalKind, Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from wsgiref.types import WSGIEnvironment

    from gen_infra.emulator.operations import Operation

_ANONYMOUS = Principal(PrincipalKind.ANONYMOUS, "", "")


def denial(operation: Operation, environ: WSGIEnvironment) -> ErrorAnswer | None:
    """Return AWS's error for a call that its caller may not make, or None."""
    if not operation.action:
        return None
    if operation.action == web_identity.ACTION:
        return _assume(operation.parameters)
    principal = _caller(operation, environ)
    if principal is None:
        return None
    if not isinstance(principal, Principal):
        return invalid_key(operation, principal)
    given = {**(parameters(operation, environ) or operation.parameters), **_in_headers(environ)}
    for each in needed(operation, given, principal):
        decision = decide(each.request, principal, is_known=each.is_known)
        if not decision.is_allowed:
            return denied(operation.service, decision)
    return None


def _caller(operation: Operation, environ: WSGIEnvironment) -> Principal | InvalidKey | None:
    """Return who makes a call, or why its key does not count; None is the administrator."""
    if not operation.access_key:
        return _ANONYMOUS if operation.service == "s3" else InvalidKey.ABSENT
    if is_expired(environ):
        return InvalidKey.TOO_LATE
    found = caller(operation.access_key, ACCOUNT_ID)
    return InvalidKey.UNKNOWN if found is None and is_from_container(environ) else found


def _assume(given: Mapping[str, Any]) -> ErrorAnswer | None:
    """Return AWS's error if a role's trust policy does not let a web identity assume the role."""
    identity = web_identity.web_identity(str(given.get("WebIdentityToken", "")), ACCOUNT_ID)
    if isinstance(identity, ErrorAnswer):
        return identity
    role_arn = str(given.get("RoleArn", ""))
    request = Request(f"sts:{web_identity.ACTION}", role_arn, ACCOUNT_ID, identity.context)
    if decide(request, identity.principal).is_allowed:
        return None
    return ErrorAnswer("AccessDenied", f"Not authorized to perform {request.action}", 403)


def _in_headers(environ: WSGIEnvironment) -> dict[str, str]:
    """Return the parameters of S3 that stand in headers, and that permissions depend on."""
    places = {
        "CopySource": "HTTP_X_AMZ_COPY_SOURCE",
        "SSEKMSKeyId": "HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION_AWS_KMS_KEY_ID",
        "ServerSideEncryption": "HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION",
        "Tagging": "HTTP_X_AMZ_TAGGING",
    }
    return {name: environ[header] for name, header in places.items() if header in environ}
