"""Command why: find the cause of a job that waits, failed or was terminated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import Console, examples, json_option, manifest_argument, print_json, quiet_option

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.why import Answer


@click.command()
@manifest_argument
@click.argument("job_id")
@json_option
@quiet_option
@examples("""
gen-infra why envs/prod.yaml 0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11
gen-infra why envs/prod.yaml 0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11:7 --json
""")
def why(manifest: Path, job_id: str, as_json: bool, quiet: bool) -> int:
    """Find out why a job waits, failed or was terminated, and how to fix it.

    Reads the job, its queue, compute environments, instances, image, roles, key, network and log, and changes nothing.
    Prints the cause, the evidence and the fix. Exits 1 if it finds no cause, and then prints what it has checked.
    """
    from gen_infra.aws.session import clients, require_account
    from gen_infra.manifest import load
    from gen_infra.why import explain

    env = load(manifest)
    aws = clients(env.region)
    require_account(aws, env.account)
    answer = explain(aws, env, manifest, job_id)
    if as_json:
        print_json(answer.to_dict())
    else:
        _print(answer)
        if not answer.causes and not answer.is_well:
            Console(quiet=quiet).say(f"more: {answer.job.console_url}")
    return 0 if answer.causes or answer.is_well else 1


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
