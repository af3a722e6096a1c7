"""The keys of a budget: a limit of what an environment costs a month."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from gen_infra.manifest.model.base import EmailAddress, Model, about

Percent = Annotated[int, Meta(ge=1, le=1000)]


class Budget(Model, frozen=True, kw_only=True):
    """What the environment may cost a month, and what happens when it has cost a part of that."""

    usd_a_month: Annotated[int, Meta(ge=1, le=100_000_000), about("The amount in US dollars, of a calendar month.")]
    # A budget has ten notifications at most, and each notifies ten addresses at most.
    # https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateBudget.html
    at_percent: Annotated[
        tuple[Percent, ...],
        Meta(max_length=9),
        about("When to notify: percentages of the amount that the environment has cost."),
    ] = (50, 80, 100)
    emails: Annotated[tuple[EmailAddress, ...], Meta(min_length=1, max_length=10), about("E-mail addresses to notify.")]
    stop_queues_at: Annotated[
        Percent | None,
        about(
            "Disable every queue when the environment has cost this percentage: no new jobs are accepted, and those in "
            "the queues still run. Default: never."
        ),
    ] = None
