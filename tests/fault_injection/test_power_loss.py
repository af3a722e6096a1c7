"""Kill terraform, its provider and gen-infra at once while a first apply creates a network and all that stands in it.

One further apply adopts what is left and finishes. Each moment has its own account and is its own class, so that they
run in parallel.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.session import site_in
from tests.fault_injection.interruption import OWN_NETWORK, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.emulator import Emulator
    from tests.emulator.session import Session


FILES = "file_systems: {refs: {efs: create}}\n"


class Moment:
    """A call that AWS carries out when everything is killed."""

    action = ""
    after = 0
    manifest = OWN_NETWORK

    @pytest.fixture
    def site(self, session: Session, account: Emulator, tmp_path: Path) -> Iterator[Site]:
        with site_in(session, tmp_path, account, "small") as prepared:
            yield Site(prepared, self.manifest)

    def test_one_further_apply_finishes(self, site: Site) -> None:
        site.kill_at(self.action, "everything", after=self.after)
        answer = site.finish_with_answer()
        assert answer["adopted"], "the run had not reached this call"
        assert answer["strays"] == []
        assert_nothing_twice(site)


class TestKey(Moment):
    action = "CreateKey"


class TestRole(Moment):
    action = "CreateRole"


class TestRoleOfAnInstanceProfile(Moment):
    action = "AddRoleToInstanceProfile"


class TestVpc(Moment):
    action = "CreateVpc"


class TestSubnet(Moment):
    action = "CreateSubnet"
    after = 1


class TestDefaultRuleOfASecurityGroup(Moment):
    action = "RevokeSecurityGroupEgress"


class TestEndpoint(Moment):
    action = "CreateVpcEndpoint"


class TestRouteTableAssociation(Moment):
    action = "AssociateRouteTable"


class TestElasticIp(Moment):
    action = "AllocateAddress"


class TestNatGateway(Moment):
    action = "CreateNatGateway"


class TestRoute(Moment):
    action = "CreateRoute"
    after = 1  # that of a private subnet, to the NAT gateway


class TestLaunchTemplate(Moment):
    action = "CreateLaunchTemplate"


class TestComputeEnvironment(Moment):
    action = "CreateComputeEnvironment"


class TestMountTarget(Moment):
    """An access point that is made beside it is adopted too."""

    action = "CreateMountTarget"
    after = 1
    manifest = f"{OWN_NETWORK}{FILES}"


def assert_nothing_twice(site: Site) -> None:
    """Assert that all that bears the environment's name is in the state, and exists once for each address."""
    kept = json.dumps(site.state())
    names = []
    for id_, name in ids_and_names(site.aws):
        assert id_ in kept, name
        names.append(name)
    assert sorted(set(names)) == sorted(names)
    (group,) = (id_ for id_, name in ids_and_names(site.aws) if name == "security group batch-small/instances")
    rules = site.aws.client("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    for rule in rules["SecurityGroupRules"]:
        assert rule["SecurityGroupRuleId"] in kept, rule


def ids_and_names(aws: Emulator) -> Iterator[tuple[str, str]]:
    """Yield what a run may create twice or leave, by what AWS calls it."""
    ec2, kms = aws.client("ec2"), aws.client("kms")
    listed: list[tuple[str, str, Any]] = [
        ("VPC", "VpcId", ec2.describe_vpcs()["Vpcs"]),
        ("subnet", "SubnetId", ec2.describe_subnets()["Subnets"]),
        ("route table", "RouteTableId", ec2.describe_route_tables()["RouteTables"]),
        ("gateway", "InternetGatewayId", ec2.describe_internet_gateways()["InternetGateways"]),
        ("address", "AllocationId", ec2.describe_addresses()["Addresses"]),
        ("NAT gateway", "NatGatewayId", ec2.describe_nat_gateways()["NatGateways"]),
        ("endpoint", "VpcEndpointId", ec2.describe_vpc_endpoints()["VpcEndpoints"]),
        ("security group", "GroupId", ec2.describe_security_groups()["SecurityGroups"]),
        ("flow log", "FlowLogId", ec2.describe_flow_logs()["FlowLogs"]),
    ]
    for kind, id_, resources in listed:
        for resource in resources:
            name = next((tag["Value"] for tag in resource.get("Tags", ()) if tag["Key"] == "Name"), "")
            if name.startswith("batch-small"):
                yield resource[id_], f"{kind} {name}"
    efs = aws.client("efs")
    for system in efs.describe_file_systems()["FileSystems"]:
        yield system["FileSystemId"], f"file system {system['Name']}"
        for point in efs.describe_access_points(FileSystemId=system["FileSystemId"])["AccessPoints"]:
            yield point["AccessPointId"], f"access point {point['Name']}"
        for target in efs.describe_mount_targets(FileSystemId=system["FileSystemId"])["MountTargets"]:
            yield target["MountTargetId"], f"mount target in {target['SubnetId']}"
    for template in ec2.describe_launch_templates()["LaunchTemplates"]:
        yield template["LaunchTemplateId"], template["LaunchTemplateName"][:-26]
    for key in kms.list_keys()["Keys"]:
        described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if described["Description"].endswith(" batch-small"):
            yield key["KeyId"], described["Description"]
