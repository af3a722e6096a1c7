"""Shows a plan, and asks before it is applied."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gen_infra.cli.console import DURATION
from gen_infra.errors import AnswerIsNoError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from gen_infra.cli.console import Console
    from gen_infra.explain import Change, Summary

_SYMBOLS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("±", "magenta"),
    "destroy": ("-", "red"),
}

allow_option = click.option(
    "--allow",
    type=click.Choice(
        ["stop-jobs", "destroy-data", "host-access", "other-roles", "root-scripts", "access", "enable-queues"]
    ),
    multiple=True,
    help="Do not ask about changes that stop jobs, destroy data, give jobs access to their hosts, use roles that "
    "gen-infra did not create, or enable queues that the budget disabled; for several, give it several times.",
)

drain_timeout_option = click.option(
    "--drain-timeout",
    type=DURATION,
    metavar="T",
    help="How long to wait for jobs on a compute environment that is deleted: 30m, 2h, 0. Then apply stops, and the "
    "same command resumes; with --allow stop-jobs it terminates the jobs. By default it waits until they end.",
)


def show_summary(summary: Summary, *, has_changes: bool) -> None:
    """Print the plan: for each resource what changed in the manifest, what changes in AWS, and what that means."""
    for line in _adopted(summary):
        click.secho(f"  {line}", fg="cyan")
    for change in summary.changes:
        symbol, colour = _SYMBOLS[change.action]
        click.secho(f"  {symbol} {change.action:<7} {change.title}{change.how}", fg=colour)
        for line, line_colour in _lines(change):
            click.secho(f"      {line}", fg=line_colour)
    for unused in summary.unused:
        click.echo(f"  {unused}: {unused.without_effect}")
    if not has_changes:
        click.echo("nothing to do: the environment matches the manifest")
    elif summary.changes or summary.adopted:
        click.echo(summary.sentence)
    else:
        click.echo("only outputs change")
    for danger, changes in summary.dangers.items():
        click.secho(f"{danger}: {', '.join(change.title for change in changes)}", fg="red")
    if summary.impossible:
        click.secho(f"AWS refuses: {', '.join(change.title for change in summary.impossible)}", fg="red")


def _adopted(summary: Summary) -> Iterator[str]:
    """Yield a line for each resource that exists and is imported."""
    left = [adopted for adopted in summary.adopted if adopted.by != "manifest"]
    yield from (f"= {adopted.sentence}" for adopted in summary.adopted if adopted not in left)
    if left:
        yield f"adopts {len(left)} resource{'s' if len(left) > 1 else ''} that an interrupted run left:"
        yield from (f"= {adopted}" for adopted in left)


def _lines(change: Change) -> Iterator[tuple[str, str | None]]:
    """Yield the lines below a change, each with its colour."""
    for cause in change.causes:
        yield str(cause), "cyan"
    for detail in change.details:
        yield detail, None
    for effect in change.effects:
        marked = f"{effect.danger}: " if effect.danger else ""
        yield f"=> {marked}{effect.text}", "red" if effect.danger else None
        if effect.danger:
            yield f"   because: {effect.reason}", None
    if change.permissions.verdict:
        yield f"=> {change.permissions.verdict}", None
    for grant in change.permissions.added:
        yield f"   + {grant}", "yellow"
    for grant in change.permissions.removed:
        yield f"   - {grant}", "yellow"


def confirm_lost_files(lost: Collection[str], console: Console, *, allowed: Collection[str], yes: bool) -> None:
    """Ask before a destroy deletes file systems with their files, unless ``--allow destroy-data`` accepts it.

    Args:
        lost: the file systems, in words.
        console: where to say it.
        allowed: the dangers that ``--allow`` accepts.
        yes: whether the caller does not want to be asked.

    Raises:
        UsageError: there is no terminal to ask on.
        AnswerIsNoError: the answer is no.
    """
    if not lost or "destroy-data" in allowed:
        return
    names = ", ".join(lost)
    if yes or not sys.stdin.isatty():
        raise UsageError(
            f"this deletes all files of {names}; nothing was destroyed",
            hint="if you want that, add --allow destroy-data; to keep the files, take the file system out of "
            "Terraform's state first",
        )
    console.say(f"This deletes all files of {names}; AWS Backup keeps its last copies for 35 days", fg="red")
    if not click.confirm("Do you want that?", err=True):
        raise AnswerIsNoError("nothing was destroyed")


def confirm_dangers(summary: Summary, console: Console, *, allowed: Collection[str], yes: bool) -> None:
    """Ask about each danger separately, unless ``--allow`` accepts it.

    Raises:
        UsageError: there is no terminal to ask on.
        AnswerIsNoError: the answer is no.
    """
    from gen_infra.explain import DANGERS

    left = [danger for danger in summary.dangers if danger not in allowed]
    if left and (yes or not sys.stdin.isatty()):
        names = ", ".join(change.title for danger in left for change in summary.dangers[danger])
        raise UsageError(
            f"this {' and '.join(DANGERS[danger] for danger in left)}: {names}; nothing was changed",
            hint=f"if you want that, add {' '.join(f'--allow {danger}' for danger in left)}",
        )
    for danger in left:
        count = len(summary.dangers[danger])
        console.say(f"{count} change{'s' if count > 1 else ''}: {DANGERS[danger]}", fg="red")
        if not click.confirm(f"Do you want that? This {DANGERS[danger]}", err=True):
            raise AnswerIsNoError("nothing was changed")
