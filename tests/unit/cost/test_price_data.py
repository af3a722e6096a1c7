"""The data file is renewed from AWS's answers, in the shapes of the Price List API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tasks import price_data

from tests.unit.recorded import Account

if TYPE_CHECKING:
    from collections.abc import Iterable

TODAY = "2026-11-29"
BEFORE: dict[str, Any] = {
    "currency": "USD",
    "sources": {"old": {"text": "a page", "date": "2024-07-18"}, "older": {"text": "another", "date": "2024-01-01"}},
    "regions": {
        "eu-central-1": {"on_demand": "older", "spot": "older", "services": {}, "families": {}},
        "me-south-1": {"on_demand": "old", "spot": "old", "services": {"kms_key_month": [1, "old"]}, "families": {}},
    },
}


def product(usage_type: str, *steps: tuple[float, str], **attributes: str) -> str:
    """Return an entry of a price list: the price from each number of units on."""
    dimensions = {str(begin): {"beginRange": str(begin), "pricePerUnit": {"USD": usd}} for begin, usd in steps}
    return json.dumps(
        {
            "product": {"attributes": {"usagetype": usage_type, **attributes}},
            "terms": {"OnDemand": {"sku.term": {"priceDimensions": dimensions}}},
        }
    )


LISTS: dict[tuple[str, str], list[str]] = {
    ("AmazonEC2", "NatGateway-Hours"): [
        product("EUC1-NatGateway-Hours", (0, "0.0520000000")),
        product("EUC1-RegionalNatGateway-Hours", (0, "0.9")),
    ],
    ("AmazonEC2", "EBS:VolumeP-Throughput.gp3"): [product("EUC1-EBS:VolumeP-Throughput.gp3", (0, "48.7424"))],
    ("AmazonCloudWatch", "CW:AlarmMonitorUsage"): [product("EUC1-CW:AlarmMonitorUsage", (0, "0.1"))],
    ("AmazonCloudWatch", "DashboardsUsageHour"): [product("DashboardsUsageHour", (3, "3.0"), (0, "0.0"))],
    ("AmazonECS", "Fargate-vCPU-Hours:perCPU"): [
        product("EUC1-Fargate-vCPU-Hours:perCPU", (0, "0.04656")),
        product("EUC1-SpotUsage-Fargate-vCPU-Hours:perCPU", (0, "0.01")),
    ],
    ("awskms", "KMS-Keys"): [product("eu-central-1-KMS-Keys", (0, "1.0"))],
    ("AmazonEC2", ""): [
        product("EUC1-BoxUsage:c7i.large", (0, "0.10185"), instanceType="c7i.large"),
        product("EUC1-BoxUsage:c7i.xlarge", (0, "0.2037"), instanceType="c7i.xlarge"),
        product("EUC1-BoxUsage:t3.micro", (0, "0.012"), instanceType="t3.micro"),
    ],
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account()
    monkeypatch.setattr(price_data, "clients", lambda _: account.clients)

    def products(request: dict[str, Any]) -> dict[str, Any]:
        wanted = {each["Field"]: each["Value"] for each in request["Filters"]}
        assert wanted["regionCode"] == "eu-central-1"
        assert "usagetype" in wanted or wanted["operatingSystem"] == "Linux"
        return {"PriceList": LISTS.get((request["ServiceCode"], wanted.get("usagetype", "")), [])}

    def spot(zones: Iterable[str]) -> list[dict[str, Any]]:
        return [{"InstanceType": "c7i.large", "SpotPrice": price} for price in zones]

    account.answers = {
        "GetProducts": products,
        "DescribeSpotPriceHistory": {"SpotPriceHistory": spot(["0.041", "0.039", "0.044"])},
    }
    return account


@pytest.mark.usefixtures("aws")
def test_an_enabled_region_is_renewed_and_the_others_stay() -> None:
    content = price_data.renewed(BEFORE, ["eu-central-1"], TODAY)
    region = content["regions"]["eu-central-1"]
    assert region["services"] == {
        "alarm_month": [0.1, "price-list"],
        "dashboard_month": [3.0, "price-list"],  # the first three are free
        "fargate_vcpu_hour": [0.04656, "price-list"],
        "gp3_mib_s_month": [0.0476, "price-list"],  # sold by the GiB/s
        "kms_key_month": [1.0, "price-list"],
        "nat_gateway_hour": [0.052, "price-list"],
    }
    assert region["families"] == {"c7i": {"large": [0.10185, 0.039, 0.044], "xlarge": [0.2037]}}
    assert content["regions"]["me-south-1"] == BEFORE["regions"]["me-south-1"]
    assert content["sources"].keys() == {"old", "price-list", "spot-history"}
    assert content["sources"]["price-list"]["date"] == TODAY


def test_two_prices_of_one_thing_are_refused(aws: Account) -> None:
    both = [product("EUC1-NatGateway-Hours", (0, "0.052")), product("EUC1-NatGateway-Hours", (0, "0.060"))]
    aws.answers = {**aws.answers, "GetProducts": {"PriceList": both}}
    with pytest.raises(ValueError, match="NatGateway-Hours has several prices in eu-central-1"):
        price_data.renewed(BEFORE, ["eu-central-1"], TODAY)


@pytest.mark.usefixtures("aws")
def test_the_file_can_be_read_again_and_has_a_line_for_each_family() -> None:
    content = price_data.renewed(BEFORE, ["eu-central-1"], TODAY)
    text = price_data.text(content)
    assert json.loads(text) == content
    assert '\n"c7i":{"large":[0.10185,0.039,0.044],"xlarge":[0.2037]}\n' in text
