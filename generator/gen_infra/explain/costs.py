"""What a new network costs by the month, before traffic: to compare choices with, not to bill by.

List prices of us-east-1 in USD by the hour, before taxes and discounts; other regions ask up to twice as much.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_infra.manifest.model.network import NetworkCreate

# https://aws.amazon.com/vpc/pricing/, its example for NAT gateways, as of 2026-09-20.
_NAT_GATEWAY = 0.045
# Each NAT gateway has one; in every region since 2024-02-01: https://aws.amazon.com/vpc/pricing/ (public IPv4).
_PUBLIC_ADDRESS = 0.005
# For each endpoint in each zone: https://aws.amazon.com/privatelink/pricing/ shows it by region, only in a browser;
# read as `VpcEndpoint-Hours` of us-west-2, which costs what us-east-1 does, in a published copy of AWS's price list,
# as of 2026-10-06.
_ENDPOINT_IN_A_ZONE = 0.01
_PRICES = "us-east-1 list prices, 2026-09"
_HOURS = 730  # AWS's own month: a twelfth of a year


def network_cost(create: NetworkCreate) -> str:
    """Return one line, such as ``network: 2 NAT gateways, about 73 USD a month before traffic (…)``."""
    gateways, services = create.nat_gateways, len(create.endpoint_services)
    hourly = gateways * (_NAT_GATEWAY + _PUBLIC_ADDRESS) + services * create.zone_count * _ENDPOINT_IN_A_ZONE
    parts = [
        *([_counted(gateways, "NAT gateway")] if gateways else []),
        *([f"{_counted(services, 'interface endpoint')} in {create.zone_count} zones"] if services else []),
    ]
    return f"network: {' and '.join(parts)}, about {math.ceil(hourly * _HOURS)} USD a month before traffic ({_PRICES})"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
