"""What differs between two environments: `gen-infra show --diff`, in process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gen_infra.manifest.comparison import ManifestDifference, compare
from tests.unit.cli.test_cli import run
from tests.unit.manifests import changed, write


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [(("a", "c"), 2, 3)]),
        ({"a": {"b": 1}}, {}, [(("a",), {"b": 1}, None)]),
        ({}, {"a": False}, [(("a",), None, False)]),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, [(("a",), ["x", "y"], ["y", "x"])]),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, [(("a", 1, "b"), 2, 3)]),
        ({"a": [{"b": 1}]}, {"a": []}, [(("a",), [{"b": 1}], [])]),
        ({"a": 1, "b": {}}, {"b": {}, "a": 1}, []),
        ({"z": 1, "a": 1}, {"n": 1, "a": 2}, [(("z",), 1, None), (("a",), 1, 2), (("n",), None, 1)]),
    ],
)
def test_the_smallest_parts_that_differ(left: object, right: object, expected: list[ManifestDifference]) -> None:
    assert list(compare(left, right)) == expected


class TestShowDiff:
    @pytest.fixture(autouse=True)
    def _two_environments(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        self.monkeypatch, self.capsys = monkeypatch, capsys
        write(tmp_path, changed(queues__low={"priority": 2, "compute": ["spot"]}), "one.yaml")
        write(
            tmp_path,
            "extends: one.yaml\nname: two\ncompute:\n  spot: {max_vcpus: 8, bid_percentage: 40}\nqueues:\n  low:\n",
            "two.yaml",
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        return run(self.monkeypatch, self.capsys, "show", *arguments)

    def test_both_values_and_where_they_were_written(self) -> None:
        code, out, err = self.run("one.yaml", "--diff", "two.yaml")
        assert (code, err) == (1, "")
        written = Path("one.yaml").read_text().splitlines()
        name, most = written.index("name: test") + 1, written.index("    max_vcpus: 64") + 1
        lines = out.splitlines()
        assert lines[:2] == ["--- one.yaml", "+++ two.yaml"]
        for key, *values in (
            ("name", f"  - test  # one.yaml:{name}", "  + two  # two.yaml:2"),
            ("compute.spot.max_vcpus", f"  - 64  # one.yaml:{most}", "  + 8  # two.yaml:4"),
            ("compute.spot.bid_percentage", "  + 40  # two.yaml:4"),
        ):
            start = lines.index(key) + 1
            assert lines[start : start + len(values)] == values

    def test_what_one_side_alone_has_is_shown_whole(self) -> None:
        lines = self.run("two.yaml", "--diff", "one.yaml")[1].splitlines()
        added = lines[lines.index("queues.low") + 1 :]
        assert all(line.startswith("  + ") for line in added)
        assert any(line.startswith("  + priority: 2 ") and "# one.yaml:" in line for line in added)
        assert any(line.startswith("  + state: ENABLED ") and line.endswith("# default") for line in added)

    def test_a_default_has_no_place(self) -> None:
        Path("three.yaml").write_text("extends: one.yaml\nlogs: {retention_days: 400}\n")
        _, out, _ = self.run("one.yaml", "--diff", "three.yaml")
        assert out.splitlines()[2:] == ["logs.retention_days", "  - 365  # default", "  + 400  # three.yaml:2"]

    def test_json(self) -> None:
        code, out, _ = self.run("one.yaml", "--diff", "two.yaml", "--json", "--quiet")
        answer = json.loads(out)
        assert (code, answer["manifest"], answer["other"]) == (1, "one.yaml", "two.yaml")
        found = {difference["key"]: difference for difference in answer["differences"]}
        assert list(found) == ["name", "compute.spot.max_vcpus", "compute.spot.bid_percentage", "queues.low"]
        assert found["name"]["other"] == {"value": "two", "file": "two.yaml", "line": 2}
        assert found["compute.spot.bid_percentage"]["manifest"] is None
        assert found["queues.low"]["manifest"]["value"]["priority"] == 2

    def test_the_same_is_zero_and_nothing_on_stdout(self) -> None:
        assert self.run("one.yaml", "--diff", "one.yaml", "-q") == (0, "", "")
        code, out, _ = self.run("one.yaml", "--diff", "one.yaml", "--json")
        assert (code, json.loads(out)["differences"]) == (0, [])

    def test_an_invalid_manifest_is_an_error_and_no_difference(self) -> None:
        write(Path(), changed(account="1"), "wrong.yaml")
        code, out, err = self.run("one.yaml", "--diff", "wrong.yaml")
        assert (code, out) == (2, "")
        assert "wrong.yaml" in err
