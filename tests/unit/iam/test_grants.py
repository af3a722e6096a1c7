"""How a grant lets its grantee use a key: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html"""

from __future__ import annotations

from typing import Any

import pytest

from gen_infra.iam import PolicyDocument, Principal, PrincipalKind, Request, evaluate
from gen_infra.iam.grants import grants_policy

OWN = "123456789012"
KEY = f"arn:aws:kms:us-east-1:{OWN}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{OWN}:role/batch/isaac"
SESSION = Principal(PrincipalKind.ROLE, f"arn:aws:sts::{OWN}:assumed-role/isaac/job", OWN, role_arn=ROLE)
ALL_DENIED = {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}
DENY = PolicyDocument.read({"Version": "2012-10-17", "Statement": ALL_DENIED})


def may(
    action: str, context: dict[str, str], constraints: dict[str, Any], *, grantee: str = ROLE, deny: bool = False
) -> bool:
    values: dict[str, tuple[str, ...]] = {}
    for name, value in context.items():
        values[f"kms:encryptioncontext:{name.lower()}"] = (value,)
    if context:
        values["kms:encryptioncontextkeys"] = tuple(context)
    caller = Principal(SESSION.kind, SESSION.arn, OWN, ROLE, policies=(DENY,)) if deny else SESSION
    policy = grants_policy([(grantee, ["Decrypt", "GenerateDataKey"], constraints)])
    return evaluate(Request(action, KEY, OWN, values), caller, policy).is_allowed


EQUALS = {"EncryptionContextEquals": {"lab": "north", "run": "7"}}
SUBSET = {"EncryptionContextSubset": {"lab": "north"}}


@pytest.mark.parametrize(
    ("action", "context", "constraints", "allowed"),
    [
        ("kms:Decrypt", {}, {}, True),
        ("kms:Decrypt", {"lab": "south"}, {}, True),
        ("kms:Encrypt", {}, {}, False),
        ("kms:Decrypt", {"lab": "north", "run": "7"}, EQUALS, True),
        ("kms:Decrypt", {"lab": "north", "run": "8"}, EQUALS, False),
        ("kms:Decrypt", {"lab": "north"}, EQUALS, False),
        ("kms:Decrypt", {"lab": "north", "run": "7", "more": "x"}, EQUALS, False),
        ("kms:Decrypt", {}, EQUALS, False),
        ("kms:Decrypt", {"lab": "north", "more": "x"}, SUBSET, True),
        ("kms:Decrypt", {"more": "x"}, SUBSET, False),
        ("kms:Decrypt", {"lab": "anything"}, {"EncryptionContextSubset": {"lab": "*"}}, False),
        ("kms:Decrypt", {"lab": "${aws:username}"}, {"EncryptionContextEquals": {"lab": "${aws:username}"}}, True),
    ],
)
def test_a_grant_allows_its_operations_within_its_constraints(
    action: str, context: dict[str, str], constraints: dict[str, Any], allowed: bool
) -> None:
    assert may(action, context, constraints) == allowed


def test_a_grant_is_its_grantees_alone_and_a_denial_has_priority() -> None:
    assert not may("kms:Decrypt", {}, {}, grantee=f"{ROLE}-2")
    assert may("kms:Decrypt", {}, {}, grantee=SESSION.arn)
    assert not may("kms:Decrypt", {}, {}, deny=True)
