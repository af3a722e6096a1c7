from __future__ import annotations

import os

from gen_infra.emulator.containers.logs import EVENT_BYTES, MAX_LINES, LogReader, split_lines


def written(content: bytes) -> list[str]:
    """Return the lines that a reader writes for an output of that content."""
    lines: list[str] = []
    reading, writing = os.pipe()
    reader = LogReader(reading, lines.extend)
    reader.start()
    with os.fdopen(writing, "wb") as output:
        output.write(content)
    reader.join()
    return lines


def test_lines_are_joined_across_chunks_and_empty_ones_left_out() -> None:
    assert list(split_lines(iter([b"on", b"e\n\ntwo\nth", b"ree"]))) == [[b"one", b"two"], [b"three"]]


def test_a_line_longer_than_an_event_is_split_also_without_an_end() -> None:
    chunks = [b"x" * EVENT_BYTES, b"y" * 5, b"\n", b"z"]
    assert [each for batch in split_lines(iter(chunks)) for each in batch] == [b"x" * EVENT_BYTES, b"y" * 5, b"z"]


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert written(b"a\xffb\n") == ["a\ufffdb"]


def test_what_is_beyond_the_limit_is_read_and_dropped() -> None:
    lines = written(b"x\n" * 3 * MAX_LINES)
    assert len(lines) < 2 * MAX_LINES
    assert lines[-1] == (
        "gen-infra emulator: the log of this container is larger than 50000 lines or 16 MiB; the rest is dropped"
    )
