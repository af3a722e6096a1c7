"""The OCI runtime configuration of a container."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gen_infra.emulator.containers.devices import UnknownDeviceError
from gen_infra.emulator.containers.spec import (
    INIT,
    MIB,
    PROCESSES,
    ContainerPlace,
    NoCommandError,
    arguments,
    runtime_config,
)
from gen_infra.emulator.containers.users import ProcessUser

ALL = frozenset({"cpu", "memory", "pids"})


def place(**changes: Any) -> ContainerPlace:
    given: dict[str, Any] = {
        "root": Path("/root"),
        "hostname": "ip-10-0-0-2",
        "cgroup": "/gen-infra/0123",
        "user": ProcessUser(0, 0),
        "variables": {},
        "volumes": {"data": Path("/folder/host/data")},
        "controllers": ALL,
    }
    return ContainerPlace(**given | changes)


def config(container: dict[str, Any], image: dict[str, Any] | None = None, **changes: Any) -> Any:
    return runtime_config({"command": ["true"]} | container, image or {}, place(**changes))


def sizes(vcpus: str, memory: str) -> dict[str, Any]:
    return {"resourceRequirements": [{"type": "VCPU", "value": vcpus}, {"type": "MEMORY", "value": memory}]}


@pytest.mark.parametrize(
    ("command", "entry_point", "image_command", "expected"),
    [
        ([], None, ["sh"], ["sh"]),
        (["ls"], None, ["sh"], ["ls"]),
        ([], ["run"], ["--help"], ["run", "--help"]),
        (["--in", "x"], ["run"], ["--help"], ["run", "--in", "x"]),
    ],
)
def test_a_command_replaces_that_of_the_image_and_not_its_entry_point(
    command: list[str], entry_point: list[str] | None, image_command: list[str], expected: list[str]
) -> None:
    assert arguments({"command": command}, {"Entrypoint": entry_point, "Cmd": image_command}) == expected


def test_a_container_without_a_command_is_refused() -> None:
    with pytest.raises(NoCommandError):
        arguments({}, {})


def test_variables_of_the_job_replace_those_of_the_image() -> None:
    image = {"Env": ["PATH=/opt/bin", "STAGE=image", "KEPT=a=b"]}
    env = config({}, image, variables={"STAGE": "job"}, user=ProcessUser(5, 5, (), "/home/x"))["process"]["env"]
    assert env == ["PATH=/opt/bin", "HOME=/home/x", "STAGE=job", "KEPT=a=b", "HOSTNAME=ip-10-0-0-2"]


def test_resources_are_shares_of_vcpus_and_limits_of_memory_and_processes() -> None:
    resources = config(sizes("4", "8000"))["linux"]["resources"]
    assert resources["cpu"] == {"shares": 4096}
    assert resources["memory"] == {"limit": 8000 * MIB, "swap": 8000 * MIB}
    assert resources["pids"] == {"limit": PROCESSES}


def test_fargate_limits_vcpus() -> None:
    resources = config(sizes("0.25", "512"), fargate=True)["linux"]["resources"]
    assert resources["cpu"] == {"shares": 256, "period": 100_000, "quota": 25_000}


def test_swap_is_added_to_memory() -> None:
    resources = config(sizes("1", "100") | {"linuxParameters": {"maxSwap": 50}})["linux"]["resources"]
    assert resources["memory"] == {"limit": 100 * MIB, "swap": 150 * MIB}
    unlimited = config(sizes("1", "100"), limits_swap=False)["linux"]["resources"]
    assert unlimited["memory"] == {"limit": 100 * MIB}


@pytest.mark.parametrize("absent", sorted(ALL))
def test_a_limit_that_the_machine_cannot_set_is_left_out(absent: str) -> None:
    resources = config(sizes("1", "100"), controllers=ALL - {absent})["linux"]["resources"]
    assert set(resources) == {"devices", *(ALL - {absent})}


def test_a_privileged_container_has_the_rights_of_any_other() -> None:
    assert config({"privileged": True}) == config({})
    capabilities = config({})["process"]["capabilities"]
    assert {"CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO"}.isdisjoint(capabilities["bounding"])
    assert config({}, user=ProcessUser(1, 1))["process"]["capabilities"]["effective"] == []


def test_mounts_lead_to_the_folders_of_volumes_and_not_to_paths_of_the_job() -> None:
    points = [{"sourceVolume": "data", "containerPath": "/data", "readOnly": True}]
    mounts = {each["destination"]: each for each in config({"mountPoints": points})["mounts"]}
    assert mounts["/data"]["source"] == "/folder/host/data"
    assert "ro" in mounts["/data"]["options"]
    assert not any(each["type"] == "bind" for target, each in mounts.items() if target != "/data")


def test_init_ulimits_tmpfs_and_shared_memory() -> None:
    linux = {
        "initProcessEnabled": True,
        "sharedMemorySize": 256,
        "tmpfs": [{"containerPath": "/small", "size": 10, "mountOptions": ["mode=1777"]}],
    }
    ulimits = [{"name": "memlock", "softLimit": -1, "hardLimit": -1}]
    found = config({"linuxParameters": linux, "ulimits": ulimits}, most_open_files=1000)
    assert found["process"]["args"] == [INIT, "--", "true"]
    unlimited = {"type": "RLIMIT_MEMLOCK", "soft": 2**64 - 1, "hard": 2**64 - 1}
    assert found["process"]["rlimits"] == [{"type": "RLIMIT_NOFILE", "soft": 1000, "hard": 1000}, unlimited]
    options = {each["destination"]: each["options"] for each in found["mounts"]}
    assert "size=256m" in options["/dev/shm"]  # noqa: S108 - of the container
    assert {"size=10m", "mode=1777"} <= set(options["/small"])


def test_a_device_has_its_node_and_its_permissions() -> None:
    device = {"hostPath": "/dev/fuse", "permissions": ["READ", "WRITE"]}
    found = config({"linuxParameters": {"devices": [device]}})["linux"]
    [node] = found["devices"]
    assert (node["path"], node["major"], node["minor"]) == ("/dev/fuse", 10, 229)
    assert found["resources"]["devices"] == [
        {"allow": False, "access": "rwm"},
        {"allow": True, "access": "rw", "type": "c", "major": 10, "minor": 229},
    ]


@pytest.mark.parametrize("path", ["/dev/sda", "/dev/mem", "/dev/kvm", "/dev/../dev/sda", "null"])
def test_other_devices_of_this_machine_are_unknown(path: str) -> None:
    with pytest.raises(UnknownDeviceError, match="no such file or directory"):
        config({"linuxParameters": {"devices": [{"hostPath": path}]}})
