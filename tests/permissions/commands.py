"""Run the commands of the roles `submit` and `operate`, so that each makes all the calls that it has the rights for."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.permissions.complete import NAME
from tests.permissions.environments import run
from tests.permissions.policies import ACCOUNT_ID
from tests.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.emulator import Emulator
    from tests.emulator.session import Site

_EXECUTIONS = f"arn:aws:states:us-east-1:{ACCOUNT_ID}:execution"
_READS = ("fastq1=s3://genomics-results-123456789012/1.fq.gz", "fastq2=s3://genomics-results-123456789012/2.fq.gz")


def start_runs(aws: Emulator, site: Site, path: Path) -> None:
    """Start a run for one sample and one for a list, follow both, and continue one that was stopped."""
    aws.client("s3").create_bucket(Bucket="genomics-results-123456789012")
    with _waiting_jobs(aws):
        run(site, "run", path, "germline", "sample=NA12878", *_READS, "--name", "one")
        run(site, "runs", path)
        aws.client("stepfunctions").stop_execution(executionArn=f"{_EXECUTIONS}:germline-{path.stem}:one")
    run(site, "runs", path, "one", "--resume")
    run(site, "why", path, "one")
    samples = path.with_name("samples.csv")
    samples.write_text("\n".join(["sample,fastq1,fastq2", *(f"{name},s3://lab/1,s3://lab/2" for name in "ab")]))
    run(site, "run", path, "germline", "--samples", str(samples), "--name", "many", "--watch")


def stop_and_continue(aws: Emulator, site: Site, path: Path) -> None:
    """Start, stop and continue runs, and show one for a list."""
    with _waiting_jobs(aws):
        run(site, "run", path, "germline", "sample=NA12891", *_READS, "--name", "other")
        run(site, "cancel", path, "other", "--yes")
    run(site, "runs", path, "other", "--resume")
    run(site, "why", path, "other")
    run(site, "runs", path)
    run(site, "runs", path, "many")
    run(site, "cost", path)
    run(site, "cost --source cost-explorer", path, code=2)  # the account has no bill
    samples = path.with_name("samples.csv")
    run(site, "run", path, "germline", "--samples", str(samples), "--name", "again")


def submit_and_cancel(aws: Emulator, site: Site, path: Path, job: str) -> None:
    """Submit a job that waits, one that runs, one that loses its host and one that ends; cancel the first two."""
    batch = aws.client("batch")
    [spot] = [name for name in _environments(batch) if name.startswith("spot-")]
    aws.refuse_launches(spot, "There is no Spot capacity available that matches your request.")
    waiting = _submit(site, path, job)
    wait_until(lambda: _status(batch, waiting) == "RUNNABLE")
    run(site, "jobs", path)
    run(site, "jobs", path, waiting)
    run(site, "why", path, waiting)
    run(site, "cancel", path, waiting, "--yes")
    aws.allow_launches(spot)
    running, lost = (_submit(site, path, job, "--attempts", "1", "--", "sleep", "600") for _ in range(2))
    wait_until(lambda: {_status(batch, running), _status(batch, lost)} == {"RUNNING"})
    run(site, "cancel", path, running, "--yes")
    _replace_hosts(batch, spot)
    wait_until(lambda: _status(batch, lost) == "FAILED")
    run(site, "why", path, lost)
    ended = json.loads(run(site, "submit", path, job, "--watch", "--json"))["id"]
    run(site, "logs", path, ended)


def keep_busy(aws: Emulator) -> None:
    """Run a job on the compute environment that is replaced when it changes."""
    batch = aws.client("batch")
    job = {"jobName": "long", "jobQueue": f"slow-{NAME}", "jobDefinition": f"align-{NAME}", "shareIdentifier": "clinic"}
    command = {"command": ["sleep", "600"]}
    made = batch.submit_job(**job, schedulingPriorityOverride=1, containerOverrides=command)
    wait_until(lambda: _status(batch, made["jobId"]) == "RUNNING")


@contextmanager
def _waiting_jobs(aws: Emulator) -> Iterator[None]:
    """Start no jobs inside, so that a run does not end before it is stopped, however slow this machine is."""
    environments = _environments(aws.client("batch"))
    for each in environments:
        aws.refuse_launches(each, "There is no Spot capacity available that matches your request.")
    yield
    for each in environments:
        aws.allow_launches(each)


def _submit(site: Site, path: Path, job: str, *arguments: str) -> str:
    return str(json.loads(run(site, "submit", path, job, "--json", *arguments))["id"])


def _replace_hosts(batch: Any, environment: str) -> None:
    """Let a compute environment have other instances at once, which ends the jobs on those that it has."""
    [found] = batch.describe_compute_environments(computeEnvironments=[environment])["computeEnvironments"]
    types = found["computeResources"]["instanceTypes"]
    batch.update_compute_environment(
        computeEnvironment=environment,
        updatePolicy={"terminateJobsOnUpdate": True},
        computeResources={
            "instanceTypes": ["m5" if "c5" in types else "c5"],
            "allocationStrategy": "SPOT_CAPACITY_OPTIMIZED",
        },
    )


def _status(batch: Any, job: str) -> str:
    return str(batch.describe_jobs(jobs=[job])["jobs"][0]["status"])


def _environments(batch: Any) -> list[str]:
    return [each["computeEnvironmentName"] for each in batch.describe_compute_environments()["computeEnvironments"]]
