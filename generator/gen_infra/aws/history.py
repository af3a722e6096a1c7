"""Read the jobs of the last days. AWS Batch keeps a job for at least seven days after it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors
from gen_infra.aws.jobs import STATUSES
from gen_infra.aws.queues import DESCRIBE_AT_MOST, listed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gen_infra.aws.session import Clients, Json

_USED_VCPUS = ("RUNNING", "SUCCEEDED", "FAILED")


@aws_errors()
def job_details(clients: Clients, queues: Iterable[str], since: datetime) -> list[Json]:
    """Return DescribeJobs of the jobs of these queues that were submitted since then, the newest first.

    Arrays and multi-node jobs are their parent.
    """
    first = since.timestamp() * 1000
    summaries = [each for queue in queues for each in listed(clients, queue, STATUSES)]
    ids = [each["jobId"] for each in summaries if each.get("createdAt", 0) >= first]
    pages = (ids[start : start + DESCRIBE_AT_MOST] for start in range(0, len(ids), DESCRIBE_AT_MOST))
    found: list[Json] = [each for page in pages for each in clients.batch.describe_jobs(jobs=page)["jobs"]]
    return sorted(found, key=lambda each: -each.get("createdAt", 0))


@aws_errors()
def children_that_ran(clients: Clients, array_id: str) -> list[Json]:
    """Return ListJobs of the children of an array that run, or have ended."""
    pages: Any = clients.batch.get_paginator("list_jobs")
    return [
        each
        for status in _USED_VCPUS
        for page in pages.paginate(arrayJobId=array_id, jobStatus=status)
        for each in page["jobSummaryList"]
    ]
