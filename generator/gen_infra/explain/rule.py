"""A row of the table of effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gen_infra.explain.differences import Difference, within

if TYPE_CHECKING:
    from gen_infra.aws.updates import Refusal

Action = Literal["create", "update", "replace", "destroy"]
Danger = Literal["stop-jobs", "destroy-data", "host-access", "other-roles", "root-scripts", "access", "enable-queues"]

GONE: tuple[Action, ...] = ("replace", "destroy")
NEW_RESOURCE = "the provider replaces the resource for it (ForceNew)"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a row may look up about a resource.

    Args:
        before: its attributes as they are; empty for what is created.
        after: as they will be, as far as that is known; empty for what is destroyed.
        minutes: how long an attempt of each job definition on instances may take, by its name.
        refusals: what AWS would refuse if the resource were updated.
        is_adopted: whether an interrupted run created it, and it is imported.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    minutes: Mapping[str, float]
    refusals: tuple[Refusal, ...] = ()
    is_adopted: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """What happens.

    Args:
        text: a sentence without full stop: to the resource, then to running jobs.
        danger: what needs a separate confirmation.
        reason: why it is so.
    """

    text: str
    danger: Danger | None = None
    reason: str = ""


Says = Callable[[Facts], tuple[str, Danger | None]]


@dataclass(frozen=True, slots=True)
class EffectRule:
    """A row; an empty attribute means any change, a dotted one everything below it."""

    kind: str
    action: Action
    attribute: str
    says: Says
    reason: str

    def meets(self, kind: str, action: Action, changed: list[Difference]) -> bool:
        """Return whether the row is about this."""
        return (self.kind, self.action) == (kind, action) and (
            not self.attribute or any(self._is_about(difference) for difference in changed)
        )

    def _is_about(self, difference: Difference) -> bool:
        """Return whether the attribute changes, and, where the resource is replaced, is why."""
        if self.action == "replace" and not difference.forces:
            return False
        changed = difference.attribute
        return within(changed, self.attribute) or (difference.unknown and within(self.attribute, changed))


def always(text: str, danger: Danger | None = None) -> Says:
    """Return the same sentence for every resource."""
    return lambda _: (text, danger)
