"""The estimate of a change: what an environment costs now, and after the change.

The manifest before the change is the one that was applied last. Terraform's state keeps it, so that each plan has it
on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from gen_infra.cost.amounts import Total, UsdRange
from gen_infra.cost.estimate import CostEstimate, estimate
from gen_infra.manifest.model.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CostChange:
    """Two estimates.

    Args:
        before: that of the manifest that was applied last; None before the first apply, and where an earlier version
            of gen-infra wrote a manifest that this one cannot read.
        after: that of the manifest now.
    """

    before: CostEstimate | None
    after: CostEstimate

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate for JSON, with ``before`` and ``difference``: null where nothing is known of before."""
        found = self.after.to_dict() | {"before": None, "difference": None}
        if self.before:
            sums = {"fixed_month": self.before.fixed_month, "worst_day": self.before.worst_day}
            found["before"] = {name: each.to_dict() for name, each in sums.items()}
            found["difference"] = {
                "fixed_month": difference(self.before.fixed_month, self.after.fixed_month).to_dict(),
                "worst_day": difference(self.before.worst_day, self.after.worst_day).to_dict(),
            }
        return found


def compare(
    before: Mapping[str, Any], after: Manifest, usual_hours: Mapping[str, float] = MappingProxyType({})
) -> CostChange:
    """Estimate a change.

    Args:
        before: the manifest that was applied last as plain values; empty before the first apply.
        after: the manifest now.
        usual_hours: as :func:`.estimate` takes it.
    """
    return CostChange(estimate(applied) if (applied := _read(before)) else None, estimate(after, usual_hours))


def _read(values: Mapping[str, Any]) -> Manifest | None:
    try:
        return msgspec.convert(values, Manifest) if values else None
    except msgspec.ValidationError:
        return None


def difference(before: Total, after: Total) -> UsdRange:
    """Return what is known of the difference: that of the lowest amounts, and that of the highest."""
    return UsdRange(after.usd.low - before.usd.low, after.usd.high - before.usd.high)
