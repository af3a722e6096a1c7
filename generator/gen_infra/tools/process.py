"""Start, follow and stop processes; no other module starts tools.

A tool runs in its own session, so Ctrl-C at the terminal reaches only gen-infra. gen-infra forwards each Ctrl-C as
exactly one SIGINT (to packer: SIGTERM) to the tool, but not to the tool's own child processes: terraform then starts
nothing new, writes its state, releases its lock and stops its providers. A second Ctrl-C is forwarded too, and
terraform then exits at once. SIGTERM and SIGHUP (a closed terminal) count as Ctrl-C. Processes that outlive the tool
are killed with its process group.

A tool writes to files, which are read while they grow. With a pipe, the tool would not survive the death of gen-infra
(kill -9, out of memory): SIGPIPE would end terraform in the middle of an apply, with the state not written and the lock
not released. With files, terraform finishes the apply.
"""

from __future__ import annotations

import codecs
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from gen_infra.errors import MissingError, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

Progress = Callable[[str], None]  # receives lines of output or progress messages
_STOP_SECONDS = 60.0  # between SIGINT and SIGKILL for a tool that timed out
_POLL_SECONDS = 0.1  # how often a growing output is read
_TAIL = 1 << 16  # bytes kept of output that is not needed as a whole
_CHUNK = 1 << 16  # bytes read at once
_LINE_LIMIT = 1 << 20  # characters; a longer line is passed on in pieces
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Completed:
    """A process that has ended.

    Attributes:
        argv: the command.
        returncode: its exit code; a negative number is the signal that ended it.
        stdout: all of it, or only the end if it was passed on line by line.
        stderr: the end of it.

    """

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str


class StoppedError(ToolError):
    """The user stopped the run (Ctrl-C, SIGTERM or SIGHUP), and the tool has stopped cleanly."""

    def __init__(self, message: str, *, completed: Completed | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.completed = completed


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    on_line: Progress | None = None,
    timeout: float | None = None,
    input: str | None = None,  # noqa: A002 - the name that subprocess.run gives it
    stop_signal: signal.Signals = signal.SIGINT,
) -> Completed:
    """Run a program without a shell, and wait until it and all its child processes have ended.

    Args:
        argv: program (found through ``env``'s PATH) and arguments.
        cwd: the working directory.
        env: all environment variables; see `child_environment`.
        on_line: receives each line of stdout as it comes, without its line end. When it raises, the program is
            stopped in order, and the exception is raised again.
        timeout: seconds; then the program gets SIGINT and, if it has not ended a minute later, SIGKILL.
        input: text for its stdin, which is empty by default.
        stop_signal: the signal that stops the program in order.

    Raises:
        MissingError: the program does not exist.
        StoppedError: the user stopped the run.
        ToolError: the program cannot be started, or timed out. The caller checks the exit code.

    """
    with forwarding_signals(), ExitStack() as stack:
        stdin = stack.enter_context(_stdin(input))
        out, err = (stack.enter_context(tempfile.TemporaryFile(buffering=0)) for _ in range(2))
        lines = _Lines(out, on_line) if on_line else None
        child = _children.start(argv, cwd=cwd, env=env, stdin=stdin, stdout=out, stderr=err, stop_signal=stop_signal)
        try:
            in_time = _wait(child, lines, timeout)
        finally:
            _children.finish(child)
        stdout = _text(out, _TAIL if lines else None)
        completed = Completed(tuple(argv), child.process.returncode, stdout, _text(err, _TAIL))
        if lines is not None and lines.error is not None:
            raise lines.error
        if _children.stops:
            raise StoppedError(f"{_name(argv)} was stopped", completed=completed)
    if not in_time:
        raise ToolError(f"{_name(argv)} did not end within {timeout:g} s and was stopped")
    return completed


@contextmanager
def forwarding_signals() -> Iterator[None]:
    """Forward Ctrl-C, SIGTERM and SIGHUP to every running child; in the main thread `run` does this itself.

    Use it around threads that call `run`, because only the main thread receives signals: each of their calls then
    raises StoppedError. Without a running child, a signal raises KeyboardInterrupt. In other threads this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _children.listening():
        yield


class _Child:
    """A process that starts or runs, and how often it got the stop signal."""

    process: subprocess.Popen[bytes]  # set once it has started

    def __init__(self, stop_signal: signal.Signals) -> None:
        self.started = False
        self.interrupts = 0
        self._stop_signal = stop_signal

    def catch_up(self, stops: int) -> None:
        """Send the signals for the stops that were not forwarded yet."""
        while self.started and self.interrupts < stops:
            self.interrupts += 1
            self.process.send_signal(self._stop_signal)

    def kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
            os.killpg(self.process.pid, signal.SIGKILL)


class _Children:
    """The running children, and how often the user has stopped the run."""

    def __init__(self) -> None:
        self.stops = 0
        self._lock = threading.RLock()  # re-entrant, because the signal handler interrupts its holder
        self._running: set[_Child] = set()
        self._depth = 0

    def start(self, argv: Sequence[str], *, stop_signal: signal.Signals, **options: Any) -> _Child:
        child = _Child(stop_signal)
        with self._lock:
            if self.stops:
                raise StoppedError(f"{_name(argv)} was not started, because the run was stopped")
            self._running.add(child)  # before the start, so that a signal during the start is not lost
        try:
            child.process = _popen(argv, **options)
            child.started = True
        except BaseException:
            self.finish(child)
            raise
        with self._lock:
            child.catch_up(self.stops)
        return child

    def finish(self, child: _Child) -> None:
        with self._lock:
            self._running.discard(child)
        if child.started:
            child.kill_group()

    @contextmanager
    def listening(self) -> Iterator[None]:
        self._depth += 1
        previous: dict[signal.Signals, Any] = {}
        try:
            if self._depth == 1:
                for number in _STOP_SIGNALS:
                    handler = signal.getsignal(number)
                    if handler is not signal.SIG_IGN:  # nohup or a background job: keep ignoring it
                        previous[number] = handler
                        signal.signal(number, self._on_signal)
            yield
        finally:
            self._depth -= 1
            for number, handler in previous.items():
                signal.signal(number, handler)
            if not self._depth:
                self.stops = 0

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        with self._lock:
            self.stops += 1
            for child in self._running:
                child.catch_up(self.stops)
            if not self._running:
                raise KeyboardInterrupt


_children = _Children()


class _Lines:
    """Pass on the lines of a growing file as they come."""

    def __init__(self, file: IO[bytes], on_line: Progress) -> None:
        self.error: BaseException | None = None
        self._file = file.fileno()
        self._on_line = on_line
        self._offset = 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""

    def advance(self) -> None:
        """Pass on what was written since the last call."""
        while chunk := os.pread(self._file, _CHUNK, self._offset):  # pread leaves the file offset to the writer
            self._offset += len(chunk)
            self._split(self._decode(chunk))

    def finish(self) -> None:
        """Pass on the rest, including a last line without a line end."""
        self.advance()
        self._split(self._decode(b"", final=True))
        if self._rest:
            self._emit(self._rest)

    def _split(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        if len(self._rest) > _LINE_LIMIT:
            lines.append(self._rest)
            self._rest = ""
        for line in lines:
            self._emit(line.removesuffix("\r"))

    def _emit(self, line: str) -> None:
        if self.error is None:
            try:
                self._on_line(line)
            except BaseException as error:  # noqa: BLE001 - `run` raises it once the child has ended
                self.error = error


@contextmanager
def _stdin(text: str | None) -> Iterator[IO[str] | int]:
    if text is None:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:  # a pipe could fill up and block
        file.write(text)
        file.seek(0)
        yield file


def _popen(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: IO[str] | int,
    stdout: IO[bytes],
    stderr: IO[bytes],
) -> subprocess.Popen[bytes]:
    if not cwd.is_dir():
        raise ToolError(f'cannot run {_name(argv)} in "{cwd}": no such folder')
    try:
        return subprocess.Popen(  # noqa: S603 - no shell; argv comes from our own builders
            list(argv), cwd=cwd, env=dict(env), stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )
    except FileNotFoundError as error:
        raise MissingError(
            f"{argv[0]} was not found", hint=f"install {_name(argv)}, or add its folder to PATH"
        ) from error
    except PermissionError as error:
        raise ToolError(f"cannot start {argv[0]}: permission denied", hint=f"run chmod +x {argv[0]}") from error
    except OSError as error:
        raise ToolError(f"cannot start {argv[0]}: {error.strerror}") from error


def _wait(child: _Child, lines: _Lines | None, timeout: float | None) -> bool:
    """Wait until the child has ended, and pass on its lines; return whether it ended within ``timeout``."""
    deadline = None if timeout is None else time.monotonic() + timeout
    in_time = True
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            child.process.wait(left if lines is None else min(_POLL_SECONDS, left or _POLL_SECONDS))
        except subprocess.TimeoutExpired:
            if lines is not None:
                lines.advance()
                if lines.error is not None:
                    child.catch_up(1)
        else:
            break
        if deadline is None or time.monotonic() < deadline:
            continue
        if in_time:
            in_time = False
            child.catch_up(1)
            deadline = time.monotonic() + _STOP_SECONDS
        else:
            child.kill_group()
            deadline = None
    if lines is not None:
        lines.finish()
    return in_time


def _text(file: IO[bytes], limit: int | None = None) -> str:
    """Read a file, or its last ``limit`` bytes."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0 if limit is None else max(0, size - limit))
    return file.read().decode("utf-8", "replace")


def _name(argv: Sequence[str]) -> str:
    return argv[0].rpartition("/")[2]
