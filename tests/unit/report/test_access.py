"""Which role reaches what, by the rendered policies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.check.runner import terraform_sources
from gen_infra.manifest import load
from gen_infra.render.files import render
from gen_infra.report.access import access_matrix, computed_arn
from gen_infra.report.data import AccessCell, AccessMatrix
from gen_infra.terraform.source import read_source
from tests.conftest import ROOT
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest

JOB = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
KEY = "arn:aws:kms:us-east-1:123456789012:key/5c2e4a8e-3f4b-4a61-9a0e-1d2f3b4c5d6e"


def matrix(manifest: Manifest) -> AccessMatrix:
    kms = f"arn:{manifest.partition}:kms:{manifest.region}:{manifest.account}"
    return access_matrix(manifest, read_source(terraform_sources(render(manifest)), partial(computed_arn, kms)))


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
    def of(access: str) -> Any:
        bucket = {"name": "a-bucket", "access": access, "prefix": "p/", "kms_key": KEY}
        found = matrix(accept(tmp_path, buckets={"data": bucket}, jobs={"one": {**JOB, "buckets": ["data"]}}))
        return cell(found, "one-test-job", "data").allowed, cell(found, "one-test-job", "key of data").conditional

    assert of("read") == (("list", "read"), ("decrypt",))
    assert of("write") == (("list", "read", "write"), ("decrypt", "encrypt"))
    assert of("delete") == (("list", "read", "write", "delete"), ("decrypt", "encrypt"))


def test_a_role_that_exists_is_unknown_and_what_is_not_evaluated_is_named(tmp_path: Path) -> None:
    arn = "arn:aws:iam::123456789012:role/central/align"
    found = matrix(accept(tmp_path, jobs={"one": {**JOB, "role": arn}}, compute__spot__service_role="create"))
    [existing] = [each for each in found.roles if each.name == "align"]
    assert existing.about == "Role of one"
    assert cell(found, "align", "main").unknown == ("submit", "change")
    [service] = [each for each in found.roles if each.name == "batchService-test"]
    assert service.assumed_by == ("batch.amazonaws.com",)
    assert service.notes == ("AWSBatchServiceRole is attached: AWS's policy, which is not evaluated here",)


def test_people_and_ci_have_the_policies_that_are_attached() -> None:
    found = matrix(load(ROOT / "envs/examples/access.yaml"))
    assert cell(found, "batchAccessPlan-shared", "Terraform's state").allowed == ("list", "read")
    assert cell(found, "batchAccessApply-shared", "highPriority").allowed == ("change",)
    assert cell(found, "batchAccessSubmit-shared", "highPriority") == AccessCell()
    assert cell(found, "batchAccessSubmit-shared", "lowPriority").conditional == ("submit",)
    [submit] = [each for each in found.roles if each.name == "batchAccessSubmit-shared"]
    assert any("permissions boundary" in note for note in submit.notes)
