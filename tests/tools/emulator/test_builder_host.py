"""The builder host: a sandbox with login and a disk to format, which leaves nothing behind."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gen_infra.emulator import builder_host as module
from gen_infra.emulator.builder_host import BuilderHost, NoBuilderHostError, builder_host


def ssh(host: BuilderHost, command: str) -> str:
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "LogLevel=ERROR"]
    return subprocess.run(
        [
            *("ssh", "-F", "none", "-i", host.private_key_file, "-p", str(host.port)),
            *(f"-o{option}" for option in options),
            f"{host.user}@{host.address}",
            command,
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def attached(disk: Path) -> bool:
    return Path("/sys/class/block", disk.name, "loop").exists()


def test_its_user_is_root_with_sudo_and_formats_a_blank_disk(builder: BuilderHost) -> None:
    mounts = Path("/proc/self/mounts").read_text()

    out = ssh(
        builder,
        """
        set -e
        sudo blkid --probe /dev/sdb && exit 1
        sudo blockdev --getsize64 /dev/sdb
        sudo mkfs.xfs -q -L made-inside /dev/sdb
        sudo mount /dev/sdb /mnt
        findmnt --noheadings --output FSTYPE /mnt
        """,
    )

    assert out.split() == [str(1000 << 30), "xfs"]
    probe = ["blkid", "--probe", "--output", "value", "--match-tag", "LABEL", str(builder.disk)]
    assert subprocess.run(probe, capture_output=True, check=True).stdout == b"made-inside\n"
    assert Path("/proc/self/mounts").read_text() == mounts


def test_it_sees_no_process_but_its_own(builder: BuilderHost) -> None:
    assert ssh(builder, "ps -o comm= -p 1") == "bash\n"
    assert str(os.getpid()) not in ssh(builder, "ps -A -o pid=").split()


def test_each_use_starts_clean_and_leaves_nothing(builder: BuilderHost) -> None:
    ssh(builder, "sudo touch /usr/left-behind")
    assert (builder.root / "usr/left-behind").exists()

    with builder_host(disk_gib=1) as another:
        assert not (another.root / "usr/left-behind").exists()
        assert another.disk != builder.disk
        assert attached(another.disk)

    assert not another.private_key_file.exists()
    assert not another.root.exists()
    assert not attached(another.disk)


@pytest.mark.usefixtures("builder")  # creates the root file system
def test_only_an_empty_folder_and_a_key_remain_after_sigkill(tmp_path: Path) -> None:
    script = """
import dataclasses, json, sys
from gen_infra.emulator import builder_host as module
from gen_infra.emulator.builder_host import builder_host
with builder_host(disk_gib=1) as host:
    print(json.dumps({"pid": host.root.parts[2], "disk": str(host.disk)}), flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", script]
    environ = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as child:
        assert child.stdout is not None
        about = json.loads(child.stdout.readline())
        sandbox = os.pidfd_open(int(about["pid"]))
        child.send_signal(signal.SIGKILL)

    ended, _, _ = select.select([sandbox], [], [], 60)
    os.close(sandbox)

    assert ended
    assert not attached(Path(about["disk"]))
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"key", "key.pub"}


def test_a_port_that_was_taken_meanwhile_is_replaced(builder: BuilderHost, monkeypatch: pytest.MonkeyPatch) -> None:
    free = module._free_port()
    ports = iter([builder.port, free])
    monkeypatch.setattr(module, "_free_port", lambda: next(ports))

    with builder_host(disk_gib=1) as another:
        assert another.port == free
        assert ssh(another, "id -un") == "ec2-user\n"


def test_a_missing_tool_is_named_with_its_package(tmp_path: Path) -> None:
    with pytest.raises(NoBuilderHostError, match="debootstrap") as error, builder_host({"PATH": str(tmp_path)}):
        pass
    assert error.value.hint == "run apt-get install debootstrap"
    assert error.value.exit_code == 3


@pytest.mark.usefixtures("builder")
def test_a_root_that_cannot_be_created_is_reported_and_not_kept(tmp_path: Path) -> None:
    fake = tmp_path / "debootstrap"
    fake.write_text("#!/bin/sh\nmkdir -p $4/usr; echo 'E: mirror not reachable' >&2; exit 1\n")
    fake.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(tmp_path / "cache")}

    with pytest.raises(NoBuilderHostError, match="E: mirror not reachable"), builder_host(environ):
        pass

    assert [path.name for path in (tmp_path / "cache/gen-infra/builder-host").iterdir()] == ["lock"]


@pytest.mark.usefixtures("builder")
def test_it_requires_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NoBuilderHostError, match="needs root"), builder_host():
        pass
