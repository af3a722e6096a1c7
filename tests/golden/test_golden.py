"""What every manifest renders to, to the byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gen_infra.manifest import load
from gen_infra.render.files import render
from gen_infra.render.writer import digest
from tests.golden.renew import EXPECTED, expected, goldens, manifests

NAMES = {manifest.stem: manifest for manifest in manifests()}


@pytest.mark.parametrize("name", goldens())
def test_golden(name: str) -> None:
    ours, golden = goldens()[name](), expected(name)
    assert sorted(ours) == sorted(golden), "run `make golden` and read the difference"
    for path, content in ours.items():
        assert content.decode() == golden[path].decode(), f"{path}: run `make golden` and read the difference"


def test_no_golden_without_a_manifest() -> None:
    assert {folder.name for folder in EXPECTED.iterdir()} == set(goldens())


@pytest.mark.parametrize("name", NAMES)
def test_nothing_depends_on_the_machine_or_the_time(name: str) -> None:
    for path, content in render(load(NAMES[name])).items():
        if path.endswith((".tf", ".hcl", ".yaml")):
            assert str(Path.home()).encode() not in content, path
            assert os.fspath(Path(__file__).parents[2]).encode() not in content, path


def test_another_process_in_another_place_renders_the_same_bytes(tmp_path: Path) -> None:
    prod = NAMES["prod"]
    script = (
        "import sys; from pathlib import Path; "
        "from gen_infra.manifest import load; from gen_infra.render.files import render; "
        "from gen_infra.render.writer import digest; print(digest(render(load(Path(sys.argv[1])))))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", script, str(prod)],
            check=True, capture_output=True, text=True, cwd=cwd,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C", "COLUMNS": "40"},
        ).stdout.strip()
        for cwd, seed, zone in ((tmp_path, "1", "Asia/Tokyo"), (Path.home(), "2", "UTC"))
    }  # fmt: skip
    assert answers == {digest(render(load(prod)))}
