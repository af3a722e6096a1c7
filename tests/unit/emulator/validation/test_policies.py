from __future__ import annotations

import json

import pytest

from gen_infra.emulator.validation.policies import lets_its_policy_change


@pytest.mark.parametrize(
    ("action", "allowed"),
    [("KMS:putkeypolicy", True), ("kms:Put*", True), ("*", True), ("kms:[P]utKeyPolicy", False), ("kms:Get*", False)],
)
def test_wildcards_are_those_of_iam(action: str, allowed: bool) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": action}
    assert lets_its_policy_change({"Policy": json.dumps({"Statement": [statement]})}) == allowed
