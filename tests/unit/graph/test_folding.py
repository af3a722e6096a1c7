"""Many nodes of one kind become few boxes, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from gen_infra.graph import Graph, GraphEdge, GraphNode, fold, graph
from gen_infra.graph.folding import MANY
from tests.unit.graph.graphs import job, jobs, loaded

BUCKETS: Any = {
    "in": {"name": "reads-123456789012", "access": "read"},
    "out": {"name": "results-123456789012", "access": "write"},
}


def boxes(drawn: Graph) -> list[GraphNode]:
    return [node for node in drawn.nodes if node.kind == "job"]


def test_few_jobs_stay_as_they_are(tmp_path: Path) -> None:
    drawn = graph(loaded(tmp_path, jobs=jobs(MANY)))
    assert fold(drawn) == drawn


def test_jobs_of_the_same_queue_and_rights_are_one_box_with_their_number(tmp_path: Path) -> None:
    queues = {name: {"priority": number, "compute": ["spot"]} for number, name in ((9, "high"), (1, "low"))}
    found = {
        **{f"a{number}": job(queue="high", buckets=["in"]) for number in range(20)},
        **{f"b{number}": job(queue="high", buckets=["in", "out"]) for number in range(19)},
        "alone": job(queue="low"),
    }
    whole = graph(loaded(tmp_path, queues=queues, buckets=BUCKETS, jobs=found))
    drawn = fold(whole)
    assert [box.name for box in boxes(drawn)] == ["20 job definitions", "19 job definitions", "alone-test"]
    assert [len(box.members) for box in boxes(drawn)] == [20, 19, 0]
    first, second, _ = boxes(drawn)
    rights = {(edge.source, edge.target, edge.direction) for edge in drawn.edges if edge.target.startswith("bucket-")}
    assert rights == {
        (first.id, "bucket-in", "back"),
        (second.id, "bucket-in", "back"),
        (second.id, "bucket-out", "both"),
    }
    assert {member.id for box in boxes(drawn) for member in box.members or [box]} == {node.id for node in boxes(whole)}
    assert first.details == ("a0-test, a1-test and 18 more", "1 vCPU, 1000 MiB", "image samtools:1.21", "20 roles")
    assert "aws_batch_job_definition.a7" in first.addresses


def test_a_step_of_a_workflow_folds_with_its_like(tmp_path: Path) -> None:
    workflows = {"flow": {"steps": {"one": {"job": "job0"}, "two": {"job": "job1"}}}}
    drawn = fold(graph(loaded(tmp_path, jobs=jobs(30), workflows=workflows)))
    (box,) = boxes(drawn)
    (runs,) = [edge for edge in drawn.edges if edge.source == "workflow-flow"]
    assert (runs.target, runs.title) == (box.id, "flow runs job0, and 1 more")


def test_roles_that_others_made_keep_jobs_apart(tmp_path: Path) -> None:
    found = jobs(30) | {"other": job(role="arn:aws:iam::123456789012:role/other")}
    drawn = fold(graph(loaded(tmp_path, jobs=found)))
    assert [(box.name, box.role) for box in boxes(drawn)] == [("30 job definitions", ""), ("other-test", "other")]


def test_what_a_plan_changes_stays_visible(tmp_path: Path) -> None:
    whole = graph(loaded(tmp_path, jobs=jobs(40)))
    nodes = tuple(replace(node, change="created") if node.id == "job-job7" else node for node in whole.nodes)
    drawn = fold(replace(whole, nodes=nodes, is_plan=True))
    assert [(box.name, box.change) for box in boxes(drawn)] == [("39 job definitions", None), ("job7-test", "created")]


def test_a_thousand_jobs_with_rights_of_their_own_are_a_box_for_each_queue() -> None:
    nodes = [GraphNode(f"bucket-{bit}", "bucket", f"lab-{bit}") for bit in range(10)]
    links = []
    for number in range(1000):
        nodes.append(GraphNode(f"job-{number}", "job", f"job{number}", addresses=(f"aws_iam_role.job{number}",)))
        links.append(GraphEdge(f"queue-{number % 3}", f"job-{number}", "runs"))
        links += [GraphEdge(f"job-{number}", f"bucket-{bit}", "reads") for bit in range(10) if number >> bit & 1]
    nodes += [GraphNode(f"queue-{number}", "queue", f"queue{number}") for number in range(3)]
    drawn = fold(Graph("many", "1", "r", tuple(nodes), tuple(links)))
    assert [box.name for box in boxes(drawn)] == ["334 job definitions", "333 job definitions", "333 job definitions"]
    assert len(drawn.nodes) <= 3 * 2 + MANY


def test_every_kind_that_a_manifest_may_have_many_of_folds() -> None:
    kinds: tuple[Any, ...] = ("job", "bucket", "file_system", "workflow", "queue", "compute", "image")
    nodes = tuple(GraphNode(f"{kind}-{number}", kind, f"{kind}{number}") for kind in kinds for number in range(50))
    links = tuple(GraphEdge(f"compute-{number}", f"queue-{number}", "runs") for number in range(50))
    drawn = fold(Graph("many", "1", "r", nodes, links))
    assert len(drawn.nodes) == len(kinds)
    assert len(drawn.edges) == 1
