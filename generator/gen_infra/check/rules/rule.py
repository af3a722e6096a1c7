"""Define a security check: a function over one resource, and what a reader of its findings needs to know."""

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
        id: ``GI_<topic>_<number>``; never reused for another check.
        severity: how serious a violation is.
        title: the requirement.
        remedy: how to fix a violation.
        source: the address of the documentation behind it.
        kinds: the resource types that it checks, as `fnmatch` patterns.
        find: yields the problems of a resource, each as the end of a sentence about it.
        privilege: a violation gives power over hosts or the account, so that only a policy file can accept it.
    """

    id: str
    severity: Severity
    title: str
    remedy: str
    source: str
    kinds: tuple[str, ...]
    find: Find
    privilege: bool = False

    def broken_by(self, resource: Resource) -> Iterator[str]:
        """Yield the problems of a resource."""
        if any(fnmatchcase(resource.kind, kind) for kind in self.kinds):
            yield from self.find(resource)


def rule(
    rule_id: str, *kinds: str, severity: Severity, title: str, remedy: str, source: str, privilege: bool = False
) -> Callable[[Find], Rule]:
    """Make the decorated function a rule; its module lists it in ``RULES``."""

    def make(find: Find) -> Rule:
        return Rule(rule_id, severity, title, remedy, source, kinds, find, privilege)

    return make
