"""The failed samples of a run are explained together where their causes are the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from gen_infra.aws.runs import Run, StepRun
from gen_infra.why.evidence import Cause
from gen_infra.why.run import DecidingStep, RunAnswer, deciding_steps, grouped

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def step(name: str, status: str, job: str = "") -> StepRun:
    return StepRun(name, status, job, NOW, NOW, "")


def sample(name: str, status: str, *steps: StepRun, error: str = "") -> Run:
    return Run(name, "", status, NOW, NOW, json.dumps({"sample": name}), error=error, steps=steps)


def batch(*samples: Run, status: str = "FAILED") -> Run:
    return Run("batch-7", "", status, NOW, NOW, samples=samples)


def test_every_failed_sample_decides_by_the_first_step_that_failed() -> None:
    run = batch(
        sample("a", "SUCCEEDED", step("isaac", "SUCCEEDED", "job-1")),
        sample("b", "FAILED", step("isaac", "SUCCEEDED", "job-2"), step("stats", "FAILED", "job-3")),
        sample("c", "ABORTED", step("isaac", "ABORTED", "job-4")),
        sample("d", "FAILED", error="States.QueryEvaluationError"),
        sample("e", "TIMED_OUT", step("isaac", "TIMED_OUT", "job-5")),
    )
    found = [(each.sample, each.step.job_id if each.step else each.error) for each in deciding_steps(run)]
    assert found == [("b", "job-3"), ("d", "States.QueryEvaluationError"), ("e", "job-5")]


def test_without_a_failure_the_first_step_decides_that_was_stopped_or_has_not_ended() -> None:
    running = sample("a", "RUNNING", step("isaac", "RUNNING", "job-1"))
    stopped = sample("b", "ABORTED", step("isaac", "ABORTED", "job-2"))
    assert [each.sample for each in deciding_steps(batch(running, stopped))] == ["b"]
    assert [each.sample for each in deciding_steps(batch(running, running, status="RUNNING"))] == ["a"]
    assert deciding_steps(batch(sample("a", "SUCCEEDED", step("isaac", "SUCCEEDED", "job-1")))) == []


def test_samples_of_one_step_and_one_cause_have_one_answer() -> None:
    def answer(name: str, at: str, *causes: str) -> RunAnswer:
        found = tuple(Cause(cause, f"{cause} of {name}", (), "") for cause in causes)
        return RunAnswer(name, (DecidingStep(name, step(at, "FAILED", f"job-{name}")),), found)

    answers = [
        answer("a", "isaac", "out-of-memory"),
        answer("b", "isaac", "program-failed"),
        answer("c", "isaac", "out-of-memory"),
        answer("d", "stats", "out-of-memory"),
    ]
    found = [(each.place, [of.sample for of in each.samples]) for each in grouped(answers)]
    assert found == [("a", ["a", "c"]), ("b", ["b"]), ("d", ["d"])]
