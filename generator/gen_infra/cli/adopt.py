"""The command adopt."""

from __future__ import annotations

import shlex

import click

from gen_infra.cli.console import Console, examples, json_option, print_json, quiet_option


@click.command()
@click.option("--region", help="The region to read; default: AWS_REGION or the profile's.")
@click.option("--name", required=True, metavar="NAME", help="The environment's name, such as lab.")
@click.option("--queue", "queues", multiple=True, metavar="Q", help="Adopt only this job queue; repeatable.")
@click.option("--job", "jobs", multiple=True, metavar="J", help="Adopt only this job definition; repeatable.")
@click.option(
    "--owner-tag",
    "owner_tags",
    multiple=True,
    metavar="KEY[=VALUE]",
    help="A tag that your own Terraform sets, besides tags such as ManagedBy=terraform; repeatable.",
)
@click.option("--released", is_flag=True, help="Adopt what has a Terraform tag: its owner has released it.")
@json_option
@quiet_option
@examples("""
gen-infra adopt --region us-east-1 --name lab > envs/lab.yaml
gen-infra adopt --name lab --queue highPriority --queue lowPriority > envs/lab.yaml
gen-infra adopt --name lab --job isaac --job strelka --json
""")
def adopt(
    region: str | None,
    name: str,
    queues: tuple[str, ...],
    jobs: tuple[str, ...],
    owner_tags: tuple[str, ...],
    released: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Write the manifest of a Batch environment that exists already.

    Reads the account, changes nothing, and prints a valid manifest: its section `existing` lists what the first apply
    imports. Queues keep their names and ARNs; compute environments and the newest revisions of job definitions stay as
    they are until you remove their line. Networks and keys are referred to by id. Comments, and stderr, say what needs
    a look and what is not adopted.

    What a CloudFormation stack, another Terraform or another environment manages is not adopted: the error names it,
    and the way out. Exits 1 then.
    """
    from datetime import UTC, datetime

    from gen_infra.adopt.account import read_account, require_queues
    from gen_infra.adopt.choice import choose
    from gen_infra.adopt.owners import find_owners
    from gen_infra.adopt.writing import write_manifest
    from gen_infra.aws.session import clients, configured_region
    from gen_infra.errors import UsageError

    console = Console(quiet=quiet)
    chosen = region or configured_region()
    if not chosen:
        raise UsageError("no region is configured", hint="add --region, such as --region us-east-1")
    aws = clients(chosen)
    account = read_account(aws, console.say)
    require_queues(account, queues)
    console.say("looking for owners: CloudFormation stacks, and tags of Terraform and of other environments …")
    owners = find_owners(aws, name, owner_tags, console.say)
    choice = choose(account, owners, queues, jobs, released=released)
    manifest = write_manifest(account, choice, name, datetime.now(UTC).date())
    if as_json:
        print_json(
            {
                "manifest": manifest.document,
                "imports": manifest.imports,
                "notes": manifest.notes,
                "policy": manifest.policy,
                "not_adopted": [each._asdict() for each in choice.left_out],
            }
        )
    else:
        given = (("--queue", queues), ("--job", jobs), ("--owner-tag", owner_tags))
        repeated = [word for option, values in given for value in values for word in (option, value)]
        flags = ["--released"] if released else []
        command = ["gen-infra", "adopt", "--region", chosen, "--name", name, *repeated, *flags]
        click.echo(manifest.text(choice, shlex.join(command)), nl=False)
    for left in choice.left_out:
        console.say(f"not adopted: {left}", fg="yellow")
    for note in manifest.notes:
        console.say(f"note: {note}", fg="yellow")
    console.done(f"{len(manifest.imports)} resources to take over")
    console.next_step("put this into a file, then gen-infra plan FILE: it must show imports and tags only")
    return 0
