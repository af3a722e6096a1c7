"""Decide whether a request is allowed, and say why in AWS's words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from gen_infra.iam.principal import Principal, PrincipalKind, names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.iam.policy import PolicyDocument
    from gen_infra.iam.request import Request


class Verdict(Enum):
    """Why a request is allowed or refused; a refusal has the end of AWS's message.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """

    ALLOWED = ""
    DENIED_BY_IDENTITY = "with an explicit deny in an identity-based policy"
    DENIED_BY_RESOURCE = "with an explicit deny in a resource-based policy"
    DENIED_BY_BOUNDARY = "with an explicit deny in a permissions boundary"
    DENIED_BY_SESSION = "with an explicit deny in a session policy"
    NO_IDENTITY = "because no identity-based policy allows the {action} action"
    NO_RESOURCE = "because no resource-based policy allows the {action} action"
    NO_BOUNDARY = "because no permissions boundary allows the {action} action"
    NO_SESSION = "because no session policy allows the {action} action"
    NO_TRUST = "because no role trust policy allows the {action} action"


@dataclass(frozen=True)
class Decision:
    """The result for one request.

    Args:
        verdict: the reason.
        request: the action, the resource and the context.
        principal: the caller.
    """

    verdict: Verdict
    request: Request
    principal: Principal

    @property
    def is_allowed(self) -> bool:
        """Return whether the request is allowed."""
        return self.verdict is Verdict.ALLOWED

    @property
    def message(self) -> str:
        """Return AWS's message for a refusal."""
        caller, request = self.principal, self.request
        who = {PrincipalKind.SERVICE: "Service"}.get(caller.kind, "User")
        on = f" on resource: {request.resource}" if request.resource != "*" else ""
        reason = self.verdict.value.format(action=request.action)
        return f"{who}: {caller.arn} is not authorized to perform: {request.action}{on} {reason}"


_TRUSTED_ACTIONS = frozenset(
    {"sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML", "sts:TagSession"}
)


def evaluate(request: Request, principal: Principal, resource_policy: PolicyDocument | None = None) -> Decision:
    """Decide about one request.

    A key's policy and a role's trust policy must allow what is done with the key or the role, even within the account:
    where they name the account, its own policies decide.
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html

    Args:
        request: the action, the resource and the context.
        principal: the caller with its policies.
        resource_policy: the policy of the resource, if it has one.
    """
    return Decision(_verdict(request, principal, resource_policy), request, principal)


def _verdict(request: Request, principal: Principal, resource_policy: PolicyDocument | None) -> Verdict:
    if denied := _explicit_deny(request, principal, resource_policy):
        return denied
    granted = _granted(request, principal, resource_policy)
    if principal.kind in {PrincipalKind.SERVICE, PrincipalKind.WEB_IDENTITY, PrincipalKind.ANONYMOUS}:
        return Verdict.ALLOWED if "caller" in granted else _no_resource(request)
    if principal.account != request.account:
        own = _own_policies(request, principal)
        return own if granted or own is not Verdict.ALLOWED else _no_resource(request)
    if not granted and _needs_resource_policy(request):
        return _no_resource(request)
    if "caller" in granted or principal.kind is PrincipalKind.ROOT:
        return Verdict.ALLOWED
    return _limits(request, principal) if "role" in granted else _own_policies(request, principal)


def _no_resource(request: Request) -> Verdict:
    return Verdict.NO_TRUST if request.action in _TRUSTED_ACTIONS else Verdict.NO_RESOURCE


def _needs_resource_policy(request: Request) -> bool:
    """Return whether the resource may be used only as its own policy says; a key that is created has none yet."""
    is_key = request.action.startswith("kms:") and ":key/" in request.resource and not request.resource.endswith("/*")
    return is_key or request.action in _TRUSTED_ACTIONS


def _explicit_deny(request: Request, principal: Principal, resource_policy: PolicyDocument | None) -> Verdict | None:
    denying: tuple[tuple[Verdict, Iterable[PolicyDocument]], ...] = (
        (Verdict.DENIED_BY_IDENTITY, principal.policies),
        (Verdict.DENIED_BY_BOUNDARY, [principal.boundary] if principal.boundary else []),
        (Verdict.DENIED_BY_SESSION, principal.session_policies),
    )
    for verdict, policies in denying:
        if any(_matches(policy, request, allows=False) for policy in policies):
            return verdict
    if resource_policy and any(
        not each.allows and names(each, principal) and each.applies(request) for each in resource_policy.statements
    ):
        return Verdict.DENIED_BY_RESOURCE
    return None


def _granted(request: Request, principal: Principal, resource_policy: PolicyDocument | None) -> set[str]:
    """Return how the resource-based policy names the caller where it allows the request."""
    if resource_policy is None:
        return set()
    ways = {names(each, principal) for each in resource_policy.statements if each.allows and each.applies(request)}
    return ways - {""}


def _own_policies(request: Request, principal: Principal) -> Verdict:
    """Return whether the caller's own policies allow a request: identity-based policies within their limits."""
    if not any(_matches(policy, request, allows=True) for policy in principal.policies):
        return Verdict.NO_IDENTITY
    return _limits(request, principal)


def _limits(request: Request, principal: Principal) -> Verdict:
    """Return whether the permissions boundary and the session policies, where there are any, allow a request."""
    if principal.boundary and not _matches(principal.boundary, request, allows=True):
        return Verdict.NO_BOUNDARY
    sessions = principal.session_policies
    if sessions and not any(_matches(policy, request, allows=True) for policy in sessions):
        return Verdict.NO_SESSION
    return Verdict.ALLOWED


def _matches(policy: PolicyDocument, request: Request, *, allows: bool) -> bool:
    return any(each.allows == allows and each.applies(request) for each in policy.statements)
