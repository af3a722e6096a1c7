"""Limits of AWS on what a manifest leads to: for each, a manifest that keeps it and one that breaks it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest import job_policies as policies
from gen_infra.manifest import load_with_warnings
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.manifest.rules.limits import job_definition_bytes
from gen_infra.render.containers import container_properties
from tests.unit.manifests import accept, changed, write

if TYPE_CHECKING:
    from pathlib import Path

BAKED = {"carrier": "baked", "iops": 8000}
REBUILT = {"image": {"parameter": "/a/b", "rebuild": {"schedule": "rate(7 days)", "bucket": "abc"}}}
JOB: dict[str, Any] = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
KEY = "arn:{}:kms:{}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EAST_KEY, WEST_KEY = KEY.format("aws", "us-east-1"), KEY.format("aws", "us-west-2")
ROLE, FOREIGN_ROLE = (f"arn:aws:iam::{account}:role/batch" for account in ("123456789012", "210987654321"))
POLICY, FOREIGN_POLICY = (f"arn:aws:iam::{account}:policy/b" for account in ("aws", "210987654321"))


def buckets(count: int) -> dict[str, Any]:
    many = {
        f"b{index}": {"name": f"bucket-{index}", "access": "write", "prefix": "p" * 90 + "/"} for index in range(count)
    }
    return {"buckets": many, "jobs": {"j": {**JOB, "buckets": list(many)}}}


def queues(count: int, length: int = 1) -> dict[str, Any]:
    return {"queues": {f"q{index:0{length}}": {"priority": 1, "compute": ["spot"]} for index in range(count)}}


def jobs(prefix: str, count: int) -> dict[str, Any]:
    return {"jobs": {f"{prefix}{index}": {**JOB} for index in range(count)}}


def computes(count: int) -> dict[str, Any]:
    return {"compute": {"spot": {"max_vcpus": 8}} | {f"c{index}": {"max_vcpus": 8} for index in range(count - 1)}}


def variables(count: int) -> dict[str, Any]:
    return {"jobs": {"j": {**JOB, "environment": {f"V{index}": "x" * 100 for index in range(count)}}}}


def pulls(count: int) -> dict[str, Any]:
    image = "999999999999.dkr.ecr.eu-west-1.amazonaws.com/lab/" + "n" * 40
    return {"jobs": {f"a{index}": {**JOB, "image": f"{image}{index}:1"} for index in range(count)}}


# rule, kept by, broken by, what is said
ERRORS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("queues", queues(50), queues(51), "queues: has 51 entries; AWS Batch allows 50"),
    ("environments", computes(50), computes(51), "compute: has 51 entries; AWS Batch allows 50"),
    ("definition size", variables(150), variables(200), "jobs.j: makes a definition of about 2"),
    ("instances' policies", pulls(50), pulls(100), "jobs: images come from 100 ECR repositories, which"),
    ("job role's policy", buckets(30), buckets(60), "jobs.j.buckets: these 60 buckets make role policies of"),
    (
        "tag keys",
        {"tags": {"Project": "a", "Projects": "b"}},
        {"tags": {"Project": "a", "project": "b"}},
        'tags.project: "project" and "Project" are the same key for IAM',
    ),
    (
        "own tag keys",
        {"tags": {"Project": "a"}, "queues__main__tags": {"Project": "b", "Team": "rna"}},
        {"tags": {"Project": "a"}, "queues__main__tags": {"project": "b"}},
        'queues.main.tags.project: "project" and "Project" differ only in letter case; use one spelling',
    ),
    (
        "own tag keys of a job",
        {"jobs": {"j": {**JOB, "tags": {"Team": "rna"}}}},
        {"jobs": {"j": {**JOB, "tags": {"Team": "rna", "team": "rna"}}}},
        'jobs.j.tags.team: "team" and "Team" differ only in letter case; use one spelling',
    ),
    (
        "tags of a job",
        {"tags": {"K0": "", "P": ""}, "jobs": {"j": {**JOB, "tags": {f"K{index}": "" for index in range(47)}}}},
        {"tags": {"K0": "", "P": ""}, "jobs": {"j": {**JOB, "tags": {f"K{index}": "" for index in range(48)}}}},
        "jobs.j.tags: with the environment's tags these are 51 tags; AWS allows 50 of a resource",
    ),
    (
        "tags of instances",
        {"tags": {}, "compute__spot__tags": {f"K{index}": "" for index in range(48)}},
        {"tags": {}, "compute__spot__tags": {f"K{index}": "" for index in range(49)}},
        "compute.spot.tags: with the environment's tags, and the Name of instances, these are 51 tags; AWS allows 50",
    ),
    (
        "tags of objects",
        {**REBUILT, "tags": {f"K{index}": "" for index in range(8)}},
        {**REBUILT, "tags": {f"K{index}": "" for index in range(9)}},
        "tags: with the 2 that gen-infra adds these are 11 tags; S3 allows 10 of an object, and image.rebuild needs",
    ),
    (
        "tags of AWS",
        {"compute__spot__tags": {"Team": "rna"}},
        {"compute__spot__tags": {"aws:team": "rna"}},
        'compute.spot.tags.aws:team: "aws:team" is not 1 to 128 letters',
    ),
    (
        "iops",
        {"image": {"scratch": {"size_gib": 10, "iops": 5000}, "root": {"iops": 16000}}},
        {"image": {"scratch": {"size_gib": 10, "iops": 5001}}},
        "image.scratch.iops: 5001 is more than 10 GiB take: 5000",
    ),
    (
        "gp3 of 2025",
        {"image": {"scratch": {"size_gib": 65536, "iops": 80000, "throughput_mib_s": 1000}}},
        {"image": {"scratch": {"size_gib": 2000, "iops": 40000, "throughput_mib_s": 1250}}},
        "image.scratch.throughput_mib_s: 1250 is above 1000, the most that Terraform's AWS provider 5.100 accepts; "
        "AWS itself allows 2000",
    ),
    (
        "gp3 of 2025 with version 6 of the provider",
        {"terraform": {"aws_provider": 6}, "image": {"scratch": {"iops": 8000, "throughput_mib_s": 1250}}},
        {"terraform": {"aws_provider": 5}, "image": {"scratch": {"iops": 8000, "throughput_mib_s": 1250}}},
        "image.scratch.throughput_mib_s: 1250 is above 1000, the most that Terraform's AWS provider 5.100 accepts",
    ),
    (
        "a baked volume of gp3 with version 6 of the provider",
        {"terraform": {"aws_provider": 6}, "image": {"scratch": {**BAKED, "throughput_mib_s": 1000}}},
        {"terraform": {"aws_provider": 6}, "image": {"scratch": {**BAKED, "throughput_mib_s": 1001}}},
        "image.scratch.throughput_mib_s: 1001 is above 1000, the most that Packer's Amazon plugin accepts for a baked "
        "volume; AWS itself allows 2000, with carrier launch_template",
    ),
    (
        "gp2's size",
        {"image": {"scratch": {"size_gib": 16384, "type": "gp2"}}},
        {"image": {"scratch": {"size_gib": 16385, "type": "gp2"}}},
        "image.scratch.size_gib: 16385 is above 16384, the most of a gp2 volume; use gp3",
    ),
    (
        "baked iops",
        {"image": {"scratch": {"carrier": "baked", "iops": 16000}}},
        {"image": {"scratch": {"carrier": "baked", "iops": 16001}}},
        "image.scratch.iops: 16001 is above 16000, the most that Packer's Amazon plugin accepts for a baked volume",
    ),
    (
        "key's region",
        {"encryption": {"key": EAST_KEY}},
        {"encryption": {"key": WEST_KEY}},
        "encryption.key: is in region us-west-2, and this environment is in us-east-1",
    ),
    (
        "key's partition",
        {"buckets": {"r": {"name": "abc", "access": "read", "kms_key": WEST_KEY}}},
        {"buckets": {"r": {"name": "abc", "access": "read", "kms_key": KEY.format("aws-cn", "us-east-1")}}},
        "buckets.r.kms_key: is in partition aws-cn, and this environment is in aws",
    ),
    (
        "role's account",
        {"compute__spot__service_role": ROLE},
        {"compute__spot__service_role": FOREIGN_ROLE},
        "compute.spot.service_role: is in account 210987654321, and this environment is in 123456789012",
    ),
    (
        "boundary's account",
        {"iam": {"permissions_boundary": POLICY}},
        {"iam": {"permissions_boundary": FOREIGN_POLICY}},
        "iam.permissions_boundary: is in account 210987654321",
    ),
    (
        "role name",
        {"name": "e" * 24, "jobs": {"j" * 35: JOB}},
        {"name": "e" * 24, "jobs": {"j" * 36: JOB}},
        '-job" with 65 characters; 1 to 64 are allowed',
    ),
    (
        "role names' case",
        {"jobs": {"isaac": JOB, "isaac2": {**JOB}}},
        {"jobs": {"isaac": JOB, "Isaac": {**JOB}}},
        'jobs.Isaac: its job definition "Isaac-test" differs from "isaac-test" only in letter case',
    ),
    (
        "variable without a value",
        {"jobs": {"j": {**JOB, "environment": {"A": "0"}}}},
        {"jobs": {"j": {**JOB, "environment": {"A": ""}}}},
        "jobs.j.environment.A: Terraform's AWS provider 5.100 drops variables that are empty; give it a value",
    ),
]  # fmt: skip

WARNINGS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "instance type of one node",
        {"jobs": {"j": {**JOB, "container_properties": {}}}},
        {"jobs": {"j": {**JOB, "container_properties": {"instanceType": "c7i.large"}}}},
        "jobs.j.container_properties.instanceType: is for jobs with nodes",
    ),
    (
        "Name of instances",
        {"queues__main__tags": {"Name": "x"}},
        {"compute__spot__tags": {"Name": "x"}},
        "compute.spot.tags.Name: instances and volumes get",
    ),
    ("Name", {"tags": {"name": "x"}}, {"tags": {"Name": "x"}}, "tags.Name: instances and volumes get"),
    (
        "service role",
        {"compute__spot__service_role": "service-linked"},
        {"compute__spot__service_role": "create"},
        "compute.spot.service_role: with any role but the service-linked one, every change replaces",
    ),
    (
        "strategy",
        {"compute__spot__allocation_strategy": "SPOT_CAPACITY_OPTIMIZED"},
        {"compute__spot__allocation_strategy": "SPOT_PRICE_CAPACITY_OPTIMIZED"},
        "compute.spot.allocation_strategy: with SPOT_PRICE_CAPACITY_OPTIMIZED, every change replaces",
    ),
    (
        "strategy and version",
        {"terraform__aws_provider": 6, "compute__spot__allocation_strategy": "SPOT_PRICE_CAPACITY_OPTIMIZED"},
        {"terraform__aws_provider": 6, "compute__spot__allocation_strategy": "BEST_FIT"},
        "compute.spot.allocation_strategy: with BEST_FIT, every change replaces the compute environment; "
        "BEST_FIT_PROGRESSIVE, SPOT_CAPACITY_OPTIMIZED and SPOT_PRICE_CAPACITY_OPTIMIZED allow changes in place",
    ),
    ("minimum", {"compute__spot__min_vcpus": 0}, {"compute__spot__min_vcpus": 8}, "8 vCPUs always run and cost money"),
    (
        "disabled environment",
        {"compute__spot__state": "DISABLED", "queues__main__state": "DISABLED"},
        {"compute__spot__state": "DISABLED"},
        "queues.main.compute: all of these compute environments are DISABLED",
    ),
    (
        "disabled queue",
        {"jobs": {"j": JOB}},
        {"jobs": {"j": JOB}, "queues__main__state": "DISABLED"},
        "queue main is DISABLED and accepts no jobs",
    ),
    (
        "AWS's image",
        {"image": {"parameter": "/a/b"}, "jobs": {"j": {**JOB, "scratch": "/scratch"}}},
        {"jobs": {"j": {**JOB, "scratch": "/scratch"}}},
        "jobs.j.scratch: AWS's image does not mount the scratch volume, so /docker_scratch is a folder "
        "of the root volume, which all jobs on an instance share",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kept", "broken", "says"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_error(tmp_path: Path, kept: dict[str, Any], broken: dict[str, Any], says: str) -> None:
    accept(tmp_path, **kept)
    with pytest.raises(ManifestError) as refusal:
        accept(tmp_path, **broken)
    (problem,) = refusal.value.problems
    assert says in str(problem)
    assert problem.line > 1


@pytest.mark.parametrize(
    ("quiet", "warned", "says"), [case[1:] for case in WARNINGS], ids=[case[0] for case in WARNINGS]
)
def test_warning(tmp_path: Path, quiet: dict[str, Any], warned: dict[str, Any], says: str) -> None:
    assert load_with_warnings(write(tmp_path, changed(**quiet))).warnings == ()
    path = write(tmp_path, changed(**warned))
    (problem,) = load_with_warnings(path).warnings
    assert says in str(problem)
    with pytest.raises(ManifestError, match="has one warning") as refusal:
        load_with_warnings(path, strict=True)
    assert (refusal.value.exit_code, refusal.value.problems) == (2, [problem])


def test_prod_and_dev_have_no_warnings(envs: Path) -> None:
    for name in ("prod", "dev"):
        assert load_with_warnings(envs / f"{name}.yaml", strict=True).warnings == ()


def test_the_size_of_a_definition_is_not_underestimated(tmp_path: Path) -> None:
    everything = {
        **JOB, "command": ["é" * 50] * 10, "environment": {f"V{n}": '"\\' * 20 for n in range(100)},
        "parameters": {f"p{n}": "x" * 50 for n in range(20)}, "scratch": "/s",
    }  # fmt: skip
    manifest = accept(tmp_path, name="e" * 24, jobs={"j" * 35: everything})
    (key, job), *_ = manifest.jobs.items()
    real = {"containerProperties": container_properties(manifest, key), "parameters": job.parameters}
    size = len(json.dumps(real, ensure_ascii=False, separators=(",", ":")).encode())
    assert size <= job_definition_bytes(job) <= size + 2048


def test_the_submit_function_names_each_definition_while_there_is_room(tmp_path: Path) -> None:
    few = accept(tmp_path, **jobs("job", 35))
    many = accept(tmp_path, **jobs("job", 80))
    long_names = accept(tmp_path, name="e" * 24, region="us-gov-west-1", **jobs("j" * 33, 36), **queues(50, 39))
    assert len(policies.job_definition_arns(few)) == 35
    for manifest in (many, long_names):
        arns = policies.job_definition_arns(manifest)
        assert arns == [manifest.batch_arn("job-definition", "*")]
        assert policies.are_definitions_known_by_tag(manifest)
        assert policies.submit_role_policies_size(manifest, arns) <= policies.ROLE_POLICIES_LIMIT


def test_what_existed_before_is_named_beside_the_pattern(tmp_path: Path) -> None:
    """It may lack the tag that a pattern requires."""
    many = jobs("job", 80)
    existing = {"jobs": {"job0": "isaac-2017:4", "job1": "strelka-2017", "job2": "snpeff"}}
    arns = policies.job_definition_arns(accept(tmp_path, name="b-prod", **many, existing=existing))
    assert [arn.rpartition("/")[2] for arn in arns] == ["*-b-prod", "isaac-2017", "snpeff", "strelka-2017"]


def test_an_environment_that_adopts_too_many_definitions_is_refused(tmp_path: Path) -> None:
    def adopting(count: int) -> dict[str, Any]:
        return {**jobs("job", count), "existing": {"jobs": {f"job{n}": f"lab-{n}:1" for n in range(count)}}}

    fits = accept(tmp_path, **adopting(45))
    assert not policies.are_definitions_known_by_tag(fits)
    with pytest.raises(
        ManifestError, match=r"existing\.jobs: 80 job definitions make policies of the submit function's"
    ):
        accept(tmp_path, **adopting(80))


def test_a_policy_is_counted_as_iam_counts_it(tmp_path: Path) -> None:
    bucket = {"name": "abc", "access": "read", "prefix": "p/"}
    manifest = accept(tmp_path, buckets={"r": bucket}, jobs={"j": {**JOB, "buckets": ["r"]}})
    policy = (
        '{"Version":"2012-10-17","Statement":['
        '{"Sid":"LocateBuckets","Effect":"Allow","Action":["s3:GetBucketLocation"],"Resource":["arn:aws:s3:::abc"]},'
        '{"Sid":"FindBuckets","Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::abc"],'
        '"Condition":{"Null":{"s3:prefix":["true"]}}},'
        '{"Sid":"FindPrefixes","Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::abc/p"]},'
        '{"Sid":"ReadList0","Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::abc"],'
        '"Condition":{"StringLike":{"s3:prefix":["p","p/*"]}}},'
        '{"Sid":"ReadObjects","Effect":"Allow","Action":["s3:GetObject","s3:GetObjectTagging"],'
        '"Resource":["arn:aws:s3:::abc/p/*"]}]}'
    )
    assert policies.role_policies_sizes(manifest, "j") == {"j": len(policy)}
