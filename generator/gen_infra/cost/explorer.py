"""What an environment has cost as AWS bills it, from Cost Explorer and the tag that all of it has: gen-infra:cost.

Cost Explorer knows a tag from the day on that it is activated for cost allocation, and costs about a day after they
arise. Each request costs 0.01 USD: https://aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing/
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors
from gen_infra.aws.tags import COST_TAG
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

    from gen_infra.aws.session import Clients

_METRIC = "UnblendedCost"
WORKFLOW_TAG = "gen-infra:workflow"


@dataclass(frozen=True, slots=True)
class BilledGroup:
    """What a group has cost, such as a service or the value of a tag; empty: what has no value."""

    name: str
    usd: float

    def to_dict(self) -> dict[str, Any]:
        """Convert it for JSON."""
        return {"name": self.name, "usd": round(self.usd, 6)}


@aws_errors()
def billed(clients: Clients, environment: str, begin: date, end: date, tag: str = "") -> list[BilledGroup]:
    """Return what an environment has cost, most expensive first.

    Args:
        clients: of the account.
        environment: its name.
        begin: the first day.
        end: the day after the last.
        tag: the key of the tag that costs are grouped by; empty: by service.

    Raises:
        UsageError: Cost Explorer does not know the tag gen-infra:cost with the environment's name, or the other one.
    """
    second = {"Type": "TAG", "Key": tag} if tag else {"Type": "DIMENSION", "Key": "SERVICE"}
    asked: dict[str, Any] = {
        "TimePeriod": {"Start": begin.isoformat(), "End": end.isoformat()},
        "Granularity": "MONTHLY",
        "Metrics": [_METRIC],
        "GroupBy": [{"Type": "TAG", "Key": COST_TAG}, second],
    }
    sums: defaultdict[str, float] = defaultdict(float)
    environments: set[str] = set()
    while True:
        answer = clients.costs.get_cost_and_usage(**asked)
        for period in answer.get("ResultsByTime", ()):
            for group in period.get("Groups", ()):
                owner, name = (key.removeprefix(f"{COST_TAG}$") for key in group["Keys"])
                environments.add(owner)
                if owner == environment:
                    sums[name.removeprefix(f"{tag}$") if tag else name] += float(group["Metrics"][_METRIC]["Amount"])
        if not (token := answer.get("NextPageToken")):
            break
        asked["NextPageToken"] = token
    if environment not in environments:
        raise _without_tag(COST_TAG, f"of the environment {environment}")
    if tag and not any(sums[name] for name in sums if name):
        raise _without_tag(tag, f"of the tag {tag}")
    found = [BilledGroup(name, usd) for name, usd in sums.items() if usd]
    return sorted(found, key=lambda each: (-each.usd, each.name))


def _without_tag(key: str, whose: str) -> UsageError:
    return UsageError(
        f"Cost Explorer has no costs {whose} in this time",
        hint=f'activate the cost allocation tag "{key}" in the payer account: aws ce '
        f"update-cost-allocation-tags-status --cost-allocation-tags-status TagKey={key},Status=Active; "
        "it shows costs from the next day on",
    )
