"""Commands for submitted jobs: logs, cancel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import (
    Console,
    complete_from_manifest,
    examples,
    json_option,
    manifest_argument,
    print_json,
    quiet_option,
    require_terminal,
    unknown,
    yes_option,
)
from gen_infra.errors import AnswerIsNoError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from gen_infra.aws.jobs import SubmittedJob
    from gen_infra.aws.logs import Line
    from gen_infra.aws.session import Clients
    from gen_infra.manifest import Manifest

_ACTIVE = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


@click.command()
@manifest_argument
@click.argument("job_id")
@click.option(
    "--follow", "-f", is_flag=True, help="Print new lines, and those of later attempts, until the job has ended."
)
@click.option(
    "--since", metavar="T", help="Only lines since T: a duration such as 10m, 2h or 3d, or 2026-09-30T12:00:00Z."
)
@json_option
@quiet_option
@examples("""
gen-infra logs envs/prod.yaml 0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11 --follow
gen-infra logs envs/prod.yaml 0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11:7 --since 10m
""")
def logs(manifest: Path, job_id: str, follow: bool, since: str | None, as_json: bool, quiet: bool) -> int:
    """Print the log of a job, attempt by attempt.

    A child of an array is ID:INDEX, a node of a multi-node job ID#NODE; without a node it is the main node. Of a job
    of several containers, each line starts with its container's name. With --json, each line is an object with a time.
    """
    from gen_infra.aws import logs as cloudwatch
    from gen_infra.aws.jobs import find_logged
    from gen_infra.aws.session import clients, require_account
    from gen_infra.cli.durations import parse_since
    from gen_infra.manifest import load

    env = load(manifest)
    since_time = parse_since(since, datetime.now(UTC)) if since else None
    aws = clients(env.region)
    require_account(aws, env.account)
    job = find_logged(aws, job_id)
    if follow:
        try:
            print_lines(cloudwatch.follow(aws, lambda: find_logged(aws, job_id), since_time), as_json=as_json)
        except KeyboardInterrupt:
            return 0  # the usual way to stop following
    elif not print_lines(cloudwatch.Reader(aws, since_time).new_lines(job), as_json=as_json):
        Console(quiet=quiet).say(_no_lines(job, manifest, since))
    return 0


def print_lines(lines: Iterable[Line], *, as_json: bool) -> int:
    """Print lines and return how many there were."""
    import json

    count = 0
    for line in lines:
        text = f"{line.container}: {line.text}" if line.container else line.text
        click.echo(json.dumps(line.to_dict(), ensure_ascii=False) if as_json else text)
        count += 1
    return count


def _no_lines(job: SubmittedJob, manifest: Path, since: str | None) -> str:
    """Explain why nothing was printed."""
    if job.array_size:
        return f"an array job has no log; for its first child: gen-infra logs {manifest} {job.id}:0"
    if not job.log_streams:
        return f"the job has no log yet: it is {job.status} and has not started; see gen-infra why {manifest} {job.id}"
    streams = f"log group {job.log_group}, stream {', '.join(job.log_streams)}"
    return f"the job wrote nothing{f' since {since}' if since else ''}, or its log is deleted: {streams}"


@click.command()
@manifest_argument
@click.argument("job_ids", nargs=-1, metavar="[JOB_ID|RUN]...")
@click.option(
    "--queue",
    metavar="Q",
    shell_complete=complete_from_manifest(lambda env: env.queues),
    help="Cancel the jobs of this queue (its name in the manifest) that have --status.",
)
@click.option(
    "--status", type=click.Choice(_ACTIVE, case_sensitive=False), help="Status of the queue's jobs to cancel."
)
@yes_option
@json_option
@quiet_option
@examples("""
gen-infra cancel envs/prod.yaml 0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11
gen-infra cancel envs/prod.yaml --queue lowPriority --status RUNNABLE
gen-infra cancel envs/prod.yaml NA12878-20261129-101500
""")
def cancel(
    manifest: Path,
    job_ids: tuple[str, ...],
    queue: str | None,
    status: str | None,
    yes: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Cancel jobs by id, all jobs of a queue with one status, or runs of workflows by name.

    Asks for confirmation. Jobs that have started are terminated and lose their work; so are those of a run. Prints the
    ids of jobs, and the names of runs.
    """
    from gen_infra.aws.cancel import end_job
    from gen_infra.aws.session import clients, require_account
    from gen_infra.cli.runs import is_run
    from gen_infra.manifest import load

    if bool(job_ids) == bool(queue) or bool(queue) != bool(status):
        raise click.UsageError("give either job ids, or --queue together with --status")
    env = load(manifest)
    if queue and queue not in env.queues:
        raise unknown("unknown queue", queue, env.queues)
    if not yes:
        require_terminal()
    aws = clients(env.region)
    caller = require_account(aws, env.account)
    console = Console(quiet=quiet)
    if job_ids and all(is_run(env, each) for each in job_ids):
        return _cancel_runs(aws, env, manifest, job_ids, console, by=caller.arn, yes=yes, as_json=as_json)
    chosen = _of_queue(aws, env.queue_name(queue), status) if queue and status else _by_id(aws, env, job_ids)
    active = _active(chosen, console)
    if active:
        console.confirm(_question(active), yes=yes)
    elif not chosen:
        console.say(f"queue {queue} has no {status} jobs")
    for job in active:
        end_job(aws, job, f"gen-infra cancel, by {caller.arn}")
        if not as_json:
            click.echo(job.id)
    if as_json:
        print_json([job.to_dict() for job in active])
    return 0


def _cancel_runs(
    aws: Clients,
    env: Manifest,
    manifest_path: Path,
    names: Sequence[str],
    console: Console,
    *,
    by: str,
    yes: bool,
    as_json: bool,
) -> int:
    """Stop runs of workflows; Step Functions terminates the jobs of their steps."""
    from gen_infra.aws.runs import describe_run, stop_run
    from gen_infra.cli.runs import find_run

    found = [describe_run(aws, find_run(aws, env, manifest_path, name)) for name in names]
    active = [run for run in found if not run.ended]
    for run in found:
        if run.ended:
            console.say(f"run {run.name} has already ended: {run.status}")
    if active:
        console.confirm(f"Stop {', '.join(run.name for run in active)}, and terminate the jobs of its steps?", yes=yes)
    for run in active:
        stop_run(aws, run.arn, f"gen-infra cancel, by {by}")
        if not as_json:
            click.echo(run.name)
    if as_json:
        print_json([run.to_dict() for run in active])
    return 0


def _active(jobs: Sequence[SubmittedJob], console: Console) -> list[SubmittedJob]:
    """Return the jobs that have not ended, and report the others."""
    for job in jobs:
        if job.finished:
            console.say(f"job {job.id} has already ended: {job.status}")
    return [job for job in jobs if not job.finished]


def _of_queue(aws: Clients, queue: str, status: str) -> list[SubmittedJob]:
    from gen_infra.aws.jobs import list_jobs

    return list_jobs(aws, [queue], [status.upper()])


def _by_id(aws: Clients, env: Manifest, job_ids: Sequence[str]) -> list[SubmittedJob]:
    """Return these jobs, all of which must exist and be in queues of this environment."""
    from gen_infra.aws.jobs import describe

    found = describe(aws, list(dict.fromkeys(job_ids)))
    if missing := [job_id for job_id in job_ids if job_id not in {job.id for job in found}]:
        raise AnswerIsNoError(f"unknown job id: {', '.join(missing)}; nothing was changed")
    queues = {env.queue_name(key) for key in env.queues}
    if foreign := [f"{job.id} in {job.queue}" for job in found if job.queue not in queues]:
        raise UsageError(f"these jobs do not belong to environment {env.name}: {', '.join(foreign)}")
    return found


def _question(jobs: Sequence[SubmittedJob]) -> str:
    started = sum(job.has_started for job in jobs)
    waiting = len(jobs) - started
    parts = [f"cancel {waiting} that wait{'s' if waiting == 1 else ''}"] if waiting else []
    if started:
        parts.append(f"terminate {started} that {'has' if started == 1 else 'have'} started and will lose their work")
    names = ", ".join(dict.fromkeys(job.name for job in jobs[:3])) + (", …" if len(jobs) > 3 else "")
    return f"jobs ({names}): {' and '.join(parts)}?"
