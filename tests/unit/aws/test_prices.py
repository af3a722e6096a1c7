"""What is left costs, by the month."""

from __future__ import annotations

from typing import Any

import pytest

from gen_infra.aws.inventory import AwsResource
from gen_infra.aws.prices import price


@pytest.mark.parametrize(
    ("type_", "members", "said"),
    [
        ("aws_nat_gateway", {}, "about 33 USD a month by us-east-1 list prices, 2026-09"),
        ("aws_eip", {}, "about 4 USD a month by us-east-1 list prices, 2026-09"),
        ("aws_vpc_endpoint", {"SubnetIds": ["a", "b"]}, "about 15 USD a month by us-east-1 list prices, 2026-09"),
        ("aws_vpc_endpoint", {"RouteTableIds": ["a"]}, ""),
        ("aws_kms_key", {}, "about 1 USD a month by us-east-1 list prices, 2026-09"),
        ("aws_ebs_volume", {"Size": 1000}, "about 80 USD a month by us-east-1 list prices, 2026-09"),
        ("aws_ebs_volume", {"Size": 1}, "about 0.08 USD a month by us-east-1 list prices, 2026-09"),
        ("aws_ebs_volume", {}, ""),
        ("aws_vpc", {}, ""),
    ],
)
def test_a_price_has_its_source_and_date(type_: str, members: dict[str, Any], said: str) -> None:
    assert price(AwsResource("x", "x", type_, "x-1", members)) == said
