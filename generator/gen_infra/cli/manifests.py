"""Commands around a manifest: new, show, schema, import-job, completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gen_infra.cli.comparison import show_differences
from gen_infra.cli.console import PATH, Console, examples, json_option, manifest_argument, print_json, quiet_option
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO


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
    help="What to start from; a name that does not exist lists those that do.",
)
@json_option
@quiet_option
@examples("""
gen-infra new envs/test.yaml
gen-infra new envs/test.yaml --example starter
""")
def new(path: Path, example: str, as_json: bool, quiet: bool) -> int:
    """Write a commented manifest to start from.

    It is accepted as it stands. A file that exists is never overwritten.
    """
    from gen_infra.manifest.starters import write_starter

    write_starter(path, example)
    if as_json:
        print_json({"manifest": str(path), "example": example})
    else:
        click.echo(path)
    console = Console(quiet=quiet)
    console.say("put your own account, region and network into it")
    console.next_step(f"gen-infra show {path}")
    return 0


@click.command()
@manifest_argument
@click.option(
    "--diff", "other", type=PATH, metavar="OTHER", help="Print what differs from OTHER instead; exit 1 if it does."
)
@json_option
@quiet_option
@examples("""
gen-infra show envs/prod.yaml
gen-infra show envs/prod.yaml --json
gen-infra show envs/prod.yaml --diff envs/dev.yaml
""")
def show(manifest: Path, other: Path | None, as_json: bool, quiet: bool) -> int:
    """Print the manifest as it is understood, and where its jobs can run.

    Parents merged and defaults filled in; behind each value the file and line that it came from, or `default`. Below,
    as comments: the instance types that each job can land on, and how many of it one of them holds.

    With --diff, what differs between two environments, by key, with both values and their places; 0 is the same, 1
    different, as with diff.
    """
    if other:
        return show_differences(manifest, other, Console(quiet=quiet), as_json=as_json)
    from gen_infra.cli.placements import described, places
    from gen_infra.manifest.reading.loader import load_with_nodes
    from gen_infra.manifest.reading.reader import dotted, file_and_line, origin
    from gen_infra.render.blocks import resolved
    from gen_infra.render.yaml import leaves, to_commented_yaml

    env, nodes = load_with_nodes(manifest)
    values = resolved(env)

    if as_json:
        answer = []
        for path, value in leaves(values):
            file, line = file_and_line(nodes, path) or (None, None)
            answer.append({"key": dotted(path), "value": value, "file": file, "line": line})
        where = {job: [place._asdict() for place in found] for job, found in places(env).items()}
        print_json({"values": answer, "places": where})
    else:
        click.echo(to_commented_yaml(values, lambda path: origin(nodes, path)), nl=False)
        if env.jobs:
            click.echo("\n# Where each job can run, and how many of it an instance holds:")
        for said in described(env):
            click.echo(f"# {said}")
    Console(quiet=quiet).next_step(f"gen-infra render {manifest}")
    return 0


@click.command()
@quiet_option
@examples("""
gen-infra schema > manifest.schema.json
""")
def schema(quiet: bool) -> int:
    """Print the JSON Schema of manifests.

    An editor that is told of it completes and explains every key.
    """
    from gen_infra.manifest.schema import text

    click.echo(text(), nl=False)
    Console(quiet=quiet).say(
        "tell your editor: `# yaml-language-server: $schema=manifest.schema.json` as the first line"
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
    if as_json:
        refused = [refusal._asdict() for refusal in imported.refusals]
        print_json({"jobs": imported.jobs, "notes": imported.notes, "refused": refused})
    else:
        click.echo(to_yaml({"jobs": imported.jobs}), nl=False)
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

    It completes commands, options and files, and for submit and jobs the names in the manifest.
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"there is no completion for {shell}")
    context = click.get_current_context().find_root()
    click.echo(kind(context.command, {}, "gen-infra", "_GEN_INFRA_COMPLETE").source())
    Console(quiet=quiet).say("a new shell completes; the examples in --help say where the lines belong")
    return 0
