"""Callers with the policies of the access roles, and what AWS decides about their calls."""

from __future__ import annotations

from functools import cache
from typing import Any

from gen_infra.iam import PolicyDocument, Principal, PrincipalKind, Request, evaluate
from gen_infra.manifest import Manifest, load
from gen_infra.permissions.policies import documents
from gen_infra.resources import data_dir

ACCOUNT = "123456789012"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/developer-boundary"
USER_ID = "AROAEXAMPLE:alice"


@cache
def example(name: str = "access") -> Manifest:
    return load(data_dir("envs") / "examples" / f"{name}.yaml")


@cache
def policies_of(role: str, name: str = "access") -> tuple[PolicyDocument, ...]:
    return tuple(PolicyDocument.read(document) for document in documents(example(name), role))


def is_allowed(role: str, action: str, resource: str, *, example: str = "access", **context: str) -> bool:
    """Return whether a session of an access role may call; ``__`` in a name of the context is a colon."""
    caller = Principal(
        kind=PrincipalKind.ROLE,
        arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/alice",
        account=ACCOUNT,
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/genomics/{role}",
        policies=policies_of(role, example),
    )
    return is_allowed_to(caller, action, resource, **context)


def is_allowed_to(caller: Principal, action: str, resource: str, **context: str) -> bool:
    """Return whether a caller may call; every key's policy leaves the decision to the account, as the created one's."""
    owner = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}
    policy = PolicyDocument.read({"Statement": [owner]}) if ":key/" in resource else None
    return evaluate(request(action, resource, **context), caller, policy).is_allowed


def session(document: dict[str, Any], role: str = "x", boundary: PolicyDocument | None = None) -> Principal:
    """Return a session of a role with one policy."""
    return Principal(
        kind=PrincipalKind.ROLE,
        arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/alice",
        account=ACCOUNT,
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/genomics/{role}",
        policies=(PolicyDocument.read(document),),
        boundary=boundary,
    )


def request(action: str, resource: str, **context: Any) -> Request:
    values = {key.replace("__", ":").replace("_tag_", "tag/"): (value,) for key, value in context.items()}
    return Request(
        action,
        resource,
        ACCOUNT,
        {"aws:requestedregion": ("us-east-1",), "aws:userid": (USER_ID,), **values},
    )
