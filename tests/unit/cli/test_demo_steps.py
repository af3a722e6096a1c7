"""What `gen-infra demo` and `emulator` print about steps and tools, without running the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.cli import demo
from gen_infra.errors import MissingError
from tests.unit.cli.test_cli import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


def test_a_step_that_was_not_done_has_no_tick() -> None:
    steps: list[tuple[str, bool]] = []
    voice = demo.Voice(lambda text, _, *, done: steps.append((text, done)), print, print)
    with demo._timed(voice, "render") as outcome:
        outcome("9 files")
    with demo._timed(voice, "image") as outcome:
        outcome("not done: packer is missing", done=False)
    assert steps == [("render: 9 files", True), ("image: not done: packer is missing", False)]


def test_the_demo_reports_a_missing_checkov_before_it_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GEN_INFRA_CHECKOV", "/nowhere/checkov")
    missing = demo.missing_checkov()
    assert missing
    assert "/nowhere/checkov was not found" in missing.message

    def never(*_: object) -> Iterator[None]:
        raise MissingError("no further than this")

    monkeypatch.setattr(demo, "embedded_aws", never)
    code, _, err = run(monkeypatch, capsys, "demo")
    assert code == 3
    assert err.startswith("warning: this demo does not scan its files: /nowhere/checkov was not found (run ")
