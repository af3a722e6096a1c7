"""`gen-infra graph`, in process; what dot draws is in tests/tools/graph."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.test_cli import run
from tests.unit.graph.graphs import job
from tests.unit.manifests import changed, write


class TestGraph:
    @pytest.fixture(autouse=True)
    def _environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.chdir(tmp_path)
        self.monkeypatch, self.capsys = monkeypatch, capsys
        write(tmp_path, changed(jobs={"align": job()}))

    def run(self, *arguments: str) -> tuple[int, str, str]:
        return run(self.monkeypatch, self.capsys, "graph", "test.yaml", *arguments)

    def without_graphviz(self) -> None:
        self.monkeypatch.setenv("PATH", str(Path.cwd()))

    @pytest.mark.parametrize("arguments", [["--json"], ["--format", "json"]])
    def test_json_has_every_part_with_its_place_and_addresses(self, arguments: list[str]) -> None:
        code, out, err = self.run(*arguments)
        assert (code, err) == (0, "next: gen-infra graph test.yaml --plan\n")
        answer = json.loads(out)
        assert answer["name"] == "test"
        align = next(node for node in answer["nodes"] if node["id"] == "job-align")
        line = Path("test.yaml").read_text().splitlines().index("  align:") + 1
        assert (align["key"], align["file"], align["line"]) == ("jobs.align", "test.yaml", line)
        assert align["addresses"][0] == "aws_batch_job_definition.align"
        assert align["change"] is None
        assert {"source": "queue-main", "target": "job-align"}.items() <= answer["edges"][-1].items()

    @pytest.mark.parametrize(
        ("file", "start"),
        [("x.mmd", "flowchart LR"), ("x.mermaid", "flowchart LR"), ("x.GV", "digraph"), ("x.json", "{")],
    )
    def test_the_ending_of_the_file_chooses_the_format(self, file: str, start: str) -> None:
        self.without_graphviz()
        code, out, err = self.run("--output", file)
        assert (code, out) == (0, "")
        assert f"the picture is in {file}" in err
        assert Path(file).read_text().startswith(start)

    def test_format_wins_over_the_ending(self) -> None:
        assert self.run("--output", "picture.txt", "--format", "dot")[0] == 0
        assert Path("picture.txt").read_text().startswith("digraph")

    def test_an_unknown_ending_is_refused(self) -> None:
        code, _, err = self.run("--output", "picture.pdf")
        assert code == 2
        assert 'unknown ending ".pdf" of picture.pdf; add --format, or choose from: .svg, .png, .mmd' in err
        assert not Path("picture.pdf").exists()

    def test_quiet_prints_the_picture_alone(self) -> None:
        code, out, err = self.run("--format", "mermaid", "--quiet")
        assert (code, err) == (0, "")
        assert out.startswith("flowchart LR\n")

    @pytest.mark.parametrize("arguments", [[], ["--format", "png", "--output", "x.png"]])
    def test_without_graphviz_nothing_is_written_and_the_error_says_what_to_install(self, arguments: list[str]) -> None:
        self.without_graphviz()
        code, out, err = self.run(*arguments)
        assert (code, out) == (3, "")
        assert "error: dot was not found" in err
        assert "hint: install Graphviz (apt install graphviz" in err
        assert "or use --format mermaid, dot or json" in err
        assert not Path("x.png").exists()

    def test_a_png_is_not_printed_on_a_terminal(self) -> None:
        self.monkeypatch.setenv("COLUMNS", "80")  # this terminal has no size to ask for
        self.monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        code, _, err = self.run("--format", "png")
        assert code == 2
        assert "a PNG is not text for a terminal; add --output test.png" in err

    def test_warnings_of_the_manifest_are_shown(self) -> None:
        write(Path(), changed(compute__spot__min_vcpus=8))
        assert "warning: test.yaml:" in self.run("--format", "dot")[2]
