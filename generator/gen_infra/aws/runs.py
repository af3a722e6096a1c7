"""Start, list and describe runs of workflows: executions of their state machines, and the jobs of their steps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors, error_code
from gen_infra.aws.usage import Usage, total, usage_of_jobs
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from gen_infra.aws.session import Clients

_SOON_SECONDS, _POLL_SECONDS = 0.5, 5.0
_AT_A_TIME = 16  # calls of Step Functions
_NO_MACHINE = "StateMachineDoesNotExist"
ENDED = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})
# What `redrive-execution` continues: https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
REDRIVABLE = ENDED - {"SUCCEEDED"}


class NotAppliedError(UsageError):
    """The account has no state machine for a workflow; the caller, which knows the manifest's path, adds the hint."""


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step of a run: its state (as of a run), its job, times, and the error of a failure.

    ``cause`` is AWS's message where the job could not be submitted; the job itself has the cause of its failure.
    """

    name: str
    status: str
    job_id: str
    started: datetime | None
    stopped: datetime | None
    error: str
    cause: str = ""
    earlier_jobs: tuple[str, ...] = ()  # of tries before the last, and before a redrive
    usage: Usage | None = None

    @property
    def jobs(self) -> tuple[str, ...]:
        """Return the ids of all its jobs."""
        return (*self.earlier_jobs, self.job_id) if self.job_id else self.earlier_jobs

    def to_dict(self) -> dict[str, Any]:
        """Return the same for JSON: times in ISO 8601, UTC."""
        return {
            **asdict(self),
            "started": _iso(self.started),
            "stopped": _iso(self.stopped),
            "usage": self.usage.to_dict() if self.usage else None,
        }


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a state machine, without its steps unless they were asked for."""

    name: str
    arn: str
    status: str
    started: datetime
    stopped: datetime | None
    input: str = ""
    error: str = ""
    steps: tuple[StepRun, ...] = ()
    samples: tuple[Run, ...] = ()

    @property
    def ended(self) -> bool:
        """Return whether it has ended."""
        return self.status in ENDED

    @property
    def failed(self) -> bool:
        """Return whether it has ended without success."""
        return self.status in REDRIVABLE

    @property
    def label(self) -> str:
        """Return the first input, by which people know a sample; the name where there is none."""
        try:
            values = json.loads(self.input)
        except ValueError:
            return self.name
        return str(next(iter(values.values()), self.name)) if isinstance(values, dict) else self.name

    @property
    def summary(self) -> str:
        """Return one line: how many samples have ended, or the state of each step."""
        if self.samples:
            return f"{sum(each.ended for each in self.samples)} of {len(self.samples)} samples ended"
        return ", ".join(f"{step.name} {step.status}" for step in self.steps) or self.status

    @property
    def usage(self) -> Usage | None:
        """Return what the jobs of all its steps used; None if it is not known of any."""
        steps = (*self.steps, *(step for sample in self.samples for step in sample.steps))
        return total(step.usage for step in steps if step.usage is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return the same for JSON: times in ISO 8601, UTC; the usage of a run is that of all its steps."""
        used = self.usage
        return {
            **asdict(replace(self, steps=(), samples=())),
            "started": _iso(self.started),
            "stopped": _iso(self.stopped),
            "steps": [step.to_dict() for step in self.steps],
            "samples": [sample.to_dict() for sample in self.samples],
            "usage": used.to_dict() if used else None,
        }


def _iso(time: datetime | None) -> str | None:
    return time.isoformat().replace("+00:00", "Z") if time else None


@aws_errors()
def start_run(clients: Clients, machine: str, name: str, values: Mapping[str, str]) -> str:
    """Start an execution and return its ARN.

    Args:
        clients: of the environment's account and region.
        machine: the state machine's ARN.
        name: the execution's name.
        values: its input.

    Raises:
        NotAppliedError: there is no such state machine.
        UsageError: another execution has the name.
    """
    from botocore.exceptions import ClientError

    try:
        answer = clients.states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(dict(values)))
    except ClientError as error:
        if error_code(error) == "ExecutionAlreadyExists":
            raise name_taken(name) from None
        if error_code(error) == _NO_MACHINE:
            raise _not_applied(machine) from None
        raise
    arn: str = answer["executionArn"]
    return arn


def name_taken(name: str) -> UsageError:
    """Return the error for a name that another run has."""
    return UsageError(f'there is a run "{name}" already', hint="choose another --name")


@aws_errors()
def list_runs(clients: Clients, machine: str, most: int) -> list[Run]:
    """List the newest executions of a state machine, newest first.

    Raises:
        NotAppliedError: there is no such state machine.
    """
    from botocore.exceptions import ClientError

    pages = clients.states.get_paginator("list_executions").paginate(
        stateMachineArn=machine, PaginationConfig={"MaxItems": most}
    )
    try:
        return [_listed(each) for page in pages for each in page["executions"]]
    except ClientError as error:
        if error_code(error) == _NO_MACHINE:
            raise _not_applied(machine) from None
        raise


def _not_applied(machine: str) -> NotAppliedError:
    return NotAppliedError(f"the state machine {machine.rpartition(':')[2]} does not exist")


@aws_errors()
def describe_run(clients: Clients, arn: str) -> Run:
    """Describe one run with its steps, and for a list of samples with those of each sample.

    Raises:
        UsageError: there is no such run.
    """
    run = run_overview(clients, arn)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        samples = pool.map(lambda sample: _with_steps(clients, _described(clients, sample.arn)), run.samples)
        return replace(run, samples=tuple(samples))


@aws_errors()
def run_overview(clients: Clients, arn: str) -> Run:
    """Return a run with its samples, without what takes a call or more for each, or else with its steps.

    Raises:
        UsageError: there is no such run.
    """
    run = _described(clients, arn)
    samples = tuple(sorted(_samples(clients, arn), key=lambda each: each.started))
    return replace(run, samples=samples) if samples else _with_steps(clients, run)


@aws_errors()
def inputs_of(clients: Clients, samples: Collection[Run]) -> list[dict[str, str]]:
    """Return the inputs of samples, which an overview of their run does not have."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return list(pool.map(lambda sample: json.loads(_described(clients, sample.arn).input), samples))


def with_usage(clients: Clients, run: Run) -> Run:
    """Return a run with what the jobs of its steps used, as far as AWS Batch still knows them."""
    parts = (run, *run.samples)
    used = usage_of_jobs(clients, [job for part in parts for step in part.steps for job in step.jobs])

    def steps_of_part(part: Run) -> tuple[StepRun, ...]:
        return tuple(replace(step, usage=total(used[job] for job in step.jobs if job in used)) for step in part.steps)

    samples = tuple(replace(sample, steps=steps_of_part(sample)) for sample in run.samples)
    return replace(run, steps=steps_of_part(run), samples=samples)


@aws_errors()
def stop_run(clients: Clients, arn: str, cause: str) -> None:
    """Stop a run, whose jobs Step Functions then terminates."""
    clients.states.stop_execution(executionArn=arn, error="Stopped", cause=cause)


@aws_errors()
def redrive_run(clients: Clients, arn: str) -> None:
    """Continue a run from the steps that failed or were stopped."""
    clients.states.redrive_execution(executionArn=arn)


def watch_run(clients: Clients, arn: str, on_change: Callable[[Run], None]) -> Run:
    """Wait for the end of a run, calling ``on_change`` with each new state, and return it as it ended.

    It asks again soon after a change, and less often the longer nothing changes.
    """
    seen: Run | None = None
    seconds = _SOON_SECONDS
    while True:
        run = run_overview(clients, arn)
        if run != seen:
            on_change(run)
            seen, seconds = run, _SOON_SECONDS
        if run.ended:
            return describe_run(clients, arn)
        time.sleep(min(seconds, _POLL_SECONDS))
        seconds *= 1.5


@aws_errors()
def execution_exists(clients: Clients, arn: str) -> bool:
    """Return whether there is such an execution."""
    return _execution(clients, arn) is not None


def _described(clients: Clients, arn: str) -> Run:
    found = _execution(clients, arn)
    if found is None:
        raise UsageError(f'unknown run "{arn.rpartition(":")[2]}"')
    reason = " ".join(part for part in (found.get("error"), _short(found.get("cause", ""))) if part)
    return replace(_listed(found), input=found.get("input", ""), error=reason)


def _short(cause: str) -> str:
    """Return why an execution failed; of a job, whose whole description is the cause, its status reason."""
    try:
        job = json.loads(cause)
    except ValueError:
        return cause
    return str(job.get("StatusReason", "")) if isinstance(job, dict) else cause


def _execution(clients: Clients, arn: str) -> Mapping[str, Any] | None:
    """Return DescribeExecution's answer; None if there is no such execution."""
    from botocore.exceptions import ClientError

    try:
        found: Mapping[str, Any] = clients.states.describe_execution(executionArn=arn)
    except ClientError as error:
        if error_code(error) == "ExecutionDoesNotExist":
            return None
        raise
    return found


def _listed(found: Mapping[str, Any]) -> Run:
    return Run(found["name"], found["executionArn"], found["status"], found["startDate"], found.get("stopDate"))


def _samples(clients: Clients, arn: str) -> Iterator[Run]:
    """Yield the executions that a Distributed Map started."""
    for map_run in clients.states.list_map_runs(executionArn=arn)["mapRuns"]:
        pages = clients.states.get_paginator("list_executions").paginate(mapRunArn=map_run["mapRunArn"])
        for page in pages:
            yield from map(_listed, page["executions"])


def _with_steps(clients: Clients, run: Run) -> Run:
    pages = clients.states.get_paginator("get_execution_history").paginate(executionArn=run.arn)
    events = [event for page in pages for event in page["events"]]
    return replace(run, steps=tuple(steps_of(events)))


def steps_of(events: Iterable[Mapping[str, Any]]) -> list[StepRun]:
    """Return the steps of a run in the order in which they started, from the events of its history.

    Each event names the one before it in its branch, and the first of a step has the step's name. A step that was tried
    again, or continued by a redrive, is as its last try is.
    """
    names: dict[int, str] = {}
    found: dict[str, StepRun] = {}
    for event in events:
        kind, previous = event["type"], event.get("previousEventId", 0)
        name = event["stateEnteredEventDetails"]["name"] if kind == "TaskStateEntered" else names.get(previous, "")
        names[event["id"]] = name
        if kind == "TaskStateEntered":
            found[name] = StepRun(name, "SUBMITTED", "", event["timestamp"], None, "")
        elif name in found and (changed := _CHANGES.get(kind)):
            found[name] = changed(found[name], event)
    return list(found.values())


def _submitted(step: StepRun, event: Mapping[str, Any]) -> StepRun:
    output = json.loads(event["taskSubmittedEventDetails"].get("output", "{}"))
    again = replace(step, status="RUNNING", stopped=None, error="", cause="")
    return replace(again, job_id=output.get("JobId", ""), earlier_jobs=step.jobs)


def _succeeded(step: StepRun, event: Mapping[str, Any]) -> StepRun:
    return replace(step, status="SUCCEEDED", stopped=event["timestamp"])


def _failed(step: StepRun, event: Mapping[str, Any]) -> StepRun:
    error = event.get("taskFailedEventDetails", {}).get("error", "")
    return replace(step, status="FAILED", stopped=event["timestamp"], error=error)


def _submit_failed(step: StepRun, event: Mapping[str, Any]) -> StepRun:
    details = event.get("taskSubmitFailedEventDetails", {})
    error, cause = details.get("error", ""), details.get("cause", "")
    return replace(step, status="FAILED", stopped=event["timestamp"], error=error, cause=cause)


def _timed_out(step: StepRun, event: Mapping[str, Any]) -> StepRun:
    return replace(step, status="TIMED_OUT", stopped=event["timestamp"])


def _aborted(step: StepRun, event: Mapping[str, Any]) -> StepRun:
    return replace(step, status="ABORTED", stopped=event["timestamp"])


# https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
_CHANGES: dict[str, Callable[[StepRun, Mapping[str, Any]], StepRun]] = {
    "TaskSubmitted": _submitted,
    "TaskSucceeded": _succeeded,
    "TaskFailed": _failed,
    "TaskSubmitFailed": _submit_failed,
    "TaskTimedOut": _timed_out,
    "TaskStateAborted": _aborted,
}
