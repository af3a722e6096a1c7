"""Start, follow and stop real processes."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gen_infra.errors import MissingError, ToolError
from gen_infra.tools.process import Completed, StoppedError, forwarding_signals, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENV = {"PATH": os.environ["PATH"]}
ORDERLY = """
    import signal
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    print("ready")
    for number in range(1, {stops} + 1):
        signal.sigwait([signal.SIGINT])
        print("interrupt", number)
    more = signal.sigtimedwait([signal.SIGINT], 0)
    print("state saved" if more is None else "interrupted once too often")
    raise SystemExit(5)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", textwrap.dedent(code)]


def shell(code: str) -> list[str]:
    return ["sh", "-c", code]


def test_output_and_exit_code(tmp_path: Path) -> None:
    completed = run(shell("echo out; echo err >&2; exit 3"), cwd=tmp_path, env=ENV)

    assert completed == Completed(("sh", "-c", "echo out; echo err >&2; exit 3"), 3, "out\n", "err\n")


def test_folder_environment_variables_and_input(tmp_path: Path) -> None:
    completed = run(
        shell("pwd; env | grep -v -e ^PWD= -e ^_= -e ^SHLVL=; cat"), cwd=tmp_path, env={"A": "1"}, input="hé\n"
    )

    assert completed.stdout == f"{tmp_path}\nA=1\nhé\n"


def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    assert run(["echo", "$(id); rm -rf *"], cwd=tmp_path, env=ENV).stdout == "$(id); rm -rf *\n"


def test_stdin_is_empty_unless_given(tmp_path: Path) -> None:
    assert run(["cat"], cwd=tmp_path, env=ENV).stdout == ""


def test_invalid_utf_8_is_replaced(tmp_path: Path) -> None:
    lines: list[str] = []

    whole = run(shell(r"printf 'a\377b\n'"), cwd=tmp_path, env=ENV)
    run(shell(r"printf 'a\377b\r\nlast'"), cwd=tmp_path, env=ENV, on_line=lines.append)

    assert whole.stdout == "a\ufffdb\n"
    assert lines == ["a\ufffdb", "last"]


def test_lines_are_passed_on_while_it_runs(tmp_path: Path) -> None:
    """The child waits for an answer to its first line, so the test ends only if that line is passed on at once."""
    answer = tmp_path / "answer"
    os.mkfifo(answer)
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if line == "question":
            answer.write_text("answer\n")

    run(shell("echo question; cat answer"), cwd=tmp_path, env=ENV, on_line=on_line, timeout=30)

    assert lines == ["question", "answer"]


def test_long_output_is_complete_and_only_its_end_is_kept(tmp_path: Path) -> None:
    count = 0

    def on_line(line: str) -> None:
        nonlocal count
        count += line == "yes"

    completed = run(shell("yes yes | head -n 500000; echo end"), cwd=tmp_path, env=ENV, on_line=on_line)

    assert count == 500_000
    assert completed.stdout.endswith("yes\nend\n")
    assert len(completed.stdout) < 100_000


def test_an_endless_line_does_not_fill_the_memory(tmp_path: Path) -> None:
    sizes: list[int] = []

    run(
        shell("yes | tr -d '\\n' | head -c 5000000"),
        cwd=tmp_path,
        env=ENV,
        on_line=lambda part: sizes.append(len(part)),
    )

    assert sum(sizes) == 5_000_000
    assert max(sizes) < 1_200_000


def test_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no-such-program was not found") as raised:
        run(["no-such-program"], cwd=tmp_path, env=ENV)

    assert raised.value.hint


def test_a_program_that_may_not_be_executed(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")

    with pytest.raises(ToolError, match="permission denied") as raised:
        run([str(program)], cwd=tmp_path, env=ENV)

    assert raised.value.hint == f"run chmod +x {program}"


def test_an_invalid_program(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\0\0")
    program.chmod(0o755)

    with pytest.raises(ToolError, match="cannot start"):
        run([str(program)], cwd=tmp_path, env=ENV)


def test_a_missing_folder_is_not_reported_as_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no such folder"):
        run(["true"], cwd=tmp_path / "gone", env=ENV)


def test_a_timeout(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"did not end within 0\.2 s"):
        run(["sleep", "60"], cwd=tmp_path, env=ENV, timeout=0.2)


def test_what_outlives_the_program_is_killed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "held")
    held = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    try:
        run(shell("exec 3>held; sleep 60 & exit 0"), cwd=tmp_path, env=ENV)
        ended, _, _ = select.select([held], [], [], 30)  # readable at end of file, when the last writer has ended
    finally:
        os.close(held)

    assert ended


def test_an_exception_of_on_line_stops_the_program_in_order(tmp_path: Path) -> None:
    def on_line(line: str) -> None:
        raise BrokenPipeError(line)

    with pytest.raises(BrokenPipeError, match="ready"):
        run(python(f"{ORDERLY.format(stops=1)}"), cwd=tmp_path, env=ENV, on_line=on_line, timeout=30)


@pytest.fixture
def handled_hangup() -> Iterator[None]:
    """Let SIGHUP stop this process, also if the tests run under nohup, which ignores it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("handled_hangup")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_is_forwarded_once_and_awaited(tmp_path: Path, number: signal.Signals) -> None:
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if line == "ready":
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(StoppedError, match="was stopped") as raised:
        run(python(ORDERLY.format(stops=1)), cwd=tmp_path, env=ENV, on_line=on_line)

    assert lines == ["ready", "interrupt 1", "state saved"]
    assert raised.value.completed is not None
    assert raised.value.completed.returncode == 5
    assert signal.getsignal(number) is before


def test_a_program_gets_its_own_stop_signal(tmp_path: Path) -> None:
    ignores_sigint = "trap '' INT; trap 'echo stopped; exit 5' TERM; echo ready; read -r _ <>held"
    os.mkfifo(tmp_path / "held")
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if line == "ready":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(StoppedError):
        run(shell(ignores_sigint), cwd=tmp_path, env=ENV, on_line=on_line, timeout=30, stop_signal=signal.SIGTERM)

    assert lines == ["ready", "stopped"]


def test_a_second_stop_is_forwarded_too(tmp_path: Path) -> None:
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if line in {"ready", "interrupt 1"}:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(StoppedError):
        run(python(ORDERLY.format(stops=2)), cwd=tmp_path, env=ENV, on_line=on_line)

    assert lines == ["ready", "interrupt 1", "interrupt 2", "state saved"]


def test_a_stop_reaches_the_children_of_all_threads_and_no_further_one_starts(tmp_path: Path) -> None:
    ready = threading.Barrier(3)

    def on_line(line: str) -> None:
        if line == "ready":
            ready.wait(30)

    def work() -> None:
        run(python(ORDERLY.format(stops=1)), cwd=tmp_path, env=ENV, on_line=on_line)

    with forwarding_signals(), ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(work) for _ in range(2)]
        ready.wait(30)
        os.kill(os.getpid(), signal.SIGINT)
        errors = [job.exception(30) for job in jobs]
        with pytest.raises(StoppedError, match="was not started"):
            run(["true"], cwd=tmp_path, env=ENV)

    assert [type(error) for error in errors] == [StoppedError, StoppedError]
    assert run(["true"], cwd=tmp_path, env=ENV).returncode == 0


def test_a_stop_between_two_children_is_a_keyboard_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), forwarding_signals():
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_tool_survives_gen_infra(tmp_path: Path) -> None:
    """Without a reader of its output, the tool still runs to its end."""
    os.mkfifo(tmp_path / "go")
    os.mkfifo(tmp_path / "done")
    child = """
        print("ready")
        open("go").read()
        print("unread")
        open("done", "w").write("state saved")
    """
    parent = f"""
        from pathlib import Path
        from gen_infra.tools.process import run
        run({python(child)!r}, cwd=Path({str(tmp_path)!r}), env={{}}, on_line=print)
    """
    with subprocess.Popen(python(parent), stdout=subprocess.PIPE, text=True) as gen_infra:
        assert gen_infra.stdout is not None
        assert gen_infra.stdout.readline() == "ready\n"
        gen_infra.kill()
        gen_infra.wait()

    (tmp_path / "go").write_text("")

    assert (tmp_path / "done").read_text() == "state saved"
