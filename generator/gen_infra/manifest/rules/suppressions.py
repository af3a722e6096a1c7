"""Rules for ``suppressions``: a reader can understand what each accepts, and why."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.model.settings import Suppression
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

_FEWEST_WORDS = 3


def _names_a_part(pattern: str) -> bool:
    """Return whether a pattern has a resource's type in full, or two other parts of an address."""
    literal = [part for part in re.split(r"[.\[\]\"]+", pattern) if part and "*" not in part]
    return any(re.fullmatch(r"[a-z]+_\w+", part) for part in literal) or len(literal) >= 2


def suppressions_are_understandable(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Check the manifest's suppressions."""
    return problems_of_suppressions(manifest.suppressions)


def problems_of_suppressions(suppressions: Sequence[Suppression]) -> Iterator[ManifestFinding]:
    """Refuse reasons without words, patterns for everything, and dates that do not exist, such as 2026-02-30."""
    for index, suppression in enumerate(suppressions):
        words = {word.lower() for word in re.findall(r"[^\W\d_]{2,}", suppression.reason)}
        if len(words) < _FEWEST_WORDS:
            yield (
                ("suppressions", index, "reason"),
                f'"{suppression.reason}" does not say why the finding is accepted; use at least {_FEWEST_WORDS} words',
            )
        if not _names_a_part(suppression.resource):
            yield (
                ("suppressions", index, "resource"),
                f'"{suppression.resource}" matches almost every resource; name a type, a module or a key, '
                "such as aws_batch_job_definition.*, module.network.* or jobs.align.*",
            )
        try:
            date.fromisoformat(suppression.expires)
        except ValueError:
            yield ("suppressions", index, "expires"), f'invalid date "{suppression.expires}": the month has no such day'


ERRORS: tuple[ManifestRule, ...] = (suppressions_are_understandable,)
