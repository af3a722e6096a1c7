"""Environments that others built are adopted: read, planned, applied and planned again, with the real terraform.

All are in one account and are applied once, as one environment; a job runs all the time. The tests change that
environment in this order; the last one gives a compute environment its successor.
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
from tests.fault_injection.interruption import Run
from tests.polling import wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

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
    assert details == {
        "tags_all.Project: nothing -> genomics",
        "tags_all.gen-infra:environment: nothing -> lab",
    }
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
    assert existing["compute"] == {
        "genomicsEnv": "genomicsEnv-myenv",
        "managedEc2CE": "managedEc2CE195A935F-AbCdEfGhIjKlMnOp",
        "newManagedEc2CE": "newManagedEc2CECBFFDA3E-AbCdEfGhIjKlMnOp",
        "minimalPropsFargate": "minimalPropsFargate58449235-AbCdEfGhIjKlMnOp",
        "ec2_spot": "ec2_spot-20260108215819000100000001",
        "ec2": "ec2-20260108215819000100000001",
    }
    assert {existing["jobs"][key] for key in ("isaac", "foofoo", "ECSDockerJobDefn")} == {
        "isaac-myenv:1", "foofoo:1", "ECSDockerJobDefnF388CFCF-AbCdEfGhIjKlMnOp:1",
    }  # fmt: skip
    assert existing["scheduling_policies"] == {
        "joBBQ": "joBBQFairsharePolicy",
        "LowPriorityEc2": "LowPriorityEc2",
        "HighPriorityEc2": "HighPriorityEc2",
    }
    assert existing["repositories"] == {name: name for name in ("isaac", "samtools_stats", "snpeff", "strelka")}
    assert existing["log_groups"] == ["/aws/batch/batch-ex-ec2"]
    assert "instance profile ecsInstanceRole: AWS's console creates it once for the whole account" in adopted.manifest
    assert "-us-east-1: CDK's bootstrap stack creates it once for the whole account" in adopted.manifest
    assert "compute environment ec2_unmanaged-20260108215819000100000001 uses it too" in adopted.manifest
    role = adopted.site.aws.client("iam").get_role(RoleName="ecsTaskRole-myenv")["Role"]
    assert {tag["Key"]: tag["Value"] for tag in role["Tags"]} == {
        "Lab": "seq",
        "Project": "genomics",
        "gen-infra:environment": "lab",
    }


def test_the_next_plan_is_empty_and_the_imports_are_left_out(adopted: Adopted) -> None:
    assert (adopted.again.returncode, adopted.again.stdout) == (
        0,
        "nothing to do: the environment matches the manifest\n",
    ), adopted.again.stderr
    assert not (adopted.site.folder / "build" / "lab" / "terraform" / "imports.tf").exists()


def test_no_second_environment_takes_it_over(adopted: Adopted, session: Session, tmp_path: Path) -> None:
    """Neither `adopt` nor a copy of the manifest with another name: the tags say whose everything is."""
    site = adopted.site
    refused = site.run("adopt", "--region", "us-east-1", "--name", "rival", "--released")
    assert (refused.returncode, refused.stdout) == (1, "")
    [line] = [line for line in refused.stderr.splitlines() if line.startswith("  environment lab (tag gen-infra:")]
    for kind in ("job queue", "compute environment", "scheduling policy", "repository", "log group", "role"):
        assert f" {kind} " in line
    assert "job definition" not in line, "Terraform would register another revision"
    (tmp_path / "rival.yaml").write_text((adopted.manifest + TAGS).replace("name: lab\n", "name: rival\n"))
    with site_in(session, tmp_path, site.aws, "rival") as rival:
        planned = rival.run("plan", "rival.yaml")
    assert planned.returncode == 2, planned.stdout
    assert "the plan of rival has resources with the tag gen-infra:environment of another environment: lab: " in (
        planned.stderr
    )
    assert "aws_batch_job_queue.highPriority" in planned.stderr


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


def test_check_reports_only_roles_which_the_policy_file_accepts(adopted: Adopted) -> None:
    _, _, entries = adopted.manifest.partition("gen-infra check fails:\n")
    lines = entries.splitlines()[: entries.splitlines().index("name: lab")]
    policy = adopted.site.folder / "policy.yaml"
    policy.write_text("\n".join(line.removeprefix("#   ") for line in lines))
    checked = adopted.site.run("check", "lab.yaml", "--policy", policy, "--json")
    assert checked.returncode == 0, checked.stderr
    kept = {each["check"] for each in yaml.safe_load(policy.read_text())["suppressions"]}
    assert kept == {"GI_IAM_1", "GI_IAM_2", "GI_IAM_8"}, "trust, policies and profiles of roles that stay"
    answer = json.loads(checked.stdout)
    failed = {
        finding["message"].split()[0]
        for check in answer["checks"]
        for finding in check["findings"]
        if finding["level"] == "failed"
    }
    assert not [check["summary"] for check in answer["checks"] if "no plan can be made" in check["summary"]]
    assert failed == set()


def test_a_compute_environment_gets_a_successor_and_no_job_is_lost(adopted: Adopted) -> None:
    """Its name is no prefix; the queues are pointed to the successor, and the old one is deleted when it is empty."""
    site, batch = adopted.site, adopted.site.aws.client("batch")
    queues = ["highPriority-myenv", "lowPriority-myenv"]

    def computes() -> dict[str, str]:
        """Return the names of the series' compute environment and of its successor, with their states."""
        found = batch.describe_compute_environments()["computeEnvironments"]
        names = {each["computeEnvironmentName"]: each["state"] for each in found}
        return {name: state for name, state in names.items() if name.startswith("genomicsEnv-")}

    def pointed_to() -> list[str]:
        found = batch.describe_job_queues(jobQueues=queues)["jobQueues"]
        return [each["computeEnvironment"].rpartition("/")[2] for q in found for each in q["computeEnvironmentOrder"]]

    def described_job() -> Any:
        (job,) = batch.describe_jobs(jobs=[adopted.job_id])["jobs"]
        return job

    line = "    genomicsEnv: genomicsEnv-myenv\n"
    manifest = site.folder / "lab.yaml"
    assert manifest.read_text().count(line) == 1
    manifest.write_text(manifest.read_text().replace(line, ""))
    arns = {each["jobQueueArn"] for each in batch.describe_job_queues(jobQueues=queues)["jobQueues"]}
    planned = site.run("plan", "lab.yaml")
    assert "  ± replace compute environment genomicsEnv-myenv by genomicsEnv-lab (new one first)\n" in planned.stdout, (
        planned.stderr
    )

    run = Run(["apply", "lab.yaml", "--yes"], site.folder, site.environ)
    run.wait_for("genomicsEnv-myenv accepts no more jobs; waits for runs")
    (successor,) = computes().keys() - {"genomicsEnv-myenv"}
    assert computes() == {"genomicsEnv-myenv": "DISABLED", successor: "ENABLED"}
    assert pointed_to() == [successor, successor]
    assert (described_job()["status"], described_job()["attempts"]) == ("RUNNING", [])

    batch.terminate_job(jobId=adopted.job_id, reason="its work is done")
    wait_until(lambda: described_job()["status"] == "FAILED")
    assert run.end() == 0, run.stderr
    assert described_job()["statusReason"] == "its work is done"
    assert [*computes()] == [successor]
    assert {each["jobQueueArn"] for each in batch.describe_job_queues(jobQueues=queues)["jobQueues"]} == arns
    again = site.run("plan", "lab.yaml", "--detailed-exitcode")
    assert again.returncode == 0, again.stdout + again.stderr
