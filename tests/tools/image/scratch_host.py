"""What the scratch tool sees of a host, and how its scripts are run."""

from __future__ import annotations

import hashlib
import os
import shlex
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPTS = data_dir("packer") / "scripts"
FILES = data_dir("packer") / "files"
TOOL = FILES / "gen-infra-scratch"
JANITOR = FILES / "gen-infra-scratch-janitor"
RUNTIME = FILES / "gen-infra-scratch-runtime"
MIB = 1 << 20
SMALLEST_XFS_MIB = 320  # mkfs.xfs needs 300

USAGE, MISSING, FOREIGN, IN_USE, TOOL_FAILED = 2, 10, 11, 12, 13
EBS, INSTANCE_STORE = "Amazon Elastic Block Store", "Amazon EC2 NVMe Instance Storage"


def bash(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a mount namespace of its own; the first command that fails ends it."""
    return subprocess.run(
        ["unshare", "--mount", "bash", "-euo", "pipefail", "-c", script],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@dataclass
class Host:
    """What the scratch tool sees of a host: /dev, /sys, its settings, and commands that stand in for the host's own."""

    root: Path
    disk: Callable[..., str]

    def __post_init__(self) -> None:
        for folder in ("dev", "sys", "bin", "mount"):
            (self.root / folder).mkdir()
        self.set()

    @property
    def mount(self) -> Path:
        return self.root / "mount"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "GEN_INFRA_SETTINGS": str(self.root / "scratch.conf"),
            "GEN_INFRA_DEV": str(self.root / "dev"),
            "GEN_INFRA_SYS": str(self.root / "sys"),
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
        }

    def set(self, **settings: object) -> None:
        defaults = {
            "SCRATCH_CARRIER": "launch_template",
            "SCRATCH_FILESYSTEM": "xfs",
            "SCRATCH_MOUNT": self.mount,
            "SCRATCH_WAIT_SECONDS": 0,
            "SCRATCH_MAX_AGE_HOURS": 360,
        }
        lines = [f"{name}={shlex.quote(str(value))}\n" for name, value in (defaults | settings).items()]
        (self.root / "scratch.conf").write_text("".join(lines))

    def attach(self, name: str, device: str, model: str = "") -> None:
        (self.root / "dev" / name).symlink_to(device)
        if model:
            folder = self.root / "sys" / "class" / "block" / name / "device"
            folder.mkdir(parents=True)
            (folder / "model").write_text(f"{model:<40}\n")

    def command(self, name: str, script: str) -> None:
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        return bash(script, **self.environment)

    def prepare(self) -> int:
        return self.run(f"exec {TOOL} prepare").returncode


def content(device: str) -> str:
    with Path(device).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def probe(device: str) -> dict[str, str]:
    out = done(bash(f"blkid --probe --output export {device}"))
    return dict(line.split("=", 1) for line in out.splitlines())


def fstab_fields(host: Host) -> list[str]:
    return done(host.run(f"{TOOL} fstab")).split()


def raid_member(device: str) -> None:
    """Write the version 1.2 superblock of a Linux software array, as linux/raid/md_p.h lays it out."""
    block = bytearray(256)
    struct.pack_into("<2I", block, 0, 0xA92B4EFC, 1)
    block[16:32] = bytes(range(16))
    struct.pack_into("<Q", block, 144, 8)  # where it lies itself, in sectors
    struct.pack_into("<I", block, 216, sum(struct.unpack("<64I", block)) & 0xFFFFFFFF)
    with Path(device).open("r+b") as file:
        file.seek(4096)
        file.write(block)
