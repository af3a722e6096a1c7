"""The embedded AWS: moto as a child process on the loopback interface, patched where it differs from AWS.

``start()`` gives an `Emulator`, a handle to that process: its ``environ`` makes boto3, the AWS CLI, terraform and
gen-infra itself use it. The account looks like one in use (see `seed`), Batch jobs pass through their states and end
(see `jobs`), and Lambda functions really run (see `functions`). `patches` lists every difference from AWS that is
patched, and `faults` the failures that a test can cause. `Emulator.copy` makes another emulator with the same account.

The process ends when its parent does, even when SIGKILL ends the parent: it reads its standard input, a pipe that only
the parent holds open, and stops at end of file.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Self

from gen_infra.emulator.administrator import CREDENTIALS
from gen_infra.emulator.control import Control
from gen_infra.errors import MissingError, ToolError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType, TracebackType

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
_STOP_SECONDS = 10


class Emulator(Control, ABC):
    """A running emulator; used as a context manager, it stops at the end. `Control` has what tests need."""

    @property
    @abstractmethod
    def pid(self) -> int:
        """Return the id of its process."""

    @abstractmethod
    def stop(self) -> None:
        """End its process, if it still runs."""

    @property
    def endpoint(self) -> str:
        """Return the URL for ``AWS_ENDPOINT_URL``."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment variables that make any AWS client use this emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": CREDENTIALS[0],
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS[1],
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHECKPOINT_DISABLE": "1",
        }

    def client(self, service: str) -> Any:
        """Make a boto3 client of this emulator that ignores the caller's own AWS settings."""
        return _client(self.endpoint, service)

    def copy(self) -> EmulatorCopy:
        """Copy the process with the whole account, within milliseconds; see `copies`.

        The copy has its own port. Values with the port of this emulator, such as the URL of an SQS queue in a Terraform
        state, must be changed for the copy. The copy continues when this emulator stops.
        """
        return copy_of(self.port)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@dataclass(frozen=True)
class EmulatorProcess(Emulator):
    """An emulator in a child process.

    Args:
        process: the child process; its standard input is the pipe that keeps it alive.
    """

    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """Return the process id of the child."""
        return self.process.pid

    def stop(self) -> None:
        """End the child process, if it still runs."""
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True)
class EmulatorCopy(Emulator):
    """A copy of another emulator.

    Args:
        process_id: the id of its process, which is not a child of this one.
        lifeline: the connection that keeps it running.
    """

    process_id: int
    lifeline: socket.socket

    @property
    def pid(self) -> int:
        """Return the id of its process."""
        return self.process_id

    def stop(self) -> None:
        """End the process, if it still runs."""
        if self.lifeline.fileno() < 0:
            return
        with self.lifeline, contextlib.suppress(OSError):  # a killed process has closed it
            self.lifeline.shutdown(socket.SHUT_WR)
            self.lifeline.settimeout(_STOP_SECONDS)
            self.lifeline.recv(1)  # returns when the process has ended


def start(
    *,
    port: int = 0,
    seed: bool = True,
    account_id: str = ACCOUNT_ID,
    images: Path | None = None,
    log: Path | None = None,
) -> EmulatorProcess:
    """Start an emulator, and return when it is seeded and answers.

    Args:
        port: the loopback port; 0 lets the child bind a free one, so that no other process can take it meanwhile.
        seed: whether the account looks like one in use; otherwise it has only what AWS puts into a new account.
        account_id: the account that every request belongs to.
        images: a folder of images for jobs; see `images`.
        log: a file to which the child appends requests and failures; by default they are dropped.

    Raises:
        MissingError: moto's server is not installed.
        UsageError: the port is taken, or there is no such folder of images.
        ToolError: the child ended without answering.
    """
    _require_moto()
    if images is not None and not images.is_dir():
        raise UsageError(f"{images} is not a folder", hint="choose a folder of images for --images")
    command = [sys.executable, "-P", "-m", "gen_infra.emulator.server", "--port", str(port)]
    command += ["--seed"] * seed + ["--verbose"] * (log is not None)
    command += [] if images is None else ["--images", str(images)]
    with contextlib.ExitStack() as stack:
        stderr: int | IO[bytes] = subprocess.DEVNULL if log is None else stack.enter_context(log.open("ab"))
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=_child_environ(account_id),
            start_new_session=True,  # Ctrl-C is the parent's to handle: terraform still needs AWS while it stops
        )
    return _wait_until_ready(process)


@functools.cache
def _client(endpoint: str, service: str) -> Any:
    import boto3  # Any, because type checkers infer a client from a literal name only

    session: Any = boto3.Session(*CREDENTIALS, region_name=REGION)
    return session.client(service, endpoint_url=endpoint)


def copy_of(port: int) -> EmulatorCopy:
    """Copy the emulator on a port of this machine, also one of another process; see `Emulator.copy`."""
    made = Control(port).ask_for_copy()
    return EmulatorCopy(made["port"], made["pid"], socket.create_connection(("127.0.0.1", made["lifeline"])))


def serve_forever(
    emulator: EmulatorProcess, announce: Callable[[], None], report: Callable[[], None] = lambda: None
) -> None:
    """Wait in the foreground until Ctrl-C or SIGTERM, then stop the emulator and return.

    Args:
        emulator: the one that `start` returned.
        announce: called once, when a signal would stop the emulator cleanly; prints how to reach it.
        report: called after the signal, while the emulator still answers.

    Raises:
        ToolError: the emulator ended unexpectedly.
    """

    def interrupt(_signum: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        with emulator:
            with contextlib.suppress(KeyboardInterrupt):
                announce()
                code = emulator.process.wait()
                raise ToolError(f"the emulator ended unexpectedly with exit code {code}")
            report()
    finally:
        signal.signal(signal.SIGTERM, previous)


def _require_moto() -> None:
    if missing := [name for name in ("moto", "flask", "flask_cors") if importlib.util.find_spec(name) is None]:
        raise MissingError(
            f"the emulator needs {', '.join(missing)}, which {sys.executable} does not have",
            hint="run pip install 'gen-infra[emulator]'",
        )


def _child_environ(account_id: str) -> dict[str, str]:
    """Copy the caller's environment variables without AWS and moto settings, which would send the seed elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_", "BOTO_"))}
    return kept | {
        "MOTO_ACCOUNT_ID": account_id,
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _wait_until_ready(process: subprocess.Popen[bytes]) -> EmulatorProcess:
    assert process.stdout is not None  # noqa: S101 - asked for above
    with process.stdout as pipe:
        line = pipe.readline()
    answer: dict[str, Any] = json.loads(line) if line else {"error": "it ended before it answered"}
    if "port" in answer:
        return EmulatorProcess(answer["port"], process)
    EmulatorProcess(0, process).stop()
    if answer.get("taken"):
        raise UsageError(answer["error"], hint="choose another --port, or 0 for a free one")
    raise ToolError(f"the emulator did not start: {answer['error']}")
