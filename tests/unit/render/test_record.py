"""The record of the manifest in the state, which plans compare the next manifest with: written last, never printed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gen_infra.drift.drift import drift
from gen_infra.explain import explain
from gen_infra.manifest import load
from gen_infra.render.files import render
from gen_infra.terraform.plan import RECORD, PlanContent
from tests.conftest import ROOT
from tests.golden.renew import manifests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = re.compile(r'^(?:resource "(\w+)" "([\w-]+)"|(module) "([\w-]+)") \{\n(.*?)^\}$', re.MULTILINE | re.DOTALL)


def test_the_record_is_the_resolved_manifest() -> None:
    files = render(load(ROOT / "envs" / "prod.yaml"))
    record = json.loads(files["terraform/manifest.json"])
    assert record == yaml.safe_load(files["manifest.resolved.yaml"])
    assert 'jsondecode(file("${path.module}/manifest.json"))' in blocks(files)[RECORD]


@pytest.mark.parametrize("manifest", manifests(), ids=lambda manifest: manifest.stem)
def test_the_record_waits_for_every_module_and_resource(manifest: Path) -> None:
    found = blocks(render(load(manifest)))
    assert set(waited_for(found, RECORD)) == set(found)


def blocks(files: dict[str, bytes]) -> dict[str, str]:
    """Return the root's resources and modules: address -> body."""
    root = [text.decode() for path, text in files.items() if re.fullmatch(r"terraform/\w+\.tf", path)]
    return {
        f"{match[1] or match[3]}.{match[2] or match[4]}": match[5] for text in root for match in _BLOCK.finditer(text)
    }


def waited_for(found: dict[str, str], address: str) -> Iterator[str]:
    """Yield an address, and all that its block names in this way or through others."""
    yield address
    for named in set(re.findall(r"\b\w+\.[\w-]+", found[address])) & set(found) - {address}:
        yield from waited_for(found, named)


def record(actions: list[str], before: Any, after: Any) -> dict[str, Any]:
    states = ({"input": value} if value else None for value in (before, after))
    change = dict(zip(("actions", "before", "after"), (actions, *states), strict=True))
    return {"address": RECORD, "mode": "managed", "type": "terraform_data", "change": change}


@pytest.mark.parametrize(
    "change",
    [
        record(["create"], None, {"name": "b"}),
        record(["update"], {"name": "a"}, {"name": "b"}),
        record(["delete"], {"name": "a"}, None),
    ],
    ids=lambda change: change["change"]["actions"][0],
)
def test_the_record_is_no_change_and_is_not_reported(change: dict[str, Any]) -> None:
    plan = PlanContent({"resource_changes": [change], "resource_drift": [change]})
    assert not plan.has_changes
    assert explain(plan).changes == ()
    assert drift(plan) == ()
