"""A created network: each route out is applied, planned without a change and removed, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.emulator.session import site_in
from tests.emulator.stack import Stack, assert_settled, changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.emulator import Emulator
    from tests.emulator.session import Session

NAME = "ways"
CIDR = "10.50.0.0/20"
ZONES = ("us-east-1a", "us-east-1b")


@pytest.fixture(scope="module")
def ways(session: Session, aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    manifest = {
        "name": NAME,
        "account": "123456789012",
        "region": "us-east-1",
        "state": "local",
        "network": {"create": {"cidr": CIDR, "nat": "one"}},
        "compute": {"spot": {"max_vcpus": 64}},
        "queues": {"main": {"priority": 1, "compute": ["spot"]}},
    }
    with site_in(session, tmp_path_factory.mktemp(NAME), aws, NAME) as site:
        made = Stack(NAME, site)
        made.manifest.write_text(yaml.safe_dump(manifest))
        yield made


def go_out(made: Stack, **way: Any) -> None:
    """Choose a way out and apply it; nothing is left to do then."""
    made.change(f"{NAME}.yaml", "network", "create", to={"cidr": CIDR, **way})
    applied = made.build("apply", "--yes", "--allow", "stop-jobs")
    assert applied.returncode == 0, applied.stderr
    assert_settled(made)


class TestWaysOut:
    """In this order, on one environment."""

    def test_one_nat_gateway(self, ways: Stack) -> None:
        go_out(ways, nat="one")
        assert public_subnets(ways) == ["batch-ways/public/us-east-1a"]
        assert set(ways_out(ways)) == {"batch-ways/nat/us-east-1a"}

    def test_the_instances_are_in_private_subnets_and_nothing_comes_in(self, ways: Stack) -> None:
        ec2 = ways.aws.client("ec2")
        (environment,) = [
            found
            for found in ways.batch().describe_compute_environments()["computeEnvironments"]
            if found["computeEnvironmentName"].startswith(f"spot-{NAME}-")
        ]
        resources = environment["computeResources"]
        subnets = ec2.describe_subnets(SubnetIds=resources["subnets"])["Subnets"]
        assert sorted(map(name_of, subnets)) == [f"batch-ways/private/{zone}" for zone in ZONES]
        assert [subnet["MapPublicIpOnLaunch"] for subnet in subnets] == [False, False]
        (group,) = ec2.describe_security_groups(GroupIds=resources["securityGroupIds"])["SecurityGroups"]
        assert group["IpPermissions"] == []
        assert {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in group["IpPermissionsEgress"]} == {
            ("tcp", 443, 443)
        }
        in_vpc = [{"Name": "vpc-id", "Values": [group["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
        (default,) = ec2.describe_security_groups(Filters=in_vpc)["SecurityGroups"]
        assert default["IpPermissions"] == default["IpPermissionsEgress"] == []

    def test_one_per_zone_leaves_the_compute_environment_alone(self, ways: Stack) -> None:
        ways.change(f"{NAME}.yaml", "network", "create", "nat", to="per-zone")
        touched = changes(ways.built("plan"))
        assert touched['module.network.aws_route.private["us-east-1b"]'] == ("update", False)
        assert {address.partition(".aws_")[0] for address in touched} == {"module.network"}
        go_out(ways, nat="per-zone")
        assert set(ways_out(ways)) == {f"batch-ways/nat/{zone}" for zone in ZONES}

    def test_endpoints_alone_leave_nothing_public(self, ways: Stack) -> None:
        go_out(ways, endpoints=True)
        assert public_subnets(ways) == []
        assert ways_out(ways) == []
        found = ways.aws.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
        assert sorted(name_of(endpoint).partition("/")[2] for endpoint in found if is_ours(endpoint)) == [
            *("ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs", "s3", "ssm", "ssmmessages")
        ]

    def test_check_passes_with_the_plan(self, ways: Stack) -> None:
        report = ways.built("check")
        results = {check["name"]: check["result"] for check in report["checks"]}
        assert results.pop("packer validate") in {"passed", "not run"}
        assert set(results.values()) == {"passed"}, report

    def test_destroy_leaves_nothing(self, ways: Stack) -> None:
        destroyed = ways.build("destroy", "--yes")
        assert destroyed.returncode == 0, destroyed.stderr
        ec2 = ways.aws.client("ec2")
        found = [
            *ec2.describe_addresses()["Addresses"],
            *ec2.describe_flow_logs()["FlowLogs"],
            *ec2.describe_internet_gateways()["InternetGateways"],
            *ec2.describe_route_tables()["RouteTables"],
            *ec2.describe_security_groups()["SecurityGroups"],
            *ec2.describe_subnets()["Subnets"],
            *ec2.describe_vpcs()["Vpcs"],
        ]
        assert [name_of(resource) for resource in found if is_ours(resource)] == []
        # EC2 lists these for some time after their deletion.
        lingering = [*ec2.describe_nat_gateways()["NatGateways"], *ec2.describe_vpc_endpoints()["VpcEndpoints"]]
        assert {resource["State"] for resource in lingering if is_ours(resource)} <= {"deleted"}


def public_subnets(made: Stack) -> list[str]:
    """Return the subnets with a route to an internet gateway, by name."""
    ec2 = made.aws.client("ec2")
    tables = [table for table in ec2.describe_route_tables()["RouteTables"] if is_ours(table)]
    public = [
        association["SubnetId"]
        for table in tables
        if any(route.get("GatewayId", "").startswith("igw-") for route in table["Routes"])
        for association in table["Associations"]
    ]
    return sorted(map(name_of, ec2.describe_subnets(SubnetIds=public)["Subnets"])) if public else []


def ways_out(made: Stack) -> list[str]:
    """Return the NAT gateways that the private subnets' routes lead to, by name."""
    ec2 = made.aws.client("ec2")
    gateways = {gateway["NatGatewayId"]: gateway for gateway in ec2.describe_nat_gateways()["NatGateways"]}
    return [
        name_of(gateways[route["NatGatewayId"]])
        for table in ec2.describe_route_tables()["RouteTables"]
        if is_ours(table)
        for route in table["Routes"]
        if "NatGatewayId" in route
    ]


def is_ours(resource: dict[str, Any]) -> bool:
    return name_of(resource).startswith(f"batch-{NAME}")


def name_of(resource: dict[str, Any]) -> str:
    return next((tag["Value"] for tag in resource.get("Tags", []) if tag["Key"] == "Name"), "")
