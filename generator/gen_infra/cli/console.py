"""Print progress to stderr and results to stdout; define the options that commands share."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from gen_infra.errors import AnswerIsNoError, GenInfraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from gen_infra.environment import Environment
    from gen_infra.manifest import Manifest
    from gen_infra.terraform.adapter import Event


class _PathType(click.ParamType):  # type: ignore[type-arg] # generic only since click 8.5
    """Convert to ``pathlib.Path``, which is imported only when there is a path: it takes a tenth of click's time."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ARG002 - click's signature
        from pathlib import Path

        return Path(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Let the shell complete files."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


class _DurationType(click.ParamType):  # type: ignore[type-arg] # generic only since click 8.5
    """Convert a duration such as ``30m`` to seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from gen_infra.cli.durations import duration

        span = duration(value)
        if span is None:
            self.fail(f'invalid duration "{value}": use a number and a unit, such as 30m or 2h', param, ctx)
        return span.total_seconds()


PATH = _PathType()
DURATION = _DurationType()
manifest_argument = click.argument("manifest", type=PATH, metavar="MANIFEST")
out_option = click.option(
    "--out", type=PATH, default="build", show_default=True, help="Folder that holds a folder for each environment."
)


def _image_tags(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what is not REPOSITORY=TAG; the manifest's rules check both parts."""
    for value in values:
        repository, _, tag = value.partition("=")
        if not repository or not tag:
            raise click.BadParameter(f'invalid image tag "{value}": use REPOSITORY=TAG, such as isaac=1.4')
    return values


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Print only the result and errors, no progress.")
strict_option = click.option("--strict", is_flag=True, help="Treat the manifest's warnings as errors.")
image_tag_option = click.option(
    "--image-tag",
    "image_tags",
    multiple=True,
    callback=_image_tags,
    metavar="REPOSITORY=TAG",
    help="The tag or digest of a repository's image, in place of the manifest's image_tags; repeatable.",
)
force_option = click.option("--force", is_flag=True, help="Overwrite rendered files that were changed since.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")


def fail(message: str, hint: str = "") -> None:
    """Print an error, and a hint where there is one."""
    colour = False if os.environ.get("NO_COLOR") else None  # None: only on a terminal
    click.secho(f"error: {message}", fg="red", err=True, color=colour)
    if hint:
        click.secho(f"hint: {hint}", fg="yellow", err=True, color=colour)


class Console:
    """Print the progress of a command to stderr."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._start = time.monotonic()

    def say(self, text: str, **style: Any) -> None:
        """Print a line of progress."""
        if not self.quiet:
            click.secho(text, err=True, **style)

    def done(self, text: str) -> None:
        """Print that a stage has succeeded."""
        self.say(f"✓ {text}", fg="green")

    def warn(self, environment: Environment) -> None:
        """Print the manifest's warnings, each with its place."""
        for problem in environment.warnings:
            self.say(f"warning: {problem}", fg="yellow")

    def next_step(self, command: str) -> None:
        """Print the command to run next."""
        self.say(f"next: {command}", fg="cyan")

    def event(self, event: Event) -> None:
        """Print one step of terraform's."""
        if event.phase == "complete" and event.action != "read":
            self.say(f"  {_SYMBOLS.get(event.action, ' ')} {event.address} {_seconds(event.seconds)}".rstrip())
        elif event.phase == "progress" and event.action != "read":
            self.say(f"  … {event.address} {_seconds(event.seconds)}", dim=True)
        elif event.phase == "errored":
            self.say(f"  ✗ {event.address}", fg="red")
        elif event.diagnostic and event.diagnostic.severity == "warning":
            self.say(f"warning: {event.diagnostic.summary}", fg="yellow")

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask for confirmation on the terminal.

        Raises:
            click.UsageError: there is no terminal, and ``--yes`` was not given.
            AnswerIsNoError: the answer is no.
        """
        if yes:
            return
        require_terminal()
        if not click.confirm(question, err=True):
            raise AnswerIsNoError("nothing was changed")


def require_terminal() -> None:
    """Raise a usage error where there is no terminal to ask for confirmation on."""
    if not sys.stdin.isatty():
        raise click.UsageError("cannot ask for confirmation without a terminal; add --yes to confirm")


def complete_from_manifest(
    names: Callable[[Manifest], Iterable[str]],
) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Complete names from the manifest that is already on the line; complete nothing if it cannot be read."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        from pathlib import Path

        from gen_infra.manifest import load

        # after an option without its value yet, click has not assigned the arguments
        manifest = context.params.get("manifest") or Path(*context.args[:1])
        try:
            known = names(load(manifest))
        except GenInfraError:
            return []
        return [name for name in known if name.startswith(incomplete)]

    return complete


WIDE = 10_000  # columns where there is no terminal: nothing is folded
_USUAL = 80  # columns where a terminal does not know its size, as in some CI systems and over serial lines
_NARROWEST = 20  # what is narrower gets lines of this length, since words need some room


def terminal_width() -> int:
    """Return the columns of the terminal, as ``COLUMNS`` or the terminal itself has them; elsewhere ``WIDE``."""
    if not sys.stdout.isatty():
        return WIDE
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() else 0
    return max(width or os.get_terminal_size(sys.stdout.fileno()).columns or _USUAL, _NARROWEST)


def fold(cells: Sequence[str], width: int) -> list[str]:
    """Return a row of a table as one line, or as several with an indent where it is wider than ``width``."""
    row = "  ".join(cells).rstrip()
    if len(row) <= width:
        return [row]
    import textwrap

    row = "  ".join(cell.strip() for cell in cells if cell.strip())
    return textwrap.wrap(row, width, subsequent_indent="  ", break_on_hyphens=False)


def cost_line(environment: Environment) -> str:
    """Return what a network costs that gen-infra creates; empty for an existing one, which costs nothing more."""
    create = environment.manifest.network.create
    if create is None:
        return ""
    from gen_infra.cost.network import network_cost

    return network_cost(create, environment.manifest.region)


def print_json(value: object) -> None:
    """Print the result as JSON on stdout."""
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def unknown(problem: str, name: str, known: Iterable[str]) -> UsageError:
    """Return the error for a name that the manifest does not have; ``problem`` is such as ``unknown job``."""
    names = ", ".join(known)
    return UsageError(f'{problem} "{name}"; ' + (f"choose from: {names}" if names else "the manifest has none"))


def examples(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add examples to a command's help, as they are typed."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__doc__ = f"{(function.__doc__ or '').rstrip()}\n\n    \b\n    Examples:\n" + "".join(
            f"      {line}\n" for line in text.strip().splitlines()
        )
        return function

    return decorate


_SYMBOLS = {"create": "+", "update": "~", "delete": "-", "replace": "±"}


def _seconds(seconds: float) -> str:
    return f"({seconds:.0f} s)" if seconds >= 1 else ""
