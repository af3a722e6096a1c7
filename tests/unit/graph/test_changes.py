"""What a plan does to the parts of an environment, on the shapes that terraform's plan JSON has."""

from __future__ import annotations

from typing import Any

import pytest

from gen_infra.graph import Graph, graph
from gen_infra.manifest import load_with_warnings
from gen_infra.render.blocks import resolved
from gen_infra.terraform.plan import RECORD, PlanContent
from tests.unit.graph.graphs import PROD

LOADED = load_with_warnings(PROD)
NOW = resolved(LOADED.manifest)
_STATES: dict[str, tuple[Any, Any]] = {"create": (None, {}), "delete": ({}, None)}


def change(address: str, *actions: str, kind: str = "", **more: Any) -> dict[str, Any]:
    before, after = _STATES.get(actions[0], ({}, {})) if len(actions) == 1 else ({}, {})
    kind = kind or address.split(".")[-2]
    states = {"actions": list(actions), "before": before, "after": after, **more}
    return {"address": address, "type": kind, "mode": "managed", "change": states}


def planned(*changes: dict[str, Any], before: dict[str, Any] = NOW) -> Graph:
    record = change(RECORD, "update", before={"input": before}, after={"input": NOW})
    return graph(LOADED, PlanContent({"resource_changes": [record, *changes]}))


def changes(drawn: Graph) -> dict[str, str]:
    return {node.id: node.change for node in drawn.nodes if node.change}


CASES = {
    "a new job": (
        [change("aws_batch_job_definition.isaac", "create"), change("aws_iam_role.isaac", "create")],
        {"job-isaac": "created"},
    ),
    "a new revision": ([change("aws_batch_job_definition.isaac", "update")], {"job-isaac": "changed"}),
    "a role of a job that exists": (
        [change("aws_batch_job_definition.isaac", "no-op"), change("aws_iam_role.isaac", "delete", "create")],
        {"job-isaac": "changed"},
    ),
    "a replaced compute environment": (
        [change("module.compute_genomicsEnv.aws_batch_compute_environment.this", "create", "delete")],
        {"compute-genomicsEnv": "replaced"},
    ),
    "a replaced part of a compute environment": (
        [
            change("module.compute_genomicsEnv.aws_batch_compute_environment.this", "no-op"),
            change("module.compute_genomicsEnv.aws_launch_template.this", "delete", "create"),
        ],
        {"compute-genomicsEnv": "changed"},
    ),
    "a new compute environment where the role of instances exists": (
        [
            change("module.compute_genomicsEnv.aws_batch_compute_environment.this", "create"),
            change("module.instance_role.aws_iam_role.this", "no-op"),
        ],
        {"compute-genomicsEnv": "created"},
    ),
    "one more repository": (
        [
            change("module.repository_isaac.aws_ecr_repository.this", "create"),
            change("module.repository_snpeff.aws_ecr_repository.this", "no-op"),
        ],
        {"repositories": "changed"},
    ),
    "an index": (
        [change('aws_batch_job_queue.lowPriority["a.b"]', "update", kind="x")],
        {"queue-lowPriority": "changed"},
    ),
    "an import": (
        [change("aws_batch_job_queue.lowPriority", "no-op", importing={"id": "low"})],
        {"queue-lowPriority": "changed"},
    ),
    "nothing": ([change("aws_batch_job_queue.lowPriority", "no-op")], {}),
    "a data source": ([change("data.aws_ami.this", "read", kind="aws_ami") | {"mode": "data"}], {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_node_has_the_change_of_its_resources(name: str) -> None:
    entries, expected = CASES[name]
    drawn = planned(*entries)
    assert drawn.is_plan
    assert changes(drawn) == expected


def test_what_is_deleted_is_drawn_where_it_was() -> None:
    before = NOW | {"jobs": NOW["jobs"] | {"old": NOW["jobs"]["isaac"]}}
    drawn = planned(change("aws_batch_job_definition.old", "delete"), before=before)
    assert changes(drawn) == {"job-old": "deleted"}
    old = [edge for edge in drawn.edges if "job-old" in {edge.source, edge.target}]
    assert [(edge.source, edge.target) for edge in old] == [
        ("queue-highPriority", "job-old"),
        ("job-old", "bucket-reference"),
        ("job-old", "bucket-results"),
    ]
    assert "job definition old-prod is deleted" in drawn.description


def test_what_an_earlier_version_applied_and_this_one_cannot_read_is_listed() -> None:
    entries = [change("aws_batch_job_definition.old", "delete"), change("aws_iam_role.stray", "create")]
    drawn = planned(*entries, before={"name": 7})
    (other,) = [node for node in drawn.nodes if node.kind == "other"]
    assert other.name == "2 resources"
    assert other.addresses == ("aws_batch_job_definition.old", "aws_iam_role.stray")


def test_a_plan_without_changes_says_so() -> None:
    drawn = planned()
    assert changes(drawn) == {}
    assert drawn.description.endswith("The plan changes: nothing.")
