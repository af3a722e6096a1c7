"""What `check` reports of adopted resources is accepted where a manifest may accept it, and else noted."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.adopt.acceptance import policy_entries, suppressions
from gen_infra.adopt.account import AccountContents
from gen_infra.adopt.choice import Choice
from gen_infra.check.policy import read_policy
from gen_infra.check.privileges import PRIVILEGE_CHECKS
from gen_infra.render.yaml import to_yaml

if TYPE_CHECKING:
    from pathlib import Path

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


def test_the_policy_file_accepts_the_roles_and_what_is_found_of_them(tmp_path: Path) -> None:
    profile = f"{IAM}:instance-profile/batch/hosts"
    choice = Choice(
        compute={"c": compute(instanceRole=profile)},
        jobs={"j": {"containerProperties": {"jobRoleArn": f"{IAM}:role/task"}}},
        roles=["bound", "task"],
        profiles=["hosts", "own"],
    )
    wide = [{"PolicyName": "x", "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"}]
    mine = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    account = AccountContents(
        "123456789012", "us-east-1",
        roles={"task": role("ecs-tasks", wide), "bound": role("ecs-tasks", [], Condition=mine)},
        profiles={"hosts": {"Roles": [{"RoleName": "workers"}]}, "own": {"Roles": [{"RoleName": "own"}]}},
    )  # fmt: skip
    entries = policy_entries(account, choice, TODAY)

    (tmp_path / "policy.yaml").write_text(to_yaml(entries))
    policy = read_policy(tmp_path / "policy.yaml")
    assert policy.roles == (profile, f"{IAM}:role/task")
    assert [(each.check, each.resource, each.reason) for each in policy.suppressions] == [
        ("GI_IAM_1", 'aws_iam_role.existing["task"]', "adopted: ecs-tasks can assume it for any account"),
        ("GI_IAM_2", 'aws_iam_role.existing["task"]', "adopted: AmazonS3FullAccess is attached"),
        ("GI_IAM_8", 'aws_iam_instance_profile.existing["hosts"]', "adopted: it holds the role workers"),
    ]
    assert {each.expires for each in policy.suppressions} == {"2027-05-28"}
    assert policy_entries(account, Choice(compute={"c": compute(type="FARGATE")}), TODAY) == {}


def role(service: str, policies: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    """Return a role that a service may assume, as AWS describes it, with its attached policies."""
    allowed = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [{**allowed, **more}]}
    return {"AssumeRolePolicyDocument": trust, "AttachedPolicies": policies}
