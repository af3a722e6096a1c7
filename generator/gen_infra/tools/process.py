"""The one place that starts processes.

A tool runs in a session of its own, so a Ctrl-C at the terminal reaches gen-infra alone. gen-infra passes each one on
as exactly one SIGINT, to the tool and not to what the tool started: terraform then finishes what is in flight, writes
its state, releases its lock and stops its providers itself. A second Ctrl-C is passed on too, and terraform then
leaves at once. SIGTERM and SIGHUP (a closed terminal) count as Ctrl-C. Nothing is ever left running: what outlives
the tool is killed with its process group.
"""

from __future__ import annotations

import codecs
import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from gen_infra.errors import MissingError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

STOP_SECONDS = 60.0  # what a tool that ran out of time gets for its orderly stop
_ORPHAN_SECONDS = 5.0  # what the output may still come after the tool itself has ended
_KEPT_LINES = 1000  # of output that was already handed on line by line
_LINE_LIMIT = 1 << 20  # characters; a longer line is handed on in pieces
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Completed:
    """A process that has ended.

    Attributes:
        argv: what was run.
        returncode: its exit code; negative: the signal that ended it.
        stdout: all of it, or only the last lines where they were handed on one by one.
        stderr: its last lines.
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
) -> Completed:
    """Run a program without a shell, and wait until it and all that it started have ended.

    Args:
        argv: program (found through ``env``'s PATH) and arguments.
        cwd: the working directory.
        env: the whole environment; see `environment.child_environment`.
        on_line: is given each line of stdout, without its line end, as it comes. When it raises, the program is
            stopped in order and the exception goes on.
        timeout: seconds; then the program gets SIGINT, and SIGKILL when it has not ended `STOP_SECONDS` later.
        input: text for its stdin, which otherwise is empty.

    Raises:
        MissingError: there is no such program.
        StoppedError: the user stopped it.
        ToolError: it cannot be started, or ran out of time. An exit code other than 0 is for the caller to judge.
    """
    out = _Lines(on_line) if on_line else _Text()
    err = _Lines()
    with forwarding_signals(), ExitStack() as stack:
        child = _children.start(argv, cwd=cwd, env=env, stdin=stack.enter_context(_stdin(input)))
        try:
            in_time = _follow(child, out, err, timeout)
        finally:
            _children.finish(child)
        completed = Completed(tuple(argv), child.process.returncode, out.text(), err.text())
        if _children.stops:
            raise StoppedError(f"{_name(argv)} was stopped", completed=completed)
    if out.error is not None:
        raise out.error
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
    """A process that is about to run, or runs, and how many SIGINTs it was sent."""

    process: subprocess.Popen[bytes]  # once it has started

    def __init__(self) -> None:
        self.started = False
        self.interrupts = 0

    def catch_up(self, stops: int) -> None:
        """Send one SIGINT for each stop that has not reached it yet."""
        while self.started and self.interrupts < stops:
            self.interrupts += 1
            self.process.send_signal(signal.SIGINT)

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

    def start(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: IO[str] | int) -> _Child:
        child = _Child()
        with self._lock:
            if self.stops:
                raise StoppedError(f"{_name(argv)} was not started, because the run was stopped")
            self._running.add(child)  # first: a signal that comes during the start must not be lost
        try:
            child.process = _popen(argv, cwd=cwd, env=env, stdin=stdin)
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


class _Text:
    """Output that is wanted as a whole."""

    error: BaseException | None = None

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def feed(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    def text(self) -> str:
        return b"".join(self._chunks).decode("utf-8", "replace")


class _Lines:
    """Output that is handed on line by line, and of which only the end is kept."""

    def __init__(self, on_line: Callable[[str], None] | None = None) -> None:
        self.error: BaseException | None = None
        self._on_line = on_line
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._kept: deque[str] = deque(maxlen=_KEPT_LINES)

    def feed(self, chunk: bytes) -> None:
        """Take a chunk of the stream; an empty one is its end."""
        *lines, self._rest = (self._rest + self._decode(chunk, not chunk)).split("\n")
        if self._rest and (not chunk or len(self._rest) > _LINE_LIMIT):
            lines.append(self._rest)
            self._rest = ""
        for line in lines:
            self._hand_on(line.removesuffix("\r"))

    def text(self) -> str:
        return "".join(f"{line}\n" for line in self._kept)

    def _hand_on(self, line: str) -> None:
        self._kept.append(line)
        if self._on_line is None or self.error is not None:
            return
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


def _popen(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: IO[str] | int) -> subprocess.Popen[bytes]:
    if not cwd.is_dir():
        raise ToolError(f"{_name(argv)} cannot run in {cwd}: no such folder")
    try:
        return subprocess.Popen(  # noqa: S603 - no shell; argv comes from our own builders
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise MissingError(f"{argv[0]} was not found", hint=f"install {_name(argv)}, or put it on PATH") from error
    except PermissionError as error:
        raise ToolError(f"{argv[0]} cannot be started: permission denied", hint=f"chmod +x {argv[0]}") from error
    except OSError as error:
        raise ToolError(f"{argv[0]} cannot be started: {error.strerror}") from error


def _follow(child: _Child, out: _Text | _Lines, err: _Lines, timeout: float | None) -> bool:
    """Read both streams until the child has ended and they are closed; whether it ended within ``timeout``."""
    process = child.process
    streams = {cast("IO[bytes]", process.stdout): out, cast("IO[bytes]", process.stderr): err}
    ended, end_mark = os.pipe()
    waiter = threading.Thread(target=_close_at_exit, args=(process, end_mark), daemon=True)
    waiter.start()
    clock = _Clock(child, timeout)
    with selectors.DefaultSelector() as selector:
        for source in (*streams, ended):
            selector.register(source, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(clock.left())
            if not ready and clock.strike():
                break
            for key, _ in ready:
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    selector.unregister(key.fileobj)
                if key.fd == ended:
                    clock.child_ended()
                else:
                    streams[cast("IO[bytes]", key.fileobj)].feed(chunk)
            if out.error is not None:
                child.catch_up(1)
    waiter.join()
    os.close(ended)
    for stream in streams:
        stream.close()
    return clock.in_time


def _close_at_exit(process: subprocess.Popen[bytes], end_mark: int) -> None:
    process.wait()
    os.close(end_mark)


class _Clock:
    """What happens when time is up: SIGINT first, SIGKILL for the whole group later, and then nobody waits."""

    def __init__(self, child: _Child, timeout: float | None) -> None:
        self.in_time = True
        self._child = child
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._child_ended = False
        self._killed = False

    def left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def child_ended(self) -> None:
        self._child_ended = True
        self._deadline = time.monotonic() + _ORPHAN_SECONDS

    def strike(self) -> bool:
        """Take the next step; True: nothing is left to wait for."""
        if self._child_ended or not self.in_time:
            self._child.kill_group()
            self._deadline = time.monotonic() + _ORPHAN_SECONDS
            self._killed, give_up = True, self._killed
            return give_up and self._child_ended
        self.in_time = False
        self._child.catch_up(1)
        self._deadline = time.monotonic() + STOP_SECONDS
        return False


def _name(argv: Sequence[str]) -> str:
    return argv[0].rpartition("/")[2]
