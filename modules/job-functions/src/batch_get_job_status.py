"""batchGetJobStatus: look up how a job is doing.

In: an event with ``jobId``, for example what batchSubmitJob returned. Out: the same event with ``status`` and, where
the job has them, ``statusReason``, ``logStreamName`` and ``exitCode``. What an earlier look left in these four fields
is replaced, so that a workflow can pass its event round and round.
"""

from __future__ import annotations

from typing import Any

from batch_function import Event, JobNotFoundError, batch_client, checked, log, quoted, required

_ANSWERS = ("status", "statusReason", "logStreamName", "exitCode")


def handler(event: Event, _context: object) -> Event:
    """Return the event with what AWS Batch says of its job.

    Raises:
        EventTypeError: ``jobId`` is no string.
        EventValueError: ``jobId`` is missing.
        JobNotFoundError: AWS Batch does not know the job.
    """
    job_id = required(checked(event, dict, "the event"), "jobId")
    jobs = batch_client().describe_jobs(jobs=[job_id])["jobs"]
    if not jobs:
        raise JobNotFoundError(
            f"jobId: job {quoted(job_id)} not found; AWS Batch removes jobs some days after they end"
        )
    answer = _answer({**jobs[0]})
    log("job described", jobId=job_id, **answer)
    return {field: value for field, value in event.items() if field not in _ANSWERS} | answer


def _answer(job: dict[str, Any]) -> dict[str, Any]:
    known = {**job, **job.get("container", {})}
    return {field: known[field] for field in _ANSWERS if known.get(field) is not None}
