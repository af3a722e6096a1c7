"""Budgets: their changes, subscribers, tags and notifications."""

from __future__ import annotations

from typing import Any

from tests.emulator.probes import Lab, probe, refusal
from tests.emulator.probes.deliveries import arn_of, messages, policy, queue

_ACCOUNT = "123456789012"
_NOTIFICATION = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 100.0,
    "ThresholdType": "PERCENTAGE",
}


def budget(lab: Lab, topic: str) -> str:
    """Make a budget of 50 dollars that notifies a topic at 100 percent; return its name."""
    name = lab.name("budget")
    lab.client("budgets").create_budget(
        AccountId=_ACCOUNT,
        Budget=_described(name, "50"),
        NotificationsWithSubscribers=[
            {"Notification": _NOTIFICATION, "Subscribers": [{"SubscriptionType": "SNS", "Address": topic}]}
        ],
        ResourceTags=[{"Key": "Team", "Value": "rna"}],
    )
    return name


def _described(name: str, limit: str, spent: str = "0") -> dict[str, Any]:
    return {
        "BudgetName": name,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": limit, "Unit": "USD"},
        "CalculatedSpend": {"ActualSpend": {"Amount": spent, "Unit": "USD"}},
    }


@probe(("60", ["arn:aws:sns:us-east-1:123456789012:none"], {"Team": "dna"}))
def budget_calls(lab: Lab) -> Any:
    client = lab.client("budgets")
    name = budget(lab, "arn:aws:sns:us-east-1:123456789012:none")
    answer = refusal(client.update_budget, AccountId=_ACCOUNT, NewBudget=_described(name, "60"))
    if answer != "accepted":
        return answer
    limit = client.describe_budget(AccountId=_ACCOUNT, BudgetName=name)["Budget"]["BudgetLimit"]["Amount"]
    subscribers = client.describe_subscribers_for_notification(
        AccountId=_ACCOUNT, BudgetName=name, Notification=_NOTIFICATION
    )["Subscribers"]
    arn = f"arn:aws:budgets::{_ACCOUNT}:budget/{name}"
    client.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "Team", "Value": "dna"}, {"Key": "Old", "Value": ""}])
    client.untag_resource(ResourceARN=arn, ResourceTagKeys=["Old"])
    tags = client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]
    return limit, [each["Address"] for each in subscribers], {tag["Key"]: tag["Value"] for tag in tags}


@probe((0, 1, 1))
def budget_notifications(lab: Lab) -> Any:
    """Count the messages at 100 percent, above it, and after the next report of the same."""
    sns, client, topic_name = lab.client("sns"), lab.client("budgets"), lab.name("topic")
    arn = f"arn:aws:sns:us-east-1:{_ACCOUNT}:{topic_name}"
    name = budget(lab, arn)
    source = f"arn:aws:budgets::{_ACCOUNT}:budget/{name}"
    sns.create_topic(Name=topic_name, Attributes={"Policy": policy("budgets", "sns:Publish", arn, source)})
    url = queue(lab, "sns", arn)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=arn_of(url))
    counts, total = [], 0
    for spent in ("50", "51", "52"):
        refusal(client.update_budget, AccountId=_ACCOUNT, NewBudget=_described(name, "50", spent))
        total += len(messages(lab, url))
        counts.append(total)
    return tuple(counts)


@probe(["Inactive", "Active"])
def cost_allocation_tags(lab: Lab) -> Any:
    client, key, seen = lab.client("ce"), lab.name("tag"), []

    def look() -> None:
        seen.append(client.list_cost_allocation_tags(TagKeys=[key])["CostAllocationTags"][0]["Status"])

    if refusal(client.list_cost_allocation_tags) != "accepted":
        return seen
    look()
    client.update_cost_allocation_tags_status(CostAllocationTagsStatus=[{"TagKey": key, "Status": "Active"}])
    look()
    return seen


PROBES = (budget_calls, budget_notifications, cost_allocation_tags)
