"""The life cycle of Batch jobs.

A job is SUBMITTED, PENDING (while it waits for its dependencies), RUNNABLE, STARTING, RUNNING, and at last SUCCEEDED or
FAILED. It stays RUNNABLE until a compute environment has room for it. A failed attempt, or one whose host is
terminated, is retried as the retry strategy says. One thread advances all jobs.
The containers of an attempt run where the account can run them; otherwise the attempt is simulated.

``GEN_INFRA_EMULATOR_JOB_SECONDS`` sets how long a simulated attempt takes, from submission to its end; default 2.5.

Facts: https://docs.aws.amazon.com/batch/latest/userguide/job_states.html and job_retries.html.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Protocol

from gen_infra.emulator.attempts import ended, retried, run_seconds, share
from gen_infra.emulator.job import ContainerResult, ContainerRun, EmulatedJob, Host, Stop, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

ENDED = ("SUCCEEDED", "FAILED")
CANCELLABLE = ("SUBMITTED", "PENDING", "RUNNABLE")
STATUSES = (*CANCELLABLE, "STARTING", "RUNNING", *ENDED)
EXITED = "Essential container in task exited"
_FARGATE_TASK_LOST = "Your Spot Task was interrupted."
TIMED_OUT = "Job attempt duration exceeded timeout"
_log = logging.getLogger(__name__)
_TICK_SECONDS = 0.05
_MAX_ERRORS = 20  # ticks in which a job may fail to advance


class Account(Protocol):
    """The parts of an AWS account that the life cycle of a job depends on."""

    def place(self, job: EmulatedJob, busy: Mapping[str, float]) -> Host | str:
        """Find a place for the job, or return the status reason of a job that stays RUNNABLE; empty if it only waits.

        ``busy`` maps the ARN of each compute environment to the vCPUs in use there.
        """

    def start_problem(self, job: EmulatedJob) -> str:
        """Return why the container cannot start; empty if it can."""

    def run(self, job: EmulatedJob) -> ContainerRun | str:
        """Start the job's containers, or return why the attempt can only be simulated."""

    def log(self, group: str, stream: str, lines: list[str]) -> None:
        """Append lines to a log stream."""

    def report_blocked(self, job: EmulatedJob) -> None:
        """Report that a job cannot be placed as it is, and blocks its queue."""

    def report_change(self, job: EmulatedJob) -> None:
        """Report that a job has a new state."""


class Jobs:
    """All jobs of one account and region.

    Args:
        account: the account and region that they run in.
        clock: returns seconds since 1970. A caller that gives one calls `tick`; otherwise a thread does.
    """

    def __init__(self, account: Account, clock: Callable[[], float] | None = None) -> None:
        self.lock = threading.RLock()
        self._account = account
        self._clock = clock or time.time
        self._jobs: dict[str, EmulatedJob] = {}
        self._active: dict[str, EmulatedJob] = {}
        self._busy: defaultdict[str, float] = defaultdict(float)
        self._unplaced: dict[tuple[Any, ...], str] = {}
        self._work = threading.Event()
        self.failure = ""  # why the thread that advances the jobs has ended
        self._errors: Counter[str] = Counter()
        if clock is None:
            self._start()
            if hasattr(os, "register_at_fork"):  # in a copy of the emulator jobs go on too
                os.register_at_fork(
                    before=self.lock.acquire, after_in_parent=self.lock.release, after_in_child=self._start_again
                )

    def _start(self) -> None:
        threading.Thread(target=self._run, daemon=True, name="batch-jobs").start()

    def _start_again(self) -> None:
        self.lock.release()
        self._start()

    def add(self, jobs: Iterable[EmulatedJob]) -> None:
        """Add submitted jobs: one, or a parent and its children."""
        with self.lock:
            for job in jobs:
                job.due = self._clock() + share(job.status)
                self._jobs[job.id] = self._active[job.id] = job
        self._work.set()

    def get(self, job_id: str) -> EmulatedJob | None:
        """Return the job with that id or ARN, or None."""
        return self._jobs.get(job_id.rsplit(":job/", 1)[-1])

    def all(self) -> list[EmulatedJob]:
        """Return all jobs, the newest first."""
        with self.lock:
            return list(self._jobs.values())[::-1]

    def children(self, parent: EmulatedJob) -> Iterator[EmulatedJob]:
        """Return the children of an array's parent, by index."""
        return (self._jobs[f"{parent.id}:{index}"] for index in range(parent.size or 0))

    def describe(self, job_id: str) -> dict[str, Any] | None:
        """Return the job or node with that id or ARN, as DescribeJobs shows it; None if there is none."""
        job_id, sharp, node = job_id.partition("#")
        with self.lock:
            job = self.get(job_id)
            if job is None:
                return None
            if sharp:
                has_node = node.isdecimal() and job.nodes and int(node) < job.node_count
                return job.describe_node(int(node)) if has_node else None
            found = job.describe()
            if job.size is not None:
                counts = dict.fromkeys(STATUSES, 0)
                for child in self.children(job):
                    counts[child.status] += 1
                found["arrayProperties"] = {"size": job.size, "statusSummary": counts}
            return found

    def is_simulated(self, job_id: str) -> bool:
        """Return whether an attempt of the job or node with that id, or of a child of the array, ran no container."""
        job = self.get(job_id.partition("#")[0])
        return job is not None and any(each.simulated for each in (job, *self.children(job)))

    def end(self, job: EmulatedJob, *, call: str, reason: str) -> None:
        """End the job and its children: with CancelJob those that have not started, with TerminateJob all."""
        with self.lock:
            for each in (*self.children(job), job):
                if each.status in CANCELLABLE or (call == "TerminateJob" and each.status not in ENDED):
                    each.ended_by = call
                    if each.run is not None:
                        self._stop_run(each, Stop(reason))
                        continue
                    if each.status == "RUNNING":
                        self._stop_attempt(each, exit_code=137, reason="", status_reason=reason)
                    self._end(each, "FAILED", reason)

    def placed(self, environment: str) -> list[EmulatedJob]:
        """Return the jobs that run in the compute environment with that ARN."""
        with self.lock:
            active = self._active.values()
            return [job for job in active if job.is_placed and job.host and job.host.environment == environment]

    def end_hosts(self, environment: str, after: float = 0) -> None:
        """Terminate the instances of a compute environment and what runs there, now or after that many seconds."""
        with self.lock:
            ends = self._clock() + after
            for job in self.placed(environment):
                job.host_ends = min(ends, job.host_ends or ends)
                if not after:
                    self._lose_host(job)

    def tick(self) -> None:
        """Advance every job that is due."""
        with self.lock:
            self._unplaced.clear()
            self._busy.clear()
            for job in self._active.values():
                if job.is_placed and job.host:
                    self._busy[job.host.environment] += job.vcpus
            for job in list(self._active.values()):
                try:
                    self._advance(job, self._clock())
                except Exception as error:  # noqa: BLE001 - one job must not stop the others
                    self._failed(job, error)

    def _failed(self, job: EmulatedJob, error: Exception) -> None:
        """Retry the job at the next tick, in case a request was changing moto's state; end it after several errors."""
        _log.exception("job %s did not advance", job.id)
        self._errors[job.id] += 1
        if self._errors[job.id] == _MAX_ERRORS:
            self._end(job, "FAILED", f"The emulator failed: {type(error).__name__}: {error}")

    def _run(self) -> None:
        try:
            while True:
                self._work.wait()
                time.sleep(_TICK_SECONDS)
                with self.lock:
                    self.tick()
                    if not self._active:
                        self._work.clear()
        except BaseException as error:
            self.failure = f"{type(error).__name__}: {error}"
            raise

    def _advance(self, job: EmulatedJob, now: float) -> None:
        if job.run is not None:
            self._follow_run(job, job.run, now)
            return
        if job.is_placed and job.host_ends is not None and job.host_ends <= min(now, job.due):
            self._lose_host(job)
        if job.status in ENDED or now < job.due:
            return
        if job.size is not None:
            self._advance_parent(job)
        elif job.status in ("SUBMITTED", "PENDING"):
            self._advance_waiting(job)
        elif job.status == "RUNNABLE":
            self._place(job)
        elif job.status == "STARTING":
            self._start_attempt(job)
        else:
            self._finish_attempt(job)

    def _advance_parent(self, job: EmulatedJob) -> None:
        statuses = {child.status for child in self.children(job)}
        if statuses <= set(ENDED):
            failed = "FAILED" in statuses
            self._end(job, "FAILED" if failed else "SUCCEEDED", "Array Child Job failed" if failed else "")
        else:
            self._change(job, "PENDING")

    def _advance_waiting(self, job: EmulatedJob) -> None:
        statuses = {self._jobs[each].status for each in job.waits_for}
        if "FAILED" in statuses:
            self._end(job, "FAILED", "Dependent Job failed")
        elif statuses <= {"SUCCEEDED"}:
            self._move(job, "RUNNABLE")
        else:
            self._change(job, "PENDING")

    def _place(self, job: EmulatedJob) -> None:
        alike = (job.queue, job.node_count, *(job.requested(kind) for kind in ("VCPU", "MEMORY", "GPU")))
        if alike not in self._unplaced:  # no room for one means no room for the thousands like it
            found = self._account.place(job, self._busy)
            if isinstance(found, Host):
                self._busy[found.environment] += job.vcpus
                job.place(found)
                job.status_reason = ""
                self._move(job, "STARTING")
                return
            self._unplaced[alike] = found
        if job.status_reason != self._unplaced[alike]:
            job.status_reason = self._unplaced[alike]
            if job.status_reason:
                self._account.report_blocked(job)

    def _start_attempt(self, job: EmulatedJob) -> None:
        if problem := self._account.start_problem(job):
            self._stop_attempt(job, exit_code=None, reason=problem, status_reason="Task failed to start")
            self._retry_or_fail(job, "Task failed to start")
            return
        for runtime in job.runtimes if not job.task else ():
            runtime |= {"logStreamName": job.log_stream("default", runtime["taskArn"]), "networkInterfaces": []}
        for name, outcome in job.outcomes.items():
            outcome |= {"logStreamName": job.log_stream(name, job.runtime["taskArn"]), "networkInterfaces": []}
        run = self._account.run(job)
        if not isinstance(run, str):
            job.run, job.simulated = run, ""
            return
        job.simulated = run
        job.started = self._clock()
        self._move(job, "RUNNING", seconds=min(self._run_seconds(job), job.timeout or float("inf")))
        for name, container in job.containers.items():
            command = " ".join(container.get("command") or [])
            attempt = f"job {job.id}, attempt {len(job.attempts) + 1}"
            self._log(job, name, [attempt, f"simulated, no container runs: {job.simulated}", f"command: {command}"])

    def _follow_run(self, job: EmulatedJob, run: ContainerRun, now: float) -> None:
        """Advance an attempt whose containers really run."""
        if run.is_lost:
            job.run = None
            self._lose_host(job)
            return
        if run.has_started and job.started is None:
            job.started = now
            self._move(job, "RUNNING")
        if run.has_ended:
            self._finish_run(job, run)
        elif job.host_ends is not None and job.host_ends <= now:
            self._lose_host(job)
        elif job.timeout is not None and job.started is not None and job.started + job.timeout <= now:
            self._stop_run(job, Stop(TIMED_OUT))

    def _stop_run(self, job: EmulatedJob, stop: Stop) -> None:
        """Stop the containers; the attempt ends when they have ended. A final reason replaces another."""
        if job.run is not None and job.stop is None:
            job.run.stop()
        if job.stop is None or (job.stop.is_retried and not stop.is_retried):
            job.stop = stop

    def _finish_run(self, job: EmulatedJob, run: ContainerRun) -> None:
        """End an attempt whose containers have ended, or could not start."""
        stop, job.run, job.stop = job.stop, None, None
        if stop is None and not run.has_started:
            self._stop_attempt(job, exit_code=None, reason=run.problem, status_reason="Task failed to start")
            self._retry_or_fail(job, "Task failed to start")
            return
        status_reason = stop.reason if stop else EXITED
        results = {} if stop and stop.is_retried else run.results  # a lost host reports no exit codes
        essential = [
            result
            for (node, name), result in results.items()
            if node == job.main_node and job.containers[name].get("essential", True)
        ]
        main = next((each for each in essential if each.code != 0), essential[0] if essential else ContainerResult())
        self._stop_attempt(job, exit_code=main.code, reason=main.reason, status_reason=status_reason, results=results)
        if stop is None and main.code == 0:
            self._end(job, "SUCCEEDED", status_reason)
        elif stop is None or stop.is_retried:
            self._retry_or_fail(job, status_reason)
        else:
            self._end(job, "FAILED", status_reason)

    def _run_seconds(self, job: EmulatedJob) -> float:
        """Return how long an attempt runs: until the first essential container ends."""
        essential = [each for each in job.containers.values() if each.get("essential", True)]
        return min(run_seconds(each.get("command") or []) for each in essential)

    def _log(self, job: EmulatedJob, name: str, lines: list[str]) -> None:
        """Append lines to the log of a container."""
        known = job.outcomes[name] if job.task else job.runtime
        self._account.log(job.log_options(job.containers[name])["awslogs-group"], known["logStreamName"], lines)

    def _finish_attempt(self, job: EmulatedJob) -> None:
        timed_out = job.timeout is not None and self._run_seconds(job) > job.timeout
        codes = ended(job.containers) if not timed_out else dict.fromkeys(job.containers, 137)
        reason = TIMED_OUT if timed_out else EXITED
        essential = [codes.get(name) for name, each in job.containers.items() if each.get("essential", True)]
        code = next((each for each in essential if each != 0), 0)
        for name, each in codes.items():
            self._log(job, name, [f"exit code {each}"])
        self._stop_attempt(job, exit_code=code, reason="", status_reason=reason, codes=codes)
        if code == 0:
            self._end(job, "SUCCEEDED", reason)
        elif timed_out:
            self._end(job, "FAILED", reason)  # a timeout is never retried
        else:
            self._retry_or_fail(job, reason)

    def _lose_host(self, job: EmulatedJob) -> None:
        assert job.host is not None  # noqa: S101 - it is placed
        lost = [f"Host EC2 (instance {each}) terminated." for each in job.host.instances] or [_FARGATE_TASK_LOST]
        reason = lost[job.main_node]
        if job.run is not None:
            self._stop_run(job, Stop(reason, is_retried=True))
            return
        self._stop_attempt(job, exit_code=None, reason="", status_reason=reason)
        self._retry_or_fail(job, reason)

    def _stop_attempt(
        self,
        job: EmulatedJob,
        *,
        exit_code: int | None,
        reason: str,
        status_reason: str,
        codes: Mapping[str, int] | None = None,
        results: Mapping[tuple[int, str], ContainerResult] | None = None,
    ) -> None:
        """End an attempt.

        Args:
            job: the job.
            exit_code: of the container that decides.
            reason: of the container that decides.
            status_reason: of the job.
            codes: the exit codes of the simulated containers of several that have started.
            results: how the containers that really ran have ended, by node and name.
        """
        job.stopped = self._clock()
        unknown = ContainerResult()
        known = ContainerResult(exit_code, reason).described
        for node, runtime in enumerate(job.runtimes if not job.task else ()):
            runtime.update(known if results is None else results.get((node, "default"), unknown).described)
        for name, each in job.outcomes.items():
            if results is not None:
                each.update(results.get((0, name), unknown).described)
            else:
                each.update(known if codes is None else {"exitCode": codes[name]} if name in codes else {})
        attempt: dict[str, Any] = {**job.attempt(), "statusReason": status_reason}
        if job.started is not None:
            attempt["startedAt"] = milliseconds(job.started)
        job.attempts.append(attempt | {"stoppedAt": milliseconds(job.stopped)})
        job.last_outcome = known

    def _retry_or_fail(self, job: EmulatedJob, status_reason: str) -> None:
        outcome = job.last_outcome
        left = int(job.retry.get("attempts", 1)) - len(job.attempts)
        if left > 0 and retried(job.retry, outcome.get("exitCode"), outcome.get("reason", ""), status_reason):
            self._move(job, "RUNNABLE")
        else:
            self._end(job, "FAILED", status_reason)

    def _move(self, job: EmulatedJob, status: str, seconds: float | None = None) -> None:
        job.due = self._clock() + (share(status) if seconds is None else seconds)
        self._change(job, status)

    def _end(self, job: EmulatedJob, status: str, reason: str) -> None:
        job.status_reason = reason
        job.stopped = job.stopped or self._clock()
        self._active.pop(job.id, None)
        self._change(job, status)

    def _change(self, job: EmulatedJob, status: str) -> None:
        if job.status != status:
            job.status = status
            self._account.report_change(job)
