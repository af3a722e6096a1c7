"""The doctor on images of other accounts, placement groups, capacity reservations, and security groups for EFA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.doctor import runner as doctor
from gen_infra.doctor.image import image
from gen_infra.doctor.launch import capacity_reservation, placement_groups
from gen_infra.doctor.network import efa_traffic
from tests.unit.manifests import accept
from tests.unit.recorded import Account, Refusal

if TYPE_CHECKING:
    from pathlib import Path

ID, AMI = "cr-0123456789abcdef0", "ami-0123456789abcdef0"
GROUP = "arn:aws:resource-groups:us-east-1:123456789012:group/reserved"
RESERVED = {"InstanceType": "c7i.48xlarge", "State": "active", "TotalInstanceCount": 4, "AvailableInstanceCount": 2}


@pytest.mark.parametrize(
    ("groups", "level", "words"),
    [
        ([{"GroupName": "mpi", "State": "available", "Strategy": "cluster"}], "ok", "mpi"),
        ([], "wrong", "mpi does not exist in us-east-1"),
        ([{"GroupName": "mpi", "State": "deleting", "Strategy": "cluster"}], "wrong", "mpi is deleting"),
        ([{"GroupName": "mpi", "State": "available", "Strategy": "spread"}], "warning", "has the strategy spread"),
    ],
)
def test_placement_groups(groups: list[dict[str, str]], level: str, words: str, account: Account) -> None:
    account.answers = {"DescribePlacementGroups": {"PlacementGroups": groups}}
    [line] = placement_groups(account.clients, ["mpi"])
    assert (line.level, words in line.message) == (level, True)
    assert groups or line.advice.startswith("aws ec2 create-placement-group --group-name mpi --strategy cluster")


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({}, "ok", "2 of 4 c7i.48xlarge are free"),
        ({"State": "expired"}, "wrong", "is expired: no instance starts in it"),
        ({"InstanceType": "m7i.large"}, "wrong", "is for m7i.large, which its compute environment does not use"),
        ({"AvailableInstanceCount": 0}, "warning", "has no free instance of its 4 c7i.48xlarge"),
    ],
)
def test_capacity_reservations(changes: dict[str, Any], level: str, words: str, account: Account) -> None:
    account.answers = {"DescribeCapacityReservations": {"CapacityReservations": [{**RESERVED, **changes}]}}
    [line] = capacity_reservation(account.clients, ID, ["c7i.48xlarge", "c7i.large"])
    assert (line.level, words in line.message) == (level, True)


def test_a_capacity_reservation_that_does_not_exist(account: Account) -> None:
    account.answers = {"DescribeCapacityReservations": Refusal("InvalidCapacityReservationId.NotFound", "no")}
    [line] = capacity_reservation(account.clients, ID, ["c7i.large"])
    assert (line.level, line.message) == ("wrong", f"{ID} does not exist in us-east-1")
    account.answers = {"DescribeCapacityReservations": Refusal("UnauthorizedOperation", "no")}
    [line] = capacity_reservation(account.clients, ID, ["c7i.large"])
    assert (line.level, line.message) == ("warning", "cannot check: needs ec2:DescribeCapacityReservations")


def test_a_resource_group_of_capacity_reservations(account: Account) -> None:
    member = {"ResourceArn": "arn:aws:ec2:us-east-1:123456789012:x", "ResourceType": "AWS::EC2::CapacityReservation"}
    for answer, level, words in (
        ({"ResourceIdentifiers": [member]}, "ok", f"{GROUP} has 1"),
        ({"ResourceIdentifiers": []}, "wrong", f"{GROUP} has no capacity reservation"),
        (Refusal("NotFoundException", "no"), "wrong", f"{GROUP} does not exist"),
    ):
        account.answers = {"ListGroupResources": answer}
        [line] = capacity_reservation(account.clients, GROUP, ())
        assert (line.level, line.message) == (level, words)


def within(group: str) -> dict[str, Any]:
    return {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}


@pytest.mark.parametrize(
    ("ingress", "egress", "level"),
    [
        ([within("sg-1")], [within("sg-1")], "ok"),
        ([within("sg-1")], [], "wrong"),
        ([], [within("sg-1")], "wrong"),
        ([within("sg-1")], [within("sg-2")], "wrong"),
        ([within("sg-1")], [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}], "wrong"),
        ([{**within("sg-1"), "IpProtocol": "tcp"}], [within("sg-1")], "wrong"),
    ],
)
def test_elastic_fabric_adapters_need_a_group_that_admits_itself(
    ingress: list[dict[str, Any]], egress: list[dict[str, Any]], level: str
) -> None:
    other = {"GroupId": "sg-2", "IpPermissions": [], "IpPermissionsEgress": []}
    line = efa_traffic([{"GroupId": "sg-1", "IpPermissions": ingress, "IpPermissionsEgress": egress}, other])
    assert line.level == level
    assert level == "ok" or line.advice.startswith("aws ec2 authorize-security-group-ingress --group-id sg-1 --ip-")


def test_what_the_compute_environments_are_launched_into(tmp_path: Path, account: Account) -> None:
    fast = {"type": "EC2", "max_vcpus": 768, "instance_types": ["c7i.48xlarge"], "placement_group": "mpi", "efa": True}
    reserved = {"type": "EC2", "max_vcpus": 4, "instance_types": ["c7i.large"], "capacity_reservation": ID}
    unreserved = {**reserved, "capacity_reservation": "none"}
    manifest = accept(tmp_path, compute={"spot": fast, "reserved": reserved, "unreserved": unreserved})
    found = [each.args[1:] for each in doctor.launches(account.clients, manifest)]  # type: ignore[attr-defined]
    assert found == [(["mpi"],), (ID, ["c7i.large"])]


@pytest.mark.parametrize(
    ("owner", "alias", "level"),
    [("123456789012", None, "ok"), ("591542846629", "amazon", "ok"), ("210987654321", None, "warning")],
)
def test_an_image_of_another_account_is_named(owner: str, alias: str | None, level: str, account: Account) -> None:
    found = {
        "ImageId": AMI,
        "Name": "lab",
        "State": "available",
        "Architecture": "x86_64",
        "OwnerId": owner,
        **({"ImageOwnerAlias": alias} if alias else {}),
    }
    account.answers = {"DescribeImages": {"Images": [found]}, "DescribeSnapshots": {"Snapshots": []}}
    [line] = [each for each in image(account.clients, AMI, "x86_64", {}, "123456789012") if each.subject == "image"]
    assert (line.level, "belongs to account 210987654321" in line.message) == (level, level == "warning")
