"""The console blocks of the documentation and the README, run as typed: the wheel, and prod on the embedded AWS.

Above a block that is not run here, a comment says why: ``<!-- not run: REASON -->``, or, for the lines that start with
a command, ``<!-- not run, COMMAND: REASON -->``.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.conftest import ROOT
from tests.emulator.stack import Stack, applied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.emulator.session import Session

PAGES = {page.name: page.read_text() for page in (*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md")}

# What a reader types in place of what a page shows.
ADAPTED = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b", "$EXAMPLE_JOB"),
    (r"^(gen-infra jobs .*--watch)", r"timeout --preserve-status --signal INT 2 \1"),  # ended with Ctrl-C
    (r"^(gen-infra doctor envs/prod.yaml)", r"\1 || test $? = 1"),  # no images were pushed
)

_FENCE = re.compile(
    r"^#+ (?P<heading>[^\n]*)$"
    r"|(?P<marks>(?:^ *<!-- not run[^\n]*-->\n)*)^ *```(?P<language>\w*)\n(?P<block>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_MARK = re.compile(r"<!-- not run(?:, (?P<command>[^:]+))?: (?P<reason>.+) -->")
_COMMAND = re.compile(r"\$ |(?:\w+=\S+ )?(?:gen-infra|aws|curl|docker|git|make|pip|pipx|sed|skopeo|terraform) \S")


class Block(NamedTuple):
    """A block of a page: the heading above it, its marks (what they are for: the reason), and its lines."""

    page: str
    heading: str
    language: str
    marks: dict[str, str]
    lines: list[str]

    @property
    def typed(self) -> list[str]:
        """Return what is typed, without the marked lines."""
        lines = [] if "" in self.marks else [line.removeprefix("$ ") for line in self.lines if line.startswith("$ ")]
        return [line for line in lines if not line.startswith(tuple(self.marks))]


def blocks() -> list[Block]:
    found = []
    for page, text in PAGES.items():
        heading = ""
        for match in _FENCE.finditer(text):
            heading = match["heading"] or heading
            if match["block"] is not None:
                marks = {mark["command"] or "": mark["reason"] for mark in _MARK.finditer(match["marks"])}
                lines = [line.strip() for line in match["block"].splitlines()]
                found.append(Block(page, heading, match["language"], marks, lines))
    return found


BLOCKS = blocks()
RUN = [block for block in BLOCKS if block.language == "console" and block.typed]


def command(line: str) -> str:
    return line.partition("  #")[0].strip()


def test_every_command_is_in_a_console_block() -> None:
    others = [block for block in BLOCKS if block.language in {"", "sh", "bash", "shell", "text"}]
    assert len(others) > 10
    assert [block[:2] for block in others if any(map(_COMMAND.match, block.lines))] == []
    console = [block for block in BLOCKS if block.language == "console"]
    assert [block[:2] for block in console if not block.lines[0].startswith("$ ")] == []


def test_every_block_is_run_or_says_why_it_is_not() -> None:
    reasons = [reason for block in BLOCKS for reason in block.marks.values()]
    assert sum(text.count("<!-- not run") for text in PAGES.values()) == len(reasons), "each is above a block"
    assert len(reasons) == 20, "a new one needs a reason, and fewer are better"
    for reason in reasons:
        tests = re.findall(r"tests/[\w./]+", reason)
        assert tests or len(reason.split()) > 3, reason
        assert all((ROOT / path).exists() for path in tests), reason
    assert sum(block.page == "how-to.md" for block in RUN) == 10
    assert len(RUN) == 18


@pytest.fixture(scope="module")
def prod(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with applied(session, "prod", tmp_path_factory.mktemp("docs")) as made:
        (made.folder / "envs").symlink_to(".")  # where the pages have their manifests
        yield made


@pytest.fixture(scope="module")
def environ(prod: Stack, released: Path) -> dict[str, str]:
    """Return the environment variables of a reader who installed the wheel, and has submitted a job."""
    definition, queue = "isaac-prod", "highPriority-prod"
    job = prod.batch().submit_job(jobName="example", jobQueue=queue, jobDefinition=definition)["jobId"]
    path = f"{released / 'environment' / 'bin'}{os.pathsep}{prod.environ['PATH']}"
    return {**prod.environ, "PATH": path, "EXAMPLE_JOB": job}


@pytest.mark.parametrize("block", RUN, ids=lambda block: f"{block.page}-{block.heading}")
def test_it_runs_as_typed(block: Block, prod: Stack, environ: dict[str, str]) -> None:
    lines = block.typed
    if block.page == "README.md":  # commands that a page has too are run there
        seen = {command(line) for other in RUN if other.page != "README.md" for line in other.typed}
        lines = [line for line in lines if command(line) not in seen]
    script = "\n".join(lines)
    for shown, typed in ADAPTED:
        script = re.sub(shown, typed, script, flags=re.MULTILINE)
    _, terminal = pty.openpty()  # for the commands that ask; nothing here needs an answer
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        capture_output=True,
        check=False,
        cwd=prod.folder,
        env=environ,
        stdin=terminal,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
