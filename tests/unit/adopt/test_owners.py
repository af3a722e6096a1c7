"""Who manages a resource: by the lists of CloudFormation's stacks as AWS answers them, and by tags."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from gen_infra.adopt.owners import Owner, Owners, find_owners

QUEUE = "arn:aws:batch:us-east-1:123456789012:job-queue/high"
CREATED = "2026-01-01T00:00:00Z"


class Stacks:
    """The one client that is asked."""

    def __init__(self, stacks: Any) -> None:
        self.stacks = stacks


@pytest.fixture
def stacks() -> Any:
    return boto3.client("cloudformation", "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")


def resource(id_: str, status: str = "CREATE_COMPLETE") -> dict[str, str]:
    return {
        "LogicalResourceId": "Queue",
        "PhysicalResourceId": id_,
        "ResourceType": "AWS::Batch::JobQueue",
        "LastUpdatedTimestamp": CREATED,
        "ResourceStatus": status,
    }


def test_what_a_stack_lists_is_its_own_and_what_it_has_retained_is_not(stacks: Any) -> None:
    said: list[str] = []
    summaries = [
        {"StackName": "LabStack", "CreationTime": CREATED, "StackStatus": "UPDATE_COMPLETE"},
        {"StackName": "Gone", "CreationTime": CREATED, "StackStatus": "DELETE_COMPLETE"},
    ]
    with Stubber(stacks) as stub:
        stub.add_response("list_stacks", {"StackSummaries": summaries}, {})
        resources = [resource(QUEUE), resource("kept", "DELETE_SKIPPED")]
        stub.add_response("list_stack_resources", {"StackResourceSummaries": resources}, {"StackName": "LabStack"})
        owners = find_owners(Stacks(stacks), "lab", (), said.append)  # type: ignore[arg-type]
    assert owners.of(["high", QUEUE], {}) == Owner("CloudFormation", "LabStack")
    left_tag = {"aws:cloudformation:stack-name": "LabStack"}
    assert owners.of(["kept"], left_tag) is None
    assert said == []


def test_where_stacks_cannot_be_listed_the_tag_decides(stacks: Any) -> None:
    said: list[str] = []
    with Stubber(stacks) as stub:
        stub.add_client_error("list_stacks", "AccessDenied", "not authorized")
        owners = find_owners(Stacks(stacks), "lab", (), said.append)  # type: ignore[arg-type]
    found = owners.of(["high"], {"aws:cloudformation:stack-name": "LabStack"})
    assert str(found) == "CloudFormation stack LabStack"
    assert said[0].startswith("warning: only tags say what CloudFormation manages, because its stacks are unknown: ")


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"ManagedBy": "terraform"}, "ManagedBy=terraform"),
        ({"managed-by": "OpenTofu"}, "managed-by=OpenTofu"),
        ({"Terraform": "true"}, "Terraform=true"),
        ({"Terraform": "false"}, ""),
        ({"Repository": "https://github.com/lab/terraform-batch"}, "Repository=https://github.com/lab/terraform-batch"),
        ({"Repository": "https://github.com/lab/pipelines"}, ""),
        ({"ManagedBy": "hand"}, ""),
        ({"Stack": "core"}, "Stack=core"),
        ({"iac-tool": "tf"}, "iac-tool=tf"),
        ({"iac-tool": "none"}, ""),
        ({"Project": "terraform"}, ""),
    ],
)
def test_tags_of_a_terraform(tags: dict[str, str], name: str) -> None:
    found = Owners("lab", {}, can_list=True, tags=("Stack", "iac-tool=tf")).of(["x"], tags)
    assert (found.name if found else "") == name


@pytest.mark.parametrize(
    ("environment", "owner"), [("prod", "environment prod (tag gen-infra:environment)"), ("lab", "")]
)
def test_the_tag_of_another_environment(environment: str, owner: str) -> None:
    tags = {"gen-infra:environment": environment, "ManagedBy": "hand"}
    found = Owners("lab", {}, can_list=True).of(["x"], tags)
    assert str(found or "") == owner
