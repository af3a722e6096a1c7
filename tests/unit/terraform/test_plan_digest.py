"""A digest is the same for plans that do the same, and another one for each difference that matters."""

from __future__ import annotations

from typing import Any

import pytest

from gen_infra.terraform.plan import PlanContent
from gen_infra.terraform.plan_digest import counts, digest


def plan(*changes: dict[str, Any], outputs: dict[str, Any] | None = None) -> PlanContent:
    return PlanContent({"resource_changes": list(changes), "output_changes": outputs or {}})


def change(actions: list[str], before: Any, after: Any, address: str = "aws_batch_job_queue.main", **more: Any) -> Any:
    given = {"actions": actions, "before": before, "after": after, **more}
    return {"address": address, "type": "aws_batch_job_queue", "change": given}


BEFORE = {"priority": 1, "busy": 4, "token": "a"}
UPDATE = change(["update"], BEFORE, BEFORE | {"priority": 2}, after_sensitive={"token": True})


@pytest.mark.parametrize(
    "other",
    [
        plan(change(["update"], BEFORE, BEFORE | {"priority": 3}, after_sensitive={"token": True})),
        plan(change(["delete"], BEFORE, None)),
        plan(change(["create"], None, {"priority": 2})),
        plan(change(["delete", "create"], BEFORE, BEFORE | {"priority": 2}, replace_paths=[["priority"]])),
        plan(UPDATE | {"address": "aws_batch_job_queue.second"}),
        plan(change(["update"], BEFORE, BEFORE | {"priority": 2}, after_unknown={"arn": True})),
        plan(UPDATE, change(["no-op"], {}, {}, "aws_iam_role.x", importing={"id": "x"})),
        plan(UPDATE, outputs={"queues": {"actions": ["update"]}}),
        plan(),
    ],
)
def test_another_change_has_another_digest(other: PlanContent) -> None:
    assert digest(other) != digest(plan(UPDATE))


@pytest.mark.parametrize(
    "same",
    [
        plan(UPDATE, change(["no-op"], {"busy": 1}, {"busy": 1}, "aws_batch_job_queue.second")),
        plan(UPDATE, outputs={"queues": {"actions": ["no-op"]}}),
        plan(change(["update"], BEFORE | {"busy": 9}, BEFORE | {"busy": 9, "priority": 2})),
        plan(change(["update"], BEFORE, BEFORE | {"priority": 2, "token": "b"}, after_sensitive={"token": True})),
    ],
    ids=["what stays", "the outputs that stay", "what AWS changed meanwhile", "secrets"],
)
def test_the_same_changes_have_the_same_digest(same: PlanContent) -> None:
    assert digest(same) == digest(plan(UPDATE))


def test_a_replacement_counts_twice_as_in_gitlab() -> None:
    replaced = change(["create", "delete"], BEFORE, BEFORE, "aws_batch_job_queue.second")
    note = change(["update"], {}, {}, "terraform_data.manifest")
    assert counts(plan(UPDATE, replaced, note)) == {"create": 1, "update": 1, "delete": 1}
