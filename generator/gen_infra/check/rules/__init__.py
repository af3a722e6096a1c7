"""gen-infra's own security checks, for what checkov does not check, and a lint of IAM policies.

Each check is one function over one resource (`access`, `conditions`, `trust`, `infrastructure`, `containers`,
`configuration`, `rendered`), or over all of them (`companions`). It reads the rendered source (`terraform.source`) and
the plan (`terraform.plan`) in the same shape; a value that is unknown there violates no rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen_infra.check.rules import (
    access,
    companions,
    conditions,
    configuration,
    containers,
    infrastructure,
    objects,
    rendered,
    trust,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_infra.check.rules.rule import Accepted, Rule
    from gen_infra.terraform.source import Resource

RULES: tuple[Rule, ...] = (
    *access.RULES,
    *conditions.RULES,
    *objects.RULES,
    *trust.RULES,
    *infrastructure.RULES,
    *containers.RULES,
    *configuration.RULES,
    *rendered.RULES,
    companions.COMPANIONS_RULE,
)


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a resource violates; ``problem`` is the end of a sentence about the resource."""

    rule: Rule
    resource: Resource
    problem: str


def broken_rules(resources: Sequence[Resource], accepted: Accepted) -> Iterator[Broken]:
    """Check every resource against every rule, and whether it has its companions."""
    for resource, problem in companions.lonely(resources):
        yield Broken(companions.COMPANIONS_RULE, resource, problem)
    for resource in resources:
        for rule in RULES:
            for problem in rule.broken_by(resource, accepted):
                yield Broken(rule, resource, problem)
