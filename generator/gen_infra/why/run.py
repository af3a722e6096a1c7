"""Why a run of a workflow failed: its failed samples by their causes, each explained by the job of its step."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.aws.errors import find_refusal
from gen_infra.why.answer import explain
from gen_infra.why.evidence import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from gen_infra.aws.runs import Run, StepRun
    from gen_infra.aws.session import Clients
    from gen_infra.manifest import Manifest
    from gen_infra.why.answer import Answer

# Those of the first states decide before the others, because a step that fails stops the other branches.
_FAILED = ("FAILED", "TIMED_OUT")
_DECIDING = (_FAILED, ("ABORTED",), ("SUBMITTED", "RUNNING"))
_EXPLAINED = 24  # samples; of the others the step is named
_AT_A_TIME = 4  # jobs, with some calls each


class DecidingStep(NamedTuple):
    """The step of a sample that explains its state; without a list, ``sample`` is empty.

    ``step`` is None for a sample that failed before its first step, ``error`` then says why.
    """

    sample: str
    step: StepRun | None
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Convert it for JSON."""
        step = self.step
        return {
            "sample": self.sample,
            "step": step.name if step else None,
            "job": step.job_id or None if step else None,
        }


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """Why samples of a run failed, or the run itself.

    Args:
        place: the run, the first of these samples and its step.
        samples: all that failed at this step for the same causes.
        causes: of the first one, the most certain first.
        answer: what is known of its job; None for a step without one.
    """

    place: str
    samples: tuple[DecidingStep, ...]
    causes: tuple[Cause, ...]
    answer: Answer | None = None

    @property
    def is_explained(self) -> bool:
        """Return whether a cause was found, or there is nothing to explain."""
        return bool(self.causes) or (self.answer is not None and self.answer.is_well)

    def to_dict(self) -> dict[str, Any]:
        """Convert it for JSON."""
        about = self.answer.to_dict() if self.answer else {"job": None, "looked_at": ["its history"], "not_seen": []}
        causes = [asdict(cause) for cause in self.causes]
        return {"step": self.place, **about, "causes": causes, "samples": [each.to_dict() for each in self.samples]}


class RunAnswers(NamedTuple):
    """The answers about a run, and the failed samples that were not looked at."""

    answers: tuple[RunAnswer, ...]
    others: tuple[DecidingStep, ...]


def explain_run(clients: Clients, manifest: Manifest, manifest_path: Path, run: Run) -> RunAnswers:
    """Explain every failed sample of a run, or the step that decides; samples with the same causes have one answer.

    Returns:
        No answer where no step failed, was stopped, or has not ended.
    """
    samples = deciding_steps(run)
    if not samples and run.failed:
        samples = [DecidingStep("", None, run.error)]

    def one(sample: DecidingStep) -> RunAnswer:
        return _answer(clients, manifest, manifest_path, run, sample)

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return RunAnswers(tuple(grouped(pool.map(one, samples[:_EXPLAINED]))), tuple(samples[_EXPLAINED:]))


def deciding_steps(run: Run) -> list[DecidingStep]:
    """Return the first failed step of every failed sample; else the first that was stopped, or has not ended."""
    parts = [(part.label if run.samples else "", part) for part in run.samples or (run,)]
    failed = [_failed(name, part) for name, part in parts]
    if found := [each for each in failed if each]:
        return found
    steps = [DecidingStep(name, step) for name, part in parts for step in part.steps]
    return [each for states in _DECIDING[1:] for each in steps if each.step and each.step.status in states][:1]


def _failed(name: str, part: Run) -> DecidingStep | None:
    step = next((each for each in part.steps if each.status in _FAILED), None)
    if step:
        return DecidingStep(name, step)
    is_early = name and part.status in _FAILED and not part.steps
    return DecidingStep(name, None, part.error) if is_early else None


def grouped(answers: Iterable[RunAnswer]) -> Iterator[RunAnswer]:
    """Yield one answer for all samples that failed at one step for the same causes, in the order of the first ones."""
    groups: dict[tuple[str, ...], RunAnswer] = {}
    for each in answers:
        step = each.samples[0].step
        key = (step.name if step else "", *(cause.name for cause in each.causes))
        known = groups.get(key)
        groups[key] = replace(known, samples=(*known.samples, *each.samples)) if known else each
    yield from groups.values()


def _answer(clients: Clients, manifest: Manifest, manifest_path: Path, run: Run, sample: DecidingStep) -> RunAnswer:
    step, of_sample = sample.step, f", sample {sample.sample}" if sample.sample else ""
    if step is None:
        place = f"run {run.name}{of_sample}: {run.status if not sample.sample else 'FAILED'}"
        return RunAnswer(place, (sample,), (explain_without_step(sample.error or run.status, manifest_path),))
    place = f"run {run.name}{of_sample}, step {step.name}: {step.status} {step.error}".rstrip()
    if run.status == step.status == "ABORTED":
        return RunAnswer(place, (sample,), (run_stopped(run, step, manifest_path),))
    if not step.job_id:
        return RunAnswer(place, (sample,), (explain_step(step, manifest_path),))
    answer = explain(clients, manifest, manifest_path, step.job_id)
    timeout = (step_timeout(step, manifest_path),) if step.status == "TIMED_OUT" else ()
    return RunAnswer(place, (sample,), (*timeout, *answer.causes), answer)


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


def run_stopped(run: Run, step: StepRun, manifest_path: Path) -> Cause:
    """Return the cause of a step that ended because its run was stopped."""
    job = (f"Step Functions ended its job {step.job_id}",) if step.job_id else ()
    fix = f"continue the run: gen-infra runs {manifest_path} {run.name} --resume"
    return Cause("run-stopped", "the run was stopped", (run.error or "AWS gives no reason", *job), fix)


def step_timeout(step: StepRun, manifest_path: Path) -> Cause:
    """Return the cause of a step that took longer than its state machine allows."""
    return Cause(
        "step-timeout",
        "the step took longer than all attempts of its job and a week of waiting, and Step Functions ended its job",
        (f"step {step.name} is {step.status}",),
        f"find out why its job waits: gen-infra why {manifest_path} {step.job_id}, while a new one does; or raise"
        " timeout_minutes of the job",
    )


def explain_without_step(reported: str, manifest_path: Path) -> Cause:
    """Return the cause of a run or a sample that ended before a step began, as AWS reports it."""
    fix = (
        f"fix the input or the list of samples and start it again; gen-infra apply {manifest_path} restores its rights"
    )
    return Cause("run-failed", "it ended before a step of it began", (reported,), fix)
