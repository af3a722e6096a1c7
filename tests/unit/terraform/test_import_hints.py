"""What exists in AWS and is not in the state: the commands that import it."""

from __future__ import annotations

import pytest

from gen_infra.terraform.import_hints import import_hint
from gen_infra.terraform.messages import TerraformError, failure
from gen_infra.tools.diagnostics import Diagnostic

PLACE = {"partition": "aws", "domain": "amazonaws.com", "region": "us-east-1", "account": "123456789012"}
# What the provider says, around AWS's own words.
ROLE = Diagnostic(
    "error",
    "creating IAM Role (one-small-job): operation error IAM: CreateRole, https response error StatusCode: 409, "
    "RequestID: x, EntityAlreadyExists: Role with name one-small-job already exists.",
    address="aws_iam_role.one",
)
QUEUE = Diagnostic(
    "error",
    "creating Batch Job Queue (main-small)",
    "operation error Batch: CreateJobQueue, https response error StatusCode: 400, "
    "ClientException: Object already exists",
    address="aws_batch_job_queue.main",
)
FUNCTION = Diagnostic(
    "error",
    "creating Lambda Function (batchSubmitJob-small): operation error Lambda: CreateFunction, https response error "
    "StatusCode: 409, RequestID: x, ResourceConflictException: Function already exist: batchSubmitJob-small",
    address='module.job_functions.aws_lambda_function.this["submit"]',
)
GROUP = Diagnostic(
    "error",
    "creating Security Group (batch-small/instances): operation error EC2: CreateSecurityGroup, https response error "
    "StatusCode: 400, RequestID: x, api error InvalidGroup.Duplicate: The security group already exists",
    address="module.network.aws_security_group.instances",
)
REPOSITORY = Diagnostic(
    "error",
    "creating ECR Repository (small/one): operation error ECR: CreateRepository, https response error StatusCode: 400, "
    "RequestID: x, RepositoryAlreadyExistsException: The repository with name 'small/one' already exists",
    address="module.repository_one.aws_ecr_repository.this",
)


@pytest.mark.parametrize(
    ("diagnostic", "typed"),
    [
        (ROLE, "aws_iam_role.one one-small-job"),
        (QUEUE, "aws_batch_job_queue.main arn:aws:batch:us-east-1:123456789012:job-queue/main-small"),
        (FUNCTION, "'module.job_functions.aws_lambda_function.this[\"submit\"]' batchSubmitJob-small"),
        (REPOSITORY, "module.repository_one.aws_ecr_repository.this small/one"),
        (
            GROUP,
            "module.network.aws_security_group.instances ID (which ID: "
            "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/security_group#import)",
        ),
    ],
)
def test_each_kind_is_imported_by_its_id(diagnostic: Diagnostic, typed: str) -> None:
    error = failure("terraform apply", [diagnostic])
    assert isinstance(error, TerraformError)
    assert error.cause == "exists"
    assert "these exist in AWS and are not in Terraform's state: " in error.message
    assert import_hint([diagnostic], "terraform -chdir=x", PLACE) == f"terraform -chdir=x import {typed}"


def test_all_that_exist_are_imported_and_nothing_else() -> None:
    other = Diagnostic("error", "creating IAM Role (two): AccessDenied", address="aws_iam_role.two")
    assert import_hint([ROLE, other, QUEUE], "t", PLACE).count("t import ") == 2


def test_a_refusal_about_something_else_is_not_taken_for_it() -> None:
    error = failure("terraform apply", [Diagnostic("error", "creating IAM Role (two): AccessDenied")])
    assert isinstance(error, TerraformError)
    assert error.cause == "access-denied"
