"""Each action that a policy denies is needed: without its denial, a call that must not pass is allowed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gen_infra.iam import PolicyDocument, evaluate
from gen_infra.permissions.policies import documents
from tests.conftest import ROOT
from tests.unit.permissions.callers import ACCOUNT, BOUNDARY, example, is_allowed, is_allowed_to, request, session

IAM = f"arn:aws:iam::{ACCOUNT}"
BOUNDED = {"iam__permissionsboundary": BOUNDARY}
# A job named batchAccessX has this role, which is among the roles that `apply` creates by its name.
ACCESS_LIKE = f"{IAM}:role/genomics/batchAccessX-shared-job"
CONTEXT = {
    **BOUNDED,
    "aws__requesttag/gen-infra__environment": "shared",
    "aws__resourcetag/gen-infra__environment": "shared",
    "iam__passedtoservice": "ecs-tasks.amazonaws.com",
    "iam__policyarn": "arn:aws:iam::aws:policy/service-role/AWSBatchServiceRole",
}
# Nothing allows `apply` these. It is denied them too, so that no policy attached beside its own can allow them.
NEVER_ALLOWED = {
    "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion",
    "iam:DeleteRolePermissionsBoundary", "iam:SetDefaultPolicyVersion", "iam:TagPolicy", "iam:UntagPolicy",
}  # fmt: skip
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}

Statements = list[dict[str, Any]]


def of_apply() -> Statements:
    documents_of_apply: list[Any] = list(documents(example(), "apply"))
    return [each for document in documents_of_apply for each in document["Statement"]]


def of_boundary() -> Statements:
    [text] = re.findall(r"```json\n(\{.*?\n\})\n```", (ROOT / "docs" / "access.md").read_text(), re.DOTALL)
    return list(json.loads(text)["Statement"])


def denied(statements: Statements) -> list[tuple[str, str]]:
    return [
        (each["Sid"], action)
        for each in statements
        if each["Effect"] == "Deny"
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    ]


def without(statements: Statements, sid: str, action: str) -> Statements:
    """Take one action out of one statement, and the statement out if it was its only one."""
    rest = []
    for each in statements:
        actions = [each["Action"]] if isinstance(each["Action"], str) else each["Action"]
        kept = [name for name in actions if (each["Sid"], name) != (sid, action)]
        rest += [{**each, "Action": kept}] if kept else []
    return rest


def allows(statements: Statements, action: str, resource: str, context: dict[str, str]) -> bool:
    caller = session({"Statement": statements})
    if action != "sts:AssumeRole":
        return is_allowed_to(caller, action, resource, **context)
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": action}
    policy = PolicyDocument.read({"Statement": [trust]})
    return evaluate(request(action, resource, **context), caller, policy).is_allowed


@pytest.mark.parametrize(("sid", "action"), denied(of_apply()))
def test_each_denial_of_apply_is_needed(sid: str, action: str) -> None:
    rest = without(of_apply(), sid, action)
    attached = [EVERYTHING] if action in NEVER_ALLOWED else []
    assert not allows([*of_apply(), *attached], action, ACCESS_LIKE, CONTEXT)
    assert allows([*rest, *attached], action, ACCESS_LIKE, CONTEXT)


def test_what_is_denied_for_other_policies_alone_is_allowed_by_no_statement() -> None:
    allowed = {action for each in of_apply() if each["Effect"] == "Allow" for action in each["Action"]}
    assert {action for _, action in denied(of_apply())} - allowed == NEVER_ALLOWED


# For each statement of the boundary: what it alone refuses.
REFUSED = {
    "OtherIdentitiesStayAsTheyAre": (f"{IAM}:role/Administrator", BOUNDED),
    "AccessRolesStayAsTheyAre": (f"{IAM}:role/genomics/batchAccessApply-shared", BOUNDED),
    "EveryRoleHasThisBoundary": (f"{IAM}:role/genomics/stats-shared-job", {}),
    "BoundariesStay": (f"{IAM}:role/genomics/stats-shared-job", BOUNDED),
}


@pytest.mark.parametrize(("sid", "action"), denied(of_boundary()))
def test_each_denial_of_the_boundary_is_needed(sid: str, action: str) -> None:
    resource, context = REFUSED[sid]
    called = action.replace("*", "Role")
    assert not allows(of_boundary(), called, resource, context)
    assert allows(without(of_boundary(), sid, action), called, resource, context)


@pytest.mark.parametrize("role", ["submit", "operate", "plan", "apply"])
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:CreateBucket", "arn:aws:s3:::genomics-tfstate-123456789012"),  # bootstrap
        ("s3:PutBucketPolicy", "arn:aws:s3:::genomics-tfstate-123456789012"),
        ("ec2:DeregisterImage", "arn:aws:ec2:us-east-1::image/ami-1"),  # prune, image retire
        ("ec2:DeleteSnapshot", "arn:aws:ec2:us-east-1::snapshot/snap-1"),
        ("ssm:DeleteParameter", f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/gen-infra/shared/image"),
        ("ecr:BatchDeleteImage", f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/shared/stats"),
    ],
)
def test_no_access_role_does_what_is_for_an_administrator(role: str, action: str, resource: str) -> None:
    own = {"aws__resourcetag/name": "batch-shared", "aws__resourcetag/gen-infra__environment": "shared"}
    assert not is_allowed(role, action, resource, **own)
