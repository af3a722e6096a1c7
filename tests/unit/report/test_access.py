"""Which role reaches what, by the rendered policies."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from gen_infra.aws.policies import ExistingPolicies, PolicyOwners, RolePolicies, existing_policies
from gen_infra.check.runner import terraform_sources
from gen_infra.manifest import load
from gen_infra.render.files import render
from gen_infra.report.access import OF_AWS, access_matrix, computed_arn, policy_owners
from gen_infra.report.data import AccessCell, AccessMatrix
from gen_infra.terraform.policy_documents import listed
from gen_infra.terraform.source import read_source
from tests.conftest import ROOT
from tests.unit.manifests import accept
from tests.unit.recorded import Account, Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest
    from gen_infra.terraform.source import HclSource

JOB = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
KEY = "arn:aws:kms:us-east-1:123456789012:key/5c2e4a8e-3f4b-4a61-9a0e-1d2f3b4c5d6e"


UNREAD = ExistingPolicies(why="no AWS credentials were found")


def matrix(manifest: Manifest, existing: ExistingPolicies = UNREAD) -> AccessMatrix:
    return access_matrix(manifest, source(manifest), existing)


def source(manifest: Manifest) -> HclSource:
    kms = f"arn:{manifest.partition}:kms:{manifest.region}:{manifest.account}"
    return read_source(terraform_sources(render(manifest)), partial(computed_arn, kms))


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def cell(found: AccessMatrix, role: str, target: str) -> AccessCell:
    [row] = [each for each in found.roles if each.name == role]
    return row.cells[[each.title for each in found.targets].index(target)]


@pytest.fixture(scope="module")
def prod() -> AccessMatrix:
    return matrix(load(ROOT / "envs/prod.yaml"))


def test_a_job_reaches_its_buckets_and_no_other(prod: AccessMatrix) -> None:
    assert cell(prod, "isaac-prod-job", "reference").allowed == ("list", "read")
    assert cell(prod, "isaac-prod-job", "results").allowed == ("list", "read", "write")
    assert cell(prod, "samtoolsStats-prod-job", "reference") == AccessCell()
    assert cell(prod, "isaac-prod-job", "Terraform's state") == AccessCell()
    assert cell(prod, "isaac-prod-job", "highPriority") == AccessCell()


def test_functions_submit_and_use_the_created_key(prod: AccessMatrix) -> None:
    assert cell(prod, "batchSubmitJob-prod", "highPriority").allowed == ("submit",)
    assert cell(prod, "batchGetJobStatus-prod", "highPriority") == AccessCell()
    assert cell(prod, "batchSubmitJob-prod", "created key").allowed == ("decrypt", "encrypt")


def test_conditions_are_shown_with_what_they_allow(prod: AccessMatrix) -> None:
    found = cell(prod, "germline-prod-workflow", "created key")
    assert (found.allowed, found.conditional) == ((), ("decrypt", "encrypt"))
    assert found.conditions[-1].startswith("kms:encryptioncontext:sourcearn StringEquals arn:aws:logs:us-east-1:")


def test_a_workflow_reaches_the_results_that_it_lists_and_nothing_else(prod: AccessMatrix) -> None:
    assert cell(prod, "germline-many-prod-workflow", "results") == AccessCell()
    assert cell(prod, "germline-many-prod-workflow", "highPriority").allowed == ("submit",)
    assert cell(prod, "germline-many-prod-workflow", "reference") == AccessCell(), "the workflow is not given its name"
    assert cell(prod, "germline-many-prod-workflow", "Terraform's state") == AccessCell()


def test_every_access_is_shown_as_it_is_given(tmp_path: Path) -> None:
    leaves_it_to_iam = policy(
        {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "kms:*", "Resource": "*"}
    )
    existing = ExistingPolicies({KEY: leaves_it_to_iam, "a-bucket": ""})

    def of(access: str) -> Any:
        bucket = {"name": "a-bucket", "access": access, "prefix": "p/", "kms_key": KEY}
        manifest = accept(tmp_path, buckets={"data": bucket}, jobs={"one": {**JOB, "buckets": ["data"]}})
        found = matrix(manifest, existing)
        return cell(found, "one-test-job", "data").allowed, cell(found, "one-test-job", "key of data").conditional

    assert of("read") == (("list", "read"), ("decrypt",))
    assert of("write") == (("list", "read", "write"), ("decrypt", "encrypt"))
    assert of("delete") == (("list", "read", "write", "delete"), ("decrypt", "encrypt"))


def test_a_key_whose_policy_was_not_read_is_unknown(tmp_path: Path) -> None:
    bucket = {"name": "a-bucket", "access": "read", "kms_key": KEY}
    found = matrix(accept(tmp_path, buckets={"data": bucket}, jobs={"one": {**JOB, "buckets": ["data"]}}))
    assert cell(found, "one-test-job", "key of data").unknown == ("decrypt",)
    why = "its policy decides too, and was not read: no AWS credentials were found"
    assert cell(found, "one-test-job", "key of data").reasons == (f"key of data: {why}",)
    notes = {target.title: target.notes for target in found.targets}
    assert notes["key of data"] == (why,)
    assert notes["data"] == ("its policy may forbid or allow more, and was not read: no AWS credentials were found",)


def test_the_policy_of_a_bucket_is_evaluated(tmp_path: Path) -> None:
    buckets = {"data": {"name": "a-bucket", "access": "write"}}
    manifest = accept(tmp_path, buckets=buckets, jobs={"one": {**JOB, "buckets": ["data"]}})
    everything = {"Principal": "*", "Resource": ["arn:aws:s3:::a-bucket", "arn:aws:s3:::a-bucket/*"]}

    def of(statement: dict[str, Any]) -> AccessCell:
        existing = ExistingPolicies({"a-bucket": policy({**everything, **statement})})
        return cell(matrix(manifest, existing), "one-test-job", "data")

    tls = {"Bool": {"aws:SecureTransport": "false"}}
    assert of({"Effect": "Deny", "Action": "s3:*", "Condition": tls}).allowed == ("list", "read", "write")
    assert of({"Effect": "Deny", "Action": "s3:PutObject"}).allowed == ("list", "read")
    assert of({"Effect": "Allow", "Action": "s3:DeleteObject"}).allowed == ("list", "read", "write", "delete")
    encrypted = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
    found = of({"Effect": "Deny", "Action": "s3:Put*", "Condition": encrypted})
    assert (found.allowed, found.conditional) == (("list", "read"), ("write",))
    assert found.conditions == ("not s3:x-amz-server-side-encryption StringNotEquals aws:kms",)


def test_a_boundary_limits_every_role() -> None:
    manifest = load(ROOT / "envs/examples/permissions-boundary.yaml")
    assert manifest.iam.permissions_boundary
    unread = matrix(manifest)
    assert cell(unread, "batchSubmitJob-bounded", "main").unknown == ("submit",)
    why = "the permissions boundary developer-boundary may forbid it, and was not read: no AWS credentials were found"
    assert cell(unread, "batchSubmitJob-bounded", "main").reasons == (why,)
    assert cell(unread, "batchGetJobStatus-bounded", "main") == AccessCell(), "its own policies do not allow it"
    assert {each.notes for each in unread.roles} == {(why,)}

    def of(*statements: dict[str, Any]) -> AccessCell:
        existing = ExistingPolicies({manifest.iam.permissions_boundary or "": policy(*statements)})
        return cell(matrix(manifest, existing), "batchSubmitJob-bounded", "main")

    assert of({"Effect": "Allow", "Action": "batch:*", "Resource": "*"}) == AccessCell(("submit",))
    assert of({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}) == AccessCell()
    tagged = {"StringEquals": {"aws:RequestTag/lab": "genomics"}}
    found = of({"Effect": "Allow", "Action": "batch:*", "Resource": "*", "Condition": tagged})
    assert (found.conditional, found.conditions) == (("submit",), ("aws:requesttag/lab StringEquals genomics",))


def test_a_role_that_exists_has_the_policies_that_were_read(tmp_path: Path) -> None:
    arn = "arn:aws:iam::123456789012:role/central/align"
    manifest = accept(tmp_path, jobs={"one": {**JOB, "role": arn}})
    unread = matrix(manifest)
    [existing] = [each for each in unread.roles if each.name == "align"]
    assert existing.about == "Role of one"
    assert cell(unread, "align", "main").unknown == ("submit", "change")
    assert existing.notes == ("the role exists already, and its policies were not read: no AWS credentials were found",)

    submits = policy({"Effect": "Allow", "Action": "batch:SubmitJob", "Resource": "*"})
    nothing = policy({"Effect": "Deny", "Action": "*", "Resource": "*"})
    for boundary, wanted in (("", AccessCell(("submit",))), (nothing, AccessCell())):
        read = ExistingPolicies(roles={arn: RolePolicies((("own", submits),), boundary)})
        found = matrix(manifest, read)
        assert cell(found, "align", "main") == wanted
        [row] = [each for each in found.roles if each.name == "align"]
        assert (row.notes, row.statements[0].actions) == ((), ("batch:SubmitJob",))


def test_a_policy_of_aws_reaches_no_bucket_queue_or_key(tmp_path: Path) -> None:
    found = matrix(accept(tmp_path, compute__spot__service_role="create"))
    [service] = [each for each in found.roles if each.name == "batchService-test"]
    assert service.assumed_by == ("batch.amazonaws.com",)
    assert service.notes == ("AWSBatchServiceRole of AWS is attached, for autoscaling, ec2, ecs, iam, logs",)
    assert all(each == AccessCell() for each in service.cells)
    for name, services in OF_AWS.items():
        document = json.loads(aws_managed_policies_data)[name]["Document"]
        actions = [action for each in document["Statement"] for action in listed(each["Action"])]
        assert {action.partition(":")[0] for action in actions} == {*services}


def test_policies_are_read_and_refusals_are_named(tmp_path: Path) -> None:
    role, boundary = "arn:aws:iam::123456789012:role/central/align", "arn:aws:iam::123456789012:policy/limits"
    bucket = {"name": "a-bucket", "access": "read", "kms_key": KEY}
    jobs = {"one": {**JOB, "buckets": ["data"]}, "two": {**JOB, "role": role}}
    manifest = accept(tmp_path, buckets={"data": bucket}, jobs=jobs, iam={"permissions_boundary": boundary})
    owners = policy_owners(manifest, source(manifest))
    assert owners == PolicyOwners((boundary,), ("a-bucket",), (KEY,), (role,))

    account = Account()
    text = policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    account.answers = {
        "GetPolicy": {"Policy": {"DefaultVersionId": "v3"}},
        "GetPolicyVersion": lambda asked: {"PolicyVersion": {"Document": text, "VersionId": asked["VersionId"]}},
        "GetBucketPolicy": Refusal("NoSuchBucketPolicy"),
        "GetKeyPolicy": Refusal(
            "AccessDeniedException",
            "User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized to perform: kms:GetKeyPolicy",
        ),
        "GetRole": Refusal("NoSuchEntity", "The role with name align cannot be found."),
    }
    found = existing_policies(account.clients, owners)
    assert json.loads(found.documents[boundary]) == json.loads(text)
    assert found.documents["a-bucket"] == ""
    assert found.why_unread(KEY) == "needs kms:GetKeyPolicy"
    assert "cannot be found" in found.why_unread(role)


def test_people_and_ci_have_the_policies_that_are_attached() -> None:
    manifest = load(ROOT / "envs/examples/access.yaml")
    everything = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
    found = matrix(manifest, ExistingPolicies({manifest.iam.permissions_boundary or "": everything}))
    assert cell(found, "batchAccessPlan-shared", "Terraform's state").allowed == ("list", "read")
    assert cell(found, "batchAccessApply-shared", "highPriority").allowed == ("change",)
    assert cell(found, "batchAccessSubmit-shared", "highPriority") == AccessCell()
    assert cell(found, "batchAccessSubmit-shared", "lowPriority").conditional == ("submit",)
