"""The table of resource types: every type that is rendered has a row, and rows are complete."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from gen_infra.aws.kinds import KINDS, Absent, Listing, Objects, ResourceKind
from gen_infra.aws.session import Clients
from tests.conftest import ROOT
from tests.golden.renew import EXPECTED

_RESOURCE = re.compile(r'^resource "([^"]+)"', re.MULTILINE)


def rendered_types() -> set[str]:
    files = [*EXPECTED.rglob("*.tf"), *(ROOT / "modules").rglob("*.tf")]
    return {type_ for file in files for type_ in _RESOURCE.findall(file.read_text())}


def test_every_rendered_type_has_a_row() -> None:
    assert len(rendered_types()) > 40
    assert rendered_types() - KINDS.keys() == set()


def test_labels_are_unique() -> None:
    labels = [kind.label for kind in KINDS.values()]
    assert sorted(set(labels)) == sorted(labels)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_row_is_complete_or_gives_the_reason(kind: ResourceKind) -> None:
    assert kind.label
    for member in (kind.listing, kind.import_id, kind.adoption, kind.removal, kind.events):
        assert len(member.reason.split()) > 3 if isinstance(member, Absent) else member


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_row_can_be_used(kind: ResourceKind) -> None:
    if isinstance(kind.listing, Listing):
        assert kind.listing.client in Clients.__annotations__
        assert kind.listing.parts
    if kind.adoption == "name":
        assert isinstance(kind.listing, Listing)
        assert isinstance(kind.listing.names, str)
        assert isinstance(kind.import_id, str)
    if kind.adoption == "tags":
        assert isinstance(kind.listing, Listing)
        assert isinstance(kind.listing.names, Objects)
    if isinstance(kind.adoption, Listing):
        assert isinstance(kind.adoption.names, Objects)
        assert kind.adoption.names.same
    if isinstance(kind.import_id, str):
        known = {"name", "partition", "domain", "region", "account"}
        assert "name" in (fields := {field for _, field, _, _ in Formatter().parse(kind.import_id) if field})
        assert fields <= known
    if isinstance(kind.removal, str):
        assert kind.removal.startswith("aws ")
        assert "thing" in kind.removal.format("thing")
    if not isinstance(kind.events, Absent):
        assert kind.events.destroy
        assert all(kind.names)
