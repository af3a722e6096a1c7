"""Read the output of a container into its log stream, line by line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

EVENT_BYTES = (
    262_118  # of one event: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_InputLogEvent.html
)
MAX_LINES = 50_000
MAX_BYTES = 16 * 1024 * 1024
_CHUNK = 65536
_FULL = (
    f"gen-infra emulator: the log of this container is larger than {MAX_LINES} lines or {MAX_BYTES // 1024**2} MiB; "
    "the rest is dropped"
)


class LogReader(threading.Thread):
    """Reads the output of one container until its end.

    The log is kept in memory, so that what is beyond `MAX_LINES` or `MAX_BYTES` is read and dropped.

    Args:
        output: the open file to read, which is closed at the end.
        write: appends lines to the log stream.
    """

    def __init__(self, output: int, write: Callable[[list[str]], None]) -> None:
        super().__init__(daemon=True, name="container-log")
        self._output, self._write = output, write

    def run(self) -> None:
        """Read to the end."""
        lines = size = 0
        with open(self._output, "rb", buffering=0) as output:  # noqa: PTH123 - an open file has no path
            for batch in split_lines(iter(lambda: output.read(_CHUNK), b"")):
                lines, size = lines + len(batch), size + sum(map(len, batch))
                texts = [line.decode(errors="replace") for line in batch]
                is_full = lines > MAX_LINES or size > MAX_BYTES
                self._write([*texts, _FULL] if is_full else texts)
                if is_full:
                    break
            while output.read(_CHUNK):  # a full pipe would stop the container
                pass


def split_lines(chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Yield for each chunk the lines that end in it, without empty ones; longer lines than an event are split."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) >= EVENT_BYTES:
            lines.append(rest)
            rest = b""
        if events := list(_events(lines)):
            yield events
    if events := list(_events([rest])):
        yield events


def _events(lines: list[bytes]) -> Iterator[bytes]:
    """Yield the lines as events, as Docker's awslogs driver."""
    for line in lines:
        for start in range(0, len(line), EVENT_BYTES):
            yield line[start : start + EVENT_BYTES]
