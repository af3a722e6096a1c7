"""Command doctor: check what an environment needs in its account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import PATH, Console, examples, json_option, print_json, quiet_option

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gen_infra.doctor.diagnosis import Diagnosis

_COLOURS = {"ok": "green", "warning": "yellow", "wrong": "red"}


@click.command()
@click.argument("manifest", type=PATH, metavar="[MANIFEST]", required=False)
@json_option
@quiet_option
@examples("""
gen-infra doctor
gen-infra doctor envs/prod.yaml
gen-infra doctor envs/prod.yaml --json
""")
def doctor(manifest: Path | None, as_json: bool, quiet: bool) -> int:
    """Check everything that an environment needs before it is applied.

    Checks the tools and the credentials; with a manifest also its account: service-linked roles, vCPU quotas, the
    network, the machine image, the key, buckets and container images. Changes nothing. Each line says ok, warning or
    wrong, and what to do. Exits 1 if anything is wrong.
    """
    from dataclasses import asdict

    from gen_infra.doctor.runner import examine

    console = Console(quiet=quiet)
    lines = examine(manifest)
    counts = {level: sum(line.level == level for line in lines) for level in _COLOURS}
    if as_json:
        print_json({"counts": counts, "lines": [asdict(line) for line in lines]})
    else:
        show(lines)
    summary = f"{counts['ok']} ok, {counts['warning']} warnings, {counts['wrong']} wrong"
    if counts["wrong"]:
        console.say(f"✗ {summary}", fg="red")
        console.next_step("fix what is wrong, then run it again")
        return 1
    console.done(summary)
    if manifest:
        console.next_step(f"gen-infra plan {manifest}")
    return 0


def show(lines: Sequence[Diagnosis]) -> None:
    """Print one line for each check, and below it what to do."""
    for line in lines:
        level = click.style(f"{line.level:<7}", fg=_COLOURS[line.level])
        click.echo(f"{level}  {line.subject}: {line.message}")
        if line.advice:
            click.echo(f"         -> {line.advice}")
