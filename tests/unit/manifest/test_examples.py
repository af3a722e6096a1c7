"""Every example says, in its first lines, what it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen_infra.resources import data_dir

EXAMPLES = sorted((data_dir("envs") / "examples").glob("*.yaml"))
PAGE = Path(__file__).parents[3] / "docs" / "examples.md"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_it_explains_when_to_use_it(example: Path) -> None:
    schema, purpose, *_ = example.read_text().splitlines()
    assert schema == "# yaml-language-server: $schema=../../generator/gen_infra/manifest/manifest.schema.json"
    assert purpose.startswith("# ")
    assert " for " in example.read_text().partition("name:")[0]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_page_lists_it(example: Path) -> None:
    assert f"`{example.stem}`" in PAGE.read_text()
