"""The disk is full while terraform applies and keeps its state there: the next run restores the state."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from gen_infra.apply.rescued_state import restore_state
from gen_infra.environment import Environment
from gen_infra.manifest import load_with_warnings
from gen_infra.terraform.messages import TerraformError
from tests.conftest import missing
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gen_infra.manifest import Loaded

# Of a file system with pages of 4 KiB. Configuration and lock need four, and the whole state 16: terraform writes it
# again after each resource, so it is cut off at another place with each size.
SIZES_KIB = (16, 20, 24, 28, 32, 36, 44, 52, 60, 68)
ENOUGH_KIB = 1024
RESOURCES = 60
CONFIGURATION = f"""\
terraform {{
  backend "local" {{
    path = "terraform.tfstate"
  }}
}}

resource "terraform_data" "this" {{
  count = {RESOURCES}
  input = "{"x" * 300}"
}}
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load_with_warnings(write(tmp_path_factory.mktemp("manifest"), changed()))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Make a file system of so many KiB, or change its size."""
    if os.geteuid() != 0:
        missing("mounting a file system needs root", "run the tests as root")
    folder = tmp_path / "disk"
    folder.mkdir()

    def make(kib: int) -> Path:
        remount = "remount," if os.path.ismount(folder) else ""
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"{remount}size={kib}k", "tmpfs", folder], check=True)
        return folder

    yield make
    if os.path.ismount(folder):
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("kib", SIZES_KIB)
def test_the_next_run_restores_all_that_was_applied(
    kib: int, disk: Callable[[int], Path], loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    folder = disk(ENOUGH_KIB)
    environment = Environment(loaded, folder)
    environment.terraform_folder.mkdir()
    (environment.terraform_folder / "main.tf").write_text(CONFIGURATION)
    terraform = environment.terraform()
    terraform.plan(tmp_path / "plan")
    disk(kib)
    with pytest.raises(TerraformError, match="Failed to save state") as raised:
        terraform.apply(tmp_path / "plan")
    (rescued,) = home.glob("gen-infra/*/rescued-*.tfstate")
    assert raised.value.hint.endswith(f"run the same command again, which restores the state from {rescued}")
    cut = environment.terraform_folder / "terraform.tfstate"
    was_cut = cut.exists()

    disk(ENOUGH_KIB)
    said: list[str] = []
    restore_state(environment, said.append)
    assert len(terraform.state_list()) == RESOURCES
    assert not terraform.plan(tmp_path / "plan").has_changes
    (line,) = said
    assert f"from {rescued}" in line
    assert ("the damaged file is kept as terraform.tfstate.damaged-1" in line) == was_cut
    assert not rescued.exists()
    restore_state(environment, said.append)
    assert said == [line]
