"""The writer among processes: killed at any moment, and run twice at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gen_infra.errors import GenInfraError
from gen_infra.render.writer import write

if TYPE_CHECKING:
    from pathlib import Path

OLD = {"terraform/main.tf": b"old\n", "gone/away.tf": b"old\n"}
NEW = {"terraform/main.tf": b"new\n", "fresh/new.tf": b"new\n"}

# Writes NEW. At the call of that number it says so and, without running anything more, is killed or waits to be.
WRITER = """
import os, pathlib, signal, sys
from gen_infra.render.writer import write

calls, last, how = 0, int(sys.argv[2]), getattr(signal, sys.argv[3])

def counted(function):
    def wrapper(*arguments, **options):
        global calls
        calls += 1
        if calls == last:
            print("there", flush=True)
            os.kill(os.getpid(), how)
        return function(*arguments, **options)
    return wrapper

for name in ("mkdir", "fchmod", "ftruncate", "replace", "unlink", "rmdir"):
    setattr(os, name, counted(getattr(os, name)))
write({"terraform/main.tf": b"new\\n", "fresh/new.tf": b"new\\n"}, pathlib.Path(sys.argv[1]))
print("done", flush=True)
"""


def tree(root: Path) -> dict[str, bytes]:
    paths = [path for path in root.rglob("*") if path.is_file() and path.name != ".gen-infra.json"]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def writer(root: Path, last: int, how: signal.Signals) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(root), str(last), how.name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_after_a_kill_at_any_point_the_next_run_finishes(tmp_path: Path) -> None:
    for call in range(1, 100):
        root = tmp_path / str(call)
        write(OLD, root)
        with writer(root, call, signal.SIGKILL) as process:
            said, _ = process.communicate(timeout=60)
        if said == "done\n":
            break
        assert process.returncode == -signal.SIGKILL
        assert (root / "terraform/main.tf").read_bytes() in {b"old\n", b"new\n"}

        write(NEW, root)
        assert tree(root) == NEW
    assert call > 10


def test_while_one_run_writes_the_second_gets_its_process(tmp_path: Path) -> None:
    write(OLD, tmp_path)
    with writer(tmp_path, 4, signal.SIGSTOP) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "there\n"
            os.waitpid(process.pid, os.WUNTRACED)

            with pytest.raises(
                GenInfraError, match=f"another gen-infra process is writing to .*: process {process.pid} on "
            ):
                write(OLD, tmp_path)
        finally:
            process.send_signal(signal.SIGCONT)
        assert process.communicate(timeout=60)[0] == "done\n"

    assert tree(tmp_path) == NEW
