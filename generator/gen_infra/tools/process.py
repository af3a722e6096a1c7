"""The one place that starts processes.

A tool runs in a session of its own, so a Ctrl-C at the terminal reaches gen-infra alone. gen-infra passes each one on
as exactly one SIGINT (to packer: SIGTERM), to the tool and not to what the tool started: terraform then begins nothing
new, writes its state, releases its lock and stops its providers itself, which wait for no answer any more. A second
Ctrl-C is passed on too, and terraform then leaves at once. SIGTERM and SIGHUP (a closed terminal) count as Ctrl-C. What
outlives the tool is killed with its process group.

A tool writes to files, which are read while they grow. With a pipe, gen-infra's own death (a kill -9, no memory left)
would be the tool's next: terraform dies of SIGPIPE in the middle of an apply, with the state not written and the lock
left. As it is, it brings the apply to its end.
"""

from __future__ import annotations

import codecs
import os
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from gen_infra.errors import MissingError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

_STOP_SECONDS = 60.0  # what a tool that ran out of time gets for its orderly stop, before SIGKILL
_POLL_SECONDS = 0.1  # how often a growing output is read
_TAIL = 1 << 16  # bytes that are kept of output that nobody needs as a whole
_CHUNK = 1 << 16  # bytes read at once
_LINE_LIMIT = 1 << 20  # characters; a longer line is handed on in pieces
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Completed:
    """A process that has ended.

    Attributes:
        argv: what was run.
        returncode: its exit code; negative: the signal that ended it.
        stdout: all of it, or only the end where it was handed on line by line.
        stderr: its end.

    """

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str


class StoppedError(ToolError):
    """The user stopped the run (Ctrl-C, SIGTERM or SIGHUP), and the tool has ended in its own orderly way."""

    def __init__(self, message: str, *, completed: Completed | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.completed = completed


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    on_line: Callable[[str], None] | None = None,
    timeout: float | None = None,
    input: str | None = None,  # noqa: A002 - the name that subprocess.run gives it
    stop_signal: signal.Signals = signal.SIGINT,
) -> Completed:
    """Run a program without a shell, and wait until it and all that it started have ended.

    Args:
        argv: program (found through ``env``'s PATH) and arguments.
        cwd: the working directory.
        env: the whole environment; see `environment.child_environment`.
        on_line: is given each line of stdout, without its line end, as it comes. When it raises, the program is
            stopped in order and the exception goes on.
        timeout: seconds; then the program gets SIGINT, and SIGKILL when it has not ended a minute later.
        input: text for its stdin, which otherwise is empty.
        stop_signal: what asks the program to stop in order.

    Raises:
        MissingError: there is no such program.
        StoppedError: the user stopped it.
        ToolError: it cannot be started, or ran out of time. An exit code other than 0 is for the caller to judge.

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
    """Pass Ctrl-C, SIGTERM and SIGHUP on to every running child; `run` does this itself in the main thread.

    Wrap it round threads that call `run`, because only the main thread can receive signals: each of their calls then
    raises StoppedError. Without a running child a signal is a KeyboardInterrupt. In other threads this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _children.listening():
        yield


class _Child:
    """A process that is about to run, or runs, and how often it was asked to stop."""

    process: subprocess.Popen[bytes]  # once it has started

    def __init__(self, stop_signal: signal.Signals) -> None:
        self.started = False
        self.interrupts = 0
        self._stop_signal = stop_signal

    def catch_up(self, stops: int) -> None:
        """Send one signal for each stop that has not reached it yet."""
        while self.started and self.interrupts < stops:
            self.interrupts += 1
            self.process.send_signal(self._stop_signal)

    def kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
            os.killpg(self.process.pid, signal.SIGKILL)


class _Children:
    """The running children, and how often the user has asked them to stop."""

    def __init__(self) -> None:
        self.stops = 0
        self._lock = threading.RLock()  # re-entrant: the signal handler interrupts its holder
        self._running: set[_Child] = set()
        self._depth = 0

    def start(self, argv: Sequence[str], *, stop_signal: signal.Signals, **options: Any) -> _Child:
        child = _Child(stop_signal)
        with self._lock:
            if self.stops:
                raise StoppedError(f"{_name(argv)} was not started, because the run was stopped")
            self._running.add(child)  # first: a signal that comes during the start must not be lost
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
                    if handler is not signal.SIG_IGN:  # nohup, or a shell's background job: stays ignored
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
    """The lines of a file that grows, handed on as they come."""

    def __init__(self, file: IO[bytes], on_line: Callable[[str], None]) -> None:
        self.error: BaseException | None = None
        self._file = file.fileno()
        self._on_line = on_line
        self._offset = 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""

    def advance(self) -> None:
        """Hand on what has come since the last time."""
        while chunk := os.pread(self._file, _CHUNK, self._offset):  # the file's own offset belongs to the writer
            self._offset += len(chunk)
            self._split(self._decode(chunk))

    def finish(self) -> None:
        """Hand on the rest, also of a last line without a line end."""
        self.advance()
        self._split(self._decode(b"", final=True))
        if self._rest:
            self._hand_on(self._rest)

    def _split(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        if len(self._rest) > _LINE_LIMIT:
            lines.append(self._rest)
            self._rest = ""
        for line in lines:
            self._hand_on(line.removesuffix("\r"))

    def _hand_on(self, line: str) -> None:
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
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:  # a file cannot fill up as a pipe does
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
        raise ToolError(f"{_name(argv)} cannot run in {cwd}: no such folder")
    try:
        return subprocess.Popen(  # noqa: S603 - no shell; argv comes from our own builders
            list(argv), cwd=cwd, env=dict(env), stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )
    except FileNotFoundError as error:
        raise MissingError(f"{argv[0]} was not found", hint=f"install {_name(argv)}, or put it on PATH") from error
    except PermissionError as error:
        raise ToolError(f"{argv[0]} cannot be started: permission denied", hint=f"chmod +x {argv[0]}") from error
    except OSError as error:
        raise ToolError(f"{argv[0]} cannot be started: {error.strerror}") from error


def _wait(child: _Child, lines: _Lines | None, timeout: float | None) -> bool:
    """Wait until the child has ended, handing on its lines meanwhile; whether it ended within ``timeout``."""
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
