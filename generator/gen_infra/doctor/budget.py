"""The doctor on the budget: whether AWS counts by the environment's tags, and whether the budget stopped its queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.aws.queues import DESCRIBE_AT_MOST, stopped_by_budget
from gen_infra.doctor.account import check
from gen_infra.doctor.diagnosis import ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_infra.aws.session import Clients
    from gen_infra.doctor.diagnosis import Diagnosis

_TAGS = "cost allocation tags"
_QUEUES = "queues"
_AT_ONCE = 100  # keys in one call


@check(_TAGS, "ce")
def cost_allocation_tags(clients: Clients, keys: Sequence[str]) -> Iterator[Diagnosis]:
    """Check whether AWS counts costs by these tags: it does after the account that pays has activated them.

    https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html
    """
    try:
        found = {
            each["TagKey"]: each["Status"]
            for start in range(0, len(keys), _AT_ONCE)
            for each in clients.costs.list_cost_allocation_tags(
                Type="UserDefined", TagKeys=keys[start : start + _AT_ONCE], MaxResults=_AT_ONCE
            )["CostAllocationTags"]
        }
    except clients.costs.exceptions.ClientError as error:
        if "linked account" not in str(error).lower():
            raise
        advice = "ask the administrators of the account that pays; they need ce:ListCostAllocationTags there"
        yield warning(_TAGS, f"cannot check {', '.join(keys)}: AWS lists them only in the account that pays", advice)
        return
    unseen = [key for key in keys if key not in found]
    inactive = [key for key, status in found.items() if status != "Active"]
    if unseen:
        advice = "a tag appears up to a day after the first resource has it; then activate it in the account that pays"
        yield warning(_TAGS, f"AWS has not seen {', '.join(unseen)} yet, and counts no costs by them", advice)
    if inactive:
        statuses = " ".join(f"TagKey={key},Status=Active" for key in inactive)
        yield warning(
            _TAGS,
            f"{', '.join(inactive)}: not active, so that budgets and Cost Explorer count no costs by them",
            f"aws ce update-cost-allocation-tags-status --cost-allocation-tags-status {statuses}",
        )
    if not (unseen or inactive):
        yield ok(_TAGS, f"{', '.join(keys)} are active")


@check(_QUEUES, "batch")
def stopped_queues(clients: Clients, names: Sequence[str], manifest_path: str) -> Iterator[Diagnosis]:
    """Check whether queues are disabled because the budget was used up."""
    stopped = {
        queue["jobQueueName"]: time
        for start in range(0, len(names), DESCRIBE_AT_MOST)
        for queue in clients.batch.describe_job_queues(jobQueues=names[start : start + DESCRIBE_AT_MOST])["jobQueues"]
        if (time := stopped_by_budget(queue.get("state"), queue.get("tags")))
    }
    for name, time in stopped.items():
        yield warning(
            _QUEUES,
            f"{name} is disabled since {time}, because notifications.budget was used up: it accepts no new jobs",
            f"raise the budget, then gen-infra apply {manifest_path} --allow enable-queues",
        )
    if not stopped:
        yield ok(_QUEUES, "none is stopped by the budget")
