"""Rules for the budget of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule


def the_budget_can_count(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a budget where AWS has none in US dollars, and where what exists would not get its tag.

    https://docs.aws.amazon.com/general/latest/gr/billing.html: no endpoint in AWS GovCloud; China bills in CNY.
    """
    if not manifest.notifications.budget:
        return
    path = ("notifications", "budget")
    if manifest.partition != "aws":
        yield path, f"AWS Budgets has no budgets in US dollars in {manifest.region}; remove it"
    if manifest.existing:
        yield path, "what the section existing takes over does not get the tag that a budget counts by; remove it"


def percentages_are_listed_once(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse a percentage that is listed twice: AWS does, and another one was meant."""
    budget = manifest.notifications.budget
    percentages = budget.at_percent if budget else ()
    for index, percent in enumerate(percentages):
        if percent in percentages[:index]:
            yield ("notifications", "budget", "at_percent", index), f"{percent} is listed twice"


def queues_stop_after_a_notification(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Warn where the queues are disabled before any notification was sent."""
    budget = manifest.notifications.budget
    if budget and budget.stop_queues_at and budget.stop_queues_at < min(budget.at_percent, default=0):
        yield (
            ("notifications", "budget", "stop_queues_at"),
            f"the queues are disabled before the first notification, at {min(budget.at_percent)} percent",
        )


ERRORS: tuple[ManifestRule, ...] = (the_budget_can_count, percentages_are_listed_once)
WARNINGS: tuple[ManifestRule, ...] = (queues_stop_after_a_notification,)
