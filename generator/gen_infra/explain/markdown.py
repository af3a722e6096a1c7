"""A plan as a pull request shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_infra.explain import DANGERS, Change, Summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~@]")


def to_markdown(summary: Summary, environment: str, cost: Iterable[str] = ()) -> str:
    """Return a table with a row for each resource, dangers above it, the attributes that change folded away below.

    Args:
        summary: the plan.
        environment: its name.
        cost: what it costs, a line each, the first for the title of the rest.
    """
    lines = [f"### Plan for {_text(environment)}: {summary.sentence}", ""]
    taken_over = [adopted for adopted in summary.adopted if adopted.by == "manifest"]
    if taken_over:
        lines += [*(f"* {_text(adopted.sentence)}" for adopted in taken_over), ""]
    if left := [adopted for adopted in summary.adopted if adopted not in taken_over]:
        names = ", ".join(_text(str(adopted)) for adopted in left)
        lines += [f"Adopts what an interrupted run left: {names}", ""]
    for danger, changes in summary.dangers.items():
        names = ", ".join(_text(change.title) for change in changes)
        lines += ["> [!CAUTION]", f"> This **{DANGERS[danger]}** (`--allow {danger}`): {names}", ""]
    if summary.changes:
        lines += ["| | resource | because of | what happens |", "|---|---|---|---|", *map(_row, summary.changes), ""]
    lines += [f"* {_text(str(unused))}: {unused.without_effect}" for unused in summary.unused]
    if lines_of_cost := [_text(line) for line in cost]:
        lines += ["", lines_of_cost[0], "", *(f"* {line}" for line in lines_of_cost[1:])]
    if details := [line for change in summary.changes for line in _details(change)]:
        lines += ["<details><summary>Attributes</summary>", "", *details, "", "</details>"]
    return "\n".join(lines).rstrip("\n") + "\n"


def _row(change: Change) -> str:
    causes = [_text(str(cause)) for cause in change.causes]
    happens = [
        f"**{effect.danger}**: {_text(effect.text)}" if effect.danger else _text(effect.text)
        for effect in change.effects
    ]
    cells = (
        f"{change.action}{change.how}",
        _text(change.title),
        "<br>".join(causes),
        "<br>".join([*happens, *_permissions(change)]),
    )
    return f"| {' | '.join(cells)} |"


def _permissions(change: Change) -> Iterator[str]:
    if change.permissions.verdict:
        yield change.permissions.verdict
    yield from (f"\\+ {_text(grant)}" for grant in change.permissions.added)
    yield from (f"\\- {_text(grant)}" for grant in change.permissions.removed)


def _details(change: Change) -> Iterator[str]:
    if change.details:
        yield f"* {_text(change.title)}"
        yield from (f"  * {_text(detail)}" for detail in change.details)


def _text(text: str) -> str:
    """Escape text for Markdown, on one line."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", " ".join(text.split()))
