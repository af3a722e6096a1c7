"""The doctor on FSx for Lustre: mount name, state, ports, zone, and the security groups of the instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.doctor import runner as doctor
from gen_infra.doctor.lustre import lustre
from gen_infra.doctor.network import ById, security_groups
from tests.unit.manifests import accept
from tests.unit.recorded import Account, Refusal

if TYPE_CHECKING:
    from pathlib import Path

SUBNET_ID = "subnet-0123456789abcdef0"
ID = "fs-0fedcba9876543210"
HERE = ById((SUBNET_ID,), ("sg-1",))
FOUND: dict[str, Any] = {
    "FileSystemId": ID,
    "FileSystemType": "LUSTRE",
    "Lifecycle": "AVAILABLE",
    "SubnetIds": [SUBNET_ID],
    "NetworkInterfaceIds": ["eni-0123456789abcdef0"],
    "LustreConfiguration": {"MountName": "abcdefgh"},
}
SUBNET = {"SubnetId": SUBNET_ID, "VpcId": "vpc-1", "AvailabilityZone": "us-east-1a"}


def port(low: int, high: int, source: str = "10.0.0.0/16") -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": low, "ToPort": high, "IpRanges": [{"CidrIp": source}]}


BOTH = [port(988, 988), port(1018, 1023)]


def lines(
    account: Account,
    rules: list[dict[str, Any]] = BOTH,
    subnets: tuple[dict[str, str], ...] = (SUBNET,),
    **changes: Any,
) -> list[tuple[str, str]]:
    """Return levels and words for a file system in `SUBNET`; instances run in ``subnets``."""

    def subnets_asked_for(request: dict[str, Any]) -> dict[str, Any]:
        return {"Subnets": [SUBNET] if "SubnetIds" in request else list(subnets)}

    account.answers = {
        "DescribeFileSystems": {"FileSystems": [{**FOUND, **changes}]},
        "DescribeNetworkInterfaces": {"NetworkInterfaces": [{"Groups": [{"GroupId": "sg-2"}]}]},
        "DescribeSecurityGroups": {"SecurityGroups": [{"GroupId": "sg-2", "IpPermissions": rules}]},
        "DescribeSubnets": subnets_asked_for,
    }
    found = lustre(account.clients, ID, "abcdefgh", HERE)
    return [(line.level, f"{line.message}; {line.advice}") for line in found]


def test_all_is_well(account: Account) -> None:
    assert [level for level, _ in lines(account)] == ["ok"]


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"FileSystemType": "WINDOWS"}, "wrong", "is FSx of type WINDOWS"),
        ({"Lifecycle": "DELETING"}, "wrong", "is DELETING"),
        ({"LustreConfiguration": {"MountName": "fsx"}}, "wrong", 'is "fsx", not "abcdefgh"; set mount_name: fsx'),
        ({"rules": [port(988, 988)]}, "wrong", "(sg-2) do not let clients in on TCP port 1018-1023"),
        ({"rules": []}, "wrong", "on TCP port 988 and 1018-1023"),
        ({"subnets": (SUBNET, {**SUBNET, "AvailabilityZone": "us-east-1b"})}, "warning", "use subnets of its zone"),
        ({"subnets": ({**SUBNET, "VpcId": "vpc-2"},)}, "warning", "is in vpc-1, and instances run in vpc-2"),
    ],
)
def test_what_keeps_hosts_from_mounting_it_is_named(
    changes: dict[str, Any], level: str, words: str, account: Account
) -> None:
    found = lines(account, **changes)
    assert [(each, words in text) for each, text in found if each != "ok"] == [(level, True)]


def test_one_that_does_not_exist_is_wrong(account: Account) -> None:
    account.answers = {"DescribeFileSystems": Refusal("FileSystemNotFound")}
    [line] = lustre(account.clients, ID, "abcdefgh", None)
    assert (line.level, line.message) == ("wrong", f"{ID} does not exist in us-east-1")


def test_it_is_looked_up_for_the_manifest(account: Account, tmp_path: Path) -> None:
    systems = {"work": {"fsx": ID, "mount_name": "abcdefgh"}}
    manifest = accept(tmp_path, image={"parameter": "/lab/ami"}, file_systems=systems)
    lines(account)  # the answers
    [look] = list(doctor._references(account.clients, manifest))
    assert [line.message for line in look()] == [f"{ID} as abcdefgh"]


@pytest.mark.parametrize(
    ("rules", "level"),
    [
        (BOTH, "ok"),
        ([*BOTH, port(22, 22)], "warning"),
        ([port(988, 1023)], "warning"),
        ([port(988, 988, "0.0.0.0/0")], "wrong"),
    ],
)
def test_the_instances_may_be_reached_on_its_ports_only(rules: list[dict[str, Any]], level: str) -> None:
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    group = {"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissions": rules, "IpPermissionsEgress": [https]}
    [line] = security_groups([group], ["vpc-1"], lustre=True)
    assert line.level == level
