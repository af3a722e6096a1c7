"""Share accounts and applied environments among all tests of a session, in whichever worker they run.

The first test that needs one creates it. Tests change copies only, so that the shared one stays as it was created.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from gen_infra.emulator import Emulator, copy_of, start
from gen_infra.terraform.adapter import Terraform, find_terraform
from gen_infra.terraform.provider import find_provider
from gen_infra.tools.versions import AWS_PROVIDERS, DEFAULT_MAJOR
from tests.cli import clean_environ, gen_infra
from tests.emulator.provider import provider_of, running_provider

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping

OUTPUT = "apply.txt"  # what the apply printed


@dataclass(frozen=True)
class Site:
    """A folder with manifests, and the account that they are applied to.

    Args:
        folder: the folder with the manifests and the rendered files.
        aws: the account.
        environ: the environment variables of processes that run there.
    """

    folder: Path
    aws: Emulator
    environ: dict[str, str]

    def run(self, command: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run ``gen-infra COMMAND`` in the folder."""
        return gen_infra(command, *arguments, environ=self.environ, cwd=self.folder)


class Session:
    """What the workers share, recorded in a folder.

    Args:
        folder: the same folder in every worker.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: list[Emulator] = []
        self._users = self._lock("users", fcntl.LOCK_SH)

    def seeded(self) -> Emulator:
        """Copy a seeded account, whose containers are killed a second after they were told to stop."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GEN_INFRA_EMULATOR_STOP_SECONDS", "1")
            return copy_of(int(self.once("seeded", lambda: str(self._keep(start())))))

    def provider(self) -> Path:
        """Return the path of the AWS provider's program, as terraform installs it."""
        return Path(self.once("provider", self._install_provider))

    def applied(self, name: str, manifests: Mapping[str, str]) -> tuple[int, Path]:
        """Return the port of an account to which an environment was applied, and the folder from which it was applied.

        Args:
            name: the name of the environment and of its manifest.
            manifests: the text of each manifest file, by its name.
        """
        digest = hashlib.sha256(repr(sorted(manifests.items())).encode()).hexdigest()
        port, folder = json.loads(self.once(f"{name}-{digest[:12]}", lambda: self._apply(name, manifests)))
        return port, Path(folder)

    def end(self) -> None:
        """Stop what this worker has started, when no other worker uses it any more."""
        self._users.close()
        if self._kept:
            with self._lock("users", fcntl.LOCK_EX):
                for record in self._folder.glob("*.json"):
                    record.unlink()
                for each in self._kept:
                    each.stop()

    def _lock(self, name: str, how: int) -> IO[str]:
        file = (self._folder / f"{name}.lock").open("w")
        fcntl.flock(file, how)
        return file

    def once(self, name: str, make: Callable[[], str]) -> str:
        """Return what the first worker that asks for this name makes."""
        record = self._folder / f"{name}.json"
        with self._lock(name, fcntl.LOCK_EX):
            if not record.exists():
                record.write_text(make())
            return record.read_text()

    def new_folder(self, name: str) -> Path:
        """Make a folder that lasts as long as the session."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._folder))

    def _keep(self, aws: Emulator) -> int:
        self._kept.append(aws)
        return aws.port

    def _install_provider(self) -> str:
        folder = self.new_folder("provider")
        (folder / "main.tf").write_text(AWS_PROVIDERS[DEFAULT_MAJOR].requirement)
        binary = find_terraform(os.environ)
        terraform = Terraform(binary, folder, clean_environ())
        terraform.init(plugin_dir=find_provider(os.environ, flavour=binary.flavour).plugin_dir)
        return str(provider_of(folder))

    def _apply(self, name: str, manifests: Mapping[str, str]) -> str:
        folder = self.new_folder(name)
        for file, text in manifests.items():
            (folder / file).write_text(text)
        aws = self.seeded()
        port = self._keep(aws)
        manifest = f"{name}.yaml"
        with site_in(self, folder, aws, name) as site:
            if "\nstate: local\n" not in manifests[manifest]:
                bootstrap = site.run("bootstrap", manifest)
                assert bootstrap.returncode == 0, bootstrap.stderr
            done = site.run("apply", manifest, "--yes")
            assert done.returncode == 0, done.stderr
        (folder / OUTPUT).write_text(done.stdout + done.stderr)
        return json.dumps([port, str(folder)])


@contextmanager
def site_in(session: Session, folder: Path, aws: Emulator, name: str) -> Iterator[Site]:
    """Prepare a folder to apply an environment from; terraform finds its provider running."""
    environ, root = clean_environ(**aws.environ), folder / "build" / name / "terraform"
    with running_provider(session.provider(), folder / "bin", environ, root=root) as environ:
        yield Site(folder, aws, environ)


@contextmanager
def applied_site(session: Session, name: str, manifests: Mapping[str, str], folder: Path) -> Iterator[Site]:
    """Copy an applied environment: its account, and the folder from which it was applied; see `Session.applied`."""
    port, source = session.applied(name, manifests)
    shutil.copytree(source, folder, symlinks=True, dirs_exist_ok=True)
    with copy_of(port) as aws:
        _move_state(aws, folder / "build" / name / "terraform", f"127.0.0.1:{port}")
        with site_in(session, folder, aws, name) as made:
            yield made


def _move_state(aws: Emulator, folder: Path, old: str) -> None:
    """Replace the account's old port in the state: the URL of an SQS queue contains it."""
    new = f"127.0.0.1:{aws.port}"
    local = folder / "terraform.tfstate"
    if local.exists():
        local.write_text(local.read_text().replace(old, new))
        return
    backend = json.loads((folder / ".terraform" / "terraform.tfstate").read_text())["backend"]["config"]
    s3, where = aws.client("s3"), {"Bucket": backend["bucket"], "Key": backend["key"]}
    state = s3.get_object(**where)["Body"].read().decode()
    s3.put_object(**where, Body=state.replace(old, new).encode())
