"""The one place that starts processes (skeleton)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gen_infra.errors import ToolError


@dataclass(frozen=True, slots=True)
class Completed:
    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str


class StoppedError(ToolError):
    """Ctrl-C (or SIGTERM) was passed on and the tool has ended in its own orderly way."""

    def __init__(self, message: str, *, completed: Completed, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.completed = completed


@contextmanager
def forwarding_signals() -> Iterator[None]:
    """Use around threads that call `run` (main thread only); `run` in the main thread does it by itself."""
    yield


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    on_line: Callable[[str], None] | None = None,
    timeout: float | None = None,
    input: str | None = None,
) -> Completed:
    raise NotImplementedError
