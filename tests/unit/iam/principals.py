"""Decisions over several policies: who calls, what each kind of policy says, and AWS's decision with its reason."""

from __future__ import annotations

from typing import Any, NamedTuple

from gen_infra.iam import Verdict
from tests.unit.iam import decisions as urls

OWN, OTHER = "123456789012", "999999999999"
ALLOW, DENY, NOTHING = "allow", "deny", ""
V = Verdict


class Layered(NamedTuple):
    """What each kind of policy says of a request, and the decision.

    Args:
        caller: ``user``, ``session`` (of a role), ``root``, ``service`` or ``web``.
        identity: what the identity-based policy says: ``allow``, ``deny`` or nothing.
        verdict: AWS's decision.
        source: where AWS says so.
        boundary: what the permissions boundary says; None: there is none.
        session: what the session policy says; None: there is none.
        resource: ``{principal: effect}`` of the resource's policy, where the principal is ``user``, ``role``,
            ``session``, ``account``, ``everyone``, ``service``, ``provider``, ``another user`` or ``another account``;
            None: it has no policy.
        owner: the account of the resource.
        kind: what the resource is: ``bucket``, ``key`` or ``role``.
    """

    caller: str
    identity: str
    verdict: Verdict
    source: str
    boundary: str | None = None
    session: str | None = None
    resource: dict[str, str] | None = None
    owner: str = OWN
    kind: str = "bucket"


LAYERED = [
    # The caller's own policies.
    Layered("user", NOTHING, V.NO_IDENTITY, urls.EVALUATION),
    Layered("user", ALLOW, V.ALLOWED, urls.EVALUATION),
    Layered("user", DENY, V.DENIED_BY_IDENTITY, urls.EVALUATION),
    Layered("session", NOTHING, V.NO_IDENTITY, urls.EVALUATION),
    Layered("session", ALLOW, V.ALLOWED, urls.EVALUATION),
    Layered("session", DENY, V.DENIED_BY_IDENTITY, urls.EVALUATION),
    Layered("root", NOTHING, V.ALLOWED, urls.EVALUATION),
    # Permissions boundaries.
    Layered("user", ALLOW, V.ALLOWED, urls.BOUNDARIES, boundary=ALLOW),
    Layered("user", ALLOW, V.NO_BOUNDARY, urls.BOUNDARIES, boundary=NOTHING),
    Layered("user", ALLOW, V.DENIED_BY_BOUNDARY, urls.BOUNDARIES, boundary=DENY),
    Layered("user", NOTHING, V.NO_IDENTITY, urls.BOUNDARIES, boundary=ALLOW),
    Layered("session", ALLOW, V.NO_BOUNDARY, urls.BOUNDARIES, boundary=NOTHING),
    Layered("session", ALLOW, V.DENIED_BY_BOUNDARY, urls.BOUNDARIES, boundary=DENY),
    Layered("session", NOTHING, V.NO_IDENTITY, urls.BOUNDARIES, boundary=ALLOW),
    # Session policies.
    Layered("session", ALLOW, V.ALLOWED, urls.SESSIONS, session=ALLOW),
    Layered("session", ALLOW, V.NO_SESSION, urls.SESSIONS, session=NOTHING),
    Layered("session", ALLOW, V.DENIED_BY_SESSION, urls.SESSIONS, session=DENY),
    Layered("session", NOTHING, V.NO_IDENTITY, urls.SESSIONS, session=ALLOW),
    Layered("session", ALLOW, V.NO_BOUNDARY, urls.SESSIONS, session=ALLOW, boundary=NOTHING),
    Layered("session", ALLOW, V.NO_SESSION, urls.SESSIONS, session=NOTHING, boundary=ALLOW),
    Layered("session", ALLOW, V.ALLOWED, urls.SESSIONS, session=ALLOW, boundary=ALLOW),
    # A resource's policy in the caller's account: either of the two is enough, and a denial in either is final.
    Layered("user", NOTHING, V.ALLOWED, urls.ONE_ACCOUNT, resource={"user": ALLOW}),
    Layered("user", ALLOW, V.ALLOWED, urls.ONE_ACCOUNT, resource={}),
    Layered("user", ALLOW, V.DENIED_BY_RESOURCE, urls.ONE_ACCOUNT, resource={"user": DENY}),
    Layered("user", ALLOW, V.DENIED_BY_RESOURCE, urls.ONE_ACCOUNT, resource={"everyone": DENY}),
    Layered("user", ALLOW, V.DENIED_BY_RESOURCE, urls.PRINCIPAL, resource={"account": DENY}),
    Layered("user", DENY, V.DENIED_BY_IDENTITY, urls.ONE_ACCOUNT, resource={"user": ALLOW}),
    Layered("user", NOTHING, V.NO_IDENTITY, urls.ONE_ACCOUNT, resource={"another user": ALLOW}),
    Layered("user", ALLOW, V.ALLOWED, urls.ONE_ACCOUNT, resource={"another user": DENY}),
    Layered("user", NOTHING, V.NO_IDENTITY, urls.PRINCIPAL, resource={"account": ALLOW}),
    Layered("user", ALLOW, V.ALLOWED, urls.PRINCIPAL, resource={"account": ALLOW}),
    Layered("user", NOTHING, V.ALLOWED, urls.PRINCIPAL, resource={"everyone": ALLOW}),
    Layered("user", ALLOW, V.ALLOWED, urls.PRINCIPAL, resource={"another account": DENY}),
    Layered("session", NOTHING, V.ALLOWED, urls.ONE_ACCOUNT, resource={"role": ALLOW}),
    Layered("session", NOTHING, V.ALLOWED, urls.ONE_ACCOUNT, resource={"session": ALLOW}),
    Layered("session", ALLOW, V.DENIED_BY_RESOURCE, urls.ONE_ACCOUNT, resource={"role": DENY}),
    Layered("session", ALLOW, V.DENIED_BY_RESOURCE, urls.ONE_ACCOUNT, resource={"session": DENY}),
    Layered("session", NOTHING, V.NO_IDENTITY, urls.PRINCIPAL, resource={"account": ALLOW}),
    Layered("root", NOTHING, V.DENIED_BY_RESOURCE, urls.PRINCIPAL, resource={"everyone": DENY}),
    # What is granted to the user or the session is not limited by its boundary; what is granted to the role is.
    Layered("user", NOTHING, V.ALLOWED, urls.EVALUATION, boundary=NOTHING, resource={"user": ALLOW}),
    Layered("user", NOTHING, V.DENIED_BY_BOUNDARY, urls.EVALUATION, boundary=DENY, resource={"user": ALLOW}),
    Layered("session", NOTHING, V.NO_BOUNDARY, urls.EVALUATION, boundary=NOTHING, resource={"role": ALLOW}),
    Layered("session", NOTHING, V.ALLOWED, urls.EVALUATION, boundary=ALLOW, resource={"role": ALLOW}),
    Layered("session", NOTHING, V.NO_SESSION, urls.EVALUATION, session=NOTHING, resource={"role": ALLOW}),
    Layered("session", NOTHING, V.ALLOWED, urls.EVALUATION, session=ALLOW, resource={"role": ALLOW}),
    Layered("session", NOTHING, V.ALLOWED, urls.EVALUATION, boundary=NOTHING, resource={"session": ALLOW}),
    Layered("session", NOTHING, V.ALLOWED, urls.EVALUATION, session=NOTHING, resource={"session": ALLOW}),
    Layered("session", NOTHING, V.DENIED_BY_SESSION, urls.EVALUATION, session=DENY, resource={"session": ALLOW}),
    # Another account: both must allow.
    Layered("user", ALLOW, V.NO_RESOURCE, urls.CROSS_ACCOUNT, owner=OTHER),
    Layered("user", ALLOW, V.NO_RESOURCE, urls.CROSS_ACCOUNT, owner=OTHER, resource={}),
    Layered("user", ALLOW, V.ALLOWED, urls.CROSS_ACCOUNT, owner=OTHER, resource={"account": ALLOW}),
    Layered("user", ALLOW, V.ALLOWED, urls.CROSS_ACCOUNT, owner=OTHER, resource={"user": ALLOW}),
    Layered("user", NOTHING, V.NO_IDENTITY, urls.CROSS_ACCOUNT, owner=OTHER, resource={"user": ALLOW}),
    Layered("user", NOTHING, V.NO_IDENTITY, urls.CROSS_ACCOUNT, owner=OTHER, resource={"account": ALLOW}),
    Layered("user", DENY, V.DENIED_BY_IDENTITY, urls.CROSS_ACCOUNT, owner=OTHER, resource={"user": ALLOW}),
    Layered("user", ALLOW, V.DENIED_BY_RESOURCE, urls.CROSS_ACCOUNT, owner=OTHER, resource={"user": DENY}),
    Layered("session", ALLOW, V.ALLOWED, urls.CROSS_ACCOUNT, owner=OTHER, resource={"role": ALLOW}),
    Layered("session", NOTHING, V.NO_IDENTITY, urls.CROSS_ACCOUNT, owner=OTHER, resource={"role": ALLOW}),
    Layered(
        "session", ALLOW, V.NO_BOUNDARY, urls.CROSS_ACCOUNT, owner=OTHER, boundary=NOTHING, resource={"role": ALLOW}
    ),
    Layered("session", ALLOW, V.NO_SESSION, urls.CROSS_ACCOUNT, owner=OTHER, session=NOTHING, resource={"role": ALLOW}),
    Layered("root", NOTHING, V.NO_IDENTITY, urls.CROSS_ACCOUNT, owner=OTHER, resource={}),
    # A key: its policy must allow, by itself or by naming the account.
    Layered("user", ALLOW, V.NO_RESOURCE, urls.KEY_POLICIES, kind="key", resource={}),
    Layered("user", ALLOW, V.NO_RESOURCE, urls.KEY_POLICIES, kind="key", resource={"another user": ALLOW}),
    Layered("user", ALLOW, V.ALLOWED, urls.KEY_POLICIES, kind="key", resource={"account": ALLOW}),
    Layered("user", NOTHING, V.NO_IDENTITY, urls.KEY_POLICIES, kind="key", resource={"account": ALLOW}),
    Layered("user", NOTHING, V.ALLOWED, urls.KEY_POLICIES, kind="key", resource={"user": ALLOW}),
    Layered("session", NOTHING, V.ALLOWED, urls.KEY_POLICIES, kind="key", resource={"role": ALLOW}),
    Layered("root", NOTHING, V.NO_RESOURCE, urls.KEY_POLICIES, kind="key", resource={"another user": ALLOW}),
    Layered("root", NOTHING, V.ALLOWED, urls.KEY_POLICIES, kind="key", resource={"account": ALLOW}),
    Layered(
        "user", ALLOW, V.DENIED_BY_RESOURCE, urls.KEY_POLICIES, kind="key", resource={"account": ALLOW, "user": DENY}
    ),
    # A role: its trust policy must allow.
    Layered("user", ALLOW, V.NO_TRUST, urls.TRUST, kind="role", resource={"service": ALLOW}),
    Layered("user", NOTHING, V.ALLOWED, urls.TRUST, kind="role", resource={"user": ALLOW}),
    Layered("user", NOTHING, V.NO_IDENTITY, urls.TRUST, kind="role", resource={"account": ALLOW}),
    Layered("user", ALLOW, V.ALLOWED, urls.TRUST, kind="role", resource={"account": ALLOW}),
    Layered("user", ALLOW, V.ALLOWED, urls.TRUST, kind="role", resource={"account": ALLOW}, owner=OTHER),
    Layered("user", ALLOW, V.NO_TRUST, urls.TRUST, kind="role", resource={"another account": ALLOW}, owner=OTHER),
    Layered("service", NOTHING, V.ALLOWED, urls.TRUST, kind="role", resource={"service": ALLOW}),
    Layered("service", NOTHING, V.NO_TRUST, urls.TRUST, kind="role", resource={"account": ALLOW}),
    Layered("service", NOTHING, V.DENIED_BY_RESOURCE, urls.TRUST, kind="role", resource={"service": DENY}),
    Layered("web", NOTHING, V.ALLOWED, urls.TRUST, kind="role", resource={"provider": ALLOW}),
    Layered("web", NOTHING, V.NO_TRUST, urls.TRUST, kind="role", resource={"service": ALLOW}),
    # A service uses a resource by its own name.
    Layered("service", NOTHING, V.ALLOWED, urls.PRINCIPAL, resource={"service": ALLOW}),
    Layered("service", NOTHING, V.NO_RESOURCE, urls.PRINCIPAL, resource={"account": ALLOW}),
    Layered("service", NOTHING, V.NO_RESOURCE, urls.PRINCIPAL),
    # NotPrincipal excepts only a caller whose every principal it names, and none that has a boundary.
    Layered("user", ALLOW, V.DENIED_BY_RESOURCE, urls.NOT_PRINCIPAL, resource={"not another user": DENY}),
    Layered("user", ALLOW, V.DENIED_BY_RESOURCE, urls.NOT_PRINCIPAL, resource={"not user": DENY}),
    Layered("user", ALLOW, V.ALLOWED, urls.NOT_PRINCIPAL, resource={"not user account": DENY}),
    Layered("session", ALLOW, V.DENIED_BY_RESOURCE, urls.NOT_PRINCIPAL, resource={"not role account": DENY}),
    Layered("session", ALLOW, V.ALLOWED, urls.NOT_PRINCIPAL, resource={"not session role account": DENY}),
    Layered("user", ALLOW, V.DENIED_BY_RESOURCE, urls.BOUNDARIES, boundary=ALLOW, resource={"not user account": DENY}),
]

ARNS: dict[str, Any] = {
    "user": {"AWS": f"arn:aws:iam::{OWN}:user/alice"},
    "another user": {"AWS": f"arn:aws:iam::{OWN}:user/bob"},
    "role": {"AWS": f"arn:aws:iam::{OWN}:role/lab/scientist"},
    "session": {"AWS": f"arn:aws:sts::{OWN}:assumed-role/scientist/alice"},
    "account": {"AWS": f"arn:aws:iam::{OWN}:root"},
    "another account": {"AWS": "111111111111"},
    "everyone": "*",
    "service": {"Service": "batch.amazonaws.com"},
    "provider": {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/token.actions.githubusercontent.com"},
}
