"""The scratch tool among other disks: whatever it says, not a byte of them changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.tools.image.scratch_host import (
    EBS,
    FOREIGN,
    IN_USE,
    INSTANCE_STORE,
    MISSING,
    SMALLEST_XFS_MIB,
    TOOL,
    Host,
    bash,
    content,
    done,
    probe,
    raid_member,
)

# How a disk looks of which little is left, or which another system wrote: bytes, and where they are.
SIGNATURES = {
    "LUKS": (0, b"LUKS\xba\xbe\x00\x01"),
    "LVM": (512, b"LABELONE"),
    "btrfs": (65600, b"_BHRfS_M"),
    "ZFS": (16384, (0x00BAB10C).to_bytes(8, "little")),
    "a boot sector": (510, b"\x55\xaa"),
    "one byte at the end of the first MiB": ((1 << 20) - 1, b"\x01"),
}


def write(device: str, offset: int, data: bytes) -> None:
    with Path(device).open("r+b") as file:
        file.seek(offset)
        file.write(data)


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_signatures_of_another_system_stay(host: Host, signature: tuple[int, bytes]) -> None:
    device = host.disk()
    host.attach("sdb", device)
    write(device, *signature)
    before = content(device)

    assert host.prepare() == FOREIGN
    assert content(device) == before


def test_a_member_of_an_array_is_left_as_it_is(host: Host) -> None:
    device = host.disk()
    host.attach("sdb", device)
    raid_member(device)
    before = content(device)

    assert host.prepare() == FOREIGN
    assert content(device) == before


@pytest.mark.parametrize("filesystem", ["ext4", "xfs"])
def test_a_foreign_file_system_keeps_its_files_and_every_byte(host: Host, filesystem: str) -> None:
    device = host.disk()
    host.attach("sdb", device)
    done(host.run(f"mkfs.{filesystem} -q {device}; mount {device} {host.mount}; echo ACGT >{host.mount}/reads"))
    before = content(device)

    assert host.prepare() == FOREIGN
    assert content(device) == before
    assert done(host.run(f"mount -o ro {device} {host.mount}; cat {host.mount}/reads")) == "ACGT\n"


def test_a_read_only_foreign_disk_is_foreign(host: Host) -> None:
    device = host.disk(read_only=True)
    backing = host.root.parent / "disk0"
    done(bash(f"mkfs.ext4 -q -F {backing}"))
    host.attach("sdb", device)
    before = content(str(backing))

    assert host.prepare() == FOREIGN
    assert content(str(backing)) == before


def test_a_disk_in_use_is_left_as_it_is(host: Host) -> None:
    device = host.disk(mib=64)
    host.attach("sdb", device)
    elsewhere = host.root / "elsewhere"
    elsewhere.mkdir()

    out = done(
        host.run(
            f"""
            mkfs.ext4 -q {device}; mount -o ro {device} {elsewhere}
            sha256sum <{device}; {TOOL} prepare || echo $?; sha256sum <{device}
            """
        )
    ).splitlines()

    assert out == [out[0], str(IN_USE), out[0]]


def test_of_several_volumes_only_the_mapped_one_is_formatted(host: Host) -> None:
    root, data, scratch, blank = (host.disk(mib=16), host.disk(mib=16), host.disk(), host.disk())
    done(bash(f"mkfs.ext4 -q {root}; mkfs.ext4 -q {data}"))
    for number, device in enumerate((root, data, scratch, blank)):
        host.attach(f"nvme{number}n1", device, EBS)
    host.command("ebsnvme-id", "case $2 in */nvme2n1) echo sdb ;; */nvme0n1) echo xvda ;; *) echo sdf ;; esac")
    before = [content(device) for device in (root, data, blank)]

    assert host.prepare() == 0

    assert probe(scratch)["TYPE"] == "xfs"
    assert [content(device) for device in (root, data, blank)] == before


def test_a_blank_volume_under_another_name_is_not_taken_for_scratch(host: Host) -> None:
    device = host.disk()
    host.attach("nvme1n1", device, EBS)
    host.command("ebsnvme-id", "echo sdf")
    before = content(device)

    assert host.prepare() == MISSING
    assert content(device) == before


def test_a_foreign_instance_store_disk_among_blank_ones_is_left_as_it_is(host: Host) -> None:
    assert shutil.which("mdadm"), "mdadm is not installed: apt-get install mdadm"
    host.set(SCRATCH_CARRIER="instance_store")
    disks = [host.disk(mib=16) for _ in range(3)]
    for number, device in enumerate(disks):
        host.attach(f"nvme{number}n1", device, INSTANCE_STORE)
    write(disks[2], 1000, b"ACGT")
    before = [content(device) for device in disks]

    assert host.prepare() == FOREIGN
    assert [content(device) for device in disks] == before


def test_a_disk_that_is_too_small_for_its_file_system_is_reported_and_not_mounted(host: Host) -> None:
    device = host.disk(mib=SMALLEST_XFS_MIB // 16)
    host.attach("sdb", device)

    result = host.run(f"exec {TOOL} prepare")

    assert result.returncode == 13
    assert "mkfs.xfs failed" in result.stderr
