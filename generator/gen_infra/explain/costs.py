"""What a new network costs by the month, before traffic: to compare choices with, not to bill by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gen_infra.aws.prices import ENDPOINT_IN_A_ZONE, HOURS, NAT_GATEWAY, PUBLIC_ADDRESS, SOURCE

if TYPE_CHECKING:
    from gen_infra.manifest.model.network import NetworkCreate


def network_cost(create: NetworkCreate) -> str:
    """Return one line, such as ``network: 2 NAT gateways, about 73 USD a month before traffic (…)``."""
    gateways, services = create.nat_gateways, len(create.endpoint_services)
    hourly = gateways * (NAT_GATEWAY + PUBLIC_ADDRESS) + services * create.zone_count * ENDPOINT_IN_A_ZONE
    parts = [
        *([_counted(gateways, "NAT gateway")] if gateways else []),
        *([f"{_counted(services, 'interface endpoint')} in {create.zone_count} zones"] if services else []),
    ]
    return f"network: {' and '.join(parts)}, about {math.ceil(hourly * HOURS)} USD a month before traffic ({SOURCE})"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
