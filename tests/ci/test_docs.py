"""The console blocks of the documentation, run as they are typed: the wheel, and prod on the embedded AWS."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.conftest import ROOT
from tests.emulator.stack import Stack, applied
from tests.wheel import build_wheel, install_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.emulator.session import Session


class Console(NamedTuple):
    """A block: its page, the heading above it, and what is typed."""

    page: str
    heading: str
    typed: str


# Of another environment than prod, with an image of its own: tests/emulator/pipeline runs it.
_ELSEWHERE = ("gen-infra submit nextflow.yaml --engine",)
_LINES = re.compile(r"^#+ (?P<heading>[^\n]*)$|^ *```console\n(?P<block>.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[Console]:
    found = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        heading = ""
        for match in _LINES.finditer(page.read_text()):
            heading = match["heading"] or heading
            if match["block"]:
                typed = "\n".join(re.findall(r"^ *\$ (.*)$", match["block"], re.MULTILINE))
                if not typed.startswith(_ELSEWHERE):
                    found.append(Console(page.name, heading, typed))
    return found


@pytest.fixture(scope="module")
def prod(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with applied(session, "prod", tmp_path_factory.mktemp("docs")) as made:
        (made.folder / "envs").symlink_to(".")  # where the pages have their manifests
        yield made


def test_the_pages_have_blocks_to_run() -> None:
    assert sum(block.page == "how-to.md" for block in blocks()) == 10
    assert all(block.typed for block in blocks())


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel; return the folder of its programs."""
    folder = tmp_path_factory.mktemp("wheel")
    return install_wheel(build_wheel(ROOT, folder), folder / "environment") / "bin"


@pytest.mark.parametrize("block", blocks(), ids=lambda block: f"{block.page}-{block.heading}")
def test_it_runs_as_typed(block: Console, prod: Stack, programs: Path) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.typed],
        capture_output=True,
        check=False,
        cwd=prod.folder,
        env={**prod.environ, "PATH": f"{programs}{os.pathsep}{prod.environ['PATH']}"},
        text=True,
    )
    assert done.returncode == 0, f"{block.typed}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
