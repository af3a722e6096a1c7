"""The scratch tool, really run: on loop devices.

Everything that mounts runs in a mount namespace of its own, whose mounts end with it. Needs root and loop devices, and
from Debian: e2fsprogs, fdisk, mount, systemd, xfsprogs.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tools.image.scratch_host import (
    EBS,
    FOREIGN,
    IN_USE,
    INSTANCE_STORE,
    MIB,
    MISSING,
    SMALLEST_XFS_MIB,
    TOOL,
    TOOL_FAILED,
    USAGE,
    Host,
    bash,
    content,
    done,
    fstab_fields,
    probe,
    raid_member,
)

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
        "nodev",
        "nosuid",
        "nofail",
        "x-systemd.device-timeout=90s",
        "x-systemd.growfs",
        "x-systemd.requires=gen-infra-scratch.service",
    ]


def test_a_check_reports_and_writes_nothing(host: Host) -> None:
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
    "ext4": "mkfs.ext4 -q -L foreign {}",
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


def test_instance_store_is_no_ebs_volume_and_vice_versa(host: Host) -> None:
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
    """Return a host with two instance store disks, and an mdadm that notes its arguments and brings up another disk."""
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
