"""The adapter with the real packer, and with other programs of that name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gen_infra.errors import MissingError, ToolError
from gen_infra.tools.packer import Packer, build, find_packer, validate
from tests.conftest import require_tool

if TYPE_CHECKING:
    from pathlib import Path

VALID = 'source "null" "x" {\n  communicator = "none"\n}\n\nbuild {\n  sources = ["source.null.x"]\n}\n'


@pytest.fixture(scope="session")
def packer() -> Packer:
    require_tool("packer")
    found = find_packer(os.environ)
    assert found is not None
    return found


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_valid_template(packer: Packer, tmp_path: Path) -> None:
    (tmp_path / "x.pkr.hcl").write_text(VALID)

    assert validate(packer, tmp_path, "x.pkr.hcl", os.environ) == ()


def test_an_invalid_one(packer: Packer, tmp_path: Path) -> None:
    (tmp_path / "x.pkr.hcl").write_text(VALID + "\nnonsense {\n}\n")

    (finding,) = validate(packer, tmp_path, "x.pkr.hcl", os.environ)

    assert (finding.summary, finding.file, finding.line) == ("Unsupported block type", "x.pkr.hcl", 9)
    assert 'Blocks of type "nonsense" are not expected here' in finding.message


def test_variables_in_the_environment_have_no_effect(packer: Packer, tmp_path: Path) -> None:
    (tmp_path / "x.pkr.hcl").write_text(
        'variable "name" {\n  type = string\n}\n'
        'source "null" "x" {\n  communicator = var.name\n}\nbuild {\n  sources = ["source.null.x"]\n}\n'
    )

    findings = validate(packer, tmp_path, "x.pkr.hcl", {**os.environ, "PKR_VAR_name": "none"})

    assert findings
    assert "name" in findings[0].summary


@pytest.mark.parametrize(
    ("output", "version"),
    [("Packer v1.6.6", (1, 6, 6)), ("Packer v1.11.2", (1, 11, 2)), ("Packer v1.12.0-dev", (1, 12, 0))],
)
def test_the_version_is_read(tmp_path: Path, output: str, version: tuple[int, int, int]) -> None:
    path = program(tmp_path, "packer", f"echo '{output}'")

    assert find_packer({"PATH": str(tmp_path)}) == Packer(str(path), version)


def test_other_programs_of_that_name_are_skipped(tmp_path: Path) -> None:
    program(tmp_path / "cracklib", "packer", "cat >/dev/null; echo 0 0")
    program(tmp_path / "arch", "packer", "exit 1")
    real = program(tmp_path / "arch", "packer-io", "echo Packer v1.10.0")

    path = f"{tmp_path / 'cracklib'}:{tmp_path / 'empty'}:{tmp_path / 'arch'}"

    assert find_packer({"PATH": path}) == Packer(str(real), (1, 10, 0))
    assert find_packer({"PATH": str(tmp_path / "cracklib")}) is None


def test_a_modern_packer_gets_its_plugins_first_and_then_the_folder(tmp_path: Path) -> None:
    path = program(tmp_path, "packer", 'echo "$@" >>calls')

    assert validate(Packer(str(path), (1, 11, 2)), tmp_path, "x.pkr.hcl", os.environ) == ()

    assert (tmp_path / "calls").read_text() == "init .\nvalidate .\n"


def test_plugins_that_cannot_be_installed(tmp_path: Path) -> None:
    path = program(tmp_path, "packer", "echo 'Error: Failed getting the amazon plugin' >&2; exit 1")

    with pytest.raises(MissingError, match="packer init failed: Failed getting the amazon plugin"):
        validate(Packer(str(path), (1, 11, 2)), tmp_path, "x.pkr.hcl", os.environ)


def test_a_modern_packer_builds_the_folder_and_returns_the_image(tmp_path: Path) -> None:
    script = """
        echo "$@" >>calls
        echo '==> amazon-ebs.genomics: Launching a source AWS instance...'
        echo '    amazon-ebs.genomics: Instance ID: i-1'
        for word; do case $word in manifest_file=*) file=${word#*=} ;; esac; done
        echo '{"builds": [{"artifact_id": "us-east-1:ami-1"}]}' >"$file"
    """
    progress: list[str] = []
    packer = Packer(str(program(tmp_path, "packer", script)), (1, 11, 2))

    assert build(packer, tmp_path, "x.pkr.hcl", {"recipe": "r"}, os.environ, progress.append) == "ami-1"

    assert progress == ["Launching a source AWS instance...", "  Instance ID: i-1"]
    assert (tmp_path / "calls").read_text().startswith("build -color=false -var recipe=r -var manifest_file=")
    assert (tmp_path / "calls").read_text().endswith(" .\n")


def test_a_build_that_fails_gives_its_reason(packer: Packer, tmp_path: Path) -> None:
    (tmp_path / "x.pkr.hcl").write_text(
        'variable "manifest_file" {\n  type = string\n}\n'
        + VALID.replace(
            '"source.null.x"]\n', '"source.null.x"]\n  provisioner "shell-local" {\n    inline = ["exit 7"]\n  }\n'
        )
    )

    with pytest.raises(ToolError, match=r"packer build failed: .*exit status:? 7"):
        build(packer, tmp_path, "x.pkr.hcl", {}, os.environ, lambda _: None)


def test_a_build_without_a_manifest_has_failed(tmp_path: Path) -> None:
    path = program(tmp_path, "packer", "echo 'nothing to do'")

    with pytest.raises(ToolError, match="packer build failed"):
        build(Packer(str(path), (1, 11, 2)), tmp_path, "x.pkr.hcl", {}, os.environ, lambda _: None)
