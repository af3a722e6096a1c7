"""Every example is formatted, and scanned with nothing failed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gen_infra.manifest import load
from gen_infra.render import render
from gen_infra.resources import data_dir
from gen_infra.scan import scan_source
from gen_infra.tools.terraform import find_terraform

EXAMPLES = sorted((data_dir("envs") / "examples").glob("*.yaml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_source_scan_finds_nothing(example: Path, tmp_path: Path) -> None:
    checks = scan_source(render(load(example)), find_terraform(os.environ), tmp_path / "copy", lambda _: None)
    assert [check.name for check in checks] == ["terraform fmt", "checkov (source)"]
    assert not any(check.failed for check in checks), checks


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_it_says_when_to_use_it(example: Path) -> None:
    schema, purpose, *_ = example.read_text().splitlines()
    assert schema == "# yaml-language-server: $schema=../../generator/gen_infra/manifest.schema.json"
    assert purpose.startswith("# ")
    assert " for " in example.read_text().partition("name:")[0]
