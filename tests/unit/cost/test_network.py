"""What a network is said to cost."""

from __future__ import annotations

import pytest

from gen_infra.cost.network import network_cost
from gen_infra.manifest.model.network import EndpointService, NetworkCreate

CIDR = "10.42.0.0/16"
FEW: tuple[EndpointService, ...] = ("ecr.dkr", "logs")


@pytest.mark.parametrize(
    ("create", "says"),
    [
        (NetworkCreate(cidr=CIDR, nat="one"), "1 NAT gateway, about 37 USD"),
        (NetworkCreate(cidr=CIDR, nat="per-zone"), "2 NAT gateways, about 73 USD"),
        (NetworkCreate(cidr=CIDR, nat="per-zone", zones=3), "3 NAT gateways, about 110 USD"),
        (NetworkCreate(cidr=CIDR, endpoints=True), "8 interface endpoints in 2 zones, about 117 USD"),
        (
            NetworkCreate(cidr=CIDR, nat="one", endpoints=FEW, zones=("us-east-1a", "us-east-1b", "us-east-1c")),
            "1 NAT gateway and 2 interface endpoints in 3 zones, about 81 USD",
        ),
    ],
)
def test_network_cost(create: NetworkCreate, says: str) -> None:
    assert network_cost(create, "us-east-1") == f"network: {says} a month before traffic (list prices of us-east-1)"


def test_no_price_of_another_region_stands_in_for_an_unknown_one() -> None:
    says = "network: 1 NAT gateway, price unknown (no list prices of xx-north-9)"
    assert network_cost(NetworkCreate(cidr=CIDR, nat="one"), "xx-north-9") == says
