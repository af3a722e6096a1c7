"""Why a run of a workflow failed: the step that decides, and the cause of one whose job was not submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gen_infra.aws.errors import find_refusal
from gen_infra.why.evidence import Cause

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.aws.runs import Run, StepRun

# Those of the first states decide before the others, because a step that fails stops the other branches.
_DECIDING = (("FAILED", "TIMED_OUT"), ("ABORTED",), ("SUBMITTED", "RUNNING"))


class DecidingStep(NamedTuple):
    """The step of a run that explains its state; ``sample`` is empty for a run without a list."""

    sample: str
    step: StepRun


def deciding_step(run: Run) -> DecidingStep | None:
    """Return the first step that failed, else that was stopped, else that has not ended; None if there is none."""
    steps = [
        DecidingStep(part.label if run.samples else "", step) for part in (run.samples or (run,)) for step in part.steps
    ]
    return next((each for states in _DECIDING for each in steps if each.step.status in states), None)


def explain_step(step: StepRun, manifest_path: Path) -> Cause:
    """Return the cause of a step that failed or was stopped before it had a job."""
    reported = (f"{step.error}: {step.cause}",) if step.cause else (step.error or f"the step is {step.status}",)
    again = f"gen-infra apply {manifest_path}"
    if refusal := find_refusal(step.cause):
        where = f" on {refusal.resource}" if refusal.resource else ""
        return Cause(
            "submission-denied",
            f"the role {refusal.role or refusal.user} of its state machine may not {refusal.action}{where}",
            reported,
            f"run {again}, which restores the policy of the role; if it changes nothing, look for a Deny in a"
            " permissions boundary or in a policy of your organization",
        )
    if step.status == "ABORTED":
        fix = f"continue the run: gen-infra runs {manifest_path} RUN --resume"
        return Cause("step-stopped", "it was stopped before its job was submitted", reported, fix)
    return Cause(
        "submission-failed",
        "its job could not be submitted",
        reported,
        f"fix what AWS reports; {again} restores queues, job definitions and the state machine",
    )


def step_timeout(step: StepRun, manifest_path: Path) -> Cause:
    """Return the cause of a step that took longer than its state machine allows."""
    return Cause(
        "step-timeout",
        "the step took longer than all attempts of its job and a week of waiting, and Step Functions ended its job",
        (f"step {step.name} is {step.status}",),
        f"find out why its job waits: gen-infra why {manifest_path} {step.job_id}, while a new one does; or raise"
        " timeout_minutes of the job",
    )


def explain_without_step(run: Run, manifest_path: Path) -> Cause:
    """Return the cause of a run that ended before a step began, as AWS reports it."""
    fix = (
        f"fix the input or the list of samples and start it again; gen-infra apply {manifest_path} restores its rights"
    )
    return Cause("run-failed", "it ended before a step of it began", (run.error or f"the run is {run.status}",), fix)
