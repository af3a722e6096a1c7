"""The image's root, as the scripts leave it, booted in QEMU: a real systemd, and NVMe disks.

`make vm-test` runs this; pytest does not find it by itself, because it takes minutes. Needs root, and from Debian what
requirements/debian-vm.txt names. The machine is Debian with the builder host's stand-ins for Amazon's packages: what is
proved here is what systemd makes of our units, settings and scripts.

The root disk is not written (QEMU discards what a boot writes); scratch disks are files that stay.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from gen_infra.emulator.builder_host import builder_host
from gen_infra.resources import data_dir
from tests.conftest import require_tool

MOUNT = "/docker_scratch"
MIB = 1 << 20
ROOT_MIB = 1024
DISK_ID = "0x67656e69"  # the kernel finds the root by it: which controller becomes nvme0 is not fixed
# Who would also write to the serial console, and what fails on Debian for reasons of its own: a driver that this kernel
# has not, and host keys that Amazon Linux makes when it boots.
MASKED = [f"systemd.mask={unit}.service" for unit in ("serial-getty@ttyS0", "nvmf-autoconnect", "ssh")]
FOREIGN = "11"  # gen-infra-scratch's exit codes
MISSING = "10"

# What udev makes of an EBS volume by its model and vendor bytes, which QEMU's controller cannot show.
UDEV = 'KERNEL=="nvme*n1", ATTRS{serial}=="scratch", SYMLINK+="sdb"\n'
REPORT = """\
[Unit]
Description=Report on the boot

[Service]
ExecStart=/usr/local/sbin/vm-report

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class Machine:
    """A virtual machine that is booted, reports, and switches itself off."""

    kernel: Path
    root: Path

    def boot(self, scratch: Path | None) -> dict[str, str]:
        """Boot once, and return what report.sh prints."""
        argv = [
            *("qemu-system-x86_64", "-accel", "tcg", "-machine", "q35", "-cpu", "max", "-m", "1024", "-smp", "2"),
            *("-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-nic", "none"),
            *("-kernel", str(self.kernel)),
            *("-append", " ".join(["console=ttyS0", "quiet", "rw", f"root=PARTUUID={DISK_ID[2:]}-01", *MASKED])),
            *nvme("root", self.root, "snapshot=on"),
            *(nvme("scratch", scratch) if scratch else ()),
        ]
        ran = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=900, check=False
        )
        lines = [line.strip() for line in ran.stdout.splitlines()]
        report = dict(line.removeprefix("REPORT ").split("=", 1) for line in lines if line.startswith("REPORT "))
        assert report, ran.stdout + ran.stderr
        return report


def nvme(name: str, file: Path, *options: str) -> list[str]:
    drive = ",".join([f"file={file}", "format=raw", "if=none", f"id={name}", *options])
    return ["-drive", drive, "-device", f"nvme,drive={name},serial={name}"]


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    for tool in ("qemu-system-x86_64", "apt-get", "sfdisk", "mkfs.ext4", "debugfs"):
        require_tool(tool)
    folder = tmp_path_factory.mktemp("machine")
    tree = folder / "tree"
    tree.mkdir()
    provision(tree)
    add_report(tree)
    image = folder / "root"
    write_image(tree, image)
    shutil.rmtree(tree)
    return Machine(fetch_kernel(folder), image)


def provision(tree: Path) -> None:
    """Let the image's scripts work on a builder host, and copy what they leave."""
    scripts = " && ".join(
        f"sudo env FILES=/tmp/gen-infra/files SCRATCH_CARRIER=launch_template SCRATCH_FILESYSTEM=ext4 "
        f"SCRATCH_MOUNT={MOUNT} bash /opt/scripts/{name}.sh"
        for name in ("update", "scratch", "tuning", "cleanup", "verify")
    )
    with builder_host() as host:
        shutil.copytree(data_dir("packer") / "files", host.root / "tmp/gen-infra/files")
        shutil.copytree(data_dir("packer") / "scripts", host.root / "opt/scripts")
        login = ["ssh", "-F", "none", "-i", str(host.private_key_file), "-p", str(host.port), "-oLogLevel=ERROR"]
        login += ["-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", f"{host.user}@{host.address}"]
        subprocess.run([*login, scripts], check=True)
        copy = f"tar --create --one-file-system --directory={host.root} . | tar --extract --directory={tree}"
        subprocess.run(["bash", "-euo", "pipefail", "-c", copy], check=True)


def add_report(tree: Path) -> None:
    report = tree / "usr/local/sbin/vm-report"
    shutil.copy(Path(__file__).with_name("report.sh"), report)
    report.chmod(0o755)
    (tree / "etc/systemd/system/vm-report.service").write_text(REPORT)
    wanted = tree / "etc/systemd/system/multi-user.target.wants/vm-report.service"
    wanted.symlink_to("../vm-report.service")
    (tree / "etc/udev/rules.d/70-scratch.rules").write_text(UDEV)
    fstab = tree / "etc/fstab"
    (line,) = (line for line in fstab.read_text().splitlines() if line.split()[1] == MOUNT)
    fstab.write_text(line + "\n")


def write_image(tree: Path, image: Path) -> None:
    """Return a disk whose one partition holds the tree; copying loses attributes, so one is set again."""
    with image.open("wb") as file:
        file.truncate((ROOT_MIB + 2) * MIB)
    table = f"label: dos\nlabel-id: {DISK_ID}\nstart=1MiB, size={ROOT_MIB}MiB, type=83\n"
    subprocess.run(["sfdisk", "--quiet", image], input=table, text=True, check=True)
    make = ["mkfs.ext4", "-q", "-d", str(tree), "-E", f"offset={MIB}", str(image), f"{ROOT_MIB}M"]
    subprocess.run(make, check=True)
    immutable = ["debugfs", "-w", "-R", f"set_inode_field {MOUNT} flags 0x80010", f"{image}?offset={MIB}"]
    subprocess.run(immutable, capture_output=True, check=True)


def fetch_kernel(folder: Path) -> Path:
    """Debian's kernel for clouds has NVMe and ext4 built in, so it needs neither modules nor an initial RAM disk."""
    depends = subprocess.run(
        ["apt-cache", "depends", "--important", "linux-image-cloud-amd64"], capture_output=True, text=True, check=True
    )
    (package,) = (line.split()[1] for line in depends.stdout.splitlines() if "Depends: linux-image-" in line)
    subprocess.run(["apt-get", "download", "-qq", "-oAPT::Sandbox::User=root", package], cwd=folder, check=True)
    (archive,) = folder.glob("*.deb")
    subprocess.run(["dpkg-deb", "--extract", archive, folder / "kernel"], check=True)
    (kernel,) = (folder / "kernel/boot").glob("vmlinuz-*")
    return kernel


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Return a blank disk."""
    disk = tmp_path / "scratch"
    resize(disk, 256)
    return disk


def resize(disk: Path, mib: int) -> None:
    with disk.open("ab") as file:
        file.truncate(mib * MIB)


def content(disk: Path) -> str:
    with disk.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def assert_takes_jobs(report: dict[str, str]) -> None:
    assert report["mount"] == report["ecs"] == report["janitor"] == "active"
    assert report["started"] == report["written"] == "yes"
    assert (report["system"], report["failed"], report["mode"]) == ("running", "", "1777")
    assert 0 < int(report["mount_since"]) < int(report["ecs_since"])


def assert_takes_no_jobs(report: dict[str, str]) -> None:
    assert (report["system"], report["failed"]) == ("degraded", "gen-infra-scratch.service")
    assert report["mount"] == report["ecs"] == "inactive"
    assert report["started"] == report["written"] == ""
    assert report["mode"] == "555"


def test_scratch_is_mounted_before_ecs_kept_over_a_reboot_and_grown(machine: Machine, scratch: Path) -> None:
    first = machine.boot(scratch)
    assert_takes_jobs(first)
    assert first["kept"] == ""
    assert first["job"] == first["job_after_it"] == first["job_kept"] == "mine"
    assert first["job_left"] == "1"

    again = machine.boot(scratch)
    assert_takes_jobs(again)
    assert again["kept"] == "reads"
    assert again["mib"] == first["mib"]

    resize(scratch, 1024)
    grown = machine.boot(scratch)
    assert_takes_jobs(grown)
    assert grown["kept"] == "reads"
    assert int(grown["mib"]) > 900 > int(again["mib"])


def test_without_the_disk_ecs_does_not_start(machine: Machine) -> None:
    report = machine.boot(None)
    assert_takes_no_jobs(report)
    assert report["prepare"] == MISSING


def test_a_foreign_disk_is_left_as_it_is_and_ecs_does_not_start(machine: Machine, scratch: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", "-L", "foreign", scratch], check=True)
    before = content(scratch)

    report = machine.boot(scratch)

    assert_takes_no_jobs(report)
    assert report["prepare"] == FOREIGN
    assert content(scratch) == before
