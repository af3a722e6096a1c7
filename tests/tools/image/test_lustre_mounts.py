"""The script that mounts FSx for Lustre on a host, run with a `mount` and a `systemctl` that note their calls."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from gen_infra.manifest.lustre import mount_script
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "fs-0fedcba9876543210.fsx.us-east-1.amazonaws.com@tcp:/abcdefgh"


@pytest.mark.parametrize("fails", [False, True])
def test_a_host_without_the_mount_takes_no_jobs(tmp_path: Path, fails: bool) -> None:
    systems = {"work": {"fsx": "fs-0fedcba9876543210", "mount_name": "abcdefgh"}}
    script = mount_script(accept(tmp_path, image={"parameter": "/lab/ami"}, file_systems=systems))
    root, tools, calls = tmp_path / "root", tmp_path / "tools", tmp_path / "calls"
    for folder in (root / "etc", tools):
        folder.mkdir(parents=True)
    for name, status in (("mount", int(fails)), ("systemctl", 0)):
        (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{calls}\nexit {status}\n')
        (tools / name).chmod(0o755)
    assert script
    environ = {"PATH": f"{tools}:{os.environ['PATH']}", "GEN_INFRA_ROOT": str(root)}
    done = subprocess.run(["bash", "-c", script.content], env=environ, check=False)
    assert done.returncode == int(fails)
    assert calls.read_text().splitlines() == ["systemctl daemon-reload", "mount /fsx/work"]
    guard = root / "etc/systemd/system/ecs.service.d/fsx-work.conf"
    assert guard.read_text() == "[Unit]\nRequiresMountsFor=/fsx/work\nAssertPathIsMountPoint=/fsx/work\n"
    [line] = (root / "etc/fstab").read_text().splitlines()
    assert line == f"{SOURCE} /fsx/work lustre defaults,relatime,flock,nosuid,nodev,_netdev,nofail 0 0"
    assert (root / "fsx/work").is_dir()
