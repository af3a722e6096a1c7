"""Environments that others built are adopted: read, planned, applied and planned again, with the real terraform.

All are in one account and are applied once, as one environment; a job runs all the time.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from tests.emulator.adopt.built import (
    Builder,
    build_of_2017,
    build_of_cdk,
    build_of_terraform_aws_batch,
)
from tests.emulator.session import site_in

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from gen_infra.emulator import Emulator
    from tests.emulator.session import Session, Site

TAGS = "tags: {Project: genomics}\n"


class Adopted(NamedTuple):
    """What happened, from the account as it was built to the second plan."""

    site: Site
    before: dict[str, Any]
    job_id: str
    manifest: str
    plan: Any
    shown: str
    applied: subprocess.CompletedProcess[str]
    again: subprocess.CompletedProcess[str]
    after: dict[str, Any]


def described(aws: Emulator) -> dict[str, Any]:
    """Return what Batch says of everything but its tags and where a queue's order starts."""
    batch = aws.client("batch")
    queues = batch.describe_job_queues()["jobQueues"]
    computes = batch.describe_compute_environments()["computeEnvironments"]
    definitions = batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    policies = batch.describe_scheduling_policies(
        arns=[each["arn"] for each in batch.list_scheduling_policies()["schedulingPolicies"]]
    )
    order = "computeEnvironmentOrder"
    plain = [{**queue, order: [each["computeEnvironment"] for each in queue[order]]} for queue in queues]
    things = {
        **{each["jobQueueArn"]: each for each in plain},
        **{each["computeEnvironmentArn"]: each for each in computes},
        **{each["jobDefinitionArn"]: each for each in definitions},
        **{each["arn"]: each for each in policies["schedulingPolicies"]},
    }
    return {arn: {key: value for key, value in each.items() if key != "tags"} for arn, each in things.items()}


@pytest.fixture(scope="module")
def adopted(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adopted]:
    folder = tmp_path_factory.mktemp("adopt")
    with session.seeded() as aws, site_in(session, folder, aws, "lab") as site:
        builder = Builder(aws)
        build_of_2017(builder, "myenv")
        build_of_cdk(builder)
        build_of_terraform_aws_batch(builder)
        job = builder.batch.submit_job(
            jobName="runs", jobQueue="highPriority-myenv", jobDefinition="isaac-myenv",
            containerOverrides={"command": ["sleep", "3600"]},
        )  # fmt: skip
        before = described(aws)
        written = site.run("adopt", "--region", "us-east-1", "--name", "lab", "--released")
        assert written.returncode == 0, written.stderr
        (folder / "lab.yaml").write_text(written.stdout + TAGS)
        plan = site.run("plan", "lab.yaml", "--json")
        assert plan.returncode == 0, plan.stderr
        applied = site.run("apply", "lab.yaml", "--yes")
        again = site.run("plan", "lab.yaml", "--detailed-exitcode")
        yield Adopted(
            site, before, job["jobId"], written.stdout, json.loads(plan.stdout), applied.stdout, applied, again,
            described(aws),
        )  # fmt: skip


def test_the_plan_imports_and_tags_and_does_nothing_else(adopted: Adopted) -> None:
    assert all(each["by"] == "manifest" for each in adopted.plan["adopted"])
    assert {each["change"] for each in adopted.plan["adopted"]} <= {"nothing", "tags"}
    assert {change["action"] for change in adopted.plan["changes"]} == {"update"}
    details = {detail for change in adopted.plan["changes"] for detail in change["details"]}
    assert details == {"tags_all.Project: nothing -> genomics"}
    assert adopted.plan["dangers"] == []
    assert "  = takes over job queue highPriority-myenv, unchanged but for tags\n" in adopted.shown
    assert "  = takes over job definition isaac-myenv, unchanged\n" in adopted.shown


def test_nothing_else_changes_and_the_job_runs_on(adopted: Adopted) -> None:
    assert adopted.applied.returncode == 0, adopted.applied.stderr
    assert adopted.after == adopted.before
    (job,) = adopted.site.aws.client("batch").describe_jobs(jobs=[adopted.job_id])["jobs"]
    assert (job["status"], len(job["attempts"])) == ("RUNNING", 0)


def test_everything_is_taken_over_but_what_is_shared(adopted: Adopted) -> None:
    existing = yaml.safe_load(adopted.manifest)["existing"]
    assert sorted(existing["compute"].values()) == [
        "Ec2ComputeEnv4A1B2C3D-Xyz9876543210abc",
        "FargateEnv9F8E7D6C-Qwe1234567890rty",
        "ec2_spot2026110112345600000000001",
        "genomicsEnv-myenv",
    ]
    assert existing["jobs"]["isaac"] == "isaac-myenv:1"
    assert existing["scheduling_policies"] == {"HighPriorityEc2": "HighPriorityEc2"}
    assert existing["repositories"] == {name: name for name in ("isaac", "samtools_stats", "snpeff", "strelka")}
    assert existing["log_groups"] == ["LabStack-JobLogs5D6E7F-8a9b0c"]
    assert "instance profile ecsInstanceRole: AWS's console creates it once for the whole account" in adopted.manifest
    role = adopted.site.aws.client("iam").get_role(RoleName="ecsTaskRole-myenv")["Role"]
    assert {tag["Key"]: tag["Value"] for tag in role["Tags"]} == {"Lab": "seq", "Project": "genomics"}


def test_the_next_plan_is_empty_and_the_imports_are_left_out(adopted: Adopted) -> None:
    assert (adopted.again.returncode, adopted.again.stdout) == (
        0,
        "nothing to do: the environment matches the manifest\n",
    ), adopted.again.stderr
    assert not (adopted.site.folder / "build" / "lab" / "terraform" / "imports.tf").exists()


def test_a_folder_without_that_note_imports_again_which_changes_nothing(adopted: Adopted) -> None:
    root = adopted.site.folder / "build" / "lab"
    note = (root / ".gen-infra.imported").read_text()
    (root / ".gen-infra.imported").unlink()
    try:
        again = adopted.site.run("plan", "lab.yaml", "--detailed-exitcode")
        assert (root / "terraform" / "imports.tf").exists()
    finally:
        (root / ".gen-infra.imported").write_text(note)
    assert again.returncode == 0, again.stdout + again.stderr
