"""A refused call names the key of the manifest that gives the permission, or the other policy that refuses it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gen_infra import why
from tests.unit.manifests import accept
from tests.unit.recorded import Account
from tests.unit.why.facts import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen_infra.why.evidence import Cause

PLACE = "us-east-1:123456789012"
USER = "User: arn:aws:sts::123456789012:assumed-role/isaac-test-job/876da822"
IDENTITY = "because no identity-based policy allows the {action} action"


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Facts], Cause]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        account = Account()
        isaac = {"image": "isaac:1.0", "vcpus": 4, "memory_mib": 8000, "buckets": ["reads", "scratch"]}
        buckets = {
            "reads": {"name": "lab-reads", "access": "read", "prefix": "runs/"},
            "scratch": {"name": "lab-scratch", "access": "work"},
            "results": {"name": "lab-results", "access": "write"},
        }
        manifest = accept(
            tmp_path_factory.mktemp("why"), jobs={"isaac": isaac}, repositories=["isaac"], buckets=buckets
        )

        def cause(facts: Facts) -> Cause:
            account.answers = facts.answers()
            return why.explain(account.clients, manifest, Path("test.yaml"), facts.job["jobId"]).causes[0]

        yield cause


def message(action: str, resource: str, reason: str = IDENTITY) -> str:
    on = f" on resource: {resource}" if resource else ""
    return f"{USER} is not authorized to perform: {action}{on} {reason.format(action=action)}"


def refused(text: str) -> Facts:
    facts = Facts()
    facts.failed("Essential container in task exited", exit_code=1)
    facts.log = [f"An error occurred (AccessDenied) when calling an operation: {text}"]
    return facts


@pytest.mark.parametrize(
    ("action", "resource", "fix"),
    [
        (
            "s3:PutObject",
            "arn:aws:s3:::results-lab/x",
            "add {name: results-lab, access: write} to buckets, and its key to jobs.isaac.buckets",
        ),
        ("s3:GetObject", "arn:aws:s3:::other/x", "add {name: other, access: read} to buckets"),
        ("s3:DeleteObject", "arn:aws:s3:::other/x", "add {name: other, access: delete} to buckets"),
        ("s3:ListBucket", "arn:aws:s3:::other", "add {name: other, access: read} to buckets"),
        ("s3:PutObject", "arn:aws:s3:::lab-results/x", "add results to jobs.isaac.buckets"),
        ("s3:PutObject", "arn:aws:s3:::lab-reads/runs/x", "set buckets.reads.access to write"),
        ("s3:GetObject", "arn:aws:s3:::lab-reads/other/x", "use keys below runs/ in lab-reads"),
        ("s3:PutBucketPolicy", "arn:aws:s3:::lab-reads", "a role of yours (role) that may s3:PutBucketPolicy"),
        (
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:token-AbCdEf",
            "add arn:aws:secretsmanager:us-east-1:123456789012:secret:token-AbCdEf to secrets of jobs.isaac",
        ),
        ("kms:Decrypt", f"arn:aws:kms:{PLACE}:key/1", f"set kms_key to arn:aws:kms:{PLACE}:key/1 at the bucket"),
        ("ecr:BatchGetImage", f"arn:aws:ecr:{PLACE}:repository/test/strelka", "add strelka to repositories"),
        (
            "elasticfilesystem:ClientWrite",
            "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-1",
            "add fs-1 to efs of jobs.isaac with read_only: false",
        ),
        (
            "logs:PutLogEvents",
            "arn:aws:logs:us-east-1:123456789012:log-group:/lab:log-stream:a",
            "let jobs.isaac print to its own log",
        ),
        ("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:q", "give jobs.isaac a role of yours (role)"),
        ("ec2:DescribeInstances", "", "give jobs.isaac a role of yours (role) that may ec2:DescribeInstances"),
    ],
)
def test_the_key_that_gives_it_is_named(ask: Callable[[Facts], Cause], action: str, resource: str, fix: str) -> None:
    found = ask(refused(message(action, resource)))
    assert found.name == "access-denied"
    assert f"its role isaac-test-job may not {action}" in found.message
    assert resource in found.message
    assert fix in found.fix
    assert f"allow {action} in its role isaac-test-job" in found.fix


@pytest.mark.parametrize(
    ("reason", "fix"),
    [
        ("with an explicit deny in a service control policy", "ask the administrator of your AWS org"),
        ("because no service control policy allows the {action} action", "ask the administrator of your AWS org"),
        ("with an explicit deny in a resource control policy", "a resource control policy refuses s3:PutObject"),
        ("with an explicit deny in a permissions boundary", "remove the Deny of s3:PutObject on"),
        ("because no permissions boundary allows the {action} action", "(iam.permissions_boundary)"),
        ("with an explicit deny in a resource-based policy", "remove the Deny of s3:PutObject in the policy of arn"),
        ("because no resource-based policy allows the {action} action", "allow s3:PutObject in the policy of arn"),
        ("with an explicit deny in an identity-based policy", "in a policy of its role"),
        ("because no session policy allows the {action} action", "in the policy that its session was given"),
        ("because no VPC endpoint policy allows the {action} action", "in the policy of the VPC endpoint"),
    ],
)
def test_another_policy_that_refuses_is_named(ask: Callable[[Facts], Cause], reason: str, fix: str) -> None:
    found = ask(refused(message("s3:PutObject", "arn:aws:s3:::lab-results/x", reason)))
    assert found.name == "access-denied"
    assert fix in found.fix
    assert "buckets" not in found.fix


def test_a_boundary_is_named_for_what_ecs_does_too(ask: Callable[[Facts], Cause]) -> None:
    facts = Facts()
    said = message("secretsmanager:GetSecretValue", "*", "because no permissions boundary allows the {action} action")
    start = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed"
    facts.failed("Task failed to start", f"{start}: unable to retrieve secret from asm: AccessDeniedException: {said}")
    found = ask(facts)
    assert (found.name, "iam.permissions_boundary" in found.fix) == ("secrets", True)
