"""The data file of prices: what it has, with its sources, and what is unknown."""

from __future__ import annotations

import json
from datetime import date

import pytest

from gen_infra.aws import prices
from gen_infra.manifest.instances import catalogue

REGIONS = json.loads(prices.DATA_FILE.read_text())["regions"]
# What an environment in the default region can have.
NAMES = {
    "alarm_month", "dashboard_month", "ecr_gib_month", "efs_gib_month", "endpoint_gb", "endpoint_hour",
    "fargate_arm_gib_hour", "fargate_arm_vcpu_hour", "fargate_gib_hour", "fargate_storage_gib_hour",
    "fargate_vcpu_hour", "gp2_gib_month", "gp3_gib_month", "gp3_iops_month", "gp3_mib_s_month", "kms_key_month",
    "lambda_gb_second", "lambda_request", "log_ingested_gb", "log_stored_gb_month", "metric_month", "nat_gateway_gb",
    "nat_gateway_hour", "public_ipv4_hour", "snapshot_gib_month", "state_transition",
}  # fmt: skip


def test_the_default_region_has_every_price() -> None:
    assert prices.prices_of("us-east-1").services.keys() == NAMES
    assert prices.service_price("us-east-1", "gp3_gib_month") == 0.08
    assert prices.on_demand_price("us-east-1", "c7i.8xlarge") == 1.428


@pytest.mark.parametrize("region", REGIONS)
def test_each_price_has_a_source_and_a_date_and_spot_is_at_most_on_demand(region: str) -> None:
    found = prices.prices_of(region)
    assert found.families.keys() <= catalogue().families.keys()
    for key in {found.on_demand, found.spot, *(each.source for each in found.services.values())}:
        source = prices.source_of(key)
        assert source.text
        assert date(2024, 1, 1) < date.fromisoformat(source.date) < date(2030, 1, 1)
    for sizes in found.families.values():
        for on_demand, *spot in sizes.values():
            assert not spot or 0 < spot[0] <= spot[1] <= on_demand
    assert all(0 < price.usd < 10 for price in found.services.values())


def test_what_is_not_in_the_file_is_unknown() -> None:
    assert prices.on_demand_price("xx-north-9", "c7i.large") is None
    assert prices.spot_prices("us-east-1", "c99.large") is None
    assert prices.service_price("cn-north-1", "kms_key_month") is None
    assert prices.prices_of("xx-north-9").services == {}
