"""The janitor, really run on a mounted loop device."""

from __future__ import annotations

import pytest

from tests.tools.image.scratch_host import JANITOR, TOOL, USAGE, Host, done


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
