"""Command drift: show what was changed in the account outside Terraform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import (
    Console,
    examples,
    json_option,
    manifest_argument,
    out_option,
    print_json,
    quiet_option,
)

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.drift.drift import Drift

_ACTIONS = {
    "create": ("+", "added", "yellow"),
    "update": ("~", "changed", "yellow"),
    "destroy": ("-", "gone", "red"),
}


@click.command()
@manifest_argument
@out_option
@json_option
@quiet_option
@examples("""
gen-infra drift envs/prod.yaml
gen-infra drift envs/prod.yaml --quiet || mail -s "prod has drifted" ops@example.org      from cron
gen-infra drift envs/prod.yaml --json
""")
def drift(manifest: Path, out: Path, as_json: bool, quiet: bool) -> int:
    """Show what was changed in the account outside Terraform.

    Compares the account with Terraform's state, not with the manifest, and changes neither. Exits 1 if anything
    differs, and then discards a saved plan, which was made without it. `gen-infra apply` reverts most changes; for the
    rest, such as a policy that was added to a role, it prints the command that removes it. CloudTrail is searched for
    who made each change and when (permission cloudtrail:LookupEvents).
    """
    from gen_infra import pipeline

    console = Console(quiet=quiet)
    environment = pipeline.load(manifest, out)
    pipeline.write(environment)
    console.say("terraform reads the account …")
    notes: list[str] = []
    found = pipeline.drift(environment, console.event, notes.append)
    if as_json:
        print_json({"drift": bool(found), "resources": [each.to_dict() for each in found], "notes": notes})
    else:
        for each in found:
            _show(each)
        for note in notes:
            click.echo(f"  ({note})")
    if not found:
        console.done(f"{environment.manifest.name} has no drift")
        return 0
    if any(not each.remedy for each in found):
        console.next_step(f"gen-infra apply {manifest}")
    return 1


def _show(found: Drift) -> None:
    symbol, done, colour = _ACTIONS[found.action]
    click.secho(f"  {symbol} {done:<7} {found.title}", fg=colour)
    if found.who:
        click.echo(f"      by {found.who}{f' at {found.when}' if found.when else ''}")
    for detail in found.details:
        click.echo(f"      {detail}")
    for sign, grants in (("+", found.added), ("-", found.removed)):
        for grant in grants:
            click.echo(f"      {sign} {grant}")
    if found.meaning:
        click.echo(f"      = {found.meaning}")
    if found.remedy:
        click.echo(f"      -> {found.remedy}")
