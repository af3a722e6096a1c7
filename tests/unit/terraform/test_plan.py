"""What the reader of plans makes of them: the same names for both versions of the provider, and no new region."""

from __future__ import annotations

from typing import Any

import pytest

from gen_infra.drift.drift import drift
from gen_infra.explain import explain
from gen_infra.terraform.plan import PlanContent, ResourceChange

ADDRESS = "module.compute_spot.aws_batch_compute_environment.this"
NAME = "spot-prod-20260131120000000000000001"
# What the two versions call the same attributes.
NAMES = {5: ("compute_environment_name", "compute_environment_name_prefix"), 6: ("name", "name_prefix")}
REGION = {"region": "eu-central-1"}


def change(
    actions: list[str], before: Any, after: Any, type_: str = "aws_batch_compute_environment", **more: Any
) -> Any:
    return {
        "address": ADDRESS,
        "type": type_,
        "change": {"actions": actions, "before": before, "after": after, **more},
    }


def read(entry: Any) -> ResourceChange:
    (found,) = PlanContent({"resource_changes": [entry]}).changes
    return found


@pytest.mark.parametrize("major", NAMES)
def test_both_versions_give_the_same_explanation(major: int) -> None:
    name, prefix = NAMES[major]
    entry = change(
        ["create", "delete"],
        {name: NAME, prefix: "spot-prod-"},
        {prefix: "cheap-prod-"},
        after_unknown={name: True},
        replace_paths=[[prefix]],
    )
    content = PlanContent({"resource_changes": [entry]})

    (explained,) = explain(content).changes
    assert (explained.name, explained.successor, explained.details) == (
        NAME, "cheap-prod", ("name_prefix: spot-prod- -> cheap-prod- (forces replacement)",)
    )  # fmt: skip
    assert explained.effects[0].text.startswith("by a successor")
    assert explained.effects[0].reason.startswith("name_prefix: ")
    assert content.deleted_environments == {NAME: ADDRESS}


@pytest.mark.parametrize("major", NAMES)
def test_a_predecessor_has_its_full_name(major: int) -> None:
    name, prefix = NAMES[major]
    entry = change(["delete"], {name: NAME, prefix: "spot-prod-"}, None) | {"deposed": "12345678"}
    (explained,) = explain(PlanContent({"resource_changes": [entry]})).changes
    assert explained.name == NAME


@pytest.mark.parametrize("major", NAMES)
def test_so_does_the_state(major: int) -> None:
    resource = {"mode": "managed", "type": "aws_batch_compute_environment", "address": ADDRESS}
    module = {"resources": [{**resource, "values": {NAMES[major][0]: NAME}}]}
    (found,) = PlanContent({"prior_state": {"values": {"root_module": module}}}).prior_resources
    assert found.values == {"name": NAME}


@pytest.mark.parametrize("before", [{"name": "high"}, {"name": "high", "region": None}])
@pytest.mark.parametrize(
    ("after", "unknown"), [({"name": "high", **REGION}, {"tags": {}}), ({"name": "high"}, {"region": True})]
)
def test_the_region_of_version_6_is_no_change(before: Any, after: Any, unknown: Any) -> None:
    entry = change(["update"], before, after, "aws_batch_job_queue", after_unknown=unknown)
    content = PlanContent({"resource_changes": [entry], "resource_drift": [entry]})
    assert not content.has_changes
    assert explain(content).changes == ()
    assert drift(content) == ()


def test_what_changes_beside_the_region_stays() -> None:
    before, after = {"name": "high", "priority": 1}, {"name": "high", "priority": 2, **REGION}
    content = PlanContent({"resource_changes": [change(["update"], before, after, "aws_batch_job_queue")]})
    (explained,) = explain(content).changes
    assert explained.details == ("priority: 1 -> 2",)


def test_another_region_is_a_change() -> None:
    entry = change(["delete", "create"], REGION, {"region": "us-east-1"}, "aws_sqs_queue", replace_paths=[["region"]])
    found = read(entry)
    assert (found.before, found.after) == (REGION, {"region": "us-east-1"})
    (explained,) = explain(PlanContent({"resource_changes": [entry]})).changes
    assert explained.details == ("region: eu-central-1 -> us-east-1 (forces replacement)",)


def test_what_is_created_has_its_region() -> None:
    assert read(change(["create"], None, REGION)).after == REGION
