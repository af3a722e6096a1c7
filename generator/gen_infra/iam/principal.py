"""The callers of AWS, and how the policies of resources name them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from gen_infra.iam.matching import is_like

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_infra.iam.policy import PolicyDocument, PolicyStatement

_ACCOUNT = re.compile(r"(?:arn:[a-z-]+:iam::)?([0-9]{12})(?::root)?")


class PrincipalKind(Enum):
    """What calls AWS."""

    ROOT = "the account's root user"
    USER = "an IAM user"
    ROLE = "a session of a role"
    SERVICE = "an AWS service"
    WEB_IDENTITY = "an identity of an OIDC provider, which may only assume a role"
    ANONYMOUS = "whoever sends a request that is not signed"


@dataclass(frozen=True)
class Principal:
    """A caller with the policies that belong to it.

    Args:
        kind: what it is.
        arn: the ARN that AWS names in its errors: of the user, or of the role's session (``arn:aws:sts::…:assumed-role/
            ROLE/SESSION``); for a service its name, such as ``batch.amazonaws.com``; for a web identity the ARN of its
            provider; empty for an anonymous caller.
        account: the account's id; empty for a service and an anonymous caller.
        role_arn: for a session of a role, the role's ARN with its path.
        policies: the identity-based policies, inline and attached, also those of the user's groups.
        boundary: the permissions boundary.
        session_policies: the policies that were passed to sts:AssumeRole; empty if none were.
        user_id: the unique id that ``aws:userid`` has: of the user, or of the role and its session (``AROA…:SESSION``).
        tags: of the user, or of the role and its session, whose tags replace those of the role.
    """

    kind: PrincipalKind
    arn: str
    account: str
    role_arn: str = ""
    policies: tuple[PolicyDocument, ...] = ()
    boundary: PolicyDocument | None = None
    session_policies: tuple[PolicyDocument, ...] = ()
    user_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


def names(statement: PolicyStatement, principal: Principal) -> str:
    """Return how a statement of a resource-based policy names a caller; empty if it does not.

    ``"caller"`` is the user, the session, the service or everyone; ``"role"`` the role of a session; ``"account"`` the
    whole account, which leaves the decision to the account's own policies.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    if statement.principals is None:
        return ""
    found = {_names(kind, name, principal) for kind, name in statement.principals}
    if statement.not_principal:
        # It excepts a caller only if it names each of the caller's principals, and none with a permissions boundary.
        all_of = {"caller", "account", *(["role"] if principal.kind is PrincipalKind.ROLE else [])}
        is_excepted = not principal.boundary and (all_of <= found if principal.account else "caller" in found)
        return "" if is_excepted else "caller"
    return next((way for way in ("caller", "role", "account") if way in found), "")


def _names(kind: str, name: str, principal: Principal) -> str:
    is_service, is_web = (principal.kind is each for each in (PrincipalKind.SERVICE, PrincipalKind.WEB_IDENTITY))
    if kind != "AWS":
        is_named = {"Service": is_service, "Federated": is_web}.get(kind, False) and is_like(principal.arn, name)
        return "caller" if is_named else ""
    if name in {"*", principal.arn}:
        return "caller"
    if is_service or is_web:
        return ""
    if found := _ACCOUNT.fullmatch(name):
        return "account" if found[1] == principal.account else ""
    return "role" if name == principal.role_arn else ""
