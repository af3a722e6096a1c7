"""Commands for jobs: submit, jobs."""

from __future__ import annotations

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
from gen_infra.errors import GenInfraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from gen_infra.aws.jobs import JobContainer, SubmitRequest, SubmittedJob
    from gen_infra.manifest import Manifest
    from gen_infra.manifest.model.job import Job

_STATUSES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED")
_COLOURS = {"SUCCEEDED": "green", "FAILED": "red", "RUNNING": "cyan"}


_complete_queue = complete_from_manifest(lambda env: env.queues)


@click.command()
@manifest_argument
@click.argument("job", shell_complete=complete_from_manifest(lambda env: env.jobs))
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--queue",
    metavar="NAME",
    shell_complete=_complete_queue,
    help="Queue's name in the manifest; by default the job's queue, else the first.",
)
@click.option("--name", metavar="N", help="Name of the job; by default the name of its definition.")
@click.option("--env", "environment", multiple=True, metavar="K=V", help="Environment variable; may be repeated.")
@click.option(
    "--parameter", "parameters", multiple=True, metavar="K=V", help="Value for Ref::K in the command; may be repeated."
)
@click.option(
    "--depends-on",
    multiple=True,
    metavar="ID",
    help="Wait for this job to succeed; may be repeated. For arrays also ID:N_TO_N and SEQUENTIAL.",
)
@click.option("--array-size", type=click.IntRange(2, 10_000), metavar="N", help="Run it N times, as an array job.")
@click.option(
    "--container",
    metavar="NAME",
    help="Container of a job of several that the command and --env are for; by default the first essential one.",
)
@click.option("--share", metavar="ID", help="Share identifier, for a fair-share queue.")
@click.option("--watch", is_flag=True, help="Wait until it has ended; exit 1 if it failed.")
@click.option("--via-function", is_flag=True, help="Submit through the environment's batchSubmitJob function.")
@json_option
@quiet_option
@examples("""
gen-infra submit envs/prod.yaml isaac --watch
gen-infra submit envs/prod.yaml isaac --queue lowPriority --env THREADS=16 -- --working_dir /scratch
gen-infra submit envs/prod.yaml snpeff --depends-on "$(gen-infra submit envs/prod.yaml strelka)"
""")
def submit(
    manifest: Path,
    job: str,
    command: tuple[str, ...],
    queue: str | None,
    name: str | None,
    environment: tuple[str, ...],
    parameters: tuple[str, ...],
    depends_on: tuple[str, ...],
    array_size: int | None,
    container: str | None,
    share: str | None,
    watch: bool,
    via_function: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Submit a job and print its id.

    JOB is a key under `jobs` in the manifest. Words after -- replace the command of the definition.
    """
    from gen_infra.aws import jobs as batch
    from gen_infra.aws.session import clients, require_account
    from gen_infra.manifest import load

    console = Console(quiet=quiet)
    env = load(manifest)
    request = batch.SubmitRequest(
        name=name or job,
        queue=env.suffixed(_queue(env, job, queue, share)),
        definition=env.suffixed(job),
        command=command or None,
        environment=_pairs(environment, "--env"),
        parameters=_pairs(parameters, "--parameter"),
        depends_on=depends_on,
        array_size=array_size,
        share_identifier=share,
        container=_container(env.jobs[job], container),
    )
    aws = clients(env.region)
    require_account(aws, env.account)
    if via_function:
        job_id = batch.submit_via_function(aws, env.suffixed("batchSubmitJob"), request)
    else:
        job_id = batch.submit(aws, request)
    if not watch:
        _print_id(job_id, request, as_json=as_json)
        console.next_step(f"gen-infra jobs {manifest} {job_id}")
        return 0
    if not as_json:
        click.echo(job_id)
    try:
        ended = batch.watch(
            aws, job_id, lambda seen: console.say(f"  {_clock(seen)} {seen.status} {seen.reason}".rstrip())
        )
    except KeyboardInterrupt:
        raise GenInfraError(
            f"stopped watching; job {job_id} goes on",
            hint=f"follow it with gen-infra logs {manifest} {job_id} --follow, or end it with "
            f"gen-infra cancel {manifest} {job_id}",
        ) from None
    if as_json:
        print_json(ended.to_dict())
    console.say(
        f"{ended.status}: log {ended.log_url}" if ended.log_url else ended.status, fg=_COLOURS.get(ended.status)
    )
    return 0 if ended.succeeded else 1


def _queue(env: Manifest, job: str, queue: str | None, share: str | None) -> str:
    """Return the key of the queue to submit to."""
    if job not in env.jobs:
        raise unknown("unknown job", job, env.jobs)
    chosen = queue or env.jobs[job].queue or next(iter(env.queues))
    if chosen not in env.queues:
        raise unknown("unknown queue", chosen, env.queues)
    fair_share = env.queues[chosen].fair_share
    if fair_share and not share:
        raise UsageError(
            f"queue {chosen} has a fair-share policy, and --share is missing",
            hint=f"add --share; shares: {', '.join(fair_share.shares) or 'any'}",
        )
    if fair_share and env.jobs[job].scheduling_priority is None:
        raise UsageError(
            f"job {job} has no scheduling_priority, and queue {chosen} has a fair-share policy",
            hint=f"add jobs.{job}.scheduling_priority to the manifest",
        )
    if share and not fair_share:
        raise UsageError(f"queue {chosen} has no fair-share policy", hint="remove --share")
    return chosen


def _container(job: Job, name: str | None) -> str | None:
    """Return the container that a command is for; None for a job that has one."""
    if not job.containers:
        if name:
            raise UsageError("the job has one container", hint="remove --container")
        return None
    if name and name not in job.containers:
        raise unknown("unknown container", name, job.containers)
    return name or job.main_container


def _pairs(words: Iterable[str], option: str) -> dict[str, str]:
    pairs = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise click.UsageError(f"{option} takes KEY=VALUE")  # without the value, which may contain a secret
        pairs[key] = value
    return pairs


def _print_id(job_id: str, request: SubmitRequest, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": job_id, "name": request.name, "queue": request.queue, "definition": request.definition})
    else:
        click.echo(job_id)


@click.command()
@manifest_argument
@click.argument("job_ids", nargs=-1, metavar="[JOB_ID]...")
@click.option("--queue", metavar="Q", shell_complete=_complete_queue, help="Only this queue; its name in the manifest.")
@click.option("--status", type=click.Choice(_STATUSES, case_sensitive=False), help="Only jobs with this status.")
@click.option("--watch", is_flag=True, help="Show a live table of the queues until Ctrl-C.")
@json_option
@quiet_option
@examples("""
gen-infra jobs envs/prod.yaml --watch
gen-infra jobs envs/prod.yaml --queue highPriority --status RUNNABLE
gen-infra jobs envs/prod.yaml 0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11
""")
def jobs(
    manifest: Path,
    job_ids: tuple[str, ...],
    queue: str | None,
    status: str | None,
    watch: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """List jobs, or show some of them in full.

    Without ids: one line for each job in the environment's queues. With ids: state, reason, times, exit code and links.
    With --watch: for each queue the number of jobs in each state, how long the oldest RUNNABLE job has waited, and the
    vCPUs in use and at most. Without a terminal, --watch prints a table at each change.
    """
    from gen_infra.aws import jobs as batch
    from gen_infra.aws.queues import watch_queues
    from gen_infra.aws.session import clients, require_account
    from gen_infra.cli.watch import show
    from gen_infra.manifest import load

    if watch and (job_ids or status):
        raise click.UsageError("--watch shows queues and cannot be combined with job ids or --status")
    env = load(manifest)
    if queue and queue not in env.queues:
        raise unknown("unknown queue", queue, env.queues)
    aws = clients(env.region)
    require_account(aws, env.account)
    queues = [env.suffixed(key) for key in ([queue] if queue else env.queues)]
    if watch:
        show(watch_queues(aws, queues), as_json=as_json)
        return 0
    found = batch.describe(aws, job_ids) if job_ids else batch.list_jobs(aws, queues, batch.STATUSES)
    found = [job for job in found if not status or job.status == status.upper()]
    if as_json:
        print_json([job.to_dict() for job in found])
    elif job_ids:
        click.echo("\n\n".join(_card(job) for job in found))
    else:
        _table(found)
    if not found:
        Console(quiet=quiet).say("no job found")
    missing = set(job_ids) - {job.id for job in found}
    return 1 if missing else 0


def _table(found: list[SubmittedJob]) -> None:
    width = terminal_width()
    for job in found:
        exit_code = "" if job.exit_code is None else f"exit {job.exit_code}"
        names = f"{job.queue:<24} {job.name:<24} {_time(job.created)}"
        cells = [job.id, f"{job.status:<9}", names, f"{exit_code} {job.reason}"]
        row = "\n".join(fold(cells, width))
        click.echo(row.replace(job.status, click.style(job.status, fg=_COLOURS.get(job.status)), 1))


def _card(job: SubmittedJob) -> str:
    lines = [
        ("job", f"{job.name} ({job.id})"),
        ("state", f"{job.status} {f'({job.reason})' if job.reason else ''}".rstrip()),
        ("queue", job.queue),
        ("definition", job.definition),
        ("created", _time(job.created)),
        ("started", _time(job.started)),
        ("stopped", _time(job.stopped)),
        ("exit code", "" if job.exit_code is None else str(job.exit_code)),
        *(("container", f"{each.name}{_outcome(each)}") for each in job.containers),
        ("attempts", str(job.attempts) if job.attempts else ""),
        ("children", ", ".join(f"{count} {state}" for state, count in job.children.items() if count)),
        ("log stream", f"{job.log_group} {job.log_stream}" if job.log_stream else ""),
        ("log", job.log_url),
        ("console", job.console_url),
    ]
    return "\n".join(f"{name + ':':<12}{value}" for name, value in lines if value)


def _outcome(container: JobContainer) -> str:
    code = "" if container.exit_code is None else f": exit code {container.exit_code}"
    return f"{code}{f' ({container.reason})' if container.reason else ''}"


def _time(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ") if time else ""


def _clock(job: SubmittedJob) -> str:
    time = job.stopped or job.started or job.created
    return time.strftime("%H:%M:%S") if time else ""
