"""The life of a Batch job, without a container: what DescribeJobs and ListJobs see while it would run.

A job goes SUBMITTED, PENDING (while it waits for others), RUNNABLE, STARTING, RUNNING and ends SUCCEEDED or FAILED.
Nothing runs, so its command decides: ``false`` and ``exit N`` fail with that exit code, ``sleep N`` runs for N seconds,
anything else succeeds. A failed attempt is retried as the retry strategy says. One thread moves all jobs on.

``GEN_INFRA_EMULATOR_JOB_SECONDS`` sets how long one attempt takes from submission to its end; 2.5 by default.

Facts: https://docs.aws.amazon.com/batch/latest/userguide/job_states.html and job_retries.html.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SECONDS_VARIABLE = "GEN_INFRA_EMULATOR_JOB_SECONDS"
ENDED = ("SUCCEEDED", "FAILED")
CANCELLABLE = ("SUBMITTED", "PENDING", "RUNNABLE")
STATUSES = (*CANCELLABLE, "STARTING", "RUNNING", *ENDED)
EXITED = "Essential container in task exited"
_SHARES = {"SUBMITTED": 0.1, "RUNNABLE": 0.3, "STARTING": 0.2, "RUNNING": 0.4}  # of the seconds that an attempt takes
_TICK_SECONDS = 0.05


def attempt_seconds() -> float:
    """How long an attempt takes from submission to its end.

    Raises:
        ValueError: the variable holds something else than a number of seconds.
    """
    text = os.environ.get(SECONDS_VARIABLE, "2.5")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        raise ValueError(f"{SECONDS_VARIABLE} must be a number of seconds, not {text!r}")
    return float(text)


@dataclass
class Job:
    """One job: a single one, an array's parent (``size``), or an array's child (``index``); times are epoch seconds.

    Args:
        container: ``containerProperties`` of the definition after the submission's overrides.
        retry: ``retryStrategy``; its rules' actions are lower case, as Batch keeps them.
        timeout: seconds that an attempt may run, or None.
        waits_for: ids of the jobs that must succeed first.
        details: what DescribeJobs gives back as it was submitted: tags, parameters, share identifier and so on.
    """

    id: str
    name: str
    arn: str
    queue: str
    definition: str
    container: dict[str, Any]
    retry: dict[str, Any]
    timeout: int | None
    waits_for: tuple[str, ...]
    details: dict[str, Any]
    log_prefix: str
    size: int | None = None
    index: int | None = None
    status: str = "SUBMITTED"
    status_reason: str = ""
    created: float = field(default_factory=time.time)
    started: float | None = None
    stopped: float | None = None
    due: float = 0.0
    attempts: list[dict[str, Any]] = field(default_factory=list)
    runtime: dict[str, Any] = field(default_factory=dict)
    ended_by: str = ""

    @property
    def command(self) -> list[str]:
        """The command after overrides and parameters."""
        command: list[str] = self.container.get("command", [])
        return command

    @property
    def vcpus(self) -> float:
        """The vCPUs that the job asks for."""
        asked = [each["value"] for each in self.container.get("resourceRequirements", []) if each["type"] == "VCPU"]
        return float(asked[0] if asked else self.container.get("vcpus", 0))

    @property
    def log_options(self) -> dict[str, str]:
        """The options of the awslogs driver; Batch logs to ``/aws/batch/job`` where the definition names no group."""
        options: dict[str, str] = self.container.get("logConfiguration", {}).get("options", {})
        return {"awslogs-group": "/aws/batch/job"} | options

    def summary(self) -> dict[str, Any]:
        """The job as ListJobs gives it."""
        found: dict[str, Any] = {
            "jobArn": self.arn,
            "jobId": self.id,
            "jobName": self.name,
            "createdAt": _milliseconds(self.created),
            "status": self.status,
            "jobDefinition": self.definition,
        }
        if self.status_reason:
            found["statusReason"] = self.status_reason
        for key, moment in (("startedAt", self.started), ("stoppedAt", self.stopped)):
            if moment is not None:
                found[key] = _milliseconds(moment)
        if outcome := {key: self.runtime[key] for key in ("exitCode", "reason") if key in self.runtime}:
            found["container"] = outcome
        if self.size is not None:
            found["arrayProperties"] = {"size": self.size}
        if self.index is not None:
            found["arrayProperties"] = {"index": self.index}
        return found

    def describe(self) -> dict[str, Any]:
        """The job as DescribeJobs gives it; an array's parent lacks its ``statusSummary``, which needs the children."""
        found = self.summary() | {
            "jobQueue": self.queue,
            "attempts": self.attempts,
            "retryStrategy": self.retry,
            "container": self.container | self.runtime,
            "isCancelled": self.ended_by == "CancelJob",
            "isTerminated": self.ended_by == "TerminateJob",
        }
        if self.timeout is not None:
            found["timeout"] = {"attemptDurationSeconds": self.timeout}
        return found | self.details


class Account(Protocol):
    """What the life of a job needs to know of the account that it runs in."""

    def blocked(self, job: Job) -> str:
        """Why the job cannot leave RUNNABLE, or nothing."""

    def start_problem(self, job: Job) -> str:
        """Why its container cannot start, or nothing."""

    def log(self, job: Job, lines: list[str]) -> None:
        """Append the lines to the job's log stream."""


class Jobs:
    """All jobs of one account and region."""

    def __init__(self, account: Account) -> None:
        self.lock = threading.RLock()
        self._account = account
        self._jobs: dict[str, Job] = {}
        self._active: dict[str, Job] = {}
        self._work = threading.Event()
        threading.Thread(target=self._run, daemon=True, name="batch-jobs").start()

    def add(self, jobs: Iterable[Job]) -> None:
        """Take in submitted jobs: one, or a parent and its children."""
        with self.lock:
            for job in jobs:
                job.due = time.time() + _share(job.status)
                self._jobs[job.id] = self._active[job.id] = job
        self._work.set()

    def get(self, job_id: str) -> Job | None:
        """The job with that id or ARN."""
        return self._jobs.get(job_id.rsplit(":job/", 1)[-1])

    def all(self) -> list[Job]:
        """Every job, newest first."""
        with self.lock:
            return list(self._jobs.values())[::-1]

    def children(self, parent: Job) -> Iterator[Job]:
        """The children of an array's parent, by index."""
        return (self._jobs[f"{parent.id}:{index}"] for index in range(parent.size or 0))

    def describe(self, job: Job) -> dict[str, Any]:
        """The job as DescribeJobs gives it."""
        with self.lock:
            found = job.describe()
            if job.size is not None:
                counts = dict.fromkeys(STATUSES, 0)
                for child in self.children(job):
                    counts[child.status] += 1
                found["arrayProperties"] = {"size": job.size, "statusSummary": counts}
            return found

    def end(self, job: Job, *, call: str, reason: str) -> None:
        """End the job and its children: CancelJob those that have not started, TerminateJob all that have not ended."""
        with self.lock:
            for each in (*self.children(job), job):
                if each.status in CANCELLABLE or (call == "TerminateJob" and each.status not in ENDED):
                    each.ended_by = call
                    if each.status == "RUNNING":
                        self._stop_attempt(each, exit_code=137, reason="", status_reason=reason)
                    self._end(each, "FAILED", reason)

    def _run(self) -> None:
        while True:
            self._work.wait()
            time.sleep(_TICK_SECONDS)
            with self.lock:
                for job in list(self._active.values()):
                    self._advance(job, time.time())
                if not self._active:
                    self._work.clear()

    def _advance(self, job: Job, now: float) -> None:
        if job.status in ENDED or now < job.due:
            return
        if job.size is not None:
            self._advance_parent(job)
        elif job.status in ("SUBMITTED", "PENDING"):
            self._advance_waiting(job)
        elif job.status == "RUNNABLE":
            job.status_reason = self._account.blocked(job)
            if not job.status_reason:
                self._move(job, "STARTING")
        elif job.status == "STARTING":
            self._start_attempt(job)
        else:
            self._finish_attempt(job)

    def _advance_parent(self, job: Job) -> None:
        statuses = {child.status for child in self.children(job)}
        if statuses <= set(ENDED):
            failed = "FAILED" in statuses
            self._end(job, "FAILED" if failed else "SUCCEEDED", "Array Child Job failed" if failed else "")
        else:
            job.status = "PENDING"

    def _advance_waiting(self, job: Job) -> None:
        statuses = {self._jobs[each].status for each in job.waits_for}
        if "FAILED" in statuses:
            self._end(job, "FAILED", "Dependent Job failed")
        elif statuses <= {"SUCCEEDED"}:
            self._move(job, "RUNNABLE")
        else:
            job.status = "PENDING"

    def _start_attempt(self, job: Job) -> None:
        if problem := self._account.start_problem(job):
            self._stop_attempt(job, exit_code=None, reason=problem, status_reason="Task failed to start")
            self._retry_or_fail(job, "Task failed to start")
            return
        task = secrets.token_hex(16)
        host = job.arn.split(":job/", maxsplit=1)[0].replace(":batch:", ":ecs:")
        job.runtime = {
            "containerInstanceArn": f"{host}:container-instance/batch/{secrets.token_hex(16)}",
            "taskArn": f"{host}:task/batch/{task}",
            "logStreamName": f"{job.log_options.get('awslogs-stream-prefix', job.log_prefix)}/default/{task}",
            "networkInterfaces": [],
        }
        job.started, job.stopped = time.time(), None
        self._move(job, "RUNNING", seconds=min(_run_seconds(job.command), job.timeout or float("inf")))
        self._account.log(job, [f"job {job.id}, attempt {len(job.attempts) + 1}", f"command: {' '.join(job.command)}"])

    def _finish_attempt(self, job: Job) -> None:
        timed_out = job.timeout is not None and _run_seconds(job.command) > job.timeout
        code = 137 if timed_out else exit_code(job.command)
        reason = "Job attempt duration exceeded timeout" if timed_out else EXITED
        self._account.log(job, [f"exit code {code}"])
        self._stop_attempt(job, exit_code=code, reason="", status_reason=reason)
        if code == 0:
            self._end(job, "SUCCEEDED", reason)
        elif timed_out:
            self._end(job, "FAILED", reason)  # a timeout is never retried
        else:
            self._retry_or_fail(job, reason)

    def _stop_attempt(self, job: Job, *, exit_code: int | None, reason: str, status_reason: str) -> None:
        job.stopped = time.time()
        if exit_code is not None:
            job.runtime["exitCode"] = exit_code
        if reason:
            job.runtime["reason"] = reason
        attempt: dict[str, Any] = {"container": dict(job.runtime), "statusReason": status_reason}
        if job.started is not None:
            attempt["startedAt"] = _milliseconds(job.started)
        job.attempts.append(attempt | {"stoppedAt": _milliseconds(job.stopped)})

    def _retry_or_fail(self, job: Job, status_reason: str) -> None:
        container = job.attempts[-1]["container"]
        left = int(job.retry.get("attempts", 1)) - len(job.attempts)
        if left > 0 and retried(job.retry, container.get("exitCode"), container.get("reason", ""), status_reason):
            self._move(job, "RUNNABLE")
        else:
            self._end(job, "FAILED", status_reason)

    def _move(self, job: Job, status: str, seconds: float | None = None) -> None:
        job.status = status
        job.due = time.time() + (_share(status) if seconds is None else seconds)

    def _end(self, job: Job, status: str, reason: str) -> None:
        job.status, job.status_reason = status, reason
        job.stopped = job.stopped or time.time()
        self._active.pop(job.id, None)


def exit_code(command: list[str]) -> int:
    """The exit code that the command asks for: 1 for ``false``, N for ``exit N`` in whatever shell, else 0."""
    if command == ["false"]:
        return 1
    found = re.search(r"(?:^|\s)exit\s+([0-9]{1,3})$", " ".join(command))
    return int(found.group(1)) if found else 0


def retried(strategy: dict[str, Any], code: int | None, reason: str, status_reason: str) -> bool:
    """Whether a failed attempt is tried again, if attempts are left: the first rule that matches says so, or none."""
    for rule in strategy.get("evaluateOnExit", []):
        conditions = {
            "onExitCode": "" if code is None else str(code),
            "onReason": reason,
            "onStatusReason": status_reason,
        }
        if all(_matches(rule[key], value) for key, value in conditions.items() if rule.get(key)):
            return str(rule["action"]).upper() == "RETRY"
    return True


def _matches(pattern: str, value: str) -> bool:
    """A trailing asterisk stands for any rest; case does not count."""
    pattern, value = pattern.lower(), value.lower()
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


def _run_seconds(command: list[str]) -> float:
    asked = re.search(r"(?:^|\s)sleep\s+([0-9.]+)$", " ".join(command))
    return float(asked.group(1)) if asked else _share("RUNNING")


def _share(status: str) -> float:
    return _SHARES.get(status, 0.0) * attempt_seconds()


def _milliseconds(moment: float) -> int:
    return int(moment * 1000)
