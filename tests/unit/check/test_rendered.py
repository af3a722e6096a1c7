"""The allow list of types and arguments: everything that the modules set is in it, and nothing else passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_infra.check.rules import rendered
from gen_infra.check.rules.rendered_arguments import ANY_KIND, ARGUMENTS
from gen_infra.check.rules.rule import Accepted
from gen_infra.terraform.hcl import Block, Body, parse
from gen_infra.terraform.source import UNKNOWN, Resource
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_IGNORE = "lifecycle.ignore_changes"


def _paths(body: Body, before: str = "") -> Iterator[str]:
    yield from (f"{before}{name}" for name in body.attributes if before or name != "for_each")
    for block in body.blocks:
        if block.kind == "dynamic":
            (content,) = (each for each in block.body.blocks if each.kind == "content")
            yield from _paths(content.body, f"{before}{block.labels[0]}.")
        else:
            yield from _paths(block.body, f"{before}{block.kind}.")


def _kind(block: Block) -> str:
    return ("data." if block.kind == "data" else "") + block.labels[0]


@pytest.mark.parametrize("module", sorted((ROOT / "modules").iterdir()), ids=lambda path: path.name)
def test_all_arguments_of_the_modules_are_known(module: Path) -> None:
    files = sorted(module.glob("*.tf"))
    blocks = [block for path in files for block in parse(path.read_text()).blocks if block.kind in {"resource", "data"}]
    for block in blocks:
        assert set(_paths(block.body)) - ANY_KIND - {_IGNORE} <= ARGUMENTS[_kind(block)]


@pytest.mark.parametrize(
    ("line", "values", "expected"),
    [
        (1, {"vpc_id": UNKNOWN, "tags": {"ingress": "x"}}, []),
        (1, {"vpc_id": UNKNOWN, "ingress": [{"self": True}]}, ["GI_TF_6"]),
        (1, {"vpc_id": "vpc-0"}, ["GI_TF_8"]),
        (0, {"vpc_id": "vpc-0", "ingress": [], "revoke_rules_on_delete": None}, []),  # a plan has every argument
    ],
)
def test_the_source_has_known_arguments_only(line: int, values: dict[str, object], expected: list[str]) -> None:
    resource = Resource("aws_default_security_group", "aws_default_security_group.x", values, "main.tf", line)

    found = [rule.id for rule in rendered.RULES for _ in rule.broken_by(resource, Accepted())]

    assert found == expected


@pytest.mark.parametrize(("file", "expected"), [("existing.tf", []), ("main.tf", ["GI_TF_6"])])
def test_only_what_existed_before_ignores_changes(file: str, expected: list[str]) -> None:
    values = {"name": "x", "lifecycle": [{"ignore_changes": [UNKNOWN]}]}
    resource = Resource("aws_cloudwatch_log_group", "aws_cloudwatch_log_group.x", values, file, 1)

    assert [rule.id for rule in rendered.RULES for _ in rule.broken_by(resource, Accepted())] == expected
