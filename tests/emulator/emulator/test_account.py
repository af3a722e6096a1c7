from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gen_infra.emulator import Emulator


def tagged(key: str, value: str) -> dict[str, Any]:
    return {"Name": f"tag:{key}", "Values": [value]}


@pytest.fixture
def vpc(aws: Emulator) -> str:
    [found] = aws.client("ec2").describe_vpcs(Filters=[tagged("Name", "genomics")])["Vpcs"]
    return str(found["VpcId"])


def test_there_is_a_default_vpc(aws: Emulator) -> None:
    assert [each["IsDefault"] for each in aws.client("ec2").describe_vpcs()["Vpcs"]].count(True) == 1


def test_private_subnets_are_in_two_zones_and_have_a_nat_gateway(aws: Emulator, vpc: str) -> None:
    ec2, inside = aws.client("ec2"), {"Name": "vpc-id", "Values": [vpc]}
    subnets = ec2.describe_subnets(Filters=[inside, tagged("Tier", "private")])["Subnets"]
    assert {each["AvailabilityZone"] for each in subnets} == {"us-east-1a", "us-east-1b"}
    for each in subnets:
        of_subnet = [{"Name": "association.subnet-id", "Values": [each["SubnetId"]]}]
        [table] = ec2.describe_route_tables(Filters=of_subnet)["RouteTables"]
        [default_route] = [route for route in table["Routes"] if route["DestinationCidrBlock"] == "0.0.0.0/0"]
        assert default_route["NatGatewayId"].startswith("nat-")


def test_the_security_group_has_no_ingress(aws: Emulator, vpc: str) -> None:
    filters = [{"Name": "vpc-id", "Values": [vpc]}, tagged("Name", "genomics-batch")]
    [group] = aws.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    assert group["IpPermissions"] == []
    assert [each["IpProtocol"] for each in group["IpPermissionsEgress"]] == ["-1"]


def test_the_buckets_exist_but_not_the_state_bucket(aws: Emulator) -> None:
    names = {each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]}
    assert {"aws-batch-genomics-resources", "genomics-results-123456789012"} <= names


@pytest.mark.parametrize("name", ["/gen-infra/prod/ami", "/gen-infra/dev/ami"])
def test_the_image_parameters_name_an_image_of_the_account(aws: Emulator, name: str) -> None:
    parameter = aws.client("ssm").get_parameter(Name=name)["Parameter"]
    [image] = aws.client("ec2").describe_images(ImageIds=[parameter["Value"]])["Images"]
    assert (parameter["Type"], image["OwnerId"], image["State"]) == ("String", "123456789012", "available")


def test_the_public_ecs_parameter_resolves_to_an_image(aws: Emulator) -> None:
    name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    assert aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"].startswith("ami-")


def test_the_service_linked_roles_of_a_used_account_exist(aws: Emulator) -> None:
    iam = aws.client("iam")
    for service, name in {"batch": "Batch", "autoscaling": "AutoScaling", "spot": "EC2Spot", "ecs": "ECS"}.items():
        role = iam.get_role(RoleName=f"AWSServiceRoleFor{name}")["Role"]
        assert role["Path"] == f"/aws-service-role/{service}.amazonaws.com/"


def test_aws_managed_policies_exist(aws: Emulator) -> None:
    arn = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
    assert aws.client("iam").get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn
