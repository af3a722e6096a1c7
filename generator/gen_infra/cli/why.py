"""Command why: find the cause of a job that waits, failed or was terminated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import Console, examples, json_option, manifest_argument, print_json, quiet_option
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.aws.session import Clients
    from gen_infra.manifest import Manifest
    from gen_infra.why import Answer


@click.command()
@manifest_argument
@click.argument("job_id", metavar="JOB_ID|RUN")
@json_option
@quiet_option
@examples("""
gen-infra why envs/prod.yaml 0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11
gen-infra why envs/prod.yaml 0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11:7 --json
gen-infra why envs/prod.yaml NA12878-20261129-101500
""")
def why(manifest: Path, job_id: str, as_json: bool, quiet: bool) -> int:
    """Find out why a job waits, failed or was terminated, and how to fix it.

    Reads the job, its queue, compute environments, instances, image, roles, key, network and log, and changes nothing.
    Prints the cause, the evidence and the fix. Exits 1 if it finds no cause, and then prints what it has checked. Of a
    run of a workflow, the job is that of the first step that failed, was stopped, or has not ended.
    """
    from gen_infra.aws.session import clients, require_account
    from gen_infra.cli.runs import is_run
    from gen_infra.manifest import load
    from gen_infra.why import explain

    env = load(manifest)
    aws = clients(env.region)
    require_account(aws, env.account)
    place = ""
    if is_run(env, job_id):
        place, job_id = _job_of_run(aws, env, job_id)
    answer = explain(aws, env, manifest, job_id)
    if as_json:
        print_json({**({"step": place} if place else {}), **answer.to_dict()})
    else:
        if place:
            click.echo(place)
        _print(answer)
        if not answer.causes and not answer.is_well:
            Console(quiet=quiet).say(f"more: {answer.job.console_url}")
    return 0 if answer.causes or answer.is_well else 1


def _job_of_run(aws: Clients, env: Manifest, name: str) -> tuple[str, str]:
    """Return the step of a run that matters, in words, and its job's id.

    Raises:
        UsageError: no step of the run has a job that failed or has not ended.
    """
    from gen_infra.aws.runs import describe_run
    from gen_infra.cli.runs import find_run

    run = describe_run(aws, find_run(aws, env, name))
    steps = [
        (f"run {run.name}{f', sample {part.label}' if run.samples else ''}, step {step.name}: {step.status}", step)
        for part in (run.samples or (run,))
        for step in part.steps
    ]
    for states in (("FAILED", "TIMED_OUT"), ("ABORTED",), ("SUBMITTED", "RUNNING")):
        for place, step in steps:
            if step.status in states and step.job_id:
                return f"{place} {step.error}".rstrip(), step.job_id
    raise UsageError(
        f"run {run.name} is {run.status}, and no job of its steps failed or waits",
        hint=run.error or "gen-infra runs shows its steps",
    )


def _print(answer: Answer) -> None:
    job = answer.job
    state = f"{job.status} ({job.reason})" if job.reason else job.status
    click.echo(f"{job.name} ({job.id}) in {job.queue}: {state}")
    for cause in answer.causes:
        click.echo()
        click.secho(f"cause: {cause.message}", fg="red")
        for sentence in cause.evidence:
            click.echo(f"  - {sentence}")
        click.secho(f"fix: {cause.fix}", fg="yellow")
    if answer.is_well:
        click.secho(f"nothing is wrong with it: it is {job.status}", fg="green")
    elif not answer.causes:
        click.secho("\ncause: unknown; checked", fg="red")
        for subject in answer.looked:
            click.echo(f"  - {subject}")
    if answer.unseen and not answer.is_well:
        click.echo("\ncould not check")
        for subject in answer.unseen:
            click.echo(f"  - {subject}")
