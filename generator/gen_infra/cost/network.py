"""What a new network costs by the month, before traffic: to compare choices with, not to bill by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gen_infra.aws.prices import HOURS_A_MONTH, service_price
from gen_infra.cost.amounts import UNKNOWN

if TYPE_CHECKING:
    from gen_infra.manifest.model.network import NetworkCreate


def network_cost(create: NetworkCreate, region: str) -> str:
    """Return one line, such as ``network: 2 NAT gateways, about 73 USD a month before traffic (…)``."""
    gateways, services = create.nat_gateways, len(create.endpoint_services)
    parts = [
        *([_counted(gateways, "NAT gateway")] if gateways else []),
        *([f"{_counted(services, 'interface endpoint')} in {create.zone_count} zones"] if services else []),
    ]
    hours = {
        "nat_gateway_hour": gateways,
        "public_ipv4_hour": gateways,  # each NAT gateway has one
        "endpoint_hour": services * create.zone_count,
    }
    prices = {name: service_price(region, name) for name, count in hours.items() if count}
    if None in prices.values():
        return f"network: {' and '.join(parts)}, price {UNKNOWN} (no list prices of {region})"
    hourly = sum(count * (prices.get(name) or 0) for name, count in hours.items())
    monthly = math.ceil(hourly * HOURS_A_MONTH)
    return f"network: {' and '.join(parts)}, about {monthly} USD a month before traffic (list prices of {region})"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
