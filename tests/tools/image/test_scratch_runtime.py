"""What stands before the OCI runtime: each container has a directory of scratch for itself, as long as it is there."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from pathlib import Path

TOOL = data_dir("packer") / "files" / "gen-infra-scratch-runtime"
ONE, OTHER = "1" * 64, "2" * 64


@dataclass
class Docker:
    """What calls a runtime: a folder for each container with its configuration, and a runtime that notes its calls."""

    root: Path

    def __post_init__(self) -> None:
        self.scratch.mkdir()
        (self.root / "scratch.conf").write_text(f"SCRATCH_MOUNT={self.scratch}\n")
        self.program("runtime", f'echo "$@" >>{self.root}/calls; exit "${{RUNTIME_ENDS_WITH:-0}}"')
        self.program("setsid", 'shift; exec "$@"')  # the test waits for what otherwise continues by itself

    @property
    def scratch(self) -> Path:
        return self.root / "docker.scratch"

    def program(self, name: str, script: str) -> None:
        path = self.root / name
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def calls(self) -> list[str]:
        notes = self.root / "calls"
        return notes.read_text().splitlines() if notes.exists() else []

    def call(self, *arguments: str, **environment: str) -> int:
        environment |= {"GEN_INFRA_SETTINGS": f"{self.root}/scratch.conf", "PATH": f"{self.root}:{os.environ['PATH']}"}
        return subprocess.run([TOOL, self.root / "runtime", *arguments], env=environment, check=False).returncode

    def create(self, container: str, config: str) -> str:
        """Return the configuration that the runtime gets."""
        bundle = self.root / container
        bundle.mkdir()
        (bundle / "config.json").write_text(config)
        log = ["--log", "/run/create", "--log-format", "json", "--systemd-cgroup"]
        assert self.call(*log, "create", "--bundle", str(bundle), "--pid-file", "pid", container) == 0
        assert self.calls()[-1].endswith(f"create --bundle {bundle} --pid-file pid {container}")
        return (bundle / "config.json").read_text()


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


def config(source: Path) -> str:
    """As Docker writes it: on one line, with numbers that no floating point number can hold."""
    return (
        '{"process":{"env":["A=\\"source\\":\\"' + str(source) + '\\""],'
        '"rlimits":[{"type":"RLIMIT_CORE","hard":18446744073709551615,"soft":18446744073709551615}]},'
        '"mounts":[{"destination":"/proc","type":"proc","source":"proc"},'
        '{"destination":"/scratch","type":"bind","source":"' + str(source) + '","options":["rbind","rprivate"]}]}\n'
    )


def test_a_mount_of_scratch_becomes_one_of_the_containers_own_directory(docker: Docker) -> None:
    given = config(docker.scratch)
    own = docker.scratch / ONE

    got = docker.create(ONE, given)

    mount = '"source":"{}","options"'
    assert got == given.replace(mount.format(docker.scratch), mount.format(own))
    assert oct(own.stat().st_mode) == "0o41777"


def test_containers_share_nothing(docker: Docker) -> None:
    docker.create(ONE, config(docker.scratch))
    (docker.scratch / ONE / "reads").touch()
    docker.create(OTHER, config(docker.scratch))

    assert list((docker.scratch / OTHER).iterdir()) == []


@pytest.mark.parametrize("source", ["/efs", "docker.scratch/reference", "docker-scratch"])
def test_other_mounts_stay_as_they_are(docker: Docker, source: str) -> None:
    given = config(docker.root / source)

    assert docker.create(ONE, given) == given
    assert list(docker.scratch.iterdir()) == []


def test_a_container_takes_its_directory_along(docker: Docker) -> None:
    for container in (ONE, OTHER):
        docker.create(container, config(docker.scratch))
        (docker.scratch / container / "reads").touch()

    assert docker.call("--root", "/run/runc", "delete", "--force", ONE) == 0

    assert docker.calls()[-1] == f"--root /run/runc delete --force {ONE}"
    assert list(docker.scratch.iterdir()) == [docker.scratch / OTHER]


@pytest.mark.parametrize("container", ["", ".", "..", "reference", ONE[1:]])
def test_what_is_no_containers_is_not_removed(docker: Docker, container: str) -> None:
    for name in ("reference", ONE[1:]):
        (docker.scratch / name).mkdir()

    assert docker.call("delete", container) == 0
    assert {path.name for path in docker.scratch.iterdir()} == {"reference", ONE[1:]}


def test_a_container_that_cannot_be_deleted_keeps_its_directory(docker: Docker) -> None:
    docker.create(ONE, config(docker.scratch))

    assert docker.call("delete", ONE, RUNTIME_ENDS_WITH="3") == 3
    assert (docker.scratch / ONE).is_dir()


def test_without_a_directory_of_its_own_no_container_is_created(docker: Docker) -> None:
    docker.scratch.rmdir()
    bundle = docker.root / ONE
    bundle.mkdir()
    (bundle / "config.json").write_text(config(docker.scratch))

    assert docker.call("create", "--bundle", str(bundle), ONE) != 0
    assert docker.calls() == []


@pytest.mark.parametrize("arguments", [["--version"], ["state", ONE], ["kill", ONE, "15"], ["exec", ONE, "create"], []])
def test_everything_else_is_the_runtimes(docker: Docker, arguments: list[str]) -> None:
    assert docker.call(*arguments, RUNTIME_ENDS_WITH="7") == 7
    assert docker.calls() == [" ".join(arguments)]


def refused(docker: Docker, config: str) -> bool:
    bundle = docker.root / ONE
    bundle.mkdir()
    (bundle / "config.json").write_text(config)
    status = docker.call("create", "--bundle", str(bundle), ONE)
    assert docker.calls() == [] or status == 0
    return status != 0


@pytest.mark.parametrize(
    "source", ["", "docker.scratch/", "docker.scratch/.", "docker.scratch/../docker.scratch", "link", "link/../link"]
)
def test_the_whole_disk_by_another_name_is_refused(docker: Docker, source: str) -> None:
    (docker.root / "link").symlink_to(docker.scratch)
    assert refused(docker, config(docker.root / "x").replace("/x", f"/{source}"))


@pytest.mark.parametrize("source", [r"\u002fdocker_scratch", r"/docker\u005fscratch", r"/a\\"])
def test_a_mount_that_cannot_be_read_is_refused(docker: Docker, source: str) -> None:
    assert refused(docker, '{"mounts":[{"source":"' + source + '"}]}')


def test_a_container_without_a_configuration_is_refused(docker: Docker) -> None:
    bundle = docker.root / ONE
    bundle.mkdir()
    assert docker.call("create", "--bundle", str(bundle), ONE) != 0
    assert docker.calls() == []


def test_a_folder_above_scratch_is_refused_beside_a_mount_of_scratch(docker: Docker) -> None:
    both = config(docker.scratch).replace('"source":"proc"', '"source":"/"')
    assert refused(docker, both)
