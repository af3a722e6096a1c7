"""Steps of a run from the events of its history, which name the event before them in their branch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from gen_infra.aws.runs import Run, StepRun, steps_of

START = datetime(2026, 11, 29, tzinfo=UTC)


class History:
    """A history of events as GetExecutionHistory returns it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, kind: str, previous: int, **details: Any) -> int:
        number = len(self.events) + 1
        time = START + timedelta(minutes=number)
        self.events.append({"id": number, "type": kind, "previousEventId": previous, "timestamp": time, **details})
        return number

    def step(self, name: str, previous: int) -> int:
        entered = self.add("TaskStateEntered", previous, stateEnteredEventDetails={"name": name})
        return self.add("TaskStarted", self.add("TaskScheduled", entered))

    def submitted(self, previous: int, job: str) -> int:
        output = f'{{"JobId": "{job}", "JobName": "x"}}'
        return self.add("TaskSubmitted", previous, taskSubmittedEventDetails={"output": output})


def shown(history: History) -> dict[str, tuple[str, str, str]]:
    return {step.name: (step.status, step.job_id, step.error) for step in steps_of(history.events)}


def test_branches_do_not_mix() -> None:
    history = History()
    start = history.add("ParallelStateStarted", 0)
    call, stats = history.step("call", start), history.step("stats", start)
    call, stats = history.submitted(call, "job-1"), history.submitted(stats, "job-2")
    history.add("TaskFailed", stats, taskFailedEventDetails={"error": "States.TaskFailed", "cause": "…"})
    history.add("TaskStateAborted", call)
    assert shown(history) == {
        "call": ("ABORTED", "job-1", ""),
        "stats": ("FAILED", "job-2", "States.TaskFailed"),
    }


def test_a_step_has_its_times() -> None:
    history = History()
    done = history.add("TaskSucceeded", history.submitted(history.step("align", 0), "job-1"))
    (step,) = steps_of(history.events)
    assert step == StepRun(
        "align", "SUCCEEDED", "job-1", START + timedelta(minutes=1), START + timedelta(minutes=done), ""
    )


def test_a_refused_submission_that_is_tried_again_is_as_its_last_try_is() -> None:
    history = History()
    scheduled = history.step("align", 0)
    details = {"error": "Batch.ServerException", "cause": "busy"}
    refused = history.add("TaskSubmitFailed", scheduled, taskSubmitFailedEventDetails=details)
    assert shown(history) == {"align": ("FAILED", "", "Batch.ServerException")}
    assert [step.cause for step in steps_of(history.events)] == ["busy"]
    history.submitted(history.add("TaskScheduled", refused), "job-2")
    assert shown(history) == {"align": ("RUNNING", "job-2", "")}


def test_a_sample_is_known_by_its_first_input() -> None:
    run = Run("8c1f", "arn", "FAILED", START, None, input='{"sample": "NA12878", "reads": "s3://x/y"}')
    assert (run.label, run.failed, run.ended) == ("NA12878", True, True)
    assert Run("8c1f", "arn", "RUNNING", START, None, input="").label == "8c1f"
