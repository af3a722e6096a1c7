"""What a resource that exists costs by the month, whether or not it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.aws.prices import HOURS_A_MONTH, service_price
from gen_infra.cost.amounts import UNKNOWN

if TYPE_CHECKING:
    from gen_infra.aws.inventory import AwsResource


def monthly_price(resource: AwsResource, region: str) -> str:
    """Return such as ``about 33 USD a month by list prices``; empty for what costs nothing by the month."""
    found = _amount(resource)
    if found is None or not found[1]:
        return ""
    name, amount = found
    price = service_price(region, name)
    if price is None:
        return f"its price in {region} is {UNKNOWN}"
    monthly = price * amount
    return f"about {monthly:.{0 if monthly >= 1 else 2}f} USD a month by list prices"


def _amount(resource: AwsResource) -> tuple[str, float] | None:
    """Return the price that counts and how often; None for what costs nothing, or only by use."""
    match resource.type:
        case "aws_ebs_volume":
            # Without its type, as gp3, which gen-infra renders by default.
            return f"{resource.member('VolumeType') or 'gp3'}_gib_month", resource.member("Size") or 0
        case "aws_eip":
            return "public_ipv4_hour", HOURS_A_MONTH
        case "aws_kms_key":
            return "kms_key_month", 1
        case "aws_nat_gateway":
            return "nat_gateway_hour", HOURS_A_MONTH
        case "aws_vpc_endpoint":
            return "endpoint_hour", HOURS_A_MONTH * len(resource.members.get("SubnetIds", ()))
    return None
