"""Create the resources that the emulator's account has from the start: those that envs/prod and envs/dev refer to.

Identifiers (``vpc-…``, ``subnet-…``, ``ami-…``) are different at every start; find them by tag, as in a real account.
"""

from __future__ import annotations

from typing import Any

import boto3

from gen_infra.aws.images import DATA_TYPE
from gen_infra.emulator import REGION
from gen_infra.emulator.administrator import CREDENTIALS

BUCKETS = ("aws-batch-genomics-resources", "genomics-results-123456789012")
IMAGE_PARAMETERS = ("/gen-infra/prod/ami", "/gen-infra/dev/ami")
SERVICES_WITH_LINKED_ROLES = (
    "autoscaling.amazonaws.com",
    "batch.amazonaws.com",
    "ecs.amazonaws.com",
    "spot.amazonaws.com",
)
PRIVATE = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
PRIVATE_SUBNETS = {"a": "10.42.16.0/20", "b": "10.42.32.0/20"}


def populate(endpoint: str) -> None:
    """Create all resources through the same API that clients use."""
    session: Any = boto3.Session(*CREDENTIALS, region_name=REGION)

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint)

    ec2 = client("ec2")
    network(ec2, REGION)
    image = machine_image(ec2, REGION)
    ssm = client("ssm")
    for name in IMAGE_PARAMETERS:
        ssm.put_parameter(Name=name, Type="String", DataType=DATA_TYPE, Value=image)
    s3 = client("s3")
    for bucket in BUCKETS:
        s3.create_bucket(Bucket=bucket)
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=PRIVATE)
    iam = client("iam")
    for service in SERVICES_WITH_LINKED_ROLES:
        iam.create_service_linked_role(AWSServiceName=service)


def network(ec2: Any, region: str) -> None:
    """Create a VPC ``genomics``: two private subnets with a NAT gateway, and a security group without ingress."""
    vpc = ec2.create_vpc(CidrBlock="10.42.0.0/16", TagSpecifications=_named("vpc", "genomics"))["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    gateway = ec2.create_internet_gateway(TagSpecifications=_named("internet-gateway", "genomics"))
    gateway_id = gateway["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc)
    public = _subnet(ec2, vpc, f"{region}a", "10.42.0.0/20", tier="public")
    _route_all(ec2, vpc, [public], name="genomics-public", GatewayId=gateway_id)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
    private = [_subnet(ec2, vpc, region + zone, block, tier="private") for zone, block in PRIVATE_SUBNETS.items()]
    _route_all(ec2, vpc, private, name="genomics-private", NatGatewayId=nat)
    ec2.create_security_group(
        GroupName="genomics-batch",
        Description="Batch instances: egress only",
        VpcId=vpc,
        TagSpecifications=_named("security-group", "genomics-batch"),
    )


def machine_image(ec2: Any, region: str) -> str:
    """Register a worker image like one that the Packer template builds, and return its id."""
    image: str = ec2.register_image(
        Name="genomics-worker-1",
        Description="ECS-optimized Amazon Linux 2023 with encrypted scratch",
        Architecture="x86_64",
        RootDeviceName="/dev/xvda",
        VirtualizationType="hvm",
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": _encrypted_snapshot(ec2, region)}}],
    )["ImageId"]
    ec2.create_tags(Resources=[image], Tags=[{"Key": "Name", "Value": "genomics-worker"}])
    return image


def _encrypted_snapshot(ec2: Any, region: str) -> str:
    volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=30, Encrypted=True)["VolumeId"]
    snapshot: str = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.delete_volume(VolumeId=volume)
    return snapshot


def _subnet(ec2: Any, vpc: str, zone: str, block: str, *, tier: str) -> str:
    subnet: str = ec2.create_subnet(
        VpcId=vpc,
        AvailabilityZone=zone,
        CidrBlock=block,
        TagSpecifications=_named("subnet", f"genomics-{tier}-{zone}", Tier=tier),
    )["Subnet"]["SubnetId"]
    return subnet


def _route_all(ec2: Any, vpc: str, subnets: list[str], *, name: str, **target: str) -> None:
    table = ec2.create_route_table(VpcId=vpc, TagSpecifications=_named("route-table", name))
    table_id = table["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table_id, DestinationCidrBlock="0.0.0.0/0", **target)
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table_id, SubnetId=subnet)


def _named(resource: str, name: str, **tags: str) -> list[dict[str, Any]]:
    pairs = [{"Key": key, "Value": value} for key, value in ({"Name": name} | tags).items()]
    return [{"ResourceType": resource, "Tags": pairs}]
