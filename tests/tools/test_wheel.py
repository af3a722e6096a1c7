"""The wheel holds all that gen-infra needs, and works in an empty environment, from any folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from typing import TYPE_CHECKING

import pytest
from jinja2 import ModuleLoader

from gen_infra import __version__
from gen_infra.manifest import load
from gen_infra.render.files import render
from gen_infra.render.templates import DIGEST
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_WHERE = """
import gen_infra
from gen_infra.render.templates import terraform_environment
print(gen_infra.__file__, terraform_environment().loader)
"""
_DATA = ("templates", "modules", "packer", "envs")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run([sys.executable, *build], check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_contents(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    info = f"gen_infra-{__version__}.dist-info"
    code = {str(path.relative_to(ROOT / "generator")) for path in tracked("generator")}
    data = {f"gen_infra/_data/{path.relative_to(ROOT)}" for kind in _DATA for path in tracked(kind)}
    about = {f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")}
    compiled = {f"gen_infra/_data/compiled/{ModuleLoader.get_module_filename(name)}" for name in template_names()}
    assert names == code | data | about | compiled | {f"gen_infra/_data/compiled/{DIGEST}"}


def template_names() -> list[str]:
    return [path.relative_to(ROOT / "templates").as_posix() for path in tracked("templates")]


def tracked(folder: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", folder],
        capture_output=True, check=True, cwd=ROOT, text=True,
    ).stdout  # fmt: skip
    return [ROOT / name for name in listed.split("\0") if name]


def test_it_renders_the_same_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "environment"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(python),
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            str(wheel),
        ],
        check=True,
    )
    # The dependencies that this environment has; a path in a .pth file does not bring the editable gen-infra along.
    (site,) = home.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    shutil.copytree(ROOT / "envs/examples/scripts", tmp_path / "scripts")
    (tmp_path / "fresh.yaml").write_bytes((ROOT / "envs/examples/image-rebuild.yaml").read_bytes())  # holds gen-infra
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    rendered = subprocess.run(
        [home / "bin" / "gen-infra", "render", "fresh.yaml"],
        capture_output=True, check=False, cwd=tmp_path, env=environ, text=True,
    )  # fmt: skip
    assert rendered.returncode == 0, rendered.stderr
    where = subprocess.run(
        [python, "-c", _WHERE],
        capture_output=True,
        check=True,
        env=environ,
        text=True,
    ).stdout
    assert str(home) in where
    assert "ModuleLoader" in where  # the templates that were compiled when the wheel was built
    expected = render(load(tmp_path / "fresh.yaml"))
    for path, content in expected.items():
        assert (tmp_path / "build" / "fresh" / path).read_bytes() == content, path
