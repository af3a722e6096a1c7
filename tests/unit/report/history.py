"""The answers of AWS about a queue and its jobs of the last days: of each fate one, and an array."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gen_infra.report.live import live_data
from tests.unit.recorded import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest
    from gen_infra.report.data import LiveData
    from tests.unit.recorded import Account

NOW = datetime(2026, 11, 29, 15, tzinfo=UTC)
BATCH = "arn:aws:batch:us-east-1:123456789012"
IMAGE = "ami-0123456789abcdef0"
QUEUE = {
    "jobQueueName": "main-test", "jobQueueArn": f"{BATCH}:job-queue/main-test", "state": "ENABLED", "priority": 1,
    "computeEnvironmentOrder": [{"order": 1, "computeEnvironment": f"{BATCH}:compute-environment/spot-test-1"}],
}  # fmt: skip
COMPUTE = {
    "computeEnvironmentName": "spot-test-1", "computeEnvironmentArn": f"{BATCH}:compute-environment/spot-test-1",
    "state": "ENABLED", "status": "VALID", "ecsClusterArn": "arn:aws:ecs:us-east-1:123456789012:cluster/c",
    "computeResources": {"type": "FARGATE", "maxvCpus": 64, "subnets": []},
}  # fmt: skip


def ago(minutes: float) -> int:
    return int((NOW - timedelta(minutes=minutes)).timestamp() * 1000)


def job(job_id: str, status: str, created: float, **more: Any) -> dict[str, Any]:
    """Return an entry of DescribeJobs; times are minutes ago."""
    container = {
        "image": "quay.io/x/y:1", "resourceRequirements": [{"type": "VCPU", "value": "8"}],
        **more.pop("container", {}),
    }  # fmt: skip
    always = {
        "startedAt": 0,
        "jobName": job_id,
        "jobQueue": QUEUE["jobQueueArn"],
        "jobDefinition": f"{BATCH}:job-definition/one-test:1",
    }
    return {"jobId": job_id, "status": status, "createdAt": ago(created), **always, "container": container, **more}


def attempt(started: float | None, stopped: float, **more: Any) -> dict[str, Any]:
    found = {"stoppedAt": ago(stopped), "container": {}, **more}
    return found if started is None else found | {"startedAt": ago(started)}


def failed(job_id: str, created: float, code: int) -> dict[str, Any]:
    ended = attempt(created - 10, created - 40, container={"exitCode": code})
    return job(job_id, "FAILED", created, attempts=[ended], stoppedAt=ago(created - 40),
               statusReason="Essential container in task exited", container={"exitCode": code})  # fmt: skip


JOBS = [
    job("good", "SUCCEEDED", 600, attempts=[attempt(590, 560), attempt(550, 490)], stoppedAt=ago(490)),
    failed("killed", 500, 137),
    failed("killed-too", 480, 137),
    failed("bad", 460, 1),
    job("now", "RUNNING", 100, startedAt=ago(90)),
    job("wait", "RUNNABLE", 50),
    job("many", "FAILED", 300, arrayProperties={"size": 3, "statusSummary": {"SUCCEEDED": 2, "FAILED": 1}},
        stoppedAt=ago(200)),
    job("old", "SUCCEEDED", 60 * 24 * 9, attempts=[attempt(60 * 24 * 9, 60 * 24 * 8)]),
]  # fmt: skip


CHILDREN = [
    job(f"many:{index}", "SUCCEEDED", 300, attempts=[attempt(280, 220)], startedAt=ago(280), stoppedAt=ago(220))
    for index in range(3)
]


def answers(jobs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the answers of an account with these jobs; everything around them is forbidden."""

    def list_jobs(request: dict[str, Any]) -> dict[str, Any]:
        keys = ("jobId", "jobName", "status", "createdAt", "arrayProperties", "stoppedAt")
        listed = CHILDREN if "arrayJobId" in request else jobs
        found = [each for each in listed if each["status"] == request["jobStatus"]]
        sizes = {"arrayProperties": {"size": 3}}
        return {
            "jobSummaryList": [
                {key: each[key] for key in keys if key in each} | (sizes if "arrayProperties" in each else {})
                for each in found
            ]
        }

    def describe_jobs(request: dict[str, Any]) -> dict[str, Any]:
        return {"jobs": [each for each in (*jobs, *CHILDREN) if each["jobId"] in request["jobs"]]}

    forbidden = (
        "DescribeAlarms", "DescribeAutoScalingGroups", "DescribeClusters", "DescribeKey", "DescribeRepositories",
        "DescribeRouteTables", "DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcEndpoints", "GetKeyPolicy",
        "GetLogEvents", "GetRole", "ListGrants",
    )  # fmt: skip
    return dict.fromkeys(forbidden, Refusal("AccessDeniedException")) | {
        "DescribeJobQueues": {"jobQueues": [QUEUE]},
        "DescribeComputeEnvironments": {"computeEnvironments": [COMPUTE]},
        "ListJobs": list_jobs,
        "DescribeJobs": describe_jobs,
        "GetParameter": {"Parameter": {"Name": "/x", "Type": "String", "DataType": "aws:ec2:image", "Value": IMAGE}},
        "DescribeImages": {"Images": [{"ImageId": IMAGE, "Name": "genomics", "CreationDate": "2026-11-09T15:00:00Z"}]},
    }


def live_of(account: Account, manifest: Manifest, folder: Path) -> LiveData:
    """Return what the account has of the last week."""
    return live_data(account.clients, manifest, folder / "test.yaml", NOW - timedelta(days=7), NOW)
