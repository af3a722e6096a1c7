"""What is left costs, by the month."""

from __future__ import annotations

from typing import Any

import pytest

from gen_infra.aws.inventory import AwsResource
from gen_infra.cost.resources import monthly_price


@pytest.mark.parametrize(
    ("type_", "members", "said"),
    [
        ("aws_nat_gateway", {}, "about 33 USD a month by list prices"),
        ("aws_eip", {}, "about 4 USD a month by list prices"),
        ("aws_vpc_endpoint", {"SubnetIds": ["a", "b"]}, "about 15 USD a month by list prices"),
        ("aws_vpc_endpoint", {"RouteTableIds": ["a"]}, ""),
        ("aws_kms_key", {}, "about 1 USD a month by list prices"),
        ("aws_ebs_volume", {"Size": 1000}, "about 80 USD a month by list prices"),
        ("aws_ebs_volume", {"Size": 1}, "about 0.08 USD a month by list prices"),
        ("aws_ebs_volume", {"Size": 10, "VolumeType": "gp2"}, "about 1 USD a month by list prices"),
        ("aws_ebs_volume", {"Size": 10, "VolumeType": "io2"}, "its price in us-east-1 is unknown"),
        ("aws_ebs_volume", {}, ""),
        ("aws_vpc", {}, ""),
    ],
)
def test_what_a_resource_costs(type_: str, members: dict[str, Any], said: str) -> None:
    assert monthly_price(AwsResource("x", "x", type_, "x-1", members), "us-east-1") == said
