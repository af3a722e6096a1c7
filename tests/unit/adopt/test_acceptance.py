"""What `check` reports of adopted resources is accepted where a manifest may accept it, and else noted."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gen_infra.adopt.acceptance import note_on_roles, suppressions
from gen_infra.adopt.choice import Choice
from gen_infra.check.privileges import PRIVILEGE_CHECKS

TODAY = date(2026, 11, 29)
IAM = "arn:aws:iam::123456789012"


def compute(**resources: Any) -> dict[str, Any]:
    linked = f"{IAM}:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"
    return {"serviceRole": linked, "computeResources": {"type": "EC2", **resources}}


@pytest.mark.parametrize(
    ("choice", "checks"),
    [
        (Choice(), set()),
        (Choice(repositories=["isaac"]), {"CKV_AWS_51", "CKV_AWS_136", "CKV_AWS_163", "GI_ECR_1"}),
        (Choice(log_groups=["/lab"]), {"CKV_AWS_66", "CKV_AWS_158", "CKV_AWS_338", "GI_LOGS_1"}),
        (Choice(compute={"c": compute(ec2KeyPair="lab", launchTemplate={"launchTemplateId": "lt-1"})}), {"GI_EC2_3"}),
        (Choice(compute={"c": compute()}), {"GI_EC2_4"}),
        (Choice(compute={"c": compute(type="FARGATE")}), set()),
    ],
)
def test_settings_that_stay_are_accepted_for_half_a_year(choice: Choice, checks: set[str]) -> None:
    accepted = suppressions(choice, TODAY)

    assert {each["check"] for each in accepted} == checks
    assert {each["expires"] for each in accepted} <= {"2027-05-28"}
    assert not checks & PRIVILEGE_CHECKS, "a manifest cannot accept those"


def test_roles_are_noted_for_the_policy_file() -> None:
    profile = f"{IAM}:instance-profile/batch/hosts"
    job = {"containerProperties": {"jobRoleArn": f"{IAM}:role/task"}}

    note = note_on_roles(Choice(compute={"c": compute(instanceRole=profile)}, jobs={"j": job}))
    assert note.endswith(f"its `roles` are [{profile}, {IAM}:role/task]")
    assert note_on_roles(Choice(compute={"c": compute(type="FARGATE")})) == ""
