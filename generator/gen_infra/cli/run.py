"""The command that starts a run of a workflow."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
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
from gen_infra.errors import GenInfraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen_infra.aws.runs import NotAppliedError
    from gen_infra.aws.session import Clients
    from gen_infra.manifest import Manifest
    from gen_infra.manifest.run_inputs import S3Object, Sample

_NAME_AT_MOST = 80  # https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html (name)
_TIME_OF_NAME = re.compile(r"-[0-9]{8}-[0-9]{6}$")
_SHOWN = 5


@click.command()
@manifest_argument
@click.argument("workflow", shell_complete=complete_from_manifest(lambda env: env.workflows))
@click.argument("inputs", nargs=-1, metavar="[INPUT=VALUE]...")
@click.option(
    "--samples",
    metavar="FILE",
    help="A list of samples: a CSV file whose first line has the inputs' names, or JSON Lines; a path or s3://…",
)
@click.option("--name", metavar="N", help="Name of the run; by default the sample or the list with the time.")
@click.option("--watch", is_flag=True, help="Wait until it has ended; exit 1 if it failed.")
@json_option
@quiet_option
@examples("""
gen-infra run envs/prod.yaml germline sample=NA12878 fastq1=s3://lab/NA12878_1.fq.gz fastq2=s3://lab/NA12878_2.fq.gz
gen-infra run envs/prod.yaml germline --samples batch-7.csv --watch
gen-infra run envs/prod.yaml germline --samples s3://lab/batch-7.csv --name batch-7
""")
def run(
    manifest: Path,
    workflow: str,
    inputs: tuple[str, ...],
    samples: str | None,
    name: str | None,
    watch: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Start a run of a workflow and print its ARN.

    WORKFLOW is a key under `workflows` in the manifest. The inputs are checked first: missing and unknown ones, samples
    of one name, and S3 objects that do not exist.
    """
    from gen_infra.aws import runs
    from gen_infra.aws.console import run_url
    from gen_infra.aws.session import clients, require_account
    from gen_infra.manifest import load
    from gen_infra.manifest.run_inputs import Sample, check_samples

    console = Console(quiet=quiet)
    env = load(manifest)
    if workflow not in env.workflows:
        raise unknown("unknown workflow", workflow, env.workflows)
    if samples and inputs:
        raise UsageError("--samples takes the place of inputs", hint="remove one of them")
    if samples and not env.workflows[workflow].many:
        raise UsageError(f"the workflow {workflow} has no `many`", hint="add it to the manifest, and apply")
    aws = clients(env.region)
    checked = _read(aws, samples) if samples else [Sample("", _pairs(inputs))]
    objects = check_samples(env.workflows[workflow], checked)
    require_account(aws, env.account)
    _echo(console, checked)
    require_objects(aws, console, objects)
    name = name or run_name(Path(samples).stem if samples else next(iter(checked[0].values.values()), workflow))
    try:
        if samples:
            arn = start_list(aws, env, workflow, name, checked)
        else:
            machine = env.state_machine_arn(env.state_machine_name(workflow))
            arn = runs.start_run(aws, machine, name, checked[0].values)
    except runs.NotAppliedError as error:
        raise with_apply_hint(error, manifest) from None
    if not watch:
        if as_json:
            print_json({"arn": arn, "name": name, "samples": len(checked), "console_url": run_url(env.region, arn)})
        else:
            click.echo(arn)
            console.say(run_url(env.region, arn))
        console.next_step(f"gen-infra runs {manifest} {name}")
        return 0
    console.say(run_url(env.region, arn))
    return _watch(aws, console, manifest, arn, as_json=as_json)


def with_apply_hint(error: NotAppliedError, manifest_path: Path) -> NotAppliedError:
    """Return the error with what to do about it."""
    error.hint = f"run gen-infra apply {manifest_path} first"
    return error


def _pairs(words: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for word in words:
        key, separator, value = word.partition("=")
        if not separator or not key:
            raise UsageError(f'invalid input "{word}"', hint="write INPUT=VALUE")
        if key in values:
            raise UsageError(f'the input "{key}" is given twice')
        values[key] = value
    return values


def _read(aws: Clients, samples: str) -> list[Sample]:
    """Read a list of samples from a file or an object.

    Raises:
        UsageError: there is no such file, or it is no list of samples.
    """
    from gen_infra.aws.objects import read_object
    from gen_infra.manifest.run_inputs import read_samples, s3_object

    place = s3_object(samples)
    try:
        content = read_object(aws, place) if place else Path(samples).read_bytes()
        return read_samples(samples, content.decode())
    except OSError as error:
        raise UsageError(f"cannot read {samples}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{samples} is not UTF-8 text") from None


def _echo(console: Console, samples: Sequence[Sample]) -> None:
    for sample in samples[:_SHOWN]:
        console.say("  " + "  ".join(f"{name}={value}" for name, value in sample.values.items()))
    if len(samples) > _SHOWN:
        console.say(f"  and {len(samples) - _SHOWN} more, {len(samples)} samples in all")


def require_objects(aws: Clients, console: Console, objects: dict[S3Object, list[str]]) -> None:
    """Check that all objects exist; warn of those that the caller may not look for.

    Raises:
        UsageError: some do not exist.
    """
    from gen_infra.aws.objects import look_up_objects

    missing, denied = look_up_objects(aws, objects)
    if denied:
        console.say(
            f"warning: {len(denied)} of {len(objects)} objects were not looked up, because your role may not read them"
            f" (s3:GetObject): {_several(denied, objects)}; a step fails if its object does not exist",
            fg="yellow",
        )
    if missing:
        raise UsageError(
            f"{len(missing)} of {len(objects)} objects do not exist: {_several(missing, objects)}",
            hint="nothing was started",
        )


def _several(places: Sequence[S3Object], objects: dict[S3Object, list[str]]) -> str:
    shown = ", ".join(f"{place.uri} ({objects[place][0]})" for place in places[:_SHOWN])
    return shown + (f", and {len(places) - _SHOWN} more" if len(places) > _SHOWN else "")


def run_name(subject: str) -> str:
    """Name a run after its list, or its first input, with the time: names may not be used twice in 90 days."""
    time = datetime.now(UTC).strftime("-%Y%m%d-%H%M%S")
    subject = _TIME_OF_NAME.sub("", subject)
    return re.sub(r"[^A-Za-z0-9_-]", "-", subject)[: _NAME_AT_MOST - len(time)] + time


def start_list(aws: Clients, env: Manifest, workflow: str, name: str, samples: Sequence[Sample]) -> str:
    """Write the list where the state machine reads it, and start a run for all samples.

    Raises:
        UsageError: a run has the name; its list stays as it is.
    """
    from gen_infra.aws.objects import write_object
    from gen_infra.aws.runs import execution_exists, name_taken, start_run
    from gen_infra.manifest.run_inputs import S3Object, write_samples
    from gen_infra.manifest.state_machines import sample_bucket, sample_folder

    many = env.workflows[workflow].many
    if many is None:
        raise AssertionError("the command has checked it")
    machine = env.state_machine_arn(env.many_machine_name(workflow))
    if execution_exists(aws, f"{machine.replace(':stateMachine:', ':execution:')}:{name}"):
        raise name_taken(name)
    bucket = env.buckets[sample_bucket(env, workflow, many)]
    place = S3Object(bucket.name, f"{sample_folder(env, workflow, many)}lists/{name}.csv")
    write_object(aws, place, write_samples(env.workflows[workflow], samples).encode())
    return start_run(aws, machine, name, {"list": place.key})


def _watch(aws: Clients, console: Console, manifest: Path, arn: str, *, as_json: bool) -> int:
    """Wait for the end of a run."""
    from gen_infra.aws.runs import watch_run

    name = arn.rpartition(":")[2]
    try:
        ended = watch_run(aws, arn, lambda seen: console.say(f"  {seen.summary}"))
    except KeyboardInterrupt:
        raise GenInfraError(
            f"stopped watching; run {name} continues", hint=f"follow it with gen-infra runs {manifest} {name}"
        ) from None
    if as_json:
        print_json(ended.to_dict())
    else:
        click.echo(ended.arn)
    console.say(f"{ended.status} {ended.error}".rstrip(), fg="green" if ended.status == "SUCCEEDED" else "red")
    return 0 if ended.status == "SUCCEEDED" else 1
