from __future__ import annotations

from typing import Any

import pytest

from gen_infra.doctor.key import denied_actions

ROLE = "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"


def statement(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"} | elements


def for_callers(pattern: str) -> dict[str, Any]:
    return statement(Condition={"ArnLike": {"aws:PrincipalArn": pattern}})


@pytest.mark.parametrize(
    ("given", "denied"),
    [
        (statement(Action="KMS:decrypt"), ()),
        (statement(Action=["kms:Encrypt", "kms:De*"]), ()),
        (statement(Action="kms:[D]ecrypt"), ("kms:Decrypt",)),
        (
            statement(Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/aws-service-role/*"}}),
            (),
        ),
        (
            statement(Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/[a]*"}}),
            ("kms:Decrypt",),
        ),
    ],
    ids=str,
)
def test_wildcards_are_those_of_iam(given: dict[str, Any], denied: tuple[str, ...]) -> None:
    assert denied_actions([given], "AWS", ROLE, ["kms:Decrypt"]) == denied
