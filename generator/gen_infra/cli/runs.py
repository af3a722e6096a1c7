"""The command for runs of workflows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import (
    Console,
    complete_from_manifest,
    examples,
    fold,
    json_option,
    manifest_argument,
    print_json,
    quiet_option,
    terminal_width,
    unknown,
)
from gen_infra.cli.jobs import timestamp
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from gen_infra.aws.runs import NotAppliedError, Run, StepRun
    from gen_infra.aws.session import Clients
    from gen_infra.aws.usage import Usage
    from gen_infra.manifest import Manifest

_PROSE = 120  # columns of a sentence, also where there is no terminal
COLOURS = {"SUCCEEDED": "green", "FAILED": "red", "TIMED_OUT": "red", "ABORTED": "yellow", "RUNNING": "cyan"}


@click.command()
@manifest_argument
@click.argument("run", required=False, metavar="[RUN]")
@click.option(
    "--workflow",
    metavar="W",
    shell_complete=complete_from_manifest(lambda env: env.workflows),
    help="Only runs of this workflow.",
)
@click.option("--last", type=click.IntRange(1, 1000), default=20, show_default=True, help="Most runs of each list.")
@click.option("--failed", is_flag=True, help="Only runs, or samples, that failed.")
@click.option("--watch", is_flag=True, help="Follow RUN until it has ended; exit 1 if it failed.")
@click.option(
    "--resume",
    is_flag=True,
    help="Continue RUN from the steps that failed or were stopped, or start its failed samples again.",
)
@json_option
@quiet_option
@examples("""
gen-infra runs envs/prod.yaml
gen-infra runs envs/prod.yaml batch-7-20261129-101500 --failed
gen-infra runs envs/prod.yaml NA12878-20261129-101500 --resume --watch
""")
def runs(
    manifest: Path,
    run: str | None,
    workflow: str | None,
    last: int,
    failed: bool,
    watch: bool,
    resume: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """List runs of workflows, or show one with its samples and steps.

    RUN is the name or the ARN of a run. Each step has its state, its job's id, its time and an estimated cost, by list
    prices of the vCPUs and the memory of its jobs. AWS does not continue a list that succeeded because its failures
    stayed within `tolerated_failure_percentage`: --resume then starts a new run over the samples that failed.
    """
    from gen_infra.aws.runs import describe_run, watch_run, with_usage
    from gen_infra.aws.session import clients, require_account
    from gen_infra.manifest import load

    console = Console(quiet=quiet)
    env = load(manifest)
    if workflow and workflow not in env.workflows:
        raise unknown("unknown workflow", workflow, env.workflows)
    if not run and (watch or resume):
        raise click.UsageError("--watch and --resume need a RUN")
    aws = clients(env.region)
    require_account(aws, env.account)
    if not run:
        found, absent = _newest(aws, env, manifest, [workflow] if workflow else env.workflows, last)
        for key in absent:
            console.say(f"warning: workflow {key} was not applied: run gen-infra apply {manifest}", fg="yellow")
        return _list([row for row in found if not failed or row[1].failed], console, as_json=as_json)
    arn = find_run(aws, env, manifest, run)
    if resume:
        arn = _resume(aws, env, arn, console)
    shown = watch_run(aws, arn, lambda seen: console.say(f"  {seen.summary}")) if watch else describe_run(aws, arn)
    shown = with_usage(aws, shown)
    if as_json:
        print_json(shown.to_dict())
    else:
        click.echo("\n".join(card(shown, terminal_width(), failed=failed)))
    if shown.failed:
        console.next_step(f"gen-infra runs {manifest} {shown.name} --resume, once its cause is fixed")
    return 1 if watch and shown.status != "SUCCEEDED" else 0


_JOB_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}([:#][0-9]+)*")


def is_run(env: Manifest, name: str) -> bool:
    """Return whether a name is that of a run of a workflow, not the id of a job."""
    return bool(env.workflows) and not _JOB_ID.fullmatch(name)


def find_run(aws: Clients, env: Manifest, manifest_path: Path, run: str) -> str:
    """Return the ARN of a run by its name, or the ARN that it is.

    Raises:
        NotAppliedError: the environment's state machines do not exist.
        UsageError: no run of the environment has the name.
    """
    from gen_infra.aws.runs import execution_exists

    if run.startswith("arn:"):
        machine = run.rpartition(":")[0].rpartition(":")[2]
        if machine not in env.state_machines:
            raise UsageError(f"{run} is not a run of this environment")
        return run
    for name in env.state_machines:
        arn = env.state_machine_arn(name).replace(":stateMachine:", ":execution:") + f":{run}"
        if execution_exists(aws, arn):
            return arn
    _newest(aws, env, manifest_path, env.workflows, 1)
    raise UsageError(f'unknown run "{run}"', hint=f"gen-infra runs {manifest_path} lists the runs of the environment")


def _newest(
    aws: Clients, env: Manifest, manifest_path: Path, workflows: Iterable[str], most: int
) -> tuple[list[tuple[str, Run]], list[str]]:
    """Return the newest runs of each state machine with their workflows, and the workflows that lack one.

    Raises:
        NotAppliedError: no state machine exists.
    """
    from gen_infra.aws.runs import NotAppliedError, list_runs
    from gen_infra.cli.run import with_apply_hint

    found: list[tuple[str, Run]] = []
    absent: dict[str, NotAppliedError] = {}
    names = [(key, name) for key in workflows for name in env.machines_of(key)]
    for key, name in names:
        try:
            found += [(key, run) for run in list_runs(aws, env.state_machine_arn(name), most)]
        except NotAppliedError as error:
            absent[name] = error
    if absent and len(absent) == len(names):
        raise with_apply_hint(next(iter(absent.values())), manifest_path)
    return found, list(dict.fromkeys(key for key, name in names if name in absent))


def _resume(aws: Clients, env: Manifest, arn: str, console: Console) -> str:
    """Continue a run, or start its failed samples again; return the ARN of the run that does it.

    Raises:
        UsageError: the run has not ended, or nothing of it failed.
    """
    from gen_infra.aws.runs import redrive_run, run_overview

    run = run_overview(aws, arn)
    if run.failed:
        redrive_run(aws, arn)
        console.say(f"continued {run.name}")
        return arn
    failed = [sample for sample in run.samples if sample.failed]
    if not run.ended:
        raise UsageError(f"run {run.name} is {run.status}", hint="wait for its end, or stop it with gen-infra cancel")
    if not failed:
        raise UsageError(f"run {run.name} succeeded: there is nothing to resume")
    started = _start_again(aws, env, run, failed, console)
    console.say(
        f"AWS does not continue {run.name}, which succeeded with {len(failed)} of {len(run.samples)} samples failed:"
        f" started {started.rpartition(':')[2]} over these {len(failed)}"
    )
    return started


def _start_again(aws: Clients, env: Manifest, run: Run, failed: list[Run], console: Console) -> str:
    """Start a run over samples of a list that failed, with the same checks as a new list; return its ARN."""
    from gen_infra.aws.runs import inputs_of
    from gen_infra.cli.run import require_objects, run_name, start_list
    from gen_infra.manifest.run_inputs import Sample, check_samples

    machine = run.arn.rpartition(":")[0].rpartition(":")[2]
    workflow = next(key for key in env.workflows if machine in env.machines_of(key))
    samples = [
        Sample(f"sample {number} of {run.name}", values)
        for number, values in enumerate(inputs_of(aws, failed), start=1)
    ]
    require_objects(aws, console, check_samples(env.workflows[workflow], samples))
    return start_list(aws, env, workflow, run_name(run.name), samples)


def _list(found: list[tuple[str, Run]], console: Console, *, as_json: bool) -> int:
    found.sort(key=lambda row: row[1].started, reverse=True)
    if as_json:
        print_json([{"workflow": key, **run.to_dict()} for key, run in found])
        return 0
    width = terminal_width()
    for key, run in found:
        row = "\n".join(fold([f"{run.name:<40}", f"{run.status:<9}", f"{key:<20} {timestamp(run.started)}"], width))
        click.echo(row.replace(run.status, click.style(run.status, fg=COLOURS.get(run.status)), 1))
    if not found:
        console.say("no run found")
    return 0


def card(run: Run, width: int, *, failed: bool) -> Iterator[str]:
    """Yield the lines that show a run with its samples and steps; ``failed`` leaves out other samples."""
    from gen_infra.aws.usage import basis

    yield f"{'run:':<12}{run.name}"
    yield from fold([f"{'state:':<12}{run.status} {run.error}"], width)
    yield f"{'started:':<12}{timestamp(run.started)}"
    if run.stopped:
        yield f"{'stopped:':<12}{timestamp(run.stopped)}"
    for sample in run.samples:
        if not failed or sample.failed:
            yield from fold([f"{sample.label:<40} {sample.status:<10} {_estimate(sample.usage)}"], width)
            yield from (f"  {line}" for step in sample.steps for line in fold(_step(step), width - 2))
    yield from (line for step in run.steps for line in fold(_step(step), width))
    if used := run.usage:
        hours = f"{used.vcpu_hours:.2f} vCPU-hours, {used.memory_gib_hours:.2f} GiB-hours"
        yield from fold([f"{'estimate:':<12}{_estimate(used)}: {hours}"], width)
        yield from (f"{'':<12}{line}" for line in fold([f"by {basis()}"], min(width, _PROSE) - 12))


def _step(step: StepRun) -> list[str]:
    """Return the cells of a step."""
    seconds = (step.stopped - step.started).total_seconds() if step.started and step.stopped else None
    took = "" if seconds is None else f"{seconds / 60:.1f} min"
    cost = _estimate(step.usage)
    return [f"{step.name:<23}", f"{step.status:<9}", f"{step.job_id:<36}", f"{took:>8}", f"{cost:>9}", step.error]


def _estimate(used: Usage | None) -> str:
    """Return the estimated cost; empty where it is not known, GPU-hours where those have no price."""
    if used is None:
        return ""
    return f"{used.gpu_hours:.2f} GPU-hours" if used.usd is None else f"~{used.usd:.2f} USD"
