"""What a plan and drift say of queues that were disabled because the budget was used up."""

from __future__ import annotations

from typing import Any

import pytest

from gen_infra.drift.drift import drift
from gen_infra.explain import explain
from gen_infra.terraform.plan import PlanContent

MARK = {"gen-infra:stopped-by-budget": "2026-11-29T12:00:00Z"}


def queue(state: str, tags: dict[str, str] | None = None) -> dict[str, Any]:
    return {"name": "main-test", "state": state, "tags_all": tags or {}}


def entry(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": "aws_batch_job_queue.main",
        "mode": "managed",
        "type": "aws_batch_job_queue",
        "change": {"actions": ["update"], "before": before, "after": after},
    }


@pytest.mark.parametrize(
    ("before", "after", "dangers"),
    [
        (queue("DISABLED", MARK), queue("ENABLED"), ("enable-queues",)),
        (queue("DISABLED"), queue("ENABLED"), ()),
        (queue("DISABLED", MARK), queue("DISABLED"), ()),  # the manifest says DISABLED too: only the mark goes
        (queue("ENABLED", MARK), queue("ENABLED"), ()),
    ],
)
def test_to_enable_what_the_budget_disabled_needs_a_confirmation(
    before: dict[str, Any], after: dict[str, Any], dangers: tuple[str, ...]
) -> None:
    [change] = explain(PlanContent({"resource_changes": [entry(before, after)]})).changes
    assert change.dangers == dangers
    assert bool(dangers) == any("disabled at 2026-11-29T12:00:00Z" in effect.text for effect in change.effects)


@pytest.mark.parametrize(("tags", "named"), [(MARK, True), ({}, False)])
def test_drift_names_the_budget(tags: dict[str, str], *, named: bool) -> None:
    [found] = drift(PlanContent({"resource_drift": [entry(queue("ENABLED"), queue("DISABLED", tags))]}))
    assert found.meaning.startswith("disabled at 2026-11-29T12:00:00Z because the budget was used up") == named
    assert ("--allow enable-queues" in found.meaning) == named
