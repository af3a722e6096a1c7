"""What a person at a terminal is asked, and what each answer does: a real pseudo-terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli import command
from tests.emulator.small import SMALL

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.emulator import Emulator


def answer(manifest: Path, environ: dict[str, str], words: str, *arguments: str) -> tuple[int, str]:
    """Run gen-infra on a terminal, type the words, and return the exit code and all that was shown."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        command(arguments[0], manifest, *arguments[1:]),
        cwd=manifest.parent,
        env=environ,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    ) as process:
        os.close(slave)
        os.write(master, words.encode())
        shown = b""
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
        except OSError:  # how Linux says that the other side is closed
            pass
        os.close(master)
    return process.returncode, shown.decode()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    manifest = tmp_path / "small.yaml"
    manifest.write_text(SMALL)
    return manifest


def test_apply_prompts_and_the_answer_no_changes_nothing(small: Path, aws: Emulator, environ: dict[str, str]) -> None:
    code, shown = answer(small, environ, "n\n", "apply")
    assert code == 1
    assert "Apply this to small in account 123456789012? [y/N]" in shown
    assert "nothing was changed" in shown
    assert "\x1b[32m" in shown, "colours on a terminal"
    code, shown = answer(small, environ | {"NO_COLOR": "1"}, "n\n", "apply")
    assert code == 1
    assert "\x1b[" not in shown
    environments = aws.client("batch").describe_compute_environments()["computeEnvironments"]
    assert not [each for each in environments if each["computeEnvironmentName"].startswith("spot-small-")]


def test_destroy_prompts_for_lost_files_and_for_the_name(small: Path, aws: Emulator, environ: dict[str, str]) -> None:
    small.write_text(SMALL.replace("state: local", "state: local\nencryption: {key: create}"))
    code, shown = answer(small, environ, "", "destroy")
    assert code == 0, "there is nothing to destroy, so nothing is asked"
    state = small.parent / "build/small/terraform/terraform.tfstate"
    assert "Type its name" not in shown
    efs = aws.client("efs")
    id_ = efs.create_file_system(CreationToken="refs-small", Encrypted=True)["FileSystemId"]
    state.write_text(state_with(id_))
    code, shown = answer(small, environ, "y\nprod\n", "destroy")
    assert code == 2
    assert f"This deletes all files of file system refs-small ({id_}, 0 bytes)" in shown
    assert "Do you want that? [y/N]" in shown
    assert "the answer is not small; nothing was destroyed" in shown
    assert efs.describe_file_systems(FileSystemId=id_)["FileSystems"]
    code, shown = answer(small, environ, "y\nsmall\n", "destroy")
    assert code == 0, shown
    assert id_ not in state.read_text()
    with pytest.raises(efs.exceptions.FileSystemNotFound):
        efs.describe_file_systems(FileSystemId=id_)


def state_with(file_system: str) -> str:
    """Return a state with one resource, as if it had been applied."""
    instance = {"schema_version": 0, "attributes": {"id": file_system, "creation_token": "refs-small"}}
    resource = {
        "module": "module.file_system_refs",
        "mode": "managed",
        "type": "aws_efs_file_system",
        "name": "this",
        "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
        "instances": [instance],
    }
    lineage = "5f6a3b1c-0000-4000-8000-000000000001"
    head = {"version": 4, "terraform_version": "1.9.0", "serial": 1, "outputs": {}, "lineage": lineage}
    return json.dumps({**head, "resources": [resource], "check_results": None})
