"""The SVG: its texts, its accessibility, its colours; where things are is measured in tests/tools/graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from gen_infra.graph.drawing import draw
from gen_infra.graph.texts import CHANGE_SIGNS, box
from tests.golden.renew import PICTURE
from tests.unit.graph.graphs import HOSTILE, prod, stacked

if TYPE_CHECKING:
    from gen_infra.graph import Graph

SVG = "{http://www.w3.org/2000/svg}"


def parsed(drawn: Graph) -> ET.Element:
    return ET.fromstring(draw(drawn, stacked(drawn)))  # noqa: S314 - our own text


def texts(element: ET.Element) -> list[str]:
    return [text.text or "" for text in element.iter(f"{SVG}text")]


def nodes(picture: ET.Element) -> dict[str, ET.Element]:
    return {each.attrib["data-node"]: each for each in picture.iter(f"{SVG}g") if "data-node" in each.attrib}


def test_the_picture_has_a_title_and_a_description_for_screen_readers() -> None:
    picture = parsed(prod())
    assert picture.attrib["role"] == "img"
    title, description = picture[0], picture[1]
    assert (title.tag, description.tag) == (f"{SVG}title", f"{SVG}desc")
    assert picture.attrib["aria-labelledby"] == f"{title.attrib['id']} {description.attrib['id']}"
    assert title.text == "prod"
    assert description.text == prod().description


def test_each_box_has_its_text_and_says_where_the_manifest_describes_it() -> None:
    picture = nodes(parsed(prod()))
    for node in prod().nodes:
        assert texts(picture[node.id]) == [line.text for line in box(node).lines]
    about = picture["job-isaac"].findtext(f"{SVG}title") or ""
    assert about.splitlines()[:2] == ["job definition isaac-prod", "32 vCPUs, 80000 MiB"]
    assert "base.yaml:" in about


def test_it_has_colours_for_light_and_dark_pages_that_apply_to_the_picture_alone() -> None:
    style = parsed(prod()).findtext(f"{SVG}style") or ""
    light, dark = style.split("@media (prefers-color-scheme:dark)")
    assert ".gen-infra-graph .paper{fill:#ffffff}" in light
    assert ".gen-infra-graph .paper{fill:#0d1117}" in dark
    rules = [rule for rule in style.replace("@media (prefers-color-scheme:dark){", "").split("}") if rule]
    assert all(part.startswith(".gen-infra-graph ") for rule in rules for part in rule.split("{")[0].split(","))


def test_arrows_show_where_data_goes() -> None:
    picture = parsed(prod())
    found = {}
    for group in picture.iter(f"{SVG}g"):
        if "data-from" in group.attrib:
            path = group.find(f"{SVG}path")
            assert path is not None
            arrows = {key.removeprefix("marker-") for key in path.attrib if key.startswith("marker-")}
            found[group.attrib["data-from"], group.attrib["data-to"]] = arrows
    assert found["queue-highPriority", "job-isaac"] == {"end"}
    assert found["job-isaac", "bucket-reference"] == {"start"}, "isaac reads"
    assert found["job-isaac", "bucket-results"] == {"start", "end"}, "isaac reads and writes"


def test_a_plan_is_readable_without_colours() -> None:
    changes = dict(zip(["job-isaac", "job-strelka", "job-snpeff", "queue-lowPriority"], CHANGE_SIGNS, strict=True))
    drawn = prod()
    marked = tuple(replace(node, change=changes.get(node.id)) for node in drawn.nodes)  # type: ignore[arg-type]
    picture = parsed(replace(drawn, nodes=marked, is_plan=True))
    for id_, change in changes.items():
        assert texts(nodes(picture)[id_])[0].endswith(CHANGE_SIGNS[change])
        assert nodes(picture)[id_].attrib["class"] == f"node {change}"
    assert nodes(picture)["network"].attrib["class"] == "node plain"
    legend = texts(picture)[-7:]
    assert legend[:5] == [*CHANGE_SIGNS.values(), "unchanged"]


def test_hostile_texts_stay_texts() -> None:
    drawn = prod()
    hostile = tuple(replace(node, name=HOSTILE, role=HOSTILE, details=(HOSTILE,), file=HOSTILE) for node in drawn.nodes)
    links = tuple(replace(edge, title=HOSTILE) for edge in drawn.edges)
    picture = parsed(replace(drawn, name=HOSTILE, region=HOSTILE, nodes=hostile, edges=links))
    assert {each.tag.removeprefix(SVG) for each in picture.iter()} == {
        *("svg", "title", "desc", "style", "defs", "marker", "path", "rect", "g", "text"),
    }  # fmt: skip
    shown = HOSTILE.replace("\x07", "�").replace("\x00", "�")
    assert picture.findtext(f"{SVG}title") == shown
    assert {edge.findtext(f"{SVG}title") for edge in picture.iter(f"{SVG}g") if "data-from" in edge.attrib} == {shown}


def test_the_readmes_picture_shows_prod_as_it_is() -> None:
    """The places are dot's, and differ between its versions; all else must be the same."""
    picture, drawn = ET.parse(PICTURE).getroot(), prod()  # noqa: S314 - our own file
    hint = "run `make golden` and look at docs/environment.svg"
    shown = {id_: texts(element) for id_, element in nodes(picture).items()}
    assert shown == {node.id: [line.text for line in box(node).lines] for node in drawn.nodes}, hint
    links = [each.attrib for each in picture.iter(f"{SVG}g") if "data-from" in each.attrib]
    assert [(link["data-from"], link["data-to"], link["class"]) for link in links] == [
        (edge.source, edge.target, "edge indirect" if edge.is_indirect else "edge") for edge in drawn.edges
    ], hint
    assert picture.findtext(f"{SVG}style") == parsed(drawn).findtext(f"{SVG}style"), hint


def test_nodes_link_to_their_places_on_a_page() -> None:
    graph = prod()
    linked = ET.fromstring(draw(graph, stacked(graph), {"job-isaac": "#part-job-isaac"}))  # noqa: S314 - our own text
    assert linked.attrib["role"] == "group", "a screen reader skips links in an image"
    [link] = linked.iter(f"{SVG}a")
    assert link.attrib["href"] == "#part-job-isaac"
    assert [each.attrib["data-node"] for each in link] == ["job-isaac"]
