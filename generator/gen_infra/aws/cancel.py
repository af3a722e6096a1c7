"""Ends jobs early: cancels those that wait, terminates those that have started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.aws.errors import aws_errors

if TYPE_CHECKING:
    from gen_infra.aws.jobs import SubmittedJob
    from gen_infra.aws.session import Clients


@aws_errors()
def end_job(clients: Clients, job: SubmittedJob, reason: str) -> None:
    """End a job and, of an array, its children; one that has already ended stays as it is.

    CancelJob does not end a job that starts meanwhile, so that no running work is lost by mistake. A job's state does
    not change at once: https://docs.aws.amazon.com/batch/latest/APIReference/API_CancelJob.html

    ``reason`` stays with the job as its status reason.
    """
    if job.has_started:
        clients.batch.terminate_job(jobId=job.id, reason=reason)
    else:
        clients.batch.cancel_job(jobId=job.id, reason=reason)
