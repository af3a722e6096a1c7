"""Authorize calls as AWS does, before they are carried out: who calls, what the call needs, which policies apply.

    caller(access key) -> the principal with its policies        callers
    actions(operation) -> IAM's actions                          actions, passed_roles
    resources(action)  -> ARNs                                   resources
    context(action)    -> the condition keys' values             context
    evaluate(request, principal, the resource's policy)          gen_infra.iam

The account's administrator, who has the access key ``testing``, may do everything. A call whose resources are not known
is evaluated on ``*``; `iam_report` counts what was evaluated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID

from gen_infra.emulator.authorization import web_identity
from gen_infra.emulator.authorization.actions import actions
from gen_infra.emulator.authorization.callers import PARTITION, backend, caller
from gen_infra.emulator.authorization.context import context
from gen_infra.emulator.authorization.passed_roles import PassedRole, passed_roles
from gen_infra.emulator.authorization.refusals import denied, invalid_key
from gen_infra.emulator.authorization.resource_policies import resource_policy
from gen_infra.emulator.authorization.resources import Asked, Lookup, resources
from gen_infra.emulator.iam_report import REPORT
from gen_infra.emulator.validation.errors import ErrorAnswer
from gen_infra.emulator.validation.parameters import parameters
from gen_infra.iam import Decision, Principal, Request, evaluate
from gen_infra.iam.reference import Location, arn, is_action

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from wsgiref.types import WSGIEnvironment

    from gen_infra.emulator.operations import Operation


class Needed(NamedTuple):
    """One thing that a call needs.

    Args:
        request: what the policies are evaluated for.
        is_known: whether the call's resource is known; otherwise it is ``*``.
    """

    request: Request
    is_known: bool = True


def denial(operation: Operation, environ: WSGIEnvironment) -> ErrorAnswer | None:
    """Return AWS's error for a call that its caller may not make, or None."""
    if not operation.action:
        return None
    if operation.action == web_identity.ACTION:
        given = operation.parameters
        identity = web_identity.web_identity(str(given.get("WebIdentityToken", "")), ACCOUNT_ID)
        return identity if isinstance(identity, ErrorAnswer) else _assume(identity, str(given.get("RoleArn", "")))
    principal = caller(operation.access_key, ACCOUNT_ID)
    if principal is None:
        return None
    if not isinstance(principal, Principal):
        return invalid_key(operation, principal)
    given = {**(parameters(operation, environ) or operation.parameters), **_in_headers(environ)}
    for needed in _needed(operation, given, principal, Location(PARTITION, operation.region, ACCOUNT_ID)):
        decision = _decide(needed, principal)
        if not decision.is_allowed:
            return denied(operation.service, decision)
    return None


def _decide(needed: Needed, principal: Principal) -> Decision:
    """Evaluate one thing that a call needs, and count it."""
    decision = evaluate(needed.request, principal, resource_policy(needed.request.resource))
    REPORT.add(decision, is_known=needed.is_known)
    return decision


def _assume(identity: web_identity.WebIdentity, role_arn: str) -> ErrorAnswer | None:
    """Return AWS's error if a role's trust policy does not let a web identity assume the role."""
    request = Request(f"sts:{web_identity.ACTION}", role_arn, ACCOUNT_ID, identity.context)
    if _decide(Needed(request), identity.principal).is_allowed:
        return None
    return ErrorAnswer("AccessDenied", f"Not authorized to perform {request.action}", 403)


def _needed(operation: Operation, given: Mapping[str, Any], principal: Principal, place: Location) -> Iterator[Needed]:
    """Yield what a call needs: each of its actions on each of its resources, and the roles that it passes."""
    lookup = Lookup(_path, lambda name: _key_id(name, place))
    needed = actions(operation.service, operation.action, given)
    for action in needed:
        found = resources(action, given, place, lookup) if is_action(action) else Asked(("*",), is_known=False)
        values = context(action, given, principal, place.region)
        for name in found.arns:
            yield Needed(Request(action, name, ACCOUNT_ID, values), found.is_known)
    for role in passed_roles(needed[0], given) if needed else ():
        values = context("iam:PassRole", {}, principal, place.region) | {"iam:passedtoservice": (role.service,)}
        yield Needed(Request("iam:PassRole", _role_arn(role, place), ACCOUNT_ID, values))


def _in_headers(environ: WSGIEnvironment) -> dict[str, str]:
    """Return the parameters of S3 that stand in headers, and that permissions depend on."""
    places = {"CopySource": "HTTP_X_AMZ_COPY_SOURCE", "Tagging": "HTTP_X_AMZ_TAGGING"}
    return {name: environ[header] for name, header in places.items() if header in environ}


def _role_arn(role: PassedRole, place: Location) -> str:
    """Return the ARN of a passed role; a role's or an instance profile's name stands for it."""
    iam = backend(ACCOUNT_ID)
    name = role.name.rpartition("/")[2]
    if ":role/" in role.name:
        return role.name
    profiles = [each for each in iam.instance_profiles.values() if each.name == name and each.roles]
    if profiles:
        found: str = profiles[0].roles[0].arn
        return found
    return arn("iam", "role", place, f"{_path('role', name)}{name}".lstrip("/"))


def _path(kind: str, name: str) -> str:
    """Return the path of an IAM resource; ``/`` for one that does not exist."""
    iam = backend(ACCOUNT_ID)
    several: Mapping[str, Iterable[Any]] = {
        "group": iam.groups.values(),
        "instance-profile": iam.instance_profiles.values(),
        "policy": iam.managed_policies.values(),
        "role": iam.roles.values(),
        "user": iam.users.values(),
    }
    return next((each.path for each in several.get(kind, ()) if each.name == name), "/")


def _key_id(name: str, place: Location) -> str:
    from moto.kms.models import kms_backends

    kms = kms_backends[place.account][place.region]
    return (kms.get_key_id_from_alias(name) or name) if name.startswith("alias/") else name
