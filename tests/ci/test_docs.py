"""The console blocks of the documentation and the README, run as typed: the wheel, and prod on the embedded AWS."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.console_blocks import RUN, Block
from tests.emulator.stack import Stack, applied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.emulator.session import Session

# What a reader types in place of what a page shows.
ADAPTED = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b", "$EXAMPLE_JOB"),
    (r"^(gen-infra jobs .*--watch)", r"timeout --preserve-status --signal INT 5 \1"),  # ended with Ctrl-C
    (r"^(gen-infra doctor envs/prod.yaml)", r"\1 || test $? = 1"),  # no images were pushed
)


def command(line: str) -> str:
    return line.partition("  #")[0].strip()


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
