"""The command that submits a job."""

from __future__ import annotations

import math
from dataclasses import replace
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
    unknown,
)
from gen_infra.cli.durations import duration
from gen_infra.cli.jobs import COLOURS, SIMULATED, clock, complete_queue
from gen_infra.errors import GenInfraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gen_infra.aws.session import Clients
    from gen_infra.aws.submission import SubmitRequest
    from gen_infra.manifest import Manifest
    from gen_infra.manifest.model.job import Job

_OPTIONS = {
    "vcpus": "--vcpus",
    "memory_mib": "--memory",
    "gpus": "--gpus",
    "timeout_minutes": "--timeout",
    "tags": "--tag",
}


@click.command()
@manifest_argument
@click.argument("job", required=False, shell_complete=complete_from_manifest(lambda env: env.jobs))
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--queue",
    metavar="NAME",
    shell_complete=complete_queue,
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
    help="Container of a job of several that command, --env and resources are for; by default the first essential one.",
)
@click.option("--vcpus", type=click.FloatRange(min=0.25), metavar="N", help="vCPUs in place of the job's.")
@click.option("--memory", type=click.IntRange(min=4), metavar="MIB", help="Memory in MiB in place of the job's.")
@click.option("--gpus", type=click.IntRange(1, 16), metavar="N", help="GPUs in place of the job's.")
@click.option("--timeout", metavar="TIME", help="Most time of one attempt, such as 90m or 2h; 1m at least.")
@click.option(
    "--attempts", type=click.IntRange(1, 10), metavar="N", help="Most attempts; the job's `retry` decides about each."
)
@click.option("--tag", "tags", multiple=True, metavar="K=V", help="Tag of the job; may be repeated.")
@click.option("--share", metavar="ID", help="Share identifier, for a fair-share queue.")
@click.option("--engine", metavar="NAME", help="Run this workflow engine in its head job, in place of JOB.")
@click.option("--pipeline", metavar="URL", help="With --engine: the pipeline's Git repository.")
@click.option("--revision", metavar="REV", help="With --engine: the pipeline's tag, branch or commit.")
@click.option("--follow", "-f", is_flag=True, help="Print its log until it has ended; exit 1 if it failed.")
@click.option("--watch", is_flag=True, help="Wait until it has ended; exit 1 if it failed.")
@click.option("--via-function", is_flag=True, help="Submit through the environment's batchSubmitJob function.")
@json_option
@quiet_option
@examples("""
gen-infra submit envs/prod.yaml isaac --watch
gen-infra submit envs/prod.yaml isaac --queue lowPriority --env THREADS=16 -- --working_dir /scratch
gen-infra submit envs/prod.yaml isaac --memory 120000 --vcpus 32 --timeout 6h --attempts 5 --tag Sample=NA12878
gen-infra submit envs/prod.yaml snpeff --array-size 24 --depends-on 0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11:N_TO_N
gen-infra submit envs/prod.yaml snpeff --depends-on "$(gen-infra submit envs/prod.yaml strelka)"
gen-infra submit envs/prod.yaml --engine nextflow --pipeline nf-core/demo --revision 1.0.2 -- --input=s.csv
""")
def submit(
    manifest: Path,
    job: str | None,
    command: tuple[str, ...],
    queue: str | None,
    name: str | None,
    environment: tuple[str, ...],
    parameters: tuple[str, ...],
    depends_on: tuple[str, ...],
    array_size: int | None,
    container: str | None,
    vcpus: float | None,
    memory: int | None,
    gpus: int | None,
    timeout: str | None,
    attempts: int | None,
    tags: tuple[str, ...],
    share: str | None,
    engine: str | None,
    pipeline: str | None,
    revision: str | None,
    follow: bool,
    watch: bool,
    via_function: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Submit a job and print its id.

    JOB is a key under `jobs` in the manifest. Words after -- replace the command of the definition. The submission
    is checked against AWS Batch's limits and the queue's compute environments before AWS is called. With --engine the
    words after -- are the engine's own arguments.
    """
    from gen_infra.aws import jobs as batch
    from gen_infra.aws import submission
    from gen_infra.aws.owners import require_own
    from gen_infra.aws.session import clients, require_account
    from gen_infra.manifest import load
    from gen_infra.render.submissions import refusal

    console = Console(quiet=quiet)
    if follow and (watch or array_size):
        raise click.UsageError("--follow prints the log of one job: remove --watch and --array-size")
    env = load(manifest)
    job, command = _job(env, job, command, engine, pipeline, revision)
    queue = _queue(env, job, queue, share)
    definition = env.jobs[job]
    seconds = None if timeout is None else _seconds(timeout)
    request = submission.SubmitRequest(
        name=name or job,
        queue=env.queue_name(queue),
        definition=env.definition_name(job),
        command=command or None,
        environment=_pairs(environment, "--env"),
        parameters=_pairs(parameters, "--parameter"),
        depends_on=depends_on,
        array_size=array_size,
        share_identifier=share,
        container=_container(definition, container),
        is_multi_node=bool(definition.nodes),
        vcpus=int(vcpus) if vcpus is not None and vcpus.is_integer() else vcpus,
        memory_mib=memory,
        gpus=gpus,
        timeout_seconds=seconds,
        attempts=attempts,
        retry_rules=tuple(
            rule.to_api() for rule in definition.retry_rules(on_fargate=env.is_on_fargate(definition)) if attempts
        ),
        tags=_pairs(tags, "--tag"),
    )
    submission.submit_arguments(request)
    _check_placement(env, job, queue, request)
    function = env.suffixed("batchSubmitJob")
    if via_function and (why := refusal(env, submission.submit_event(request))):
        raise UsageError(
            f"{function} does not accept this job: {why}",
            hint=f"change submit_function in {manifest} and apply it, or leave out --via-function",
        )
    aws = clients(env.region)
    caller = require_account(aws, env.account)
    revision_of_definition = require_own(aws, request.queue, request.definition, env.name)
    if via_function:
        job_id = submission.submit_via_function(aws, function, request)
    else:
        tags_of_job = {**request.tags, **submission.owner_tags(env.name, caller.user_id)}
        job_id = submission.submit(aws, replace(request, definition=revision_of_definition, tags=tags_of_job))
    if follow:
        return _follow(aws, job_id, manifest, console, as_json=as_json)
    if not watch:
        _print_id(job_id, request, as_json=as_json)
        console.next_step(f"gen-infra jobs {manifest} {job_id}")
        return 0
    if not as_json:
        click.echo(job_id)
    try:
        ended = batch.watch(
            aws, job_id, lambda seen: console.say(f"  {clock(seen)} {seen.status} {seen.reason}".rstrip())
        )
    except KeyboardInterrupt:
        raise GenInfraError(
            f"stopped watching; job {job_id} continues",
            hint=f"follow it with gen-infra logs {manifest} {job_id} --follow, or end it with "
            f"gen-infra cancel {manifest} {job_id}",
        ) from None
    if ended.is_simulated:
        console.say(f"note: {SIMULATED}")
    if as_json:
        print_json(ended.to_dict())
    console.say(f"{ended.status}: log {ended.log_url}" if ended.log_url else ended.status, fg=COLOURS.get(ended.status))
    return 0 if ended.succeeded else 1


def _job(
    env: Manifest,
    job: str | None,
    command: tuple[str, ...],
    engine: str | None,
    pipeline: str | None,
    revision: str | None,
) -> tuple[str, tuple[str, ...]]:
    """Return the key of the job and its command; those of a head job with --engine, where JOB is the first argument."""
    if engine:
        from gen_infra.cli.engine import head_submission

        return head_submission(env, engine, pipeline, revision, (*([job] if job else []), *command))
    if pipeline or revision:
        raise UsageError("--pipeline and --revision are for --engine")
    if not job:
        raise UsageError("JOB is missing", hint=f"name a job of the manifest: {', '.join(env.jobs)}")
    return job, command


def _follow(aws: Clients, job_id: str, manifest: Path, console: Console, *, as_json: bool) -> int:
    """Print the log of a job until it has ended, as `logs --follow` does; return 1 if the job failed."""
    from gen_infra.aws import logs as cloudwatch
    from gen_infra.aws.jobs import find_logged
    from gen_infra.cli.running import print_lines

    console.say(f"job {job_id}")
    try:
        print_lines(cloudwatch.follow(aws, lambda: find_logged(aws, job_id)), as_json=as_json)
    except KeyboardInterrupt:
        console.say(f"job {job_id} continues; end it with gen-infra cancel {manifest} {job_id}")
        return 0  # the usual way to stop following
    ended = find_logged(aws, job_id)
    console.say(ended.status, fg=COLOURS.get(ended.status))
    if not ended.succeeded:
        console.next_step(f"gen-infra why {manifest} {job_id}")
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


def _seconds(timeout: str) -> int:
    span = duration(timeout)
    if span is None:
        raise UsageError(f'invalid duration "{timeout}": use a number and a unit, such as 30m or 2h')
    return int(span.total_seconds())


def _check_placement(env: Manifest, job: str, queue: str, request: SubmitRequest) -> None:
    """Refuse what the queue's compute environments cannot place.

    Raises:
        UsageError: the job would be refused, or never start.
    """
    from gen_infra.manifest.rules.submissions import Submission, submission_findings

    resources = {"vcpus": request.vcpus, "memory_mib": request.memory_mib, "gpus": request.gpus}
    seconds = request.timeout_seconds
    changes = Submission(
        queue=queue,
        container=request.container,
        resources={key: value for key, value in resources.items() if value is not None},
        timeout_minutes=None if seconds is None else math.ceil(seconds / 60),
        tags=request.tags,
    )
    for path, message in submission_findings(env, job, changes):
        option = _OPTIONS.get(str(path[-1]), "")
        too_much = "ask for less, or use another --queue; gen-infra show lists the instance types of each job"
        raise UsageError(
            f"{option}: {message}" if option else message,
            hint=too_much if message.endswith("the job would never start") else "",
        )


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
