"""The command engine, and what `submit --engine` refuses before AWS is called, in process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest import load
from gen_infra.manifest.engine_configuration import configuration
from gen_infra.resources import data_dir
from tests.unit.cli.test_cli import run

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = data_dir("envs") / "examples"
NEXTFLOW = EXAMPLES / "nextflow.yaml"
PIPELINE = ("--pipeline", "nf-core/demo", "--revision", "1.0.2")


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail at once where a command calls AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")


@pytest.mark.parametrize("engine", ["nextflow", "snakemake", "miniwdl"])
def test_the_configuration_is_printed_written_and_described(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = EXAMPLES / f"{engine}.yaml"
    expected = configuration(load(manifest), engine)  # type: ignore[arg-type] # one of the engines
    code, out, said = run(monkeypatch, capsys, "engine", str(manifest), engine)
    assert (code, out) == (0, expected.text)
    assert expected.command in said
    assert "let S3 delete old files of s3://genomics-results-123456789012/" in said
    run(monkeypatch, capsys, "engine", str(manifest), engine, "--output", str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == expected.text
    _, out, _ = run(monkeypatch, capsys, "engine", str(manifest), engine, "--json")
    described: dict[str, Any] = json.loads(out)
    assert described["text"] == expected.text
    assert described["head_role"].endswith(f":role/{engine}-{engine}-head")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("engine", NEXTFLOW, "snakemake"), "the manifest has no engines.snakemake"),
        (("engine", NEXTFLOW, "nextflw"), 'unknown engine "nextflw"'),
        (("submit", NEXTFLOW, "--engine", "nextflow"), "--engine requires --pipeline and --revision"),
        (("submit", NEXTFLOW, *PIPELINE), "--pipeline and --revision are for --engine"),
        (("submit", EXAMPLES / "snakemake.yaml", "--engine", "snakemake", *PIPELINE), "has no head job"),
        (
            ("submit", NEXTFLOW, "--engine", "nextflow", "--pipeline", "--help", "--revision", "1"),
            'invalid pipeline "--help"',
        ),
        (
            ("submit", NEXTFLOW, "--engine", "nextflow", "--pipeline", "a/b", "--revision", "-x"),
            'invalid revision "-x"',
        ),
    ],
)
def test_what_cannot_run_is_refused(
    words: tuple[Any, ...], problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, said = run(monkeypatch, capsys, *map(str, words))
    assert (code, out) == (2, "")
    assert problem in said
