"""The command that prints a workflow engine's configuration, and what `submit --engine` submits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import (
    PATH,
    Console,
    complete_from_manifest,
    examples,
    json_option,
    manifest_argument,
    print_json,
    quiet_option,
    unknown,
)
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gen_infra.manifest import Manifest
    from gen_infra.manifest.model.engine import EngineName

# A repository by its URL, or on GitHub as Nextflow takes it: OWNER/NAME. Neither begins with a dash.
_PIPELINE = re.compile(r"https://[A-Za-z0-9][A-Za-z0-9._~:/@%+-]*|[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]+", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*", re.ASCII)


@click.command()
@manifest_argument
@click.argument("engine", shell_complete=complete_from_manifest(lambda env: env.given_engines))
@click.option("--output", type=PATH, metavar="FILE", help="Write the configuration to FILE, atomically.")
@json_option
@quiet_option
@examples("""
gen-infra engine envs/prod.yaml nextflow > nextflow.config
gen-infra engine envs/prod.yaml snakemake --output profile/config.yaml
gen-infra engine envs/prod.yaml redun --json | jq -r .command
""")
def engine(manifest: Path, engine: str, output: Path | None, as_json: bool, quiet: bool) -> int:
    """Print the configuration that makes a workflow engine use this environment.

    ENGINE is nextflow, snakemake, miniwdl or redun, under `engines` in the manifest. The text is a file in the engine's
    own format; the command that reads it, and the lifecycle rule that its work prefix should have, follow on stderr.
    """
    from gen_infra.check.formats import write_atomically
    from gen_infra.manifest import load
    from gen_infra.manifest.engine_configuration import configuration

    env, console = load(manifest), Console(quiet=quiet)
    name = _engine(env, engine)
    found, bucket = configuration(env, name), env.work_bucket(name)
    if as_json:
        print_json(
            {
                "engine": name,
                "file": found.file,
                "text": found.text,
                "command": found.command,
                "head_role": env.engine_role_arn(name, "head"),
                "worker_role": env.engine_role_arn(name, "worker"),
                "work": f"s3://{bucket.name}/{bucket.prefix}",
            }
        )
        return 0
    if output:
        write_atomically(output, found.text)
        console.say(f"the configuration is in {output}")
    else:
        click.echo(found.text, nl=False)
    console.say(
        f"let S3 delete old files of s3://{bucket.name}/{bucket.prefix}: add a lifecycle rule for this prefix that "
        "expires objects, old versions and incomplete uploads"
    )
    console.next_step(found.command)
    return 0


def head_submission(
    env: Manifest, engine: str, pipeline: str | None, revision: str | None, arguments: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """Return the head job of an engine, and its command for a pipeline.

    Raises:
        UsageError: the manifest has no such head job, or the pipeline or revision is missing or invalid.
    """
    from gen_infra.manifest.engine_heads import head_command, head_job

    name = _engine(env, engine)
    if not env.given_engines[name].head:
        raise UsageError(
            f"engines.{name} has no head job", hint=f"add engines.{name}.head to the manifest, and apply it"
        )
    if not pipeline or not revision:
        raise UsageError("--engine requires --pipeline and --revision")
    if not _PIPELINE.fullmatch(pipeline):
        raise UsageError(f'invalid pipeline "{pipeline}": use an https:// URL, or OWNER/NAME on GitHub for nextflow')
    if name != "nextflow" and not pipeline.startswith("https://"):
        raise UsageError(f'invalid pipeline "{pipeline}": {name} requires the https:// URL of a Git repository')
    if not _REVISION.fullmatch(revision):
        raise UsageError(f'invalid revision "{revision}": use a tag, branch or commit')
    return head_job(name), head_command(name, pipeline, revision, arguments)


def _engine(env: Manifest, name: str) -> EngineName:
    from gen_infra.manifest.model.engine import ENGINES

    for each in env.given_engines:
        if each == name:
            return each
    if name in ENGINES:
        raise UsageError(
            f"the manifest has no engines.{name}", hint=f"add engines.{name} to the manifest, and apply it"
        )
    raise unknown("unknown engine", name, ENGINES)
