"""A copy of gen-infra whose files are edited between two runs: what it renders shows each edit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.manifests import SMALLEST, write

ROOT = Path(__file__).parents[3]


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> Path:
    checkout = tmp_path / "checkout"
    for name in ("generator", "templates", "modules", "packer"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return checkout


def test_every_edit_of_the_code_is_rendered(checkout: Path, tmp_path: Path) -> None:
    write(tmp_path, SMALLEST)

    def render() -> str:
        words = [sys.executable, "-m", "gen_infra", "render", "test.yaml"]
        environ = {**os.environ, "PYTHONPATH": str(checkout / "generator")}
        done = subprocess.run(words, cwd=tmp_path, env=environ, capture_output=True, check=True, text=True)
        return done.stderr.splitlines()[0]

    files = render().split()[1]
    unchanged = f"✓ {files} files: 0 new, 0 changed, 0 removed, {files} unchanged"
    assert render() == unchanged
    for name, before, after in (
        ("templates/queues.tf.j2", "\n", "\n# edited\n"),
        ("modules/encryption/main.tf", "\n", "\n# edited\n"),
        ("packer/scripts/cleanup.sh", "\n", "\n# edited\n"),
        ("generator/gen_infra/render/yaml.py", "return ", 'return "# edited\\n" + '),
    ):
        path = checkout / name
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after, 1))
        changed = render()
        assert (name, changed) == (name, f"✓ {files} files: 0 new, 1 changed, 0 removed, {int(files) - 1} unchanged")
        assert render() == unchanged
