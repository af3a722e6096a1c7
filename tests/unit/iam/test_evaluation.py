from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen_infra.iam import InvalidPolicyError, PolicyDocument, Principal, PrincipalKind, Request, Verdict, evaluate
from tests.unit.iam.decisions import COMPARED, CONTEXT, MATCHED, Compared, Matched
from tests.unit.iam.principals import ALLOW, ARNS, LAYERED, OWN, Layered

REQUESTS = {
    "bucket": ("s3:GetObject", "arn:aws:s3:::reads/a.fq"),
    "key": ("kms:Decrypt", f"arn:aws:kms:us-east-1:{OWN}:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    "role": ("sts:AssumeRole", f"arn:aws:iam::{OWN}:role/batch/isaac"),
}


def policy(*statements: dict[str, Any]) -> PolicyDocument:
    return PolicyDocument.read({"Version": "2012-10-17", "Statement": list(statements)})


def user(*statements: dict[str, Any]) -> Principal:
    return Principal(PrincipalKind.USER, f"arn:aws:iam::{OWN}:user/alice", OWN, policies=(policy(*statements),))


def as_values(given: str | list[str] | None) -> dict[str, tuple[str, ...]]:
    return {} if given is None else {"aws:key": (given,) if isinstance(given, str) else tuple(given)}


def test_there_are_enough_documented_decisions() -> None:
    assert len(COMPARED) + len(MATCHED) + len(LAYERED) >= 200


@pytest.mark.parametrize("row", COMPARED, ids=lambda row: f"{row.operator}-{row.wanted}-{row.given}")
def test_a_condition(row: Compared) -> None:
    caller = user(
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {row.operator: {"aws:Key": row.wanted}}}
    )
    request = Request("s3:GetObject", "arn:aws:s3:::reads/a.fq", OWN, as_values(row.given))
    assert evaluate(request, caller).is_allowed == row.is_met


@pytest.mark.parametrize("row", MATCHED, ids=lambda row: f"{json.dumps(row.elements)}-{row.action}-{row.resource}")
def test_a_statement(row: Matched) -> None:
    request = Request(row.action, row.resource, OWN, CONTEXT)
    assert evaluate(request, user({"Effect": "Allow", **row.elements})).is_allowed == row.is_allowed


@pytest.mark.parametrize("row", MATCHED, ids=lambda row: f"{json.dumps(row.elements)}-{row.action}-{row.resource}")
def test_a_statement_that_denies_applies_to_the_same_requests(row: Matched) -> None:
    request = Request(row.action, row.resource, OWN, CONTEXT)
    caller = user({"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", **row.elements})
    expected = Verdict.DENIED_BY_IDENTITY if row.is_allowed else Verdict.ALLOWED
    assert evaluate(request, caller).verdict is expected


@pytest.mark.parametrize("row", LAYERED, ids=lambda row: f"{row.caller}-{row.identity}-{row.verdict.name}")
def test_several_policies(row: Layered) -> None:
    action, resource = REQUESTS[row.kind]
    if row.caller == "web":
        action = "sts:AssumeRoleWithWebIdentity"
    resource_policy = None if row.resource is None else _resource_policy(row.resource, action, resource, row.kind)
    decision = evaluate(Request(action, resource, row.owner), _caller(row, action, resource), resource_policy)
    assert decision.verdict is row.verdict


def _caller(row: Layered, action: str, resource: str) -> Principal:
    def says(effect: str) -> PolicyDocument:
        if not effect:
            return policy({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"})
        return policy({"Effect": effect.capitalize(), "Action": action, "Resource": resource})

    kinds = {
        "user": (PrincipalKind.USER, ARNS["user"]["AWS"], OWN, ""),
        "session": (PrincipalKind.ROLE, ARNS["session"]["AWS"], OWN, ARNS["role"]["AWS"]),
        "root": (PrincipalKind.ROOT, ARNS["account"]["AWS"], OWN, ""),
        "service": (PrincipalKind.SERVICE, ARNS["service"]["Service"], "", ""),
        "web": (PrincipalKind.WEB_IDENTITY, ARNS["provider"]["Federated"], "", ""),
    }
    return Principal(
        *kinds[row.caller],
        policies=(says(row.identity),),
        boundary=None if row.boundary is None else says(row.boundary),
        session_policies=() if row.session is None else (says(row.session),),
    )


def _resource_policy(says: dict[str, str], action: str, resource: str, kind: str) -> PolicyDocument:
    return policy(*(_resource_statement(names, effect, action, resource, kind) for names, effect in says.items()))


def _resource_statement(names: str, effect: str, action: str, resource: str, kind: str) -> dict[str, Any]:
    statement = {"Effect": effect.capitalize(), "Action": action}
    if kind != "role":  # a trust policy has no Resource
        statement["Resource"] = resource
    if names.startswith("not "):
        known = [name for name in ("another user", "user", "session", "role", "account") if name in names]
        if "another user" in known:
            known.remove("user")
        return statement | {"NotPrincipal": {"AWS": [ARNS[name]["AWS"] for name in known]}}
    return statement | {"Principal": ARNS[names]}


MESSAGES = {
    Verdict.NO_IDENTITY: "because no identity-based policy allows the s3:GetObject action",
    Verdict.DENIED_BY_IDENTITY: "with an explicit deny in an identity-based policy",
    Verdict.NO_BOUNDARY: "because no permissions boundary allows the s3:GetObject action",
}


@pytest.mark.parametrize("verdict", MESSAGES, ids=lambda verdict: verdict.name)
def test_a_refusal_has_the_words_of_aws(verdict: Verdict) -> None:
    row = next(row for row in LAYERED if row.verdict is verdict and row.caller == "user" and row.resource is None)
    action, resource = REQUESTS["bucket"]
    decision = evaluate(Request(action, resource, OWN), _caller(row, action, resource))
    start = "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: s3:GetObject on resource: "
    assert decision.message == f"{start}arn:aws:s3:::reads/a.fq {MESSAGES[verdict]}"


@pytest.mark.parametrize(
    "document",
    [
        "not JSON",
        "[]",
        "{}",
        {"Statement": ["Allow"]},
        {"Statement": {"Effect": "allow", "Action": "*", "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "NotResource": "*"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "alice"}},
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Equals": {"a": "b"}}}},
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"ForSome:Bool": {"a": "b"}}}},
    ],
    ids=str,
)
def test_what_iam_would_refuse_is_not_read(document: Any) -> None:
    with pytest.raises(InvalidPolicyError):
        PolicyDocument.read(document)


TEXTS = st.text(st.characters(codec="ascii", min_codepoint=33), max_size=12)
STATEMENTS = st.builds(
    lambda effect, action, resource: {"Effect": effect, "Action": action, "Resource": resource},
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["*", "s3:*", "s3:Get*", "s3:GetObject", "sqs:*"]),
    st.sampled_from(["*", "arn:aws:s3:::reads/*", "arn:aws:s3:::reads/a.fq", "arn:aws:s3:::other/*"]),
)
READ = Request("s3:GetObject", "arn:aws:s3:::reads/a.fq", OWN)


@given(st.lists(STATEMENTS, min_size=1, max_size=5), STATEMENTS)
def test_a_denial_more_never_allows_more(statements: list[dict[str, str]], one_more: dict[str, str]) -> None:
    before = evaluate(READ, user(*statements)).is_allowed
    after = evaluate(READ, user(*statements, one_more | {"Effect": "Deny"})).is_allowed
    assert before or not after


@given(st.lists(STATEMENTS, min_size=1, max_size=5), st.lists(STATEMENTS, min_size=1, max_size=5))
def test_a_boundary_never_allows_more(statements: list[dict[str, str]], limits: list[dict[str, str]]) -> None:
    caller = user(*statements)
    limited = Principal(caller.kind, caller.arn, OWN, policies=caller.policies, boundary=policy(*limits))
    assert evaluate(READ, caller).is_allowed or not evaluate(READ, limited).is_allowed


@given(st.lists(STATEMENTS, min_size=1, max_size=5), st.randoms())
def test_the_order_of_statements_does_not_matter(statements: list[dict[str, str]], random: Any) -> None:
    shuffled = random.sample(statements, len(statements))
    assert evaluate(READ, user(*statements)).is_allowed == evaluate(READ, user(*shuffled)).is_allowed


@given(TEXTS)
def test_a_variable_is_never_a_wildcard(name: str) -> None:
    caller = user({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::reads/${aws:username}"})

    def may(key: str) -> bool:
        request = Request("s3:GetObject", f"arn:aws:s3:::reads/{key}", OWN, {"aws:username": (name,)})
        return evaluate(request, caller).is_allowed

    assert may(name)
    assert not may(f"{name}x")


def test_only_version_2012_10_17_has_variables() -> None:
    statement = {"Effect": ALLOW.capitalize(), "Action": "*", "Resource": "arn:aws:s3:::reads/${aws:username}"}
    caller = Principal(
        PrincipalKind.USER,
        f"arn:aws:iam::{OWN}:user/alice",
        OWN,
        policies=(PolicyDocument.read({"Version": "2008-10-17", "Statement": statement}),),
    )
    context = {"aws:username": ("alice",)}
    assert not evaluate(Request("s3:GetObject", "arn:aws:s3:::reads/alice", OWN, context), caller).is_allowed
    literal = Request("s3:GetObject", "arn:aws:s3:::reads/${aws:username}", OWN, context)
    assert evaluate(literal, caller).is_allowed
