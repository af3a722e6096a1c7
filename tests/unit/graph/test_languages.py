"""The graph in the languages of Graphviz and Mermaid."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

from gen_infra.graph import Graph, graph
from gen_infra.graph.dot import dot, dot_source
from gen_infra.graph.mermaid import mermaid
from tests.unit.graph.graphs import HOSTILE, job, jobs, loaded, prod


def hostile() -> Graph:
    drawn = prod()
    nodes = tuple(replace(node, name=HOSTILE, role=HOSTILE, details=(HOSTILE,)) for node in drawn.nodes)
    return replace(drawn, name=HOSTILE, region=HOSTILE, nodes=nodes)


def test_dot_has_every_node_in_its_column_and_every_edge() -> None:
    source = dot(prod())
    columns = re.findall(r"\{\n    rank=same\n(.*?)\n  \}", source, re.DOTALL)
    found = [re.findall(r'^    "([\w-]+)" \[id=', column, re.MULTILINE) for column in columns]
    assert found == [[node.id for node in prod().column(number)] for number in range(5)]
    for edge in prod().edges:
        assert f'  "{edge.source}" -> "{edge.target}" [dir={edge.direction}' in source


def test_dot_keeps_queues_in_their_order(tmp_path: Path) -> None:
    queues = {name: {"priority": priority, "compute": ["spot"]} for name, priority in (("a", 1), ("b", 9), ("c", 5))}
    source = dot(graph(loaded(tmp_path, queues=queues, jobs={"last": job(queue="a"), "first": job(queue="b")})))
    order = re.findall(r'"(queue-\w+)" -> "(queue-\w+)" \[style=invis\]', source)
    assert order == [("queue-b", "queue-c"), ("queue-c", "queue-a")]
    assert '"job-first" -> "job-last" [style=invis]' in source


def test_in_dot_all_hostile_text_is_escaped_and_within_labels() -> None:
    source = dot_source(hostile())
    labels = re.findall(r"label=<(.*)>\]?$", source, re.MULTILINE)
    outside = re.sub(r"label=<.*>(\]?)$", r"label=<>\1", source, flags=re.MULTILINE)
    assert "script" not in outside
    assert "click" not in outside
    tags = {tag for label in labels for tag in re.findall(r"</?([A-Z]+|[a-z]+)", label)}
    assert tags == {"TABLE", "TR", "TD", "FONT", "B", "BR"}
    assert "\x07" not in source
    shown = unescape(labels[0])
    assert '"]; click n0 "x" <script>alert(1)</script>' in shown


def test_in_mermaid_all_hostile_text_is_entity_codes() -> None:
    source = mermaid(hostile())
    assert "script>" not in source
    for line in source.splitlines():
        if quoted := re.fullmatch(r' +n\d+\["(.*)"\]:::\w+', line):
            assert re.fullmatch(r"(?:[A-Za-z0-9 ,:/=-]|#\d+;|<br/>)+", quoted[1])
            text = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), quoted[1])
            assert HOSTILE.replace("\x07", "�").replace("\x00", "�") in text
        else:
            assert re.fullmatch(r"[A-Za-z0-9 ,:/=_#;.\[\]\"<>|-]+", line), line


def test_mermaid_has_numbered_ids_whatever_the_keys_are(tmp_path: Path) -> None:
    source = mermaid(graph(loaded(tmp_path, jobs={"end": job(), "a--b": job()})))
    ids = re.findall(r'^    (\w+)\["', source, re.MULTILINE)
    assert ids == [f"n{number}" for number in range(len(ids))]
    assert "a--b-test" in source


def test_mermaid_keeps_the_order_of_columns_without_edges(tmp_path: Path) -> None:
    drawn = graph(loaded(tmp_path, jobs={"one": job()}))
    ids = {node.id: f"n{number}" for number, node in enumerate(drawn.nodes)}
    assert f"  {ids['job-one']} ~~~ {ids['logs']}\n" in mermaid(drawn), "the logs are last"
    assert "~~~" not in mermaid(prod())


def test_large_graphs_are_folded_in_both(tmp_path: Path) -> None:
    drawn = graph(loaded(tmp_path, jobs=jobs(40)))
    assert "40 job definitions" in dot(drawn)
    assert "40 job definitions" in mermaid(drawn)
