"""Where rules register: each yields what it finds and where, as an error or as a warning.

An error is what AWS refuses, or what lets jobs wait for ever. A warning works, but seldom as meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeAlias

from gen_infra.manifest.model.manifest import Manifest

Severity: TypeAlias = Literal["error", "warning"]
Finding: TypeAlias = tuple[tuple[str | int, ...], str]
Rule: TypeAlias = Callable[[Manifest], Iterable[Finding]]

_RULES: dict[Severity, list[Rule]] = {"error": [], "warning": []}


def rule(function: Rule) -> Rule:
    """Register a rule whose findings are errors."""
    _RULES["error"].append(function)
    return function


def warning(function: Rule) -> Rule:
    """Register a rule whose findings are warnings; it may count on every error rule being kept."""
    _RULES["warning"].append(function)
    return function


def findings(manifest: Manifest, severity: Severity) -> Iterator[Finding]:
    """What every rule of that severity finds."""
    for function in _RULES[severity]:
        yield from function(manifest)
