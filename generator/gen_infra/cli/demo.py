"""`gen-infra demo`: create, use and destroy an environment on the embedded AWS; time and verify each step."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gen_infra import emulator, image, pipeline
from gen_infra.aws import jobs as batch
from gen_infra.aws import logs, runs, submission
from gen_infra.cli.builder import connection_for
from gen_infra.cli.demo_image import write_image
from gen_infra.cli.run import run_name, start_list
from gen_infra.errors import AnswerIsNoError, MissingError
from gen_infra.manifest import load
from gen_infra.manifest.run_inputs import Sample
from gen_infra.resources import data_dir
from gen_infra.tools import container_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen_infra.aws.session import Clients
    from gen_infra.environment import Environment
    from gen_infra.terraform.adapter import Event

_JOB = "isaac"
_SAMPLES = ("NA12878", "NA12891")


class ReportStep(Protocol):
    """Reports a step with its time; ``done`` is False for a step that this machine cannot do."""

    def __call__(self, text: str, seconds: float, *, done: bool) -> None:
        """Report it."""


class ReportOutcome(Protocol):
    """Takes what a step came to, and whether it was done."""

    def __call__(self, text: str, *, done: bool = True) -> None:
        """Take it."""


@dataclass(frozen=True)
class Voice:
    """Receives what the demo reports: steps with their time, progress within a step, and terraform's events."""

    step: ReportStep
    say: Callable[[str], None]
    event: Callable[[Event], None]


def missing_checkov() -> MissingError | None:
    """Return why the demo cannot scan its files; None if it can."""
    from gen_infra.tools.checkov.adapter import find_checkov

    try:
        find_checkov(os.environ)
    except MissingError as missing:
        return missing
    return None


@contextmanager
def embedded_aws(port: int = 0) -> Iterator[emulator.EmulatorProcess]:
    """Yield an emulator that this process, and what it starts, uses in place of AWS."""
    before = dict(os.environ)
    with _image_of_the_job() as images, emulator.start(port=port, images=images) as running:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]  # a profile or session token would go with the emulator's keys
        os.environ.update(running.environ)
        try:
            yield running
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def _image_of_the_job() -> Iterator[Path | None]:
    """Yield a folder with the image of the demo's job; None if this machine does not run containers."""
    lacking, _ = container_host.missing()
    if lacking:
        yield None
        return
    manifest = load(data_dir("envs") / "demo.yaml")
    [container] = manifest.jobs[_JOB].all_containers.values()
    with tempfile.TemporaryDirectory(prefix="gen-infra-demo-") as folder:
        write_image(Path(folder), manifest.image_uri(container.image))
        yield Path(folder)


def run(out: Path, voice: Voice, *, keep: bool) -> Environment:
    """Run every step on the emulator of :func:`embedded_aws`; with ``keep``, without those that destroy.

    Raises:
        AnswerIsNoError: a step did not come out as it should.
    """
    manifest = data_dir("envs") / "demo.yaml"
    with _timed(voice, "render") as outcome:
        environment = pipeline.load(manifest, out)
        # Only emulators are applied from this folder, and the one of the last state has ended.
        shutil.rmtree(environment.root, ignore_errors=True)
        pipeline.write(environment)
        outcome(f"{len(environment.files)} files in {environment.root}")
    with _timed(voice, "check") as outcome:
        (report,) = pipeline.check([environment], voice.say)
        for check in report.checks:
            voice.say(f"  {check.name}: {check.not_run or check.summary}")
        _demand(not report.failed, f"the checks failed; `gen-infra check {manifest}` says why")
        not_run = [check.name for check in report.checks if check.not_run]
        outcome("nothing failed" + (f"; not run: {', '.join(not_run)}" if not_run else ""))
    with _timed(voice, "plan") as outcome:
        plan = pipeline.make_plan(environment, voice.event, voice.say)
        outcome(pipeline.explain(environment, plan).sentence)
    with _timed(voice, "apply") as outcome:
        applied = pipeline.apply(environment, plan, voice.event, voice.say)
        outcome(f"queues {', '.join(applied.outputs['job_queues'].values())}")
    with _timed(voice, "plan again") as outcome:
        second = pipeline.make_plan(environment, voice.event, voice.say)
        sentence = pipeline.explain(environment, second).sentence
        _demand(not second.content.has_changes, f"the second plan is not empty: {sentence}")
        environment.saved_plan.discard()
        outcome("nothing to do")
    aws = environment.clients
    with _timed(voice, "submit a job and watch it") as outcome:
        outcome(_run_job(environment, aws, voice))
    with _timed(voice, "run a workflow for two samples") as outcome:
        outcome(_run_workflow(environment, aws, voice))
    with _timed(voice, "invoke the functions") as outcome:
        outcome(_invoke_functions(environment, aws))
    with _timed(voice, "build the machine image") as outcome:
        _build_image(environment, aws, voice, outcome)
    if not keep:
        with _timed(voice, "destroy") as outcome:
            last = pipeline.make_plan(environment, voice.event, voice.say, destroy=True)
            left = pipeline.destroy(environment, last, voice.event, voice.say)
            _demand(not left, f"still there: {', '.join(left)}")
            outcome("the APIs show nothing of it")
    return environment


def _run_job(environment: Environment, aws: Clients, voice: Voice) -> str:
    manifest = environment.manifest
    queue = manifest.queue_name(next(iter(manifest.queues)))
    request = submission.SubmitRequest(name="demo", queue=queue, definition=manifest.definition_name(_JOB))
    job = batch.watch(aws, submission.submit(aws, request), lambda seen: voice.say(f"  {seen.status}"))
    _demand(job.succeeded, f"the job ended as {job.status}: {job.reason}")
    for line in logs.Reader(aws, None).new_lines(job):
        voice.say(f"    {line.text}")
    how = "simulated: no container ran" if job.is_simulated else "its container ran"
    return f"{job.definition} {job.status}, exit code {job.exit_code} ({how})"


def _run_workflow(environment: Environment, aws: Clients, voice: Voice) -> str:
    manifest = environment.manifest
    workflow = next(iter(manifest.workflows))
    samples = [Sample("the demo", {"sample": name}) for name in _SAMPLES]
    arn = start_list(aws, manifest, workflow, run_name("demo"), samples)
    run = runs.watch_run(aws, arn, lambda seen: voice.say(f"  {seen.summary}"))
    _demand(run.status == "SUCCEEDED", f"the run ended as {run.status}: {run.error}")
    ended = [f"{sample.label} ({', '.join(step.name for step in sample.steps)})" for sample in run.samples]
    _demand(len(ended) == len(_SAMPLES), f"the run has the samples {', '.join(ended)}")
    return f"{manifest.suffixed(workflow)} {run.status}: {', '.join(sorted(ended))}"


def _invoke_functions(environment: Environment, aws: Clients) -> str:
    manifest = environment.manifest
    event = {
        "jobName": "demo",
        "jobQueue": manifest.queue_name(next(iter(manifest.queues))),
        "jobDefinition": manifest.definition_name(_JOB),
    }
    submitted = _invoke(aws, manifest.suffixed("batchSubmitJob"), event)
    status = _invoke(aws, manifest.suffixed("batchGetJobStatus"), submitted)
    return f"batchSubmitJob gave job {submitted['jobId']}, batchGetJobStatus says {status['status']}"


def _invoke(aws: Clients, function: str, event: dict[str, Any]) -> dict[str, Any]:
    answer = aws.functions.invoke(FunctionName=function, Payload=json.dumps(event))
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    _demand("FunctionError" not in answer, f"{function} failed: {payload}")
    return payload


def _build_image(environment: Environment, aws: Clients, voice: Voice, outcome: ReportOutcome) -> None:
    """Build with packer in a sandbox, or report why this machine cannot."""
    manifest = environment.manifest
    try:
        built = image.build(manifest, aws, lambda line: voice.say(f"  {line}"), connection_for(aws))
    except MissingError as missing:
        outcome(f"not done: {missing.message} ({missing.hint})", done=False)
        return
    stale = image.stale(manifest, aws)
    _demand(not stale, f"the image that was just built is stale: {'; '.join(stale)}")
    outcome(f"{manifest.image_parameter} names {built.id}, built on {built.base}")


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AnswerIsNoError(f"the demo stopped: {otherwise}")


@contextmanager
def _timed(voice: Voice, name: str) -> Iterator[ReportOutcome]:
    """Time a step, and report it with its outcome."""
    start = time.monotonic()
    reported = [name]
    is_done = True

    def outcome(text: str, *, done: bool = True) -> None:
        nonlocal is_done
        reported.append(text)
        is_done = done

    yield outcome
    voice.step(": ".join(reported), time.monotonic() - start, done=is_done)
