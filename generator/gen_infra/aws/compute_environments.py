"""Batch compute environments that are replaced: their status, the jobs that run there, and the queues that hold them.

AWS refuses to delete a compute environment that is in a queue. A separate disabled queue, which takes no jobs,
therefore prevents that it is deleted while jobs run there:
https://docs.aws.amazon.com/batch/latest/APIReference/API_DeleteComputeEnvironment.html
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors
from gen_infra.aws.job_containers import container_of
from gen_infra.aws.queues import BUSY, DESCRIBE_AT_MOST, listed
from gen_infra.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from gen_infra.aws.session import Clients

_HOLDS = "-drain"  # the end of a holding queue's name
_NAME_LENGTH = 128  # of a queue, at most
_SETTLED_SECONDS = 120.0  # a queue is VALID, or gone, within some seconds
_LOOK_AGAIN_SECONDS = 1.0
_BEING_CHANGED = {"CREATING", "UPDATING"}

Orders = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ComputeEnvironmentState:
    """A compute environment as Batch describes it; ``cluster`` is the name of the ECS cluster that its jobs run in."""

    name: str
    arn: str
    state: str
    status: str
    reason: str
    cluster: str

    @property
    def takes_jobs(self) -> bool:
        """Check whether Batch places jobs there. While it is UPDATING it does."""
        return self.state == "ENABLED" and self.status in {"VALID", "UPDATING"}


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job that starts or runs; ``started`` in seconds since 1970, None before its container runs."""

    id: str
    name: str
    started: float | None


def holding_queue(environment: str) -> str:
    """Return the name of the queue that holds a compute environment."""
    return environment[: _NAME_LENGTH - len(_HOLDS)] + _HOLDS


@aws_errors()
def compute_environments(clients: Clients, names: Collection[str]) -> dict[str, ComputeEnvironmentState]:
    """Return those that exist, by the name or ARN that was given."""
    wanted = sorted(names)
    found: dict[str, ComputeEnvironmentState] = {}
    for start in range(0, len(wanted), DESCRIBE_AT_MOST):
        page = wanted[start : start + DESCRIBE_AT_MOST]
        for each in clients.batch.describe_compute_environments(computeEnvironments=page)["computeEnvironments"]:
            environment = ComputeEnvironmentState(
                each["computeEnvironmentName"],
                each["computeEnvironmentArn"],
                each.get("state", ""),
                each.get("status", ""),
                each.get("statusReason", ""),
                each.get("ecsClusterArn", "").rpartition("/")[2],
            )
            found |= {name: environment for name in (environment.name, environment.arn) if name in names}
    return found


@aws_errors()
def queue_orders(clients: Clients) -> Orders:
    """Return every queue of the account and region, with the ARNs of its compute environments in their order."""
    pages = clients.batch.get_paginator("describe_job_queues").paginate()
    return {
        queue["jobQueueName"]: tuple(
            each["computeEnvironment"]
            for each in sorted(queue.get("computeEnvironmentOrder", []), key=lambda each: each["order"])
        )
        for page in pages
        for queue in page["jobQueues"]
        if queue.get("status") not in {"DELETING", "DELETED"}
    }


def holds(orders: Orders, environment: str, names: Iterable[str] = ()) -> Orders:
    """Return the holding queues among these: of compute environments with these names, or that Terraform named."""
    ours = re.compile(rf"\w+-{re.escape(environment)}-[0-9a-f]{{26}}{_HOLDS}", re.ASCII)
    named = {*map(holding_queue, names)}
    return {queue: arns for queue, arns in orders.items() if queue in named or ours.fullmatch(queue)}


@aws_errors()
def hold(
    clients: Clients, environment: ComputeEnvironmentState, tags: Mapping[str, str], wait: Callable[[float], None]
) -> None:
    """Keep a VALID compute environment from being deleted; harmless where it is kept already.

    Raises:
        AwsError: AWS makes no queue for it.
    """
    name = holding_queue(environment.name)
    if not _queue_status(clients, name):
        tagged: Any = {"tags": dict(tags)} if tags else {}  # Batch refuses an empty map
        clients.batch.create_job_queue(
            jobQueueName=name,
            state="DISABLED",
            priority=0,
            computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment.arn}],
            **tagged,
        )
    _until(lambda: _queue_status(clients, name) == "VALID", f"queue {name} to be VALID", wait)


@aws_errors()
def release(clients: Clients, queue: str, wait: Callable[[float], None] = time.sleep) -> None:
    """Delete a holding queue, and return when it is gone."""
    if _queue_status(clients, queue) == "VALID":
        clients.batch.delete_job_queue(jobQueue=queue)
    _until(lambda: not _queue_status(clients, queue), f"queue {queue} to be gone", wait)


def release_all(clients: Clients, environment: str, names: Iterable[str] = ()) -> None:
    """Delete every holding queue of an environment, and of compute environments with these names."""
    for queue in holds(queue_orders(clients), environment, names):
        release(clients, queue)


@aws_errors()
def point(clients: Clients, queue: str, environments: Iterable[str], wait: Callable[[float], None]) -> None:
    """Give a queue these compute environments, in this order."""
    _until(lambda: _queue_status(clients, queue) not in _BEING_CHANGED, f"queue {queue} to be changed", wait)
    order: Any = [{"order": number, "computeEnvironment": arn} for number, arn in enumerate(environments, start=1)]
    clients.batch.update_job_queue(jobQueue=queue, computeEnvironmentOrder=order)


@aws_errors()
def enable(clients: Clients, environment: ComputeEnvironmentState) -> None:
    """Let a compute environment take jobs again."""
    clients.batch.update_compute_environment(computeEnvironment=environment.name, state="ENABLED")


@aws_errors()
def jobs_on(clients: Clients, environment: ComputeEnvironmentState, queues: Iterable[str]) -> list[RunningJob]:
    """Return the jobs of these queues that start or run on a compute environment, the one that has run longest first.

    A job that starts, and of which Batch does not say yet where, counts as there.
    """
    ids = list(dict.fromkeys(job_id for queue in queues for job_id in _busy(clients, queue)))
    found = []
    for start in range(0, len(ids), DESCRIBE_AT_MOST):
        for job in clients.batch.describe_jobs(jobs=ids[start : start + DESCRIBE_AT_MOST])["jobs"]:
            if job["status"] in BUSY and _cluster(job) in {environment.cluster, ""}:
                started = job.get("startedAt")
                found.append(RunningJob(job["jobId"], job["jobName"], started / 1000 if started else None))
    return sorted(found, key=lambda job: (job.started or float("inf"), job.id))


def _busy(clients: Clients, queue: str) -> Iterator[str]:
    """List the ids under which DescribeJobs shows where jobs run: an array's children, a multi-node job's main node."""
    for summary in listed(clients, queue, ("PENDING", *BUSY)):
        if summary.get("arrayProperties", {}).get("size"):
            for status in BUSY:
                children: Any = clients.batch.get_paginator("list_jobs")
                for page in children.paginate(arrayJobId=summary["jobId"], jobStatus=status):
                    yield from (child["jobId"] for child in page["jobSummaryList"])
        elif summary.get("status") in BUSY:
            yield f"{summary['jobId']}#0" if summary.get("nodeProperties") else summary["jobId"]


def _cluster(job: Any) -> str:
    """Return the CLUSTER of ``arn:aws:ecs:…:task/CLUSTER/ID``; empty where the ARN has none, as before 2018."""
    container = container_of(job)
    arn = container.get("taskArn") or container.get("containerInstanceArn") or ""
    parts = arn.split("/")
    return parts[1] if len(parts) == 3 else ""


def _queue_status(clients: Clients, name: str) -> str:
    """Look up a queue's status; empty where the queue does not exist."""
    found = clients.batch.describe_job_queues(jobQueues=[name])["jobQueues"]
    status = found[0].get("status", "VALID") if found else ""
    return "" if status == "DELETED" else status


def _until(settled: Callable[[], bool], what: str, wait: Callable[[float], None]) -> None:
    deadline = time.monotonic() + _SETTLED_SECONDS
    while not settled():
        if time.monotonic() > deadline:
            raise AwsError(f"waited {_SETTLED_SECONDS:.0f} s for {what}", hint="run the same command again")
        wait(_LOOK_AGAIN_SECONDS)
