"""What some resources cost, those of networks and keys whether or not they are used: to compare with, not to bill by.

List prices of us-east-1 in USD, before taxes and discounts; other regions cost up to twice as much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gen_infra.aws.inventory import AwsResource

SOURCE = "us-east-1 list prices, 2026-09"
HOURS = 730  # AWS's own month: a twelfth of a year

# By the hour. https://aws.amazon.com/vpc/pricing/, its example for NAT gateways, as of 2026-09-20.
NAT_GATEWAY = 0.045
# Each NAT gateway has one; in every region since 2024-02-01: https://aws.amazon.com/vpc/pricing/ (public IPv4).
PUBLIC_ADDRESS = 0.005
# For each endpoint in each zone: https://aws.amazon.com/privatelink/pricing/ shows it by region, only in a browser;
# read as `VpcEndpoint-Hours` of us-west-2, which costs what us-east-1 does, in a published copy of AWS's price list,
# as of 2026-10-06.
ENDPOINT_IN_A_ZONE = 0.01
# Linux on x86-64: https://aws.amazon.com/fargate/pricing/ shows it by region, only in a browser; read in two copies:
# https://www.vantage.sh/blog/fargate-pricing and https://www.wring.co/blog/aws-fargate-pricing-guide, as of 2026-03-10.
FARGATE_VCPU_HOUR = 0.04048
FARGATE_GIB_HOUR = 0.004445
# By the month: https://aws.amazon.com/kms/pricing/, a customer managed key before requests and rotations.
_KEY = 1.0
# By the month and GiB, for gp3, the type that gen-infra renders by default: https://aws.amazon.com/ebs/pricing/.
_VOLUME_GIB = 0.08

_MONTHLY: dict[str, Callable[[AwsResource], float]] = {
    "aws_ebs_volume": lambda volume: (volume.member("Size") or 0) * _VOLUME_GIB,
    "aws_eip": lambda _: PUBLIC_ADDRESS * HOURS,
    "aws_kms_key": lambda _: _KEY,
    "aws_nat_gateway": lambda _: NAT_GATEWAY * HOURS,
    "aws_vpc_endpoint": lambda endpoint: len(endpoint.members.get("SubnetIds", ())) * ENDPOINT_IN_A_ZONE * HOURS,
}


def price(resource: AwsResource) -> str:
    """Return such as ``about 33 USD a month by us-east-1 list prices, 2026-09``; empty for what costs nothing."""
    monthly = _MONTHLY[resource.type](resource) if resource.type in _MONTHLY else 0
    return f"about {monthly:.{0 if monthly >= 1 else 2}f} USD a month by {SOURCE}" if monthly else ""
