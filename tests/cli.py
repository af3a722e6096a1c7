"""Run the command line as a user does, in its own process."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from gen_infra.cli import main

# Settings of the machine that could change a test's result.
_FOREIGN = ("AWS_", "TF_", "CKV_", "PKR_", "GEN_INFRA_", "NO_COLOR")

# Python's fork server: loading the modules takes longer than most commands.
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.preloaded"])


def clean_environ(**extra: str) -> dict[str, str]:
    """Return this process's environment variables without such settings, and without a way to real credentials."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull, **extra}  # fmt: skip


def gen_infra(
    *arguments: str | Path, environ: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 600
) -> subprocess.CompletedProcess[str]:
    """Run ``gen-infra ARGUMENTS`` without a terminal, in a process forked from one that has loaded the modules."""
    words = command(*arguments)
    with tempfile.TemporaryDirectory() as name:
        out, err = Path(name) / "out", Path(name) / "err"
        process = _SERVER.Process(
            target=_be_gen_infra,
            args=(["gen-infra", *words[3:]], {**clean_environ(), **(environ or {})}, cwd, out, err),
        )
        process.start()
        process.join(timeout)
        code = process.exitcode
        if code is None:
            process.kill()
            raise subprocess.TimeoutExpired(words, timeout, out.read_bytes(), err.read_bytes())
        process.close()
        return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())


def _be_gen_infra(argv: list[str], environ: dict[str, str], cwd: Path | None, out: Path, err: Path) -> None:
    for number, path in ((1, out), (2, err)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), number)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environ)
    tempfile.tempdir = None  # of the caller's TMPDIR
    if cwd:
        os.chdir(cwd)
    sys.argv = argv
    main()


def command(*arguments: str | Path) -> list[str]:
    """Return the command line that starts gen-infra."""
    return [sys.executable, "-m", "gen_infra", *map(str, arguments)]
