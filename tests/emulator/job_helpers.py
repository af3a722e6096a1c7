"""Submit jobs to an emulator and follow them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.emulator.probes import Lab

ENDED = {"SUCCEEDED", "FAILED"}


def submit(lab: Lab, queue: str, definition: str | None = None, **changes: Any) -> str:
    arguments = {"jobName": "j", "jobQueue": queue, "jobDefinition": definition or lab.definition()}
    return str(lab.client("batch").submit_job(**arguments | changes)["jobId"])


def running(command: list[str]) -> dict[str, Any]:
    return {"containerOverrides": {"command": command}}


def described(lab: Lab, job_id: str) -> Any:
    [job] = lab.client("batch").describe_jobs(jobs=[job_id])["jobs"]
    return job


def reason(lab: Lab, job_id: str) -> str:
    """Wait for the status reason of a job that stays RUNNABLE; a minute at most."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = described(lab, job_id)
        if job["status"] == "RUNNABLE" and job.get("statusReason"):
            return str(job["statusReason"])
    pytest.fail(f"after a minute the job has no status reason and is {job['status']}")


def follow(lab: Lab, job_id: str, until: set[str] | None = None) -> tuple[Any, list[str]]:
    """Wait until the job is in a wanted or final state; return it and the states seen; a minute at most."""
    seen: list[str] = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = described(lab, job_id)
        if job["status"] not in seen:
            seen.append(job["status"])
        if job["status"] in (until or ENDED):
            return job, seen
    pytest.fail(f"after a minute the job was only in the states {seen}")
