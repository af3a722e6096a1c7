"""Run a command for several manifests: each result under its name, one summary, the highest exit code."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gen_infra.cli.console import PATH, Console, fail
from gen_infra.errors import GenInfraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from gen_infra.environment import Environment
    from gen_infra.render.cache import Unchanged

manifests_argument = click.argument(
    "manifest_paths",
    type=PATH,
    nargs=-1,
    required=True,
    metavar="MANIFEST...",
    callback=lambda _, __, paths: tuple(dict.fromkeys(paths)),  # each once
)


class CommandOutcome(NamedTuple):
    """What a command resulted in for one manifest.

    Args:
        manifest_path: the manifest.
        environment: the name of its environment; empty if the manifest is invalid.
        code: the exit code that the command has for this manifest alone.
        answer: what the command prints as JSON for this manifest alone, or the error.
    """

    manifest_path: Path
    environment: str
    code: int
    answer: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return an entry of the JSON list."""
        about = {"manifest": str(self.manifest_path), "environment": self.environment or None, "exit_code": self.code}
        return {**about, **({"result": self.answer} if "error" not in self.answer else self.answer)}


def load_each(
    manifest_paths: Sequence[Path],
    out: Path,
    console: Console,
    *,
    strict: bool,
    image_tags: Sequence[str],
    unchanged: Mapping[Path, Unchanged] = MappingProxyType({}),
) -> tuple[dict[Path, Environment], list[CommandOutcome]]:
    """Load the manifests, and print their warnings; return the environments, and the outcomes of invalid manifests.

    Those that are unchanged are not loaded.

    Raises:
        GenInfraError: there is only one manifest, and it is invalid.
        UsageError: two manifests have the same folder.
    """
    environments: dict[Path, Environment] = {}
    invalid: list[CommandOutcome] = []
    for path in manifest_paths:
        if path in unchanged:
            continue
        from gen_infra import pipeline

        loaded = guarded(
            path, "", partial(pipeline.load, path, out, strict=strict, image_tags=image_tags), len(manifest_paths)
        )
        if isinstance(loaded, CommandOutcome):
            invalid.append(loaded)
        else:
            environments[path] = loaded
            console.warn(loaded)
    by_root: dict[Path, Path] = {}
    for path in filter({**environments, **unchanged}.__contains__, manifest_paths):
        root = (unchanged.get(path) or environments[path]).root
        if (other := by_root.setdefault(root, path)) is not path:
            raise UsageError(
                f'{other} and {path} both have the name "{root.name}", and so the same folder',
                hint="give each environment its own name, or run the command for one of them",
            )
    return environments, invalid


def guarded(path: Path, name: str, action: Callable[[], Any], count: int) -> Any:
    """Run an action for one of ``count`` manifests: return its result, or print its error and return it as an outcome.

    Raises:
        GenInfraError: the action failed, and there is only one manifest.
    """
    try:
        return action()
    except GenInfraError as error:
        if count == 1:
            raise
        fail(error.message if error.message.startswith(str(path)) else f"{name or path}: {error.message}", error.hint)
        return CommandOutcome(path, name, error.exit_code, {"error": error.message, "hint": error.hint})


def finish(outcomes: Sequence[CommandOutcome], console: Console, *, done: str) -> int:
    """Print the summary, and return the highest exit code.

    Args:
        outcomes: one for each manifest.
        console: prints the summary.
        done: what was done to those that succeeded, such as ``rendered``.
    """
    failed = [each.environment or str(each.manifest_path) for each in outcomes if each.code]
    if failed:
        console.say(f"✗ {len(outcomes)} environments: {len(failed)} failed ({', '.join(failed)})", fg="red")
    else:
        console.done(f"{len(outcomes)} environments {done}")
    return max(each.code for each in outcomes)


def in_order(outcomes: Sequence[CommandOutcome], manifest_paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return the JSON list, in the order of the command line."""
    by_path = {each.manifest_path: each.to_dict() for each in outcomes}
    return [by_path[path] for path in manifest_paths]
