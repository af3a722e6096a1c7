"""Several manifests on one command line: each result under its name, one summary, the highest exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from gen_infra import pipeline
from gen_infra.check.report import Check, CheckReport, Finding
from tests.unit.cli.test_cli import run
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(name="typed")
def _typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return two good manifests and an invalid one in the working directory."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, changed(name="one"), "one.yaml")
    write(tmp_path, changed(name="two", compute__spot__min_vcpus=8), "two.yaml")
    write(tmp_path, changed(name="bad", account="1"), "bad.yaml")

    def typed(*arguments: str) -> tuple[int, str, str]:
        return run(monkeypatch, capsys, *arguments)

    return typed


class TestRender:
    def test_each_folder_is_written_and_printed(self, typed: Run, tmp_path: Path) -> None:
        code, out, err = typed("render", "one.yaml", "two.yaml")
        assert (code, out) == (0, "build/one\nbuild/two\n")
        assert "warning: two.yaml:5:5" in err
        assert "✓ 2 environments rendered" in err
        assert "next: gen-infra check one.yaml two.yaml" in err
        for name in ("one", "two"):
            assert (tmp_path / "build" / name / "terraform/main.tf").is_file()

    def test_an_invalid_manifest_does_not_stop_the_others(self, typed: Run) -> None:
        code, out, err = typed("render", "bad.yaml", "one.yaml")
        assert (code, out) == (2, "build/one\n")
        assert "error: bad.yaml has one problem:\n  bad.yaml:1:1: account" in err
        assert "✗ 2 environments: 1 failed (bad.yaml)" in err
        assert "next:" not in err

    def test_the_exit_code_is_the_highest(self, typed: Run, tmp_path: Path) -> None:
        typed("render", "one.yaml", "two.yaml", "-q")
        (tmp_path / "build/one/terraform/main.tf").write_text("# mine\n")
        write(tmp_path, changed(name="two", compute__spot__min_vcpus=9), "two.yaml")
        code, out, err = typed("render", "one.yaml", "two.yaml")
        assert (code, out) == (2, "build/two\n")
        assert "error: one: build/one" in err
        assert "terraform/main.tf" in err
        assert "✗ 2 environments: 1 failed (one)" in err
        code, out, err = typed("render", "--check", "one.yaml", "two.yaml")
        assert code == 1
        assert "-# mine" in out
        assert "✗ 2 environments: 1 failed (one)" in err

    def test_json_is_a_list_in_the_order_of_the_command_line(self, typed: Run) -> None:
        _, alone, _ = typed("render", "one.yaml", "--json", "--out", "elsewhere")
        code, out, _ = typed("render", "two.yaml", "bad.yaml", "one.yaml", "--json", "--out", "elsewhere")
        assert code == 2
        two, bad, one = json.loads(out)
        assert (two["manifest"], two["environment"], two["exit_code"]) == ("two.yaml", "two", 0)
        assert two["result"].keys() == json.loads(alone).keys()
        assert one["result"] == {
            "folder": "elsewhere/one",
            "created": [],
            "updated": [],
            "pruned": [],
            "unchanged": len(json.loads(alone)["created"]),
        }
        assert (bad["environment"], bad["exit_code"]) == (None, 2)
        assert bad["error"].startswith("bad.yaml has one problem")

    def test_two_manifests_of_one_name_are_refused(self, typed: Run, tmp_path: Path) -> None:
        write(tmp_path, changed(name="one"), "again.yaml")
        code, out, err = typed("render", "one.yaml", "again.yaml")
        assert (code, out) == (2, "")
        assert 'error: one.yaml and again.yaml both have the name "one", and so the same folder' in err
        assert not (tmp_path / "build").exists()

    def test_a_manifest_that_is_named_twice_is_rendered_once(self, typed: Run) -> None:
        assert typed("render", "one.yaml", "one.yaml", "-q")[:2] == (0, "build/one\n")


class TestCheck:
    """The reports are made up: what the tools find is tested with the tools."""

    @pytest.fixture(autouse=True)
    def _reports(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = tmp_path
        reports = {
            "one": CheckReport((Check("terraform fmt", "1 files"),)),
            "two": CheckReport((Check("terraform fmt", "2 files", (Finding("failed", "is not formatted", "a.tf"),)),)),
        }

        def check(environments: Any, progress: Any, **_: Any) -> tuple[CheckReport, ...]:  # noqa: ARG001 - pipeline.check's
            return tuple(reports[each.manifest.name] for each in environments)

        monkeypatch.setattr(pipeline, "check", check)

    def test_only_one_can_be_compared_with_a_base(self, typed: Run) -> None:
        code, _, err = typed("check", "one.yaml", "two.yaml", "--against", "base.yaml")
        assert code == 2
        assert "--against is for one manifest" in err

    def test_each_report_has_its_name_above_it(self, typed: Run) -> None:
        code, out, err = typed("check", "one.yaml", "two.yaml")
        assert code == 1
        assert out == (
            "one:\n✓ terraform fmt        1 files\n"
            "two:\n✗ terraform fmt        2 files\n    failed: a.tf: is not formatted\n"
        )
        assert "✗ 2 environments: 1 failed (two)" in err
        assert "next: fix what failed, then gen-infra check one.yaml two.yaml" in err

    def test_the_worst_code_counts_and_the_others_are_checked(self, typed: Run) -> None:
        code, out, err = typed("check", "bad.yaml", "one.yaml")
        assert code == 2
        assert out == "one:\n✓ terraform fmt        1 files\n"
        assert "✗ 2 environments: 1 failed (bad.yaml)" in err
        for report_format in ("text", "json", "sarif", "junit"):
            write(self.folder, changed(name="worse", region=1), "worse.yaml")
            assert typed("check", "bad.yaml", "worse.yaml", "--format", report_format)[0] == 2

    def test_json_is_a_list_and_alone_it_is_the_report(self, typed: Run) -> None:
        _, alone, _ = typed("check", "two.yaml", "--json")
        code, out, _ = typed("check", "two.yaml", "bad.yaml", "--json")
        assert code == 2
        two, bad = json.loads(out)
        assert two == {"manifest": "two.yaml", "environment": "two", "exit_code": 1, "result": json.loads(alone)}
        assert bad["exit_code"] == 2

    def test_sarif_and_junit_name_the_environment(self, typed: Run, tmp_path: Path) -> None:
        typed("check", "one.yaml", "two.yaml", "--format", "sarif", "--output", "report")
        runs = json.loads((tmp_path / "report").read_text())["runs"]
        assert [each["automationDetails"]["id"] for each in runs] == ["one/", "two/"]
        assert [len(each["results"]) for each in runs] == [0, 1]
        _, out, _ = typed("check", "one.yaml", "two.yaml", "--format", "junit")
        suites = ET.fromstring(out).findall("testsuite")  # noqa: S314 - written here
        assert [(each.get("name"), each.get("failures")) for each in suites] == [
            ("one: terraform fmt", "0"),
            ("two: terraform fmt", "1"),
        ]
        typed("check", "one.yaml", "two.yaml", "--output", "report")
        assert (tmp_path / "report").read_text().startswith("one:\n✓ terraform fmt")
