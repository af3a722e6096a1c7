"""The doctor on networks and buckets, each as it must be and broken."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.aws import session
from gen_infra.doctor import buckets as doctor_buckets
from gen_infra.doctor.network import ById, ByTag, network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.aws.session import Clients
    from gen_infra.doctor.diagnosis import Diagnosis
    from gen_infra.emulator import Emulator

BLOCKS = itertools.count(1)
EVERYWHERE = "0.0.0.0/0"
SERVICES = ("ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs")


@pytest.fixture(scope="module")
def clients(aws: Emulator) -> Iterator[Clients]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environ.items():
            patch.setenv(name, value)
        yield session.clients("us-east-1")


@dataclass
class Site:
    """A VPC with a route table for its private subnets, which at first leads nowhere."""

    clients: Clients
    vpc: str = ""
    table: str = ""
    group: str = ""
    subnets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        ec2, self.number = self.clients.ec2, next(BLOCKS)
        self.vpc = ec2.create_vpc(CidrBlock=f"10.{self.number}.0.0/16")["Vpc"]["VpcId"]
        self.table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        made = ec2.create_security_group(GroupName="workers", Description="out only", VpcId=self.vpc)
        self.group = made["GroupId"]

    def subnet(self, zone: str = "us-east-1a", bits: int = 24) -> str:
        block = f"10.{self.number}.{len(self.subnets)}.0/{bits}"
        made = self.clients.ec2.create_subnet(VpcId=self.vpc, AvailabilityZone=zone, CidrBlock=block)["Subnet"]
        self.clients.ec2.associate_route_table(RouteTableId=self.table, SubnetId=made["SubnetId"])
        self.subnets.append(made["SubnetId"])
        return made["SubnetId"]

    def nat(self) -> str:
        """Return a default route to a NAT gateway."""
        made = self.clients.ec2.create_nat_gateway(SubnetId=self.subnets[0], ConnectivityType="private")
        nat = made["NatGateway"]["NatGatewayId"]
        self.clients.ec2.create_route(RouteTableId=self.table, DestinationCidrBlock=EVERYWHERE, NatGatewayId=nat)
        return nat

    def internet_gateway(self) -> None:
        gateway = self.clients.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.clients.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        self.clients.ec2.create_route(RouteTableId=self.table, DestinationCidrBlock=EVERYWHERE, GatewayId=gateway)

    def endpoint(self, service: str) -> None:
        name = f"com.amazonaws.us-east-1.{service}"
        if service == "s3":
            self.clients.ec2.create_vpc_endpoint(VpcId=self.vpc, ServiceName=name, RouteTableIds=[self.table])
        else:
            self.clients.ec2.create_vpc_endpoint(
                VpcId=self.vpc, ServiceName=name, VpcEndpointType="Interface", SubnetIds=self.subnets[:1]
            )

    def look(self, *, instances: int = 10) -> list[Diagnosis]:
        return network(self.clients, ById(self.subnets, [self.group]), instances)


@pytest.fixture
def site(clients: Clients) -> Site:
    """Return two subnets in two zones, out through NAT, with an S3 endpoint."""
    made = Site(clients)
    made.subnet("us-east-1a")
    made.subnet("us-east-1b")
    made.nat()
    made.endpoint("s3")
    return made


def of(lines: list[Diagnosis], subject: str, level: str) -> list[str]:
    return [line.message for line in lines if (line.subject, line.level) == (subject, level)]


def test_a_network_as_it_must_be(site: Site) -> None:
    assert {line.level for line in site.look()} == {"ok"}


def test_it_is_found_by_tag_and_the_seeded_one_is_sound(clients: Clients) -> None:
    tags = ByTag({"Name": "genomics"}, {"Tier": "private"}, {"Name": "genomics-batch"})
    lines = network(clients, tags, 256)
    assert [line for line in lines if line.level == "wrong"] == []
    assert of(lines, "subnets", "ok") == ["2 in us-east-1a, us-east-1b"]


@pytest.mark.parametrize(
    ("tags", "subject", "says"),
    [
        (ByTag({"Name": "no"}, {"Tier": "private"}, {"Name": "genomics-batch"}), "network", "Name=no; found none"),
        (ByTag({"Name": "genomics"}, {"Tier": "no"}, {"Name": "genomics-batch"}), "subnets", "Tier=no"),
        (ByTag({"Name": "genomics"}, {"Tier": "private"}, {"Name": "no"}), "security groups", "Name=no"),
    ],
)
def test_tags_that_nothing_has_are_wrong(clients: Clients, tags: ByTag, subject: str, says: str) -> None:
    [message] = of(network(clients, tags, 1), subject, "wrong")
    assert says in message


def test_ids_that_do_not_exist_are_wrong(site: Site) -> None:
    wanted = ById([*site.subnets, "subnet-0123456789abcdef0"], [site.group, "sg-0123456789abcdef0"])
    lines = network(site.clients, wanted, 1)
    assert of(lines, "subnets", "wrong") == ["subnet-0123456789abcdef0 does not exist in us-east-1"]
    assert of(lines, "security groups", "wrong") == ["sg-0123456789abcdef0 does not exist in us-east-1"]


def test_one_zone_is_a_warning(clients: Clients) -> None:
    site = Site(clients)
    site.subnet("us-east-1a")
    site.subnet("us-east-1a")
    assert "all are in us-east-1a" in of(site.look(), "subnets", "warning")[0]


def test_two_vpcs_are_wrong(site: Site, clients: Clients) -> None:
    other = Site(clients)
    lines = network(clients, ById([*site.subnets, other.subnet()], [site.group]), 1)
    assert "they are in 2 VPCs" in of(lines, "subnets", "wrong")[0]


def test_fewer_free_addresses_than_instances_are_a_warning(clients: Clients) -> None:
    site = Site(clients)
    site.subnet("us-east-1a", bits=28)
    assert "11 are free, but 12 instances" in of(site.look(instances=12), "addresses", "warning")[0]
    assert of(site.look(instances=11), "addresses", "ok")


def test_no_free_address_is_wrong(clients: Clients) -> None:
    site = Site(clients)
    subnet = site.subnet("us-east-1a", bits=28)
    for _ in range(11):
        clients.ec2.create_network_interface(SubnetId=subnet)
    assert of(site.look(), "addresses", "wrong") == ["the subnets have no free address"]


class TestRoutes:
    def test_no_route_is_wrong_and_names_what_cannot_be_reached(self, clients: Clients) -> None:
        site = Site(clients)
        site.subnet()
        [message] = of(site.look(), "routes", "wrong")
        assert ", ".join((*SERVICES, "s3")) in message

    def test_endpoints_alone_are_enough_and_each_one_is_needed(self, clients: Clients) -> None:
        site = Site(clients)
        site.subnet()
        for service in (*SERVICES[1:], "s3"):
            site.endpoint(service)
        assert "cannot reach ecr.api:" in of(site.look(), "routes", "wrong")[0]
        site.endpoint("ecr.api")
        assert "through VPC endpoints" in of(site.look(), "routes", "ok")[0]

    def test_a_gateway_endpoint_serves_the_route_tables_it_is_tied_to(self, site: Site) -> None:
        other = site.clients.ec2.create_route_table(VpcId=site.vpc)["RouteTable"]["RouteTableId"]
        [endpoint] = site.clients.ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [site.vpc]}])[
            "VpcEndpoints"
        ]
        site.clients.ec2.modify_vpc_endpoint(
            VpcEndpointId=endpoint["VpcEndpointId"], AddRouteTableIds=[other], RemoveRouteTableIds=[site.table]
        )
        assert "costs money" in of(site.look(), "routes", "warning")[0]

    def test_s3_through_nat_is_a_warning(self, clients: Clients) -> None:
        site = Site(clients)
        site.subnet()
        nat = site.nat()
        assert nat in of(site.look(), "routes", "warning")[0]

    def test_a_public_subnet_without_public_addresses_is_wrong(self, clients: Clients) -> None:
        site = Site(clients)
        subnet = site.subnet()
        site.internet_gateway()
        assert "no public address" in of(site.look(), "routes", "wrong")[0]
        clients.ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        assert f"{subnet} is public" in of(site.look(), "routes", "warning")[0]

    def test_a_subnet_without_a_table_of_its_own_uses_the_main_one(self, clients: Clients) -> None:
        site = Site(clients)
        made = clients.ec2.create_subnet(VpcId=site.vpc, CidrBlock=f"10.{site.number}.9.0/24")["Subnet"]
        lines = network(clients, ById([made["SubnetId"]], [site.group]), 1)
        assert "cannot reach ecr.api" in of(lines, "routes", "wrong")[0]


class TestSecurityGroups:
    def allow(self, site: Site, **other_side: Any) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22} | other_side
        site.clients.ec2.authorize_security_group_ingress(GroupId=site.group, IpPermissions=[rule])  # type: ignore[list-item]

    def test_members_of_the_group_may_connect_to_each_other(self, site: Site) -> None:
        self.allow(site, UserIdGroupPairs=[{"GroupId": site.group}])
        assert of(site.look(), "security groups", "ok")

    def test_ingress_is_a_warning(self, site: Site) -> None:
        self.allow(site, IpRanges=[{"CidrIp": "10.0.0.0/8"}])
        assert "has ingress rules" in of(site.look(), "security groups", "warning")[0]

    def test_ingress_from_everywhere_is_wrong(self, site: Site) -> None:
        self.allow(site, Ipv6Ranges=[{"CidrIpv6": "::/0"}])
        assert "allows ingress from the whole internet" in of(site.look(), "security groups", "wrong")[0]

    def test_without_https_out_nothing_works(self, site: Site) -> None:
        ec2 = site.clients.ec2
        everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": EVERYWHERE}]}
        ec2.revoke_security_group_egress(GroupId=site.group, IpPermissions=[everything])  # type: ignore[list-item]
        for port, level in ((80, "wrong"), (443, "ok")):
            rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": EVERYWHERE}]}
            ec2.authorize_security_group_egress(GroupId=site.group, IpPermissions=[rule])  # type: ignore[list-item]
            assert site.look()[-1].level == level

    def test_a_group_of_another_vpc_is_wrong(self, site: Site, clients: Clients) -> None:
        lines = network(clients, ById(site.subnets, [Site(clients).group]), 1)
        assert f"the subnets to {site.vpc}" in of(lines, "security groups", "wrong")[0]


PRIVATE: Any = dict.fromkeys(
    ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
)
BOOTSTRAP = "gen-infra bootstrap envs/prod.yaml"


class TestBuckets:
    def bucket(self, clients: Clients, name: str, *, private: bool = True, region: Any = None) -> str:
        placement: Any = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region else {}
        clients.s3.create_bucket(Bucket=name, **placement)
        if private:
            clients.s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=PRIVATE)
        return name

    def opened(self, clients: Clients, name: str) -> str:
        self.bucket(clients, name, private=False)
        clients.s3.put_bucket_acl(Bucket=name, ACL="public-read")
        return name

    def test_a_private_bucket(self, clients: Clients) -> None:
        [line] = doctor_buckets.bucket(clients, self.bucket(clients, "doctor-private"))
        assert line.level == "ok"

    def test_one_that_does_not_exist(self, clients: Clients) -> None:
        [line] = doctor_buckets.bucket(clients, "doctor-nowhere")
        assert (line.level, line.message) == ("wrong", "doctor-nowhere does not exist")

    def test_one_that_could_become_public(self, clients: Clients) -> None:
        [line] = doctor_buckets.bucket(clients, self.bucket(clients, "doctor-open", private=False))
        assert line.level == "warning"
        assert line.advice.startswith("aws s3api put-public-access-block --bucket doctor-open")

    def test_one_that_is_public_by_its_list_or_by_its_policy(self, clients: Clients) -> None:
        by_list, by_policy = self.opened(clients, "doctor-list"), self.bucket(clients, "doctor-policy", private=False)
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{by_policy}/*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        clients.s3.put_bucket_policy(Bucket=by_policy, Policy=policy)
        for name in (by_list, by_policy):
            [line] = doctor_buckets.bucket(clients, name)
            assert (line.level, line.message) == ("wrong", f"{name} is public")

    def test_one_in_another_region(self, clients: Clients) -> None:
        [line] = doctor_buckets.bucket(clients, self.bucket(clients, "doctor-far", region="eu-west-1"))
        assert (line.level, "is in eu-west-1" in line.message) == ("warning", True)

    def test_the_source_of_an_image_is_pinned_by_versions_only(self, clients: Clients) -> None:
        name = self.bucket(clients, "doctor-source")
        [line] = doctor_buckets.source_bucket(clients, name, pinned_image=True)
        assert (line.level, "keeps no versions" in line.message) == ("wrong", True)
        assert line.advice.startswith(f"aws s3api put-bucket-versioning --bucket {name}")
        settings: list[tuple[Any, str]] = [({"Status": "Enabled"}, "ok"), ({"Status": "Suspended"}, "wrong")]
        for versioning, level in settings:
            clients.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
            assert [line.level for line in doctor_buckets.source_bucket(clients, name, pinned_image=True)] == [level]
        assert doctor_buckets.source_bucket(clients, "doctor-nowhere", pinned_image=True) == []

    @pytest.mark.parametrize(
        ("pinned", "says"),
        [
            (True, "in an image that is pinned by digest"),
            (False, "in CodeBuild's own image, which is not pinned; `image.rebuild.codebuild_image` pins one"),
        ],
    )
    def test_it_says_whether_the_image_of_the_build_is_pinned(self, clients: Clients, pinned: bool, says: str) -> None:
        name = self.bucket(clients, f"doctor-build-{pinned}".lower())
        clients.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        [line] = doctor_buckets.source_bucket(clients, name, pinned_image=pinned)
        assert (line.level, line.message.endswith(says)) == ("ok", True)

    def test_the_state_bucket_as_bootstrap_leaves_it(self, clients: Clients) -> None:
        from gen_infra.aws.state_bucket import ensure_state_bucket

        ensure_state_bucket(clients, "doctor-state", "123456789012", {})
        [line] = doctor_buckets.state_bucket(clients, "doctor-state", BOOTSTRAP)
        assert line.level == "ok"

    def test_the_state_bucket_absent_public_elsewhere_or_without_versions(self, clients: Clients) -> None:
        cases = {
            "doctor-state-none": "wrong",
            self.opened(clients, "doctor-state-open"): "wrong",
            self.bucket(clients, "doctor-state-far", region="eu-west-1"): "wrong",
            self.bucket(clients, "doctor-state-plain"): "warning",
        }
        for name, level in cases.items():
            [line] = doctor_buckets.state_bucket(clients, name, BOOTSTRAP)
            assert line.level == level, line
            assert line.advice == BOOTSTRAP or "far" in name
