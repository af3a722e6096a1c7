"""The command for jobs that were submitted."""

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

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from gen_infra.aws.jobs import JobContainer, SubmittedJob

_STATUSES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED")
SIMULATED = "the embedded AWS ran no container; the log says why"
COLOURS = {"SUCCEEDED": "green", "FAILED": "red", "RUNNING": "cyan"}


complete_queue = complete_from_manifest(lambda env: env.queues)


@click.command()
@manifest_argument
@click.argument("job_ids", nargs=-1, metavar="[JOB_ID]...")
@click.option("--queue", metavar="Q", shell_complete=complete_queue, help="Only this queue; its name in the manifest.")
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
    queues = [env.queue_name(key) for key in ([queue] if queue else env.queues)]
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
        names = f"{job.queue:<24} {job.name:<24} {timestamp(job.created)}"
        simulated = f"({SIMULATED})" if job.is_simulated else ""
        cells = [job.id, f"{job.status:<9}", names, f"{exit_code} {job.reason} {simulated}".rstrip()]
        row = "\n".join(fold(cells, width))
        click.echo(row.replace(job.status, click.style(job.status, fg=COLOURS.get(job.status)), 1))


def _card(job: SubmittedJob) -> str:
    lines = [
        ("job", f"{job.name} ({job.id})"),
        ("state", f"{job.status} {f'({job.reason})' if job.reason else ''}".rstrip()),
        ("simulated", SIMULATED if job.is_simulated else ""),
        ("queue", job.queue),
        ("definition", job.definition),
        ("created", timestamp(job.created)),
        ("started", timestamp(job.started)),
        ("stopped", timestamp(job.stopped)),
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


def timestamp(time: datetime | None) -> str:
    """Return a time to the second, in UTC; empty where there is none."""
    return time.strftime("%Y-%m-%d %H:%M:%SZ") if time else ""


def clock(job: SubmittedJob) -> str:
    """Return the time of day of what happened last to the job."""
    time = job.stopped or job.started or job.created
    return time.strftime("%H:%M:%S") if time else ""
