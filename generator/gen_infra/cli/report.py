"""Command report: write one page about an environment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import (
    DURATION,
    PATH,
    Console,
    examples,
    json_option,
    manifest_argument,
    out_option,
    print_json,
    quiet_option,
)
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@manifest_argument
@out_option
@click.option(
    "--output",
    type=PATH,
    metavar="FILE",
    help="The page; by default report.html, and with --json none is written.",
)
@click.option(
    "--since", type=DURATION, default="7d", show_default=True, metavar="T", help="How far back jobs are shown."
)
@click.option(
    "--no-check", is_flag=True, help="Leave out the findings of `gen-infra check`, which take most of the time."
)
@json_option
@quiet_option
@examples("""
gen-infra report envs/prod.yaml --output report.html
gen-infra report envs/prod.yaml --no-check --since 2d
gen-infra report envs/prod.yaml --json > report.json
""")
def report(
    manifest: Path, out: Path, output: Path | None, since: float, no_check: bool, as_json: bool, quiet: bool
) -> int:
    """Write one page about the environment: its parts, permissions, findings, planned changes, queues and jobs.

    The page is one file that loads nothing, for people without access to the account. It shows the saved plan, if there
    is one; with credentials also queues, the jobs of the last days, and why jobs failed. The page names what could not
    be looked up, and why. Nothing else is written or changed.
    """
    from gen_infra import pipeline
    from gen_infra.report.gather import gather

    console = Console(quiet=quiet)
    page_path = output or _default_page(as_json=as_json)
    if page_path and not page_path.parent.is_dir():
        raise UsageError(f'folder "{page_path.parent}" does not exist', hint="create it, or choose another --output")
    environment = pipeline.load(manifest, out)
    console.warn(environment)
    made = gather(environment, manifest, console.say, since=timedelta(seconds=since), checks=not no_check)
    if page_path:
        from gen_infra.check.formats import write_atomically
        from gen_infra.report.page import page

        write_atomically(page_path, page(made))
    if as_json:
        print_json(made.to_dict())
    else:
        click.echo(page_path)
    for each in made.missing:
        console.say(f"not in it: {each.section}: {each.why}", fg="yellow")
    return 0


def _default_page(*, as_json: bool) -> Path | None:
    from pathlib import Path

    return None if as_json else Path("report.html")
