"""The policy file is read as strictly as a manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_infra.check.policy import read_policy
from gen_infra.manifest.reading.loader import ManifestError

if TYPE_CHECKING:
    from pathlib import Path

SUPPRESSION = """
suppressions:
  - check: GI_BATCH_2
    resource: aws_batch_job_definition.align
    reason: Our older images need it.
    expires: "2027-06-30"
"""


def policy_file(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text)
    return path


def test_it_is_read(tmp_path: Path) -> None:
    policy = read_policy(policy_file(tmp_path, SUPPRESSION))

    assert [each.check for each in policy.suppressions] == ["GI_BATCH_2"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("supressions: []", 'policy.yaml:1:1: supressions: unknown key "supressions"; did you mean "suppressions"?'),
        ('roles: ["*"]', "policy.yaml:1:9: roles[0]: "),
        ('roles: ["arn:aws:iam::123456789012:role/*"]', "policy.yaml:1:9: roles[0]: "),
        ('roles: ["arn:aws:iam::*:role/central/align"]', "policy.yaml:1:9: roles[0]: "),
        ("extends: other.yaml", 'policy.yaml:1:1: extends: unknown key "extends"'),
        (
            SUPPRESSION.replace("Our older images need it.", '"..........."'),
            "policy.yaml:5:5: suppressions[0].reason:",
        ),
        (SUPPRESSION.replace("06-30", "02-30"), 'policy.yaml:6:5: suppressions[0].expires: invalid date "2027-02-30"'),
        (SUPPRESSION + SUPPRESSION, "policy.yaml:8:1: the key suppressions is already on line 2"),
    ],
)
def test_a_mistake_is_reported_with_its_place(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as raised:
        read_policy(policy_file(tmp_path, text))

    assert problem in str(raised.value)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"policy\.yaml"):
        read_policy(tmp_path / "policy.yaml")
