"""The completion scripts in the shells that they are for."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli import command
from tests.conftest import ROOT, require_tool

if TYPE_CHECKING:
    from pathlib import Path

PROD = ROOT / "envs" / "prod.yaml"
# How to ask each shell for what it would offer; zsh hands that to its builtin compadd, by the name of an array.
ASK = {
    "bash": f"""
        source script
        COMP_WORDS=(gen-infra submit {PROD} s) COMP_CWORD=3
        _gen_infra_completion gen-infra s submit
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """,
    "zsh": f"""
        compdef() {{ :; }}
        compadd() {{ local array=${{@[-1]}}; print -rl -- ${{(P)array}}; }}
        source script
        words=(gen-infra submit {PROD} s) CURRENT=4
        _gen_infra_completion
    """,
    "fish": f"""
        source script
        complete --do-complete 'gen-infra submit {PROD} s'
    """,
}


@pytest.mark.parametrize("shell", ASK)
def test_the_shell_completes_the_manifests_jobs(shell: str, tmp_path: Path) -> None:
    program = require_tool(shell)
    wrapper = tmp_path / "gen-infra"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -c \'import sys; sys.argv[0] = "gen-infra"; '
                       'from gen_infra.cli import main; main()\'\n')  # fmt: skip
    wrapper.chmod(0o755)
    script = subprocess.run(command("completion", shell, "--quiet"), check=True, capture_output=True, text=True).stdout
    (tmp_path / "script").write_text(script)
    done = subprocess.run(
        [program, "-c", ASK[shell]],
        check=False, capture_output=True, text=True, cwd=tmp_path, timeout=60,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)},
    )  # fmt: skip
    offered = {word for line in done.stdout.splitlines() for word in line.split()}
    assert {"strelka", "snpeff", "samtoolsStats"} <= offered, done.stderr
    assert "isaac" not in offered
