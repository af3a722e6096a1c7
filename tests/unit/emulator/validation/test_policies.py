from __future__ import annotations

import pytest

from gen_infra.emulator.validation.policies import allows


@pytest.mark.parametrize(
    ("action", "allowed"),
    [("KMS:putkeypolicy", True), ("kms:Put*", True), ("*", True), ("kms:[P]utKeyPolicy", False), ("kms:Get*", False)],
)
def test_wildcards_are_those_of_iam(action: str, allowed: bool) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": action}
    assert allows(statement, "kms:PutKeyPolicy") == allowed
