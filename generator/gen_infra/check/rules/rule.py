"""What a security check is: a small function over one resource, with what a reader of its finding needs to know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from gen_infra.terraform.source import Resource

Severity: TypeAlias = Literal["high", "medium", "low"]
Find: TypeAlias = Callable[[Resource], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One check.

    Attributes:
        id: ``GI_<topic>_<number>``; never used again for something else.
        severity: how bad it is when the rule is broken.
        title: what must hold.
        remedy: what to do when it does not.
        source: where that is said.
        kinds: the resources it looks at, as `fnmatch` patterns.
        find: yields what is wrong with a resource, each as the end of a sentence about it.
    """

    id: str
    severity: Severity
    title: str
    remedy: str
    source: str
    kinds: tuple[str, ...]
    find: Find

    def broken_by(self, resource: Resource) -> Iterator[str]:
        """What is wrong with the resource."""
        if any(fnmatchcase(resource.kind, kind) for kind in self.kinds):
            yield from self.find(resource)


def rule(rule_id: str, *kinds: str, severity: Severity, title: str, remedy: str, source: str) -> Callable[[Find], Rule]:
    """Make the decorated function a rule; its module lists it in ``RULES``."""

    def make(find: Find) -> Rule:
        return Rule(rule_id, severity, title, remedy, source, kinds, find)

    return make
