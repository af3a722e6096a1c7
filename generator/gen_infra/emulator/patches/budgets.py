"""Budgets: changes, subscribers and tags, and the notifications of what was spent; and cost allocation tags.

Nothing costs money here: UpdateBudget takes what was spent from ``CalculatedSpend``, which AWS would ignore.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from moto.budgets.exceptions import NotFoundException
from moto.budgets.responses import BudgetsResponse
from moto.ce.responses import CostExplorerResponse

from gen_infra.emulator.authorization import acts
from gen_infra.emulator.patches.deliveries import deliver
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, instead_of, moto_patch

if TYPE_CHECKING:
    from moto.budgets.models import Budget, BudgetsBackend


@moto_patch(
    moto="5.2.5 has no UpdateBudget, does not list the subscribers of a notification, and drops the tags of a budget",
    aws="has these calls",
)
def budget_calls() -> None:
    """Add the calls to moto's responses, and keep the tags with the budget."""

    @around(BudgetsResponse, "create_budget")
    def create_budget(original: Any, response: BudgetsResponse) -> str:
        answer: str = original(response)
        tags = response._get_param("ResourceTags") or []
        _tags(_budget(response, response._get_param("Budget")["BudgetName"])).update(
            {tag["Key"]: tag["Value"] for tag in tags}
        )
        return answer

    @instead_of(BudgetsResponse, "update_budget")
    def update_budget(response: BudgetsResponse) -> str:
        given = response._get_param("NewBudget")
        _budget(response, given["BudgetName"]).budget.update(given)
        return json.dumps({})

    @instead_of(BudgetsResponse, "describe_subscribers_for_notification")
    def describe_subscribers(response: BudgetsResponse) -> str:
        asked = response._get_param("Notification")
        for each in _budget(response, response._get_param("BudgetName")).notifications:
            if all(each.details.get(key) == value for key, value in asked.items() if key != "NotificationState"):
                return json.dumps({"Subscribers": each.subscribers})
        raise NotFoundException("Unable to get subscribers - the notification doesn't exist.")

    @instead_of(BudgetsResponse, "list_tags_for_resource")
    def list_tags(response: BudgetsResponse) -> str:
        tags = _tags(_named_by_arn(response))
        return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]})

    @instead_of(BudgetsResponse, "tag_resource")
    def tag_resource(response: BudgetsResponse) -> str:
        given = response._get_param("ResourceTags")
        _tags(_named_by_arn(response)).update({tag["Key"]: tag["Value"] for tag in given})
        return json.dumps({})

    @instead_of(BudgetsResponse, "untag_resource")
    def untag_resource(response: BudgetsResponse) -> str:
        tags = _tags(_named_by_arn(response))
        for key in response._get_param("ResourceTagKeys"):
            tags.pop(key, None)
        return json.dumps({})


@moto_patch(
    moto="5.2.5 sends no notifications of a budget",
    aws="publishes to the topics of each notification whose threshold was exceeded, where the topic's policy lets it",
)
def budget_notifications() -> None:
    """Publish when what was spent grows over a threshold."""

    @around(BudgetsResponse, "update_budget")
    def update_budget(original: Any, response: BudgetsResponse) -> str:
        budget = _budget(response, response._get_param("NewBudget")["BudgetName"])
        before = _spent_percent(budget)
        answer: str = original(response)
        spent = _spent_percent(budget)
        name = budget.budget["BudgetName"]
        arn = f"arn:{response.partition}:budgets::{response.current_account}:budget/{name}"
        for each in budget.notifications:
            if each.details["NotificationType"] != "ACTUAL" or not before <= each.details["Threshold"] < spent:
                continue
            subscribers: Any = each.subscribers  # a list, which moto calls a mapping
            for subscriber in subscribers:
                topic = subscriber["Address"]
                if subscriber["SubscriptionType"] == "SNS":
                    actor = acts.service("budgets.amazonaws.com", topic.split(":")[3], arn)
                    deliver(actor, topic, f"Budget {name}: actual cost exceeds {each.details['Threshold']} percent")
        return answer


@moto_patch(
    moto="5.2.5 has no cost allocation tags",
    aws="counts costs by a tag after it was activated",
)
def cost_allocation_tags() -> None:
    """Keep the keys that were activated; every key that is asked for is taken as one that a resource has."""
    statuses: dict[str, str] = {}

    @instead_of(CostExplorerResponse, "list_cost_allocation_tags")
    def list_tags(response: CostExplorerResponse) -> str:
        keys = response._get_param("TagKeys") or [*statuses]
        tags = [{"TagKey": key, "Type": "UserDefined", "Status": statuses.get(key, "Inactive")} for key in keys]
        return json.dumps({"CostAllocationTags": tags})

    @instead_of(CostExplorerResponse, "update_cost_allocation_tags_status")
    def update_status(response: CostExplorerResponse) -> str:
        statuses.update({each["TagKey"]: each["Status"] for each in response._get_param("CostAllocationTagsStatus")})
        return json.dumps({"Errors": []})


def _budget(response: BudgetsResponse, name: str) -> Budget:
    backend: BudgetsBackend = response.backend
    backend.describe_budget(response.current_account, name)  # raises what AWS would
    return backend.budgets[response.current_account][name]


def _named_by_arn(response: BudgetsResponse) -> Budget:
    return _budget(response, response._get_param("ResourceARN").rpartition("/")[2])


def _tags(budget: Budget) -> dict[str, str]:
    tags: dict[str, str] = budget.__dict__.setdefault("tags", {})
    return tags


def _spent_percent(budget: Budget) -> Decimal:
    described = budget.to_dict()
    return (
        100
        * Decimal(described["CalculatedSpend"]["ActualSpend"]["Amount"])
        / Decimal(described["BudgetLimit"]["Amount"])
    )


PATCHES: tuple[MotoPatch, ...] = (budget_calls, budget_notifications, cost_allocation_tags)
