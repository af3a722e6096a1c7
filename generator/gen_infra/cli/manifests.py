"""Commands around a manifest: new, show, schema, import-job, completion."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from gen_infra.cli.comparison import show_differences
from gen_infra.cli.console import PATH, Console, examples, json_option, manifest_argument, print_json, quiet_option
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from gen_infra.manifest import Manifest


def _complete_example(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from gen_infra.manifest.starters import starters

    return [name for name in starters() if name.startswith(incomplete)]


@click.command()
@click.argument("path", type=PATH)
@click.option(
    "--example",
    default="starter",
    show_default=True,
    metavar="NAME",
    shell_complete=_complete_example,
    help="Example to start from; an unknown name lists all of them.",
)
@json_option
@quiet_option
@examples("""
gen-infra new envs/test.yaml
gen-infra new envs/prod.yaml --example prod
gen-infra new demo.yaml --example demo
""")
def new(path: Path, example: str, as_json: bool, quiet: bool) -> int:
    """Write a commented manifest to start from.

    The manifest is valid as it is, and its environment has the file's name if that is a valid one. It names the version
    of Terraform's AWS provider if the mirrors on this machine do not have the default one. Creates the folder, the
    parent of an example that has one, and a copy of the JSON Schema for editors. Never overwrites a manifest.
    """
    from gen_infra.manifest.starters import write_starter
    from gen_infra.terraform.provider import major_here

    files = [str(file) for file in write_starter(path, example, major_here(os.environ))]
    if as_json:
        print_json({"manifest": files[0], "example": example, "files": files})
    else:
        click.echo(files[0])
    console = Console(quiet=quiet)
    if files[1:]:
        console.say(f"also wrote {' and '.join(files[1:])}")
    if example == "demo":
        console.say("it needs no account: run `gen-infra emulator` elsewhere, and paste here the lines that it prints")
    else:
        console.say("replace the account, region and network with your own")
    console.next_step(f"gen-infra show {path}")
    return 0


@click.command()
@manifest_argument
@click.option(
    "--diff",
    "other",
    type=PATH,
    metavar="OTHER",
    help="Print what differs from OTHER instead; exit 1 if anything does.",
)
@click.option("--history", is_flag=True, help="Ask AWS Batch how long each job usually takes.")
@json_option
@quiet_option
@examples("""
gen-infra show envs/prod.yaml
gen-infra show envs/prod.yaml --history
gen-infra show envs/prod.yaml --json
gen-infra show envs/prod.yaml --diff envs/dev.yaml
""")
def show(manifest: Path, other: Path | None, history: bool, as_json: bool, quiet: bool) -> int:
    """Print the resolved manifest, where its jobs can run, and what it costs.

    Parents are merged and defaults filled in; each value is followed by its file and line, or `default`. Comments at
    the end list the instance types on which each job can run, and how many of it an instance holds, and estimate the
    cost by AWS's list prices: fixed a month, an instance hour, an attempt of each job, and the worst day.

    With --diff, print what differs between two manifests by key, with both values and their places. Exits 0 if they are
    equal, 1 if they differ, as diff does.
    """
    if other:
        return show_differences(manifest, other, Console(quiet=quiet), as_json=as_json)
    from gen_infra.cli.placements import described, wrapped_comments
    from gen_infra.cost import estimate
    from gen_infra.cost.text import estimate_lines
    from gen_infra.manifest.model.base import dotted
    from gen_infra.manifest.placements import places
    from gen_infra.manifest.reading.loader import load_with_nodes
    from gen_infra.manifest.reading.nodes import file_and_line, origin
    from gen_infra.render.blocks import resolved
    from gen_infra.render.yaml import leaves, to_commented_yaml

    env, nodes = load_with_nodes(manifest)
    values = resolved(env)
    cost = estimate(env, _usual_hours(env) if history else {})

    if as_json:
        answer = []
        for path, value in leaves(values):
            file, line = file_and_line(nodes, path) or (None, None)
            answer.append({"key": dotted(path), "value": value, "file": file, "line": line})
        where = {job: [place._asdict() for place in found] for job, found in places(env).items()}
        print_json({"values": answer, "places": where, "cost": cost.to_dict()})
    else:
        click.echo(to_commented_yaml(values, lambda path: origin(nodes, path)), nl=False)
        if env.jobs:
            click.echo("\n# Where each job can run, and how many such jobs fit on an instance:")
        for placement in described(env):
            click.echo(f"# {placement}")
        click.echo()
        for comment in wrapped_comments(estimate_lines(cost)):
            click.echo(f"# {comment}")
    Console(quiet=quiet).next_step(f"gen-infra render {manifest}")
    return 0


def _usual_hours(env: Manifest) -> dict[str, float]:
    from gen_infra.aws.job_history import succeeded_jobs
    from gen_infra.aws.session import clients, require_account
    from gen_infra.cost.history import usual_hours

    aws = clients(env.region)
    require_account(aws, env.account)
    return usual_hours(env, succeeded_jobs(aws, map(env.queue_name, env.queues), most=100))


@click.command()
@quiet_option
@examples("""
gen-infra schema > manifest.schema.json
""")
def schema(quiet: bool) -> int:
    """Print the JSON Schema of manifests.

    With it, an editor completes and explains every key.
    """
    from gen_infra.manifest.schema import text

    click.echo(text(), nl=False)
    Console(quiet=quiet).say(
        "make `# yaml-language-server: $schema=manifest.schema.json` the manifest's first line for your editor"
    )
    return 0


@click.command("import-job")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@json_option
@quiet_option
@examples("""
gen-infra import-job job.json
aws batch describe-job-definitions --job-definition-name isaac | gen-infra import-job -
""")
def import_job(file: TextIO, as_json: bool, quiet: bool) -> int:
    """Turn job definitions of AWS Batch into manifest entries.

    FILE holds `aws batch register-job-definition` commands or their JSON, the answer of describe-job-definitions, or a
    CloudFormation template in JSON or YAML; - is stdin. Each definition becomes an entry, or is refused by name; stderr
    lists refusals and every change. A role is kept by its ARN, unless gen-infra made it; fields without a key of their
    own go to `container_properties`; secrets are left out and not repeated.
    """
    from gen_infra.manifest.importing.job import import_jobs
    from gen_infra.render.yaml import to_yaml

    try:
        text = file.read()
    except UnicodeDecodeError:
        raise UsageError(f"{file.name} is not UTF-8 text") from None
    imported = import_jobs(text)
    if not imported.jobs:
        raise UsageError("; ".join(f"{name}: {reason}" for name, reason in imported.refusals))
    hosts = {"hosts": {"allow_paths": imported.host_paths}} if imported.host_paths else {}
    if as_json:
        refused = [refusal._asdict() for refusal in imported.refusals]
        print_json({"jobs": imported.jobs, **hosts, "notes": imported.notes, "refused": refused})
    else:
        click.echo(to_yaml({**hosts, "jobs": imported.jobs}), nl=False)
    console = Console(quiet=quiet)
    for name, reason in imported.refusals:
        click.secho(f"refused: {name}: {reason}", fg="yellow", err=True)
    for note in imported.notes:
        click.secho(f"note: {note}", fg="yellow", err=True)
    console.next_step("put this under `jobs:` of a manifest, then gen-infra show MANIFEST")
    return 0


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@quiet_option
@examples("""
gen-infra completion bash >> ~/.bashrc
gen-infra completion zsh >> ~/.zshrc
gen-infra completion fish > ~/.config/fish/completions/gen-infra.fish
""")
def completion(shell: str, quiet: bool) -> int:
    """Print the shell's completion script.

    It completes commands, options and files, and the names in the manifest for submit and jobs.
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f'unknown shell "{shell}"')
    context = click.get_current_context().find_root()
    click.echo(kind(context.command, {}, "gen-infra", "_GEN_INFRA_COMPLETE").source())
    Console(quiet=quiet).say("add these lines to the file that --help names, and start a new shell")
    return 0
