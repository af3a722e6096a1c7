"""Ctrl-C while a resource is waited for: terraform stops in order, and the next run finishes."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import IO, TYPE_CHECKING

import pytest

from tests.cli import clean_environ, command
from tests.emulator.session import site_in
from tests.emulator.small import SMALL

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.emulator import Emulator
    from tests.emulator.session import Session


def test_ctrl_c_stops_terraform_in_order_and_the_next_run_finishes(
    session: Session, tmp_path: Path, account: Emulator
) -> None:
    small = tmp_path / "small.yaml"
    small.write_text(SMALL)
    with subprocess.Popen(
        command("apply", small, "--yes"),
        cwd=small.parent,
        env=clean_environ(**account.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        seen = read_until(process.stderr, "… aws_batch_job_queue.main")  # made, and waited for: half a minute
        process.send_signal(signal.SIGINT)
        seen += process.stderr.read()
    assert process.returncode == 4
    assert "error: " in seen
    assert "Traceback" not in seen
    assert "gen-infra apply" in seen or "same command" in seen
    state = json.loads((small.parent / "build/small/terraform/terraform.tfstate").read_text())
    assert any(resource["type"] == "aws_batch_compute_environment" for resource in state["resources"])
    assert not list((small.parent / "build/small/terraform").glob(".terraform.tfstate.lock.info"))
    with site_in(session, small.parent, account, "small") as site:
        again = site.run("apply", small, "--yes")
        assert again.returncode == 0, again.stderr
        assert site.run("plan", small, "--detailed-exitcode").returncode == 0
    environments = account.client("batch").describe_compute_environments()["computeEnvironments"]
    assert len(environments) == 1, "nothing is left over from the first run"


def read_until(stream: IO[str], text: str) -> str:
    seen = ""
    for line in stream:
        seen += line
        if text in line:
            return seen
    pytest.fail(f"{text} never came: {seen}")
