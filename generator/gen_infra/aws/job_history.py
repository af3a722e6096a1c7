"""Read the jobs that AWS Batch still knows, with children of arrays and nodes of multi-node jobs in place of these.

Batch keeps a job for about a week after it has ended: https://docs.aws.amazon.com/batch/latest/userguide/job_states.html
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors, error_code
from gen_infra.aws.job_containers import container_of_attempt, containers_of
from gen_infra.aws.jobs import STATUSES
from gen_infra.aws.queues import DESCRIBE_AT_MOST, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from gen_infra.aws.session import Clients, Json

KEPT_DAYS = 7
_CALLS_AT_A_TIME = 8
_INSTANCES_AT_MOST = 100  # of one DescribeContainerInstances
# An array job is PENDING until its last child has ended; a job that waits for another attempt may have had some.
_STATUSES = ("PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED")
_TYPE_ATTRIBUTE = "ecs.instance-type"


@aws_errors()
def jobs_since(clients: Clients, queues: Iterable[str], since: datetime) -> list[Json]:
    """Return the entries of DescribeJobs of the jobs that ran since a time; for parents those of their parts."""
    oldest = since.timestamp() * 1000
    with ThreadPoolExecutor(_CALLS_AT_A_TIME) as pool:
        pages = pool.map(
            lambda asked: _listed(clients, oldest, jobQueue=asked[0], jobStatus=asked[1]),
            [(queue, status) for queue in queues for status in _STATUSES],
        )
        found = {each["jobId"]: each for page in pages for each in page}
        parents = [name for name, each in found.items() if _is_parent(each)]
        parts = pool.map(lambda asked: _parts(clients, oldest, *asked), [(name, found[name]) for name in parents])
        ids = [*(name for name in found if name not in parents), *(name for part in parts for name in part)]
        return _described(clients, pool, ids)


@aws_errors()
def jobs_submitted_since(clients: Clients, queues: Iterable[str], since: datetime) -> list[Json]:
    """Return the entries of DescribeJobs of the jobs in any state that were submitted since a time, the newest first.

    Arrays and multi-node jobs are their parent.
    """
    oldest = since.timestamp() * 1000
    with ThreadPoolExecutor(_CALLS_AT_A_TIME) as pool:
        listings = pool.map(lambda queue: [*listed(clients, queue, STATUSES)], queues)
        ids = [each["jobId"] for found in listings for each in found if each.get("createdAt", 0) >= oldest]
        return sorted(_described(clients, pool, ids), key=lambda each: -each.get("createdAt", 0))


@aws_errors()
def succeeded_jobs(clients: Clients, queues: Iterable[str], most: int) -> list[Json]:
    """Return the entries of ListJobs of at most this many jobs of each queue that succeeded."""
    with ThreadPoolExecutor(_CALLS_AT_A_TIME) as pool:
        answers = pool.map(
            lambda queue: clients.batch.list_jobs(jobQueue=queue, jobStatus="SUCCEEDED", maxResults=most), queues
        )
        return [dict(each) for answer in answers for each in answer["jobSummaryList"]]


def _described(clients: Clients, pool: ThreadPoolExecutor, ids: list[str]) -> list[Json]:
    some = [ids[start : start + DESCRIBE_AT_MOST] for start in range(0, len(ids), DESCRIBE_AT_MOST)]
    answers = pool.map(lambda part: clients.batch.describe_jobs(jobs=part)["jobs"], some)
    return [detail for answer in answers for detail in answer]


def _listed(clients: Clients, oldest: float, **arguments: str) -> list[Json]:
    paginator: Any = clients.batch.get_paginator("list_jobs")
    pages = paginator.paginate(**arguments)
    return [each for page in pages for each in page["jobSummaryList"] if each.get("stoppedAt", oldest) >= oldest]


def _is_parent(summary: Json) -> bool:
    return bool(summary.get("arrayProperties", {}).get("size") or summary.get("nodeProperties", {}).get("numNodes"))


def _parts(clients: Clients, oldest: float, job_id: str, summary: Json) -> Iterator[str]:
    """Yield the ids of the children of an array, or of the nodes of a multi-node job."""
    parent = "arrayJobId" if summary.get("arrayProperties", {}).get("size") else "multiNodeJobId"
    for status in _STATUSES:
        for each in _listed(clients, oldest, **{parent: job_id}, jobStatus=status):
            yield each["jobId"]


def hosts_of(detail: Json) -> list[tuple[float, float | None, str]]:
    """Return when each attempt of a job started and stopped, in milliseconds, and the ARN of its place.

    The place is the ECS container instance, or on Fargate the ECS task; empty where Batch reports none. An attempt that
    runs has not stopped: None.
    """
    now = containers_of(detail)[0]
    attempts = [
        (each.get("startedAt"), each.get("stoppedAt"), container_of_attempt(each, now.get("name", "")))
        for each in detail.get("attempts", ())
    ]
    found = [(started, stopped, _place(container)) for started, stopped, container in attempts if started and stopped]
    if detail.get("status") == "RUNNING" and (started := detail.get("startedAt")):
        found.append((started, None, _place(now)))
    return found


def _place(container: Json) -> str:
    return container.get("containerInstanceArn") or container.get("taskArn") or ""


def cluster_of(place: str) -> str:
    """Return the ECS cluster of a container instance or a task by its ARN; empty without one."""
    return place.rpartition(":")[2].partition("/")[2].rpartition("/")[0]


@aws_errors()
def instance_types(clients: Clients, places: Collection[str]) -> dict[str, str]:
    """Return the EC2 instance type of ECS container instances by their ARN, as far as ECS still knows them."""
    by_cluster: dict[str, list[str]] = {}
    for place in sorted({each for each in places if ":container-instance/" in each}):
        by_cluster.setdefault(cluster_of(place), []).append(place)
    calls = [
        (cluster, arns[start : start + _INSTANCES_AT_MOST])
        for cluster, arns in by_cluster.items()
        for start in range(0, len(arns), _INSTANCES_AT_MOST)
    ]
    with ThreadPoolExecutor(_CALLS_AT_A_TIME) as pool:
        return {arn: name for found in pool.map(lambda call: _types(clients, *call), calls) for arn, name in found}


def _types(clients: Clients, cluster: str, arns: list[str]) -> list[tuple[str, str]]:
    from botocore.exceptions import ClientError

    try:
        answer = clients.ecs.describe_container_instances(cluster=cluster, containerInstances=arns)
    except ClientError as error:
        if error_code(error) == "ClusterNotFoundException":  # its compute environment was replaced
            return []
        raise
    return [
        (each["containerInstanceArn"], attribute["value"])
        for each in answer.get("containerInstances", ())
        for attribute in each.get("attributes", ())
        if attribute.get("name") == _TYPE_ATTRIBUTE and each.get("containerInstanceArn")
    ]
