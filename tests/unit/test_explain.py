"""What a plan means, on the shapes that terraform's plan JSON has."""

from __future__ import annotations

import json
from typing import Any

from gen_infra.explain import explain


def resource(kind: str, actions: list[str], before: Any, after: Any, **change: Any) -> dict[str, Any]:
    return {
        "address": f"{kind}.this",
        "mode": "managed",
        "type": kind,
        "change": {"actions": actions, "before": before, "after": after, **change},
    }


def test_actions_have_names_and_order() -> None:
    summary = explain(
        {
            "resource_changes": [
                resource("aws_batch_job_queue", ["create"], None, {"name": "high-prod"}),
                resource(
                    "aws_batch_compute_environment", ["create", "delete"], {"name_prefix": "x-"}, {"name_prefix": "x-"}
                ),
                resource("aws_iam_role", ["delete", "create"], {"name": "a"}, {"name": "b"}),
                resource("aws_ecr_repository", ["delete"], {"name": "prod/isaac"}, None),
                resource("aws_kms_key", ["no-op"], {}, {}),
                resource("aws_iam_policy_document", ["read"], None, {}) | {"mode": "data"},
            ]
        }
    )
    assert [(change.action, change.new_first, change.kind, change.name) for change in summary.changes] == [
        ("create", False, "job queue", "high-prod"),
        ("replace", True, "compute environment", "x"),
        ("replace", False, "role", "b"),
        ("destroy", False, "repository", "prod/isaac"),
    ]
    assert summary.sentence == "1 to create, 0 to update, 2 to replace, 1 to destroy"


def test_details_name_the_smallest_difference() -> None:
    before = {"compute_resources": [{"bid_percentage": 50, "subnets": ["a", "b"]}], "state": "ENABLED"}
    after = {"compute_resources": [{"bid_percentage": 60, "subnets": ["a", "b"]}], "state": "ENABLED"}
    (change,) = explain(
        {"resource_changes": [resource("aws_batch_compute_environment", ["update"], before, after)]}
    ).changes
    assert change.details == ("compute_resources.bid_percentage: 50 -> 60",)


def environment(image: str, **settings: Any) -> dict[str, Any]:
    return {
        "name_prefix": "x-",
        "compute_resources": [{"ec2_configuration": [{"image_id_override": image}]}],
        **settings,
    }


def effects(actions: list[str], before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    (change,) = explain(
        {"resource_changes": [resource("aws_batch_compute_environment", actions, before, after)]}
    ).changes
    return [line for line in change.details if line.startswith("new image")]


def test_a_new_image_in_place_says_how_long_jobs_have() -> None:
    policy = [{"job_execution_timeout_minutes": 90, "terminate_jobs_on_update": False}]
    (line,) = effects(
        ["update"], environment("ami-1", update_policy=policy), environment("ami-2", update_policy=policy)
    )
    assert line == "new image, in place: new instances have it; running jobs get 90 minutes to end on the old ones"


def test_a_new_image_by_a_successor_says_that_jobs_are_lost() -> None:
    (line,) = effects(["create", "delete"], environment("ami-1"), environment("ami-2"))
    assert line.startswith("new image, by a successor: jobs that still run on the old one are lost with it")


def test_the_same_image_is_not_mentioned() -> None:
    assert effects(["update"], environment("ami-1", state="ENABLED"), environment("ami-1", state="DISABLED")) == []


def test_json_documents_are_compared_as_what_they_hold() -> None:
    before = {"container_properties": json.dumps({"image": "a", "memory": [1, 2]})}
    after = {"container_properties": json.dumps({"memory": [1, 3], "image": "a"}, indent=2)}
    (change,) = explain({"resource_changes": [resource("aws_batch_job_definition", ["update"], before, after)]}).changes
    assert change.details == ("container_properties.memory[1]: 2 -> 3",)


def test_sensitive_values_are_compared_but_not_shown() -> None:
    before = {"image": [{"id": "ami-secret-1"}], "token": "secret-2", "size": 1}
    after = {"image": [{"id": "ami-secret-3"}], "token": "secret-4", "size": 2}
    marks = {"image": [{"id": True}], "token": True, "size": False}
    change = resource("aws_x", ["update"], before, after, before_sensitive=marks, after_sensitive=marks)
    (explained,) = explain({"resource_changes": [change]}).changes
    assert explained.details == (
        "image.id: (sensitive) -> (sensitive)",
        "size: 1 -> 2",
        "token: (sensitive) -> (sensitive)",
    )
    assert "secret" not in json.dumps(explain({"resource_changes": [change]}).to_dict()).replace("(sensitive)", "")


def test_what_forces_a_replacement_is_said() -> None:
    change = resource(
        "aws_batch_compute_environment",
        ["create", "delete"],
        {"service_role": "a", "arn": "b"},
        {"service_role": None},
        after_unknown={"arn": True, "id": True},
        replace_paths=[["service_role"], ["id"]],
    )
    (explained,) = explain({"resource_changes": [change]}).changes
    assert explained.details == (
        "id: known after apply (forces replacement)",
        "service_role: a -> nothing (forces replacement)",
    )
