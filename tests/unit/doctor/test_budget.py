"""The doctor on cost allocation tags, and on queues that the budget disabled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.doctor.budget import cost_allocation_tags, stopped_queues
from tests.unit.recorded import Account, Refusal

if TYPE_CHECKING:
    from tests.unit.recorded import Answer

KEYS = ["gen-infra:cost", "Project"]


def tags(**statuses: str) -> dict[str, Any]:
    return {
        "CostAllocationTags": [
            {"TagKey": key.replace("_", ":"), "Type": "UserDefined", "Status": status}
            for key, status in statuses.items()
        ]
    }


@pytest.mark.parametrize(
    ("answer", "levels", "words"),
    [
        (tags(**{"gen-infra:cost": "Active", "Project": "Active"}), ["ok"], "gen-infra:cost, Project are active"),
        (
            tags(**{"gen-infra:cost": "Active", "Project": "Inactive"}),
            ["warning"],
            "aws ce update-cost-allocation-tags-status --cost-allocation-tags-status TagKey=Project,Status=Active",
        ),
        (tags(Project="Active"), ["warning"], "AWS has not seen gen-infra:cost yet"),
        (tags(Project="Inactive"), ["warning", "warning"], "AWS has not seen gen-infra:cost yet"),
        (
            Refusal("AccessDeniedException", "Linked account doesn't have access to cost allocation tags."),
            ["warning"],
            "AWS lists them only in the account that pays",
        ),
        (Refusal("AccessDeniedException", "User: x is not authorized"), ["warning"], "needs ce:ListCostAllocationTags"),
        (Refusal("ThrottlingException"), ["warning"], "cannot check"),
    ],
)
def test_cost_allocation_tags(answer: Answer | Refusal, levels: list[str], words: str, account: Account) -> None:
    account.answers = {"ListCostAllocationTags": answer}
    lines = cost_allocation_tags(account.clients, KEYS)
    assert [line.level for line in lines] == levels
    assert any(words in f"{line.message} {line.advice}" for line in lines)


@pytest.mark.parametrize(
    ("state", "marks", "level"),
    [
        ("ENABLED", {}, "ok"),
        ("DISABLED", {}, "ok"),
        ("DISABLED", {"gen-infra:stopped-by-budget": "2026-11-29T12:00:00Z"}, "warning"),
        ("ENABLED", {"gen-infra:stopped-by-budget": "2026-11-29T12:00:00Z"}, "ok"),
    ],
)
def test_queues_that_the_budget_stopped(state: str, marks: dict[str, str], level: str, account: Account) -> None:
    queue = {"jobQueueName": "main-test", "jobQueueArn": "arn", "state": state, "priority": 1, "tags": marks}
    account.answers = {"DescribeJobQueues": {"jobQueues": [{**queue, "computeEnvironmentOrder": []}]}}
    [line] = stopped_queues(account.clients, ["main-test"], "lab.yaml")
    assert line.level == level
    if level == "warning":
        assert "main-test is disabled since 2026-11-29T12:00:00Z" in line.message
        assert line.advice.endswith("gen-infra apply lab.yaml --allow enable-queues")
