"""The command that prints the policies of people and CI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import (
    Console,
    examples,
    fold,
    manifest_argument,
    print_json,
    quiet_option,
    terminal_width,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gen_infra.manifest.job_policies import Statement

_ROLES = ("submit", "operate", "plan", "apply", "image")


@click.command()
@manifest_argument
@click.option(
    "--for", "role", type=click.Choice(_ROLES), help="Only this role; default: all that the manifest allows to print."
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["json", "hcl", "table"]),
    default="json",
    show_default=True,
    help="Policy documents, Terraform's blocks, or a line for each action.",
)
@click.option("--json", "output_format", flag_value="json", help="The same as --format json.")
@quiet_option
@examples("""
gen-infra permissions envs/prod.yaml --for submit
gen-infra permissions envs/prod.yaml --for apply --format hcl > apply.tf
gen-infra permissions envs/prod.yaml --format table
gen-infra permissions envs/prod.yaml --for plan | jq '.plan[0]' > plan-1.json
""")
def permissions(manifest: Path, role: str | None, output_format: str, quiet: bool) -> int:
    """Print the policies of people and CI, for accounts whose IAM is made elsewhere.

    submit, operate, plan and apply are the roles that `access` in a manifest creates; image is for `image build`. Each
    policy allows what the commands of its role call, on this environment's resources alone. JSON maps each role to its
    policies: several where one would be larger than IAM allows; attach all of them. The role apply requires
    iam.permissions_boundary, image requires instances.

    bootstrap, prune and image retire are in no role: they are for an administrator of the account. docs/access.md lists
    the actions that they need.
    """
    from gen_infra.errors import UsageError
    from gen_infra.manifest import load
    from gen_infra.manifest.job_policies import policy_document
    from gen_infra.permissions.policies import policies

    env, console = load(manifest), Console(quiet=quiet)
    found: dict[str, list[list[Statement]]] = {}
    for name in [role] if role else _ROLES:
        try:
            found[name] = policies(env, name)
        except UsageError as error:
            if role:
                raise
            console.say(f"{name} is left out: {error.message}", fg="yellow")
    if output_format == "json":
        print_json({name: [policy_document(part) for part in parts] for name, parts in found.items()})
    elif output_format == "hcl":
        from gen_infra.render.files import permissions_file

        click.echo(permissions_file(env, found), nl=False)
    else:
        _table(found)
    console.next_step("create these policies, and attach all policies of a role to it")
    return 0


def _table(found: Mapping[str, Sequence[Sequence[Statement]]]) -> None:
    width = terminal_width()
    for name, parts in found.items():
        for statement in (each for part in parts for each in part):
            where = ", ".join(statement.resources)
            when = " and ".join(
                f"{each.test} {each.variable} {', '.join(each.values)}" for each in statement.conditions
            )
            effect = "" if statement.effect == "Allow" else "denied: "
            for action in statement.actions:
                cells = [f"{name:<7}", f"{effect}{action:<34}", where, f"if {when}" if when else ""]
                click.echo("\n".join(fold(cells, width)))
