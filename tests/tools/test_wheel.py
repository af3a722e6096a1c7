"""The wheel holds all that gen-infra needs, and works in an empty environment, from any folder."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest
import yaml
from jinja2 import ModuleLoader

from gen_infra import __version__
from gen_infra.manifest import load
from gen_infra.render.files import render
from gen_infra.render.templates import DIGEST
from tests.conftest import ROOT
from tests.unit.manifests import SMALLEST, write
from tests.wheel import build_wheel, install_wheel

if TYPE_CHECKING:
    from pathlib import Path

_WHERE = """
import gen_infra
from gen_infra.render.templates import terraform_environment
print(gen_infra.__file__, terraform_environment().loader)
"""
_DATA = ("templates", "modules", "packer", "envs")


# Forbids the interpreter, and so each command in its environment, to look a host up or to connect to one.
_OFFLINE = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request"):
        raise SystemExit(f"the network was used: {event} {arguments}")

sys.addaudithook(refuse)
"""
_MOST_BYTES = 2_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel in an environment of its own; return that environment's folder."""
    return install_wheel(wheel, tmp_path_factory.mktemp("installed") / "environment")


def run(home: Path, *words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program of that environment, without this checkout's packages."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(home / "bin" / words[0]), *map(str, words[1:])]
    return subprocess.run(command, capture_output=True, check=False, cwd=cwd, env=environ, text=True)


def test_it_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < _MOST_BYTES


def test_it_has_the_same_bytes_wherever_and_whenever_it_is_built(wheel: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "another folder"
    for file in tracked("."):
        target = elsewhere / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)  # at another time
    again = build_wheel(elsewhere, tmp_path / "wheel", TZ="Asia/Tokyo", PYTHONHASHSEED="7", LC_ALL="C")
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_version_check_compares_the_installed_files_without_the_network(installed: Path, tmp_path: Path) -> None:
    home = tmp_path / "environment"
    shutil.copytree(installed, home, symlinks=True)
    (site,) = home.glob("lib/python*/site-packages")
    (site / "sitecustomize.py").write_text(_OFFLINE)
    script = "import socket; socket.create_connection(('127.0.0.1', 9))"
    assert "the network was used" in run(home, "python", "-c", script).stderr, "the guard works"
    command = ["python", "-m", "gen_infra", "version", "--check", "--json"]

    sound = run(home, *command)
    assert sound.returncode == 0, sound.stderr
    answer = json.loads(sound.stdout)
    assert (answer["version"], answer["differing"]) == (__version__, [])
    assert answer["files"] > len(tracked("generator"))

    (site / "gen_infra/_data/modules/engine/main.tf").write_text("# changed")
    (site / "gen_infra/_data/modules/engine/outputs.tf").unlink()
    changed = run(home, *command)
    assert changed.returncode == 1
    assert json.loads(changed.stdout)["differing"] == [
        f"gen_infra/_data/modules/engine/{name}.tf" for name in ("main", "outputs")
    ]


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


def test_it_renders_the_same_from_any_folder(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "envs/examples/scripts", tmp_path / "scripts")
    (tmp_path / "fresh.yaml").write_bytes((ROOT / "envs/examples/image-rebuild.yaml").read_bytes())  # holds gen-infra
    rendered = run(installed, "gen-infra", "render", "fresh.yaml", cwd=tmp_path)
    assert rendered.returncode == 0, rendered.stderr
    where = run(installed, "python", "-c", _WHERE).stdout
    assert str(installed) in where
    assert "ModuleLoader" in where  # the templates that were compiled when the wheel was built
    expected = render(load(tmp_path / "fresh.yaml"))
    for path, content in expected.items():
        assert (tmp_path / "build" / "fresh" / path).read_bytes() == content, path


def test_the_hooks_of_pre_commit_say_what_is_wrong(installed: Path, tmp_path: Path) -> None:
    """Run as pre-commit does: the entry's words, then the args, with the wheel's programs first on PATH."""
    entries = {each["id"]: each["entry"] for each in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}

    def hook(name: str, *args: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "PATH": f"{installed / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        command = [*shlex.split(entries[name]), *args]
        return subprocess.run(command, capture_output=True, check=False, cwd=tmp_path, env=environ, text=True)

    good = write(tmp_path, SMALLEST, "good.yaml").name
    (tmp_path / "bad.yaml").write_text("name: bad\n")
    assert hook("gen-infra-validate", good).returncode == 0
    mixed = hook("gen-infra-validate", "bad.yaml", good)
    assert mixed.returncode == 2, "the last manifest alone does not decide"
    assert "bad.yaml has" in mixed.stderr

    assert hook("gen-infra-render", "--out", "infra", good).returncode == 1
    assert run(installed, "gen-infra", "render", "--out", "infra", good, cwd=tmp_path).returncode == 0
    assert hook("gen-infra-render", "--out", "infra", good).returncode == 0
    (tmp_path / "infra/test/terraform/main.tf").write_text("# edited\n")
    assert "main.tf" in hook("gen-infra-render", "--out", "infra", good).stdout
