"""Renew the data file of prices from AWS's Price List API and EC2's Spot prices: ``make price-data``.

It renews the regions that the account has enabled; the others keep the prices, sources and dates that they have. A
price that AWS does not publish is left out, and the commands then call it unknown. The caller needs
``pricing:GetProducts``, ``ec2:DescribeRegions`` and ``ec2:DescribeSpotPriceHistory``.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.aws.errors import aws_errors
from gen_infra.aws.prices import DATA_FILE
from gen_infra.aws.session import clients
from gen_infra.manifest.instances import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.aws.session import Clients

    Row = list[float]  # On-Demand, then the lowest and the highest Spot price, in USD an hour

# The Price List API answers in few regions: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html
PRICE_LIST_REGION = "us-east-1"
_DIGITS = 12  # a request of Lambda costs 0.0000002
_REGION_PREFIX = "(?:[A-Z0-9]{2,4}-)?"  # EUC1- of eu-central-1; us-east-1 has none


class Offer(NamedTuple):
    """Where the Price List API has a price: the service, and the usage type without the region's prefix."""

    service: str
    usage_type: str
    per: float = 1  # our units in one of the Price List's


OFFERS: Mapping[str, Offer] = {
    "alarm_month": Offer("AmazonCloudWatch", "CW:AlarmMonitorUsage"),
    "dashboard_month": Offer("AmazonCloudWatch", "DashboardsUsageHour"),
    "ecr_gib_month": Offer("AmazonECR", "TimedStorage-ByteHrs"),
    "efs_gib_month": Offer("AmazonEFS", "TimedStorage-ByteHrs"),
    "endpoint_gb": Offer("AmazonVPC", "VpcEndpoint-Bytes"),
    "endpoint_hour": Offer("AmazonVPC", "VpcEndpoint-Hours"),
    "fargate_arm_gib_hour": Offer("AmazonECS", "Fargate-ARM-GB-Hours"),
    "fargate_arm_vcpu_hour": Offer("AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU"),
    "fargate_gib_hour": Offer("AmazonECS", "Fargate-GB-Hours"),
    "fargate_storage_gib_hour": Offer("AmazonECS", "Fargate-EphemeralStorage-GB-Hours"),
    "fargate_vcpu_hour": Offer("AmazonECS", "Fargate-vCPU-Hours:perCPU"),
    "gp2_gib_month": Offer("AmazonEC2", "EBS:VolumeUsage.gp2"),
    "gp3_gib_month": Offer("AmazonEC2", "EBS:VolumeUsage.gp3"),
    "gp3_iops_month": Offer("AmazonEC2", "EBS:VolumeP-IOPS.gp3"),
    "gp3_mib_s_month": Offer("AmazonEC2", "EBS:VolumeP-Throughput.gp3", per=1024),  # sold by the GiB/s
    "kms_key_month": Offer("awskms", "KMS-Keys"),
    "lambda_gb_second": Offer("AWSLambda", "Lambda-GB-Second"),
    "lambda_request": Offer("AWSLambda", "Request"),
    "log_ingested_gb": Offer("AmazonCloudWatch", "DataProcessing-Bytes"),
    "log_stored_gb_month": Offer("AmazonCloudWatch", "TimedStorage-ByteHrs"),
    "metric_month": Offer("AmazonCloudWatch", "CW:MetricMonitorUsage"),
    "nat_gateway_gb": Offer("AmazonEC2", "NatGateway-Bytes"),
    "nat_gateway_hour": Offer("AmazonEC2", "NatGateway-Hours"),
    "public_ipv4_hour": Offer("AmazonVPC", "PublicIPv4:InUseAddress"),
    "snapshot_gib_month": Offer("AmazonEC2", "EBS:SnapshotUsage"),
    "state_transition": Offer("AmazonStates", "StateTransition"),
}
# What an On-Demand instance with Linux and nothing else is in the Price List.
_LINUX = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "marketoption": "OnDemand",
}


def renewed(before: Mapping[str, Any], enabled: list[str], today: str) -> dict[str, Any]:
    """Return the content of the data file with these regions asked anew; the sources that nothing names are dropped."""
    lists = clients(PRICE_LIST_REGION)
    regions = dict(before["regions"]) | {region: _region(lists, clients(region), region) for region in enabled}
    sources = dict(before["sources"]) | {
        "price-list": {"text": "AWS Price List API", "date": today},
        "spot-history": {
            "text": "EC2 DescribeSpotPriceHistory: the lowest and highest zone",
            "date": today,
            "note": "the lowest and highest zone of that moment",
        },
    }
    named = {each[key] for each in regions.values() for key in ("on_demand", "spot")}
    named |= {source for each in regions.values() for _, source in each["services"].values()}
    return {
        "currency": "USD",
        "sources": {key: source for key, source in sources.items() if key in named},
        "regions": dict(sorted(regions.items())),
    }


@aws_errors()
def _region(lists: Clients, here: Clients, region: str) -> dict[str, Any]:
    found = {key: _service(lists, region, offer) for key, offer in OFFERS.items()}
    return {
        "on_demand": "price-list",
        "spot": "spot-history",
        "services": {key: [price, "price-list"] for key, price in found.items() if price is not None},
        "families": _families(_on_demand(lists, region), _spot(here)),
    }


def _service(lists: Clients, region: str, offer: Offer) -> float | None:
    """Return the price of the first unit that is not free; None if AWS does not publish it for the region.

    Raises:
        ValueError: there are several, and nothing tells which one is meant.
    """
    usage_type = re.compile(f"(?:{_REGION_PREFIX}|{re.escape(region)}-){re.escape(offer.usage_type)}")
    prices = {
        price / offer.per
        for product in _products(lists, offer.service, {"regionCode": region}, contains=offer.usage_type)
        if usage_type.fullmatch(product["product"]["attributes"].get("usagetype", ""))
        for price in _first_paid(product)
    }
    if len(prices) > 1:
        raise ValueError(f"{offer.usage_type} has several prices in {region}: {sorted(prices)}")
    return round(prices.pop(), _DIGITS) if prices else None


def _on_demand(lists: Clients, region: str) -> dict[str, float]:
    """Return the On-Demand prices of a region by instance type."""
    return {
        product["product"]["attributes"]["instanceType"]: price
        for product in _products(lists, "AmazonEC2", {"regionCode": region, **_LINUX})
        for price in _first_paid(product)
    }


def _spot(here: Clients) -> dict[str, Row]:
    """Return the lowest and highest of the zones' Spot prices now by instance type."""
    now = datetime.now(UTC)
    pages = here.ec2.get_paginator("describe_spot_price_history").paginate(
        ProductDescriptions=["Linux/UNIX"], StartTime=now, EndTime=now
    )
    zones: dict[str, list[float]] = defaultdict(list)
    for page in pages:
        for entry in page["SpotPriceHistory"]:
            zones[entry["InstanceType"]].append(float(entry["SpotPrice"]))
    return {name: [min(prices), max(prices)] for name, prices in zones.items()}


def _families(on_demand: Mapping[str, float], spot: Mapping[str, Row]) -> dict[str, dict[str, Row]]:
    """Return the prices of the types that AWS Batch can start, as the data file has them."""
    found: dict[str, dict[str, Row]] = {}
    for family, known in catalogue().families.items():
        for size in known.sizes:
            if (price := on_demand.get(name := f"{family}.{size}")) is not None:
                found.setdefault(family, {})[size] = [price, *spot.get(name, ())]
    return found


def _products(lists: Clients, service: str, equal: Mapping[str, str], contains: str = "") -> Iterator[dict[str, Any]]:
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in equal.items()]
    if contains:
        filters.append({"Type": "CONTAINS", "Field": "usagetype", "Value": contains})
    for page in lists.pricing.get_paginator("get_products").paginate(ServiceCode=service, Filters=filters):
        yield from map(json.loads, page["PriceList"])


def _first_paid(product: Mapping[str, Any]) -> list[float]:
    """Return the price of a product's first units that are not free, in a list that is empty without one."""
    steps = [
        (float(step.get("beginRange", 0)), float(step["pricePerUnit"]["USD"]))
        for term in product["terms"].get("OnDemand", {}).values()
        for step in term["priceDimensions"].values()
        if "USD" in step["pricePerUnit"]
    ]
    return [price for _, price in sorted(steps) if price][:1]


def text(content: Mapping[str, Any]) -> str:
    """Return the data file: a line for each source, region and family, so that a renewal is a readable difference."""
    regions = [f'"{name}":{{\n{_region_lines(region)}\n}}' for name, region in content["regions"].items()]
    return (
        f'{{"currency":{json.dumps(content["currency"])},"sources":{{\n{_lines(content["sources"])}\n}},"regions":{{\n'
        + ",\n".join(regions)
        + "\n}}\n"
    )


def _region_lines(region: Mapping[str, Any]) -> str:
    head = ",\n".join(f'"{key}":{_compact(region[key])}' for key in ("on_demand", "spot", "services"))
    return f'{head},\n"families":{{\n{_lines(region["families"])}\n}}'


def _lines(mapping: Mapping[str, Any]) -> str:
    return ",\n".join(f"{json.dumps(key)}:{_compact(value)}" for key, value in mapping.items())


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def main() -> None:
    """Renew the prices of each region that the account has enabled."""
    with aws_errors():
        answer = clients(PRICE_LIST_REGION).ec2.describe_regions()
    enabled = sorted(each["RegionName"] for each in answer["Regions"])
    content = renewed(json.loads(DATA_FILE.read_text()), enabled, datetime.now(UTC).date().isoformat())
    DATA_FILE.write_text(text(content))


if __name__ == "__main__":
    main()
