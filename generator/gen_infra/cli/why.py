"""Command why: find the cause of a job that waits, failed or was terminated."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import Console, examples, json_option, manifest_argument, print_json, quiet_option
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.aws.session import Clients
    from gen_infra.manifest import Manifest
    from gen_infra.why import Answer
    from gen_infra.why.evidence import Cause
    from gen_infra.why.run import RunAnswer

_SHOWN = 3  # samples of a cause, besides the first


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
    run of a workflow, it explains every sample that failed, those with the same cause together; else the first step
    that was stopped, or has not ended.
    """
    from gen_infra.aws.session import clients, require_account
    from gen_infra.cli.runs import is_run
    from gen_infra.manifest import load
    from gen_infra.why import explain

    env = load(manifest)
    aws = clients(env.region)
    require_account(aws, env.account)
    if is_run(env, job_id):
        return _explain_run(aws, env, manifest, job_id, as_json=as_json, quiet=quiet)
    answer = explain(aws, env, manifest, job_id)
    if as_json:
        print_json(answer.to_dict())
    else:
        _print(answer, quiet=quiet)
    return _exit_code(answer)


def _explain_run(aws: Clients, env: Manifest, manifest_path: Path, name: str, *, as_json: bool, quiet: bool) -> int:
    """Explain the failed samples of a run, or the step that decides: by its job, or where it has none by what AWS says.

    Raises:
        UsageError: no step of the run failed or has not ended.
    """
    from gen_infra.aws.runs import describe_run
    from gen_infra.cli.runs import find_run
    from gen_infra.why.run import explain_run

    run = describe_run(aws, find_run(aws, env, manifest_path, name))
    answers, others = explain_run(aws, env, manifest_path, run)
    if not answers:
        raise UsageError(
            f"run {run.name} is {run.status}, and no job of its steps failed or waits",
            hint="gen-infra runs shows its steps",
        )
    first = answers[0]
    step = first.samples[0].step
    if step and step.status == "SUBMITTED" and not step.job_id:
        raise UsageError(f"{first.place}: its job has not been submitted yet", hint="try again in a moment")
    if as_json:
        groups = [each.to_dict() for each in answers]
        print_json({**first.to_dict(), "groups": groups, "not_explained": [each.to_dict() for each in others]})
    else:
        for number, each in enumerate(answers):
            if number:
                click.echo()
            _print_group(each, quiet=quiet)
        if others:
            click.echo(f"\nand {len(others)} more failed samples: gen-infra runs {manifest_path} {run.name} --failed")
    return 0 if all(each.is_explained for each in answers) else 1


def _print_group(group: RunAnswer, *, quiet: bool) -> None:
    """Print the answer for a sample, after those that failed in the same way."""
    click.echo(group.place)
    if more := group.samples[1:]:
        shown = [f"{each.sample} ({each.step.job_id})" if each.step else each.sample for each in more[:_SHOWN]]
        rest = [f"{len(more) - _SHOWN} more"] if len(more) > _SHOWN else []
        click.echo(f"and in the same way: {', '.join(shown + rest)}")
    if group.answer:
        _print(replace(group.answer, causes=group.causes), quiet=quiet)
    else:
        for cause in group.causes:
            _print_cause(cause)


def _exit_code(answer: Answer) -> int:
    return 0 if answer.causes or answer.is_well else 1


def _print(answer: Answer, *, quiet: bool) -> None:
    job = answer.job
    state = f"{job.status} ({job.reason})" if job.reason else job.status
    click.echo(f"{job.name} ({job.id}) in {job.queue}: {state}")
    for cause in answer.causes:
        _print_cause(cause)
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
    if not answer.causes and not answer.is_well:
        Console(quiet=quiet).say(f"more: {answer.job.console_url}")


def _print_cause(cause: Cause) -> None:
    click.echo()
    click.secho(f"cause: {cause.message}", fg="red")
    for sentence in cause.evidence:
        click.echo(f"  - {sentence}")
    click.secho(f"fix: {cause.fix}", fg="yellow")
