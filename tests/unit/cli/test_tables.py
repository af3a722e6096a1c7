"""Tables on a narrow terminal: they fold, and lose nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gen_infra.aws.jobs import STATUSES
from gen_infra.aws.queues import QueueState
from gen_infra.aws.runs import Run, StepRun
from gen_infra.aws.usage import Usage
from gen_infra.cli.console import WIDE, fold, terminal_width
from gen_infra.cli.placements import described
from gen_infra.cli.runs import card
from gen_infra.cli.watch import show, table
from gen_infra.manifest import load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

NARROW = 50
NOW = datetime(2026, 11, 1, tzinfo=UTC)
STATES = [
    QueueState("highPriority-prod", dict.fromkeys(STATUSES, 3), NOW - timedelta(minutes=5), 416, 1024),
    QueueState("lowPriority-prod", dict.fromkeys(STATUSES, 0), None, 0, 1024),
]


def words(lines: Sequence[str]) -> list[str]:
    return " ".join(lines).split()


def test_a_row_stays_on_one_line_where_it_fits() -> None:
    assert fold(["id    ", "RUNNING  ", ""], NARROW) == ["id      RUNNING"]


def test_a_row_folds_with_an_indent_and_keeps_its_words() -> None:
    cells = [
        "0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11",
        "FAILED   ",
        "main-prod   isaac   ",
        "exit 1 Essential container exited",
    ]
    lines = fold(cells, NARROW)
    assert lines[0] == "0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11  FAILED"
    assert all(line.startswith("  ") and len(line) <= NARROW for line in lines[1:])
    assert words(lines) == words(cells)


def test_the_queues_fold() -> None:
    lines = table(STATES, NOW, NARROW)
    assert all(len(line) <= NARROW for line in lines)
    assert words(lines)[:3] == ["highPriority-prod", "SUBMITTED", "3"]
    assert "oldest RUNNABLE 5 min" in " ".join(" ".join(lines).split())
    assert "busy vCPUs 416 of 1024" in " ".join(" ".join(lines).split())
    assert table(STATES, NOW)[0].startswith("queue "), "a heading where there is room"


def test_the_live_table_goes_up_by_as_many_lines_as_it_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(NARROW))
    show(iter([STATES, STATES]), as_json=False)
    drawn = capsys.readouterr().out
    first, _, second = drawn.partition("\x1b[")
    assert second.startswith(f"{first.count(chr(10))}F\x1b[J")


def test_a_run_with_its_steps_folds() -> None:
    usage = Usage(1.5, 4.0)
    job = "0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11"
    steps = [StepRun("isaac", "FAILED", job, NOW - timedelta(minutes=5), NOW, "States.TaskFailed", usage=usage)]
    samples = [Run("1", "", "FAILED", NOW, NOW, '{"sample": "NA12878"}', steps=tuple(steps))]
    run = Run("batch-7", "", "FAILED", NOW, NOW, error="States.ExceedToleratedFailureThreshold " + "word " * 30)
    run = replace(run, samples=tuple(samples))
    narrow, wide = list(card(run, NARROW, failed=True)), list(card(run, WIDE, failed=True))
    assert all(len(line) <= NARROW for line in narrow)
    assert words(narrow) == words(wide)
    assert [len(line) > 120 for line in wide].count(True) == 1, "the error that AWS gives; nothing else is as long"


def test_placements_fold(envs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(NARROW))
    manifest = load(envs / "prod.yaml")
    narrow = list(described(manifest))
    assert all(len(f"# {line}") <= NARROW for line in narrow)
    monkeypatch.setenv("COLUMNS", str(WIDE))
    assert words(narrow) == words(list(described(manifest)))


def test_the_width_is_that_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert terminal_width() == WIDE, "in a pipe or a file"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert terminal_width() == NARROW
    monkeypatch.setenv("COLUMNS", "1")
    assert terminal_width() > len("  "), "each line has an indent"
    monkeypatch.delenv("COLUMNS")
    monkeypatch.setattr("sys.stdout.fileno", lambda: 1)
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((0, 0)))
    assert terminal_width() == 80, "a terminal that does not know its size"
