"""Why a job failed, in the words of ``gen-infra why``, from its entry of DescribeJobs alone.

`gen_infra.why.messages`, which reads AWS's words, is in the package too. What needs the job's log or its instance is
left to ``gen-infra why``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from gen_infra.why import messages

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

Job: TypeAlias = dict[str, Any]

_KILLED = 137
# In the order in which `why` looks for them.
_BY_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (messages.DEPENDENCY, "a job that it depends on failed"),
    (messages.TIMEOUT, "it ran for longer than its timeout"),
    (messages.FARGATE_SPOT, "AWS took its Spot instance back"),
    (messages.OVERRIDES, "the command and environment of its submission are too long"),
    (messages.FULL, "a disk is full"),
    # Why Batch ended a job that waited, where its queue says so.
    (messages.NO_INSTANCE_TYPE, "no instance type of its queue can hold it"),
    (messages.ABOVE_MAXIMUM, "it asks for more vCPUs than its queue's compute environments may ever have"),
    (messages.SERVICE_ROLE, "AWS Batch's service role lacks a permission"),
    (messages.NO_CAPACITY, "AWS has no capacity of the allowed instance types"),
    (messages.UNSUPPORTED, "its instance types cannot be started there"),
)
_BY_IMAGE_FAILURE = {
    "unreachable": "its instance cannot reach the image's registry",
    "throttled": "its image's registry limits pulls",
    "absent": "its image does not exist",
    "hidden": "its image does not exist",
    "refused": "pulling its image is not allowed",
    "denied": "pulling its image is not allowed",
}
_BY_SUBJECT = {
    "role": "its role cannot be assumed",
    "log": "its log cannot be written to CloudWatch Logs",
    "login": "the login of its image's registry cannot be fetched",
    "secret": "its secrets cannot be fetched",
    "file system": "a volume of it cannot be mounted",
    "image": "its image cannot be pulled",
    "docker": "Docker on its instance was too slow",
    "container": "its container cannot be started",
}


def cause_of(job: Job) -> str:
    """Return the cause as one sentence without a period."""
    return next(_causes(job), "AWS Batch gives no cause")


def _causes(job: Job) -> Iterator[str]:
    """Yield causes, those that are certain first."""
    reasons = _reasons(job)
    yield from (cause for pattern, cause in _BY_WORDS if any(map(pattern.search, reasons)))
    read = (messages.read_failure(each, secrets=_has_secrets(job)) for each in reasons)
    failures = [failure for failure in read if failure]
    for failure in failures:
        if failure.kind == "platform":
            yield "its image is for another CPU architecture"
        elif failure.subject == "image" and failure.kind in _BY_IMAGE_FAILURE:
            yield _BY_IMAGE_FAILURE[failure.kind]
    if any(map(messages.HOST.search, reasons)):
        yield "its instance was terminated"
    code = _exit_code(job)
    if code == _KILLED or any(map(messages.OUT_OF_MEMORY.search, reasons)):
        yield "it ran out of memory"
    yield from (_BY_SUBJECT[failure.subject] for failure in failures)
    if code:
        yield "its program failed"


def lost_to_spot(job: Job) -> bool:
    """Return whether the last attempt ended with its host; whether that was on Spot, the job does not say."""
    last = (job.get("attempts") or [{}])[-1]
    reasons = [str(last.get("statusReason") or ""), *(str(each.get("reason") or "") for each in _containers(last))]
    return any(messages.HOST.search(each) or messages.FARGATE_SPOT.search(each) for each in reasons)


def _reasons(job: Job) -> list[str]:
    last = (job.get("attempts") or [{}])[-1]
    reported = [
        job.get("statusReason"),
        *(each.get("reason") for each in _containers(job)),
        last.get("statusReason"),
        *(each.get("reason") for each in _containers(last)),
    ]
    return [str(each) for each in reported if each]


def _containers(entry: Job) -> list[Job]:
    """Return the containers of a job or of an attempt: its only one, its first node's, or those of its task."""
    ranges = entry.get("nodeProperties", {}).get("nodeRangeProperties") or [{}]
    if only := entry.get("container") or ranges[0].get("container"):
        return [only]
    tasks = entry.get("taskProperties") or entry.get("ecsProperties", {}).get("taskProperties") or [{}]
    return [*tasks[0].get("containers", [])]


def _exit_code(job: Job) -> int:
    last = (job.get("attempts") or [{}])[-1]
    codes = (each.get("exitCode") for each in (*_containers(job), *_containers(last)))
    return next((int(code) for code in codes if code), 0)


def _has_secrets(job: Job) -> bool:
    return any(each.get("secrets") for each in _containers(job))
