"""Every public report of ``README.md`` has a test that exists, and every input belongs to a report."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT
from tests.unit.why.public_cases import PUBLIC_CASES

FOLDER = Path(__file__).parent
NUMBERS = {1, *range(3, 21), 22, *range(24, 36), 37, 38, *range(41, 49)}  # a report that was dropped keeps its number


class Row(NamedTuple):
    case: str
    source: str
    wanted: str
    test: str


def rows() -> list[Row]:
    lines = (FOLDER / "README.md").read_text().splitlines()
    table = [line for line in lines if line.startswith("|")][2:]
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in table]


def names_in(path: Path) -> set[str]:
    """Return the functions of a test module, and those of its classes as ``Class::function``."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
    return found


def test_no_report_is_missing() -> None:
    assert {int(row.case[:2]) for row in rows()} == NUMBERS
    assert len(rows()) == len(NUMBERS)


def test_every_report_has_its_test() -> None:
    for row in rows():
        path, _, name = row.test.partition("::")
        known = set(PUBLIC_CASES) if path.endswith("public_cases.py") else names_in(ROOT / path)
        assert name in known, row


def test_every_input_belongs_to_a_report() -> None:
    inputs = [path.stem for folder in ("definitions", "manifests") for path in (FOLDER / folder).iterdir()]
    cases = [row.case for row in rows()]
    assert len(inputs) > 20
    assert [name for name in inputs if not any(name.startswith(case) for case in cases)] == []
