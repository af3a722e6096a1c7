"""Jobs that are submitted to an emulator and followed."""

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
    """What Batch says of why the job stays RUNNABLE, as soon as it does; a minute at most."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = described(lab, job_id)
        if job["status"] == "RUNNABLE" and job.get("statusReason"):
            return str(job["statusReason"])
    pytest.fail(f"after a minute Batch says nothing, and the job is {job['status']}")


def follow(lab: Lab, job_id: str, until: set[str] | None = None) -> tuple[Any, list[str]]:
    """The job in its last or wanted state, and the states that it was seen in; a minute at most."""
    seen: list[str] = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = described(lab, job_id)
        if job["status"] not in seen:
            seen.append(job["status"])
        if job["status"] in (until or ENDED):
            return job, seen
    pytest.fail(f"after a minute the job has only been {seen}")
