"""What this machine's cgroups can limit, of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen_infra.doctor.tools import runc
from gen_infra.tools import container_host


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(container_host, "CGROUPS", tmp_path)
    return tmp_path


def test_version_1_has_a_folder_for_each_controller(cgroups: Path) -> None:
    for name in ("cpu", "memory", "freezer"):
        (cgroups / name).mkdir()
    assert container_host.controllers() == container_host.offered_controllers() == {"cpu", "memory"}
    assert not container_host.limits_swap()
    (cgroups / "memory/memory.memsw.limit_in_bytes").touch()
    assert container_host.limits_swap()


def test_version_2_enables_controllers_for_the_containers(cgroups: Path) -> None:
    (cgroups / "cgroup.controllers").write_text("cpuset cpu io pids\n")
    assert container_host.offered_controllers() == {"cpu", "pids"}
    assert container_host.limits_swap()
    container_host.controllers()
    for folder in (cgroups, cgroups / container_host.CGROUP):
        assert (folder / "cgroup.subtree_control").read_text().startswith("+"), "each is written alone"


def test_version_2_without_a_place_for_containers_limits_nothing(cgroups: Path) -> None:
    (cgroups / "cgroup.controllers").write_text("cpu memory pids\n")
    (cgroups / container_host.CGROUP).write_text("in the way")
    assert container_host.controllers() == frozenset()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("memory/gen-infra/one/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"),
        ("gen-infra/one/memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 3\noom_group_kill 0\n"),
    ],
    ids=["version 1", "version 2"],
)
def test_the_kernel_counts_what_it_ended(cgroups: Path, file: str, content: str) -> None:
    assert container_host.out_of_memory_kills("/gen-infra/one") == 0
    (cgroups / file).parent.mkdir(parents=True)
    (cgroups / file).write_text(content)
    assert container_host.out_of_memory_kills("/gen-infra/one") == 3


@pytest.mark.parametrize("parent", ["memory/gen-infra", "gen-infra"])
def test_empty_cgroups_are_removed_and_no_others(cgroups: Path, parent: str) -> None:
    if not parent.startswith("memory"):
        (cgroups / "cgroup.controllers").touch()
    (cgroups / parent / "one/inside").mkdir(parents=True)
    (cgroups / "memory/system.slice").mkdir(parents=True)
    container_host.remove_unused_cgroups()
    assert not (cgroups / parent).exists()
    assert (cgroups / "memory/system.slice").is_dir()


def test_the_doctor_names_what_is_missing(cgroups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    [line] = runc({})
    assert (line.level, line.message) == (
        "ok",
        "not used without root: the embedded AWS simulates jobs (use sudo, or run as root in CI)",
    )
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(container_host, "_SYSTEM_FOLDERS", str(cgroups))
    [line] = runc({"PATH": str(cgroups)})
    assert line.level == "warning"
    assert line.message.startswith("the embedded AWS simulates jobs, because containers need ip, mkfs.ext4, mount")
    assert line.advice == "run apt-get install e2fsprogs iproute2 mount runc tini util-linux"
