"""What an environment costs, calculated here once more from the list prices of us-east-1 and eu-central-1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.aws.prices import DATA_FILE
from gen_infra.cost import Total, UsdRange, estimate, shown
from gen_infra.cost.amounts import total, written
from gen_infra.cost.jobs import share
from gen_infra.manifest import load
from gen_infra.manifest.instances import named
from gen_infra.manifest.placements import Demand
from gen_infra.resources import data_dir
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.cost import CostEstimate

HOURS = 730
near: Any = pytest.approx  # inside of what is compared
C7I = 1.428  # c7i.8xlarge, On-Demand, 32 vCPUs
JOB = {"image": "public.ecr.aws/x/y", "vcpus": 16, "memory_mib": 1000, "timeout_minutes": 120}
# 100 GiB and 125 MiB/s over the included 125 for the root volume, 1000 GiB for scratch.
VOLUMES_HOUR = (1100 * 0.08 + 125 * 0.04) / HOURS


def of(folder: Path, **changes: Any) -> CostEstimate:
    return estimate(accept(folder, **changes))


def on_demand(folder: Path, **changes: Any) -> CostEstimate:
    compute = {"type": "EC2", "max_vcpus": 64, "instance_types": ["c7i.8xlarge"]}
    return of(folder, compute__spot=compute, jobs={"align": JOB}, **changes)


class TestFixed:
    def test_a_network_with_nat_gateways(self, tmp_path: Path) -> None:
        found = of(tmp_path, network={"create": {"cidr": "10.42.0.0/16", "nat": "per-zone"}})
        assert {each.name: each.count for each in found.fixed} == {
            "NAT gateways": 2, "public IPv4 addresses": 2, "KMS key": 1
        }  # fmt: skip
        assert found.fixed_month.usd == UsdRange.exactly(near(2 * 0.05 * HOURS + 1))

    def test_endpoints_cost_in_each_zone(self, tmp_path: Path) -> None:
        create = {"cidr": "10.42.0.0/16", "zones": 3, "nat": "one", "endpoints": ["ecr.dkr", "logs"]}
        endpoints = of(tmp_path, network={"create": create}).fixed[2]
        assert endpoints.count == 6
        assert endpoints.usd == UsdRange.exactly(near(6 * 0.01 * HOURS))

    def test_instances_of_min_vcpus_run_all_month_with_their_volumes(self, tmp_path: Path) -> None:
        compute = {"type": "EC2", "min_vcpus": 33, "max_vcpus": 64, "instance_types": ["c7i.8xlarge"]}
        kept = of(tmp_path, compute__spot=compute).fixed[-1]
        assert kept.count == 2
        assert kept.usd == UsdRange.exactly(near(2 * HOURS * (C7I + VOLUMES_HOUR)))

    def test_alarms_cost_by_their_metrics_and_a_dashboard_by_its_queues(self, tmp_path: Path) -> None:
        failed = {"percent": 50}
        asked = {"critical": ["ops@example.com"], "failed_jobs": failed, "invalid_compute_environments": True}
        found = {each.name: each for each in of(tmp_path, notifications=asked).fixed}
        assert {name: each.count for name, each in found.items()} == {
            "KMS key": 1, "metrics of alarms": 3, "own metrics": 8
        }  # fmt: skip
        assert found["own metrics"].usd == UsdRange.exactly(near(8 * 0.3))
        found = {each.name: each for each in of(tmp_path, notifications={"dashboard": True}).fixed}
        assert {name: each.count for name, each in found.items()} == {"KMS key": 1, "own metrics": 13, "dashboard": 1}
        assert found["dashboard"].usd == UsdRange.exactly(3)

    def test_an_unknown_price_is_named_and_not_in_the_sum(self, tmp_path: Path) -> None:
        network = {"create": {"cidr": "10.42.0.0/16", "nat": "one"}}
        found = of(tmp_path, region="eu-central-1", network=network).fixed_month
        assert found.unknown == ("NAT gateways",)
        assert found.usd == UsdRange.exactly(near(1 + 0.005 * HOURS))
        assert str(found) == "4.65 USD and NAT gateways (unknown)"


class TestHours:
    def test_on_demand(self, tmp_path: Path) -> None:
        (price,) = on_demand(tmp_path).instances
        assert (price.usd, price.volumes_usd) == (
            UsdRange.exactly(C7I), UsdRange.exactly(near(VOLUMES_HOUR))
        )  # fmt: skip

    def test_spot_is_a_range_below_the_highest_bid(self, tmp_path: Path) -> None:
        compute = {"max_vcpus": 64, "instance_types": ["c7i.8xlarge"]}
        (free,) = of(tmp_path, compute__spot=compute).instances
        assert free.usd
        assert 0 < free.usd.low < free.usd.high == C7I
        (limited,) = of(tmp_path, compute__spot={**compute, "bid_percentage": 50}).instances
        assert limited.usd == UsdRange(min(free.usd.low, C7I / 2), C7I / 2)

    def test_iops_and_throughput_over_what_is_included_cost_more(self, tmp_path: Path) -> None:
        scratch = {"size_gib": 2000, "iops": 15_000, "throughput_mib_s": 1000}
        price = on_demand(tmp_path, image={"scratch": scratch}).instances[0]
        month = 2100 * 0.08 + 12_000 * 0.005 + (875 + 125) * 0.04
        assert price.volumes_usd == UsdRange.exactly(near(month / HOURS))

    def test_the_disks_of_the_instance_cost_nothing_more(self, tmp_path: Path) -> None:
        image = {"scratch": {"carrier": "instance_store"}, "parameter": "/x/ami"}
        compute = {"type": "EC2", "max_vcpus": 64, "instance_types": ["m6id.large"]}
        (price,) = of(tmp_path, compute__spot=compute, image=image).instances
        assert price.volumes_usd == UsdRange.exactly(near((100 * 0.08 + 125 * 0.04) / HOURS))

    def test_unknown_in_a_region_without_prices(self, tmp_path: Path) -> None:
        found = of(tmp_path, region="cn-north-1", image={"root": {"size_gib": 30}}, jobs={"align": JOB})
        assert {(each.usd, each.volumes_usd) for each in found.instances} == {(None, None)}
        assert (found.jobs[0].at_timeout, found.worst_day.unknown) == (None, ("spot",))
        assert found.sources == ()


class TestJobs:
    def test_a_job_pays_for_its_share_of_an_instance_until_its_timeout(self, tmp_path: Path) -> None:
        (job,) = on_demand(tmp_path).jobs
        assert job.at_timeout == UsdRange.exactly(near(2 * (C7I + VOLUMES_HOUR) / 2))
        assert (job.usual, shown(job.usual)) == (None, "unknown")

    def test_its_usual_duration_is_what_the_caller_knows(self, tmp_path: Path) -> None:
        compute = {"type": "EC2", "max_vcpus": 64, "instance_types": ["c7i.8xlarge"]}
        manifest = accept(tmp_path, compute__spot=compute, jobs={"align": JOB})
        (job,) = estimate(manifest, {"align": 0.5}).jobs
        assert job.usual == UsdRange.exactly(near((C7I + VOLUMES_HOUR) / 4))

    def test_a_share_is_of_what_there_is_least_of(self) -> None:
        (gpus,) = named("g5.12xlarge")  # 48 vCPUs, 192 GiB, 4 GPUs
        assert share(Demand(12, 1000), gpus) == 0.25
        assert share(Demand(4, 1000, 2), gpus) == 0.5
        assert share(Demand(1, gpus.usable_mib), gpus) == 1

    def test_each_node_has_an_instance(self, tmp_path: Path) -> None:
        job = {**JOB, "nodes": 2, "vcpus": 4}
        compute = {"type": "EC2", "max_vcpus": 64, "instance_types": ["c7i.8xlarge"]}
        (cost,) = of(tmp_path, compute__spot=compute, jobs={"align": job}).jobs
        assert cost.usd_an_hour == UsdRange.exactly(near(2 * (C7I + VOLUMES_HOUR)))

    def test_fargate_sells_vcpus_memory_and_storage(self, tmp_path: Path) -> None:
        job = {**JOB, "vcpus": 4, "memory_mib": 8192, "ephemeral_storage_gib": 120}
        hour = 4 * 0.04048 + 8 * 0.004445 + 100 * 0.000111
        (cost,) = of(tmp_path, compute__spot__type="FARGATE", jobs={"align": job}).jobs
        assert cost.at_timeout == UsdRange.exactly(near(2 * hour))
        (cost,) = of(tmp_path, compute__spot__type="FARGATE_SPOT", jobs={"align": job}).jobs
        assert cost.at_timeout == UsdRange(near(0.6 * hour), near(2 * hour))

    def test_graviton_on_fargate_costs_less(self, tmp_path: Path) -> None:
        job = {**JOB, "vcpus": 4, "memory_mib": 8192}
        arm = {**job, "container_properties": {"runtimePlatform": {"cpuArchitecture": "ARM64"}}}
        intel, graviton = of(tmp_path, compute__spot__type="FARGATE", jobs={"a": job, "b": arm}).jobs
        assert intel.usd_an_hour == UsdRange.exactly(near(4 * 0.04048 + 8 * 0.004445))
        assert graviton.usd_an_hour == UsdRange.exactly(near(4 * 0.03238 + 8 * 0.00356))


class TestWorstDay:
    def test_every_vcpu_runs_all_day_with_all_volumes(self, tmp_path: Path) -> None:
        (day,) = on_demand(tmp_path).worst_days
        assert (day.instances, day.volumes_gib, day.most_volumes_gib) == (2, 2200, 2200)
        assert day.compute_usd == UsdRange.exactly(near(48 * C7I))
        assert day.volumes_usd == UsdRange.exactly(near(48 * VOLUMES_HOUR))

    def test_a_petabyte_of_scratch_is_seen(self, tmp_path: Path) -> None:
        compute = {"type": "EC2", "max_vcpus": 2048, "instance_types": ["c7i.large"]}
        found = of(tmp_path, compute__spot=compute)
        (day,) = found.worst_days
        assert (day.instances, day.volumes_gib) == (1024, 1_126_400)
        assert day.volumes_usd
        assert day.volumes_usd.high == near(1024 * 24 * VOLUMES_HOUR)
        assert found.worst_day.usd.high == near(1024 * 24 * (VOLUMES_HOUR + 0.08925))

    def test_only_types_that_a_job_can_use_count(self, tmp_path: Path) -> None:
        compute = {"type": "EC2", "max_vcpus": 64, "instance_types": ["c7i.large", "c7i.4xlarge"]}
        (day,) = of(tmp_path, compute__spot=compute, jobs={"align": JOB}).worst_days
        assert (day.instance_type, day.instances) == ("c7i.4xlarge", 4)  # a smaller one cannot run it

    def test_fargate_at_its_most_memory(self, tmp_path: Path) -> None:
        (day,) = of(tmp_path, compute__spot__type="FARGATE").worst_days
        assert day.usd == UsdRange.exactly(near(24 * 64 * (0.04048 + 8 * 0.004445)))


def test_the_answer_is_json_and_names_its_sources(tmp_path: Path) -> None:
    found = on_demand(tmp_path)
    answer = json.loads(json.dumps(found.to_dict()))
    assert answer["currency"] == "USD"
    assert answer["jobs"][0]["usd_usually"] is None
    assert answer["worst_day"]["usd"] == found.worst_day.usd.to_dict()
    assert answer["worst_day"]["compute_environments"][0]["instances"] == 2
    dates = [each["date"] for each in answer["sources"]]
    assert dates == sorted(dates, reverse=True)
    assert any("Price List API" in each["text"] for each in answer["sources"])


def test_prod_costs_what_the_price_file_says() -> None:
    """Calculate the figures of `envs/prod.yaml` from the price file alone, with its own numbers written out."""
    prices = json.loads(DATA_FILE.read_text())["regions"]["us-east-1"]
    usd = {name: price for name, (price, _) in prices["services"].items()}
    volumes = (1100 * usd["gp3_gib_month"] + 125 * usd["gp3_mib_s_month"]) / HOURS
    spot = {}
    for family in ("m6i", "c6i", "r6i", "c7i"):  # optimal
        for size, (on_demand, low, _) in prices["families"][family].items():
            spot[f"{family}.{size}"] = min(low, on_demand / 2), on_demand / 2  # bid_percentage: 50
    found = estimate(load(data_dir("envs") / "prod.yaml"))
    for each in found.instances:
        assert (each.usd, each.volumes_usd) == (
            UsdRange(*map(near, spot.pop(each.instance.name))), UsdRange.exactly(near(volumes))
        )  # fmt: skip
    assert not spot
    (day,) = found.worst_days  # r6i.xlarge: most of them with their volumes, and the dearest of that size
    _, low, _ = prices["families"]["r6i"]["xlarge"]
    most = 24 * 1024 / 4
    assert (day.instance_type, day.instances, day.volumes_gib) == ("r6i.xlarge", 256, 256 * 1100)
    assert day.compute_usd == UsdRange(near(most * low), near(most * prices["families"]["r6i"]["xlarge"][0] / 2))
    assert day.volumes_usd == UsdRange.exactly(near(most * volumes))
    isaac = next(each for each in found.jobs if each.job == "isaac")  # 32 vCPUs for 24 hours
    assert isaac.at_timeout
    assert isaac.at_timeout.high == near(24 * (prices["families"]["r6i"]["8xlarge"][0] / 2 + volumes))
    assert found.fixed_month.usd == UsdRange.exactly(usd["kms_key_month"])


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (UsdRange(4.1, 4.1), "4.10 USD"),
        (UsdRange(1.2, 1234.5), "1.20 to 1,234.50 USD"),
        (UsdRange(0.0018, 0.02), "0.0018 to 0.02 USD"),
        (UsdRange(1e-6, 1e-6), "0.000001 USD"),
        (UsdRange(0.001, 2e-7), "0.001 to 0.0000002 USD"),
        (UsdRange(0, 0), "0.00 USD"),
    ],
)
def test_how_amounts_are_written(usd: UsdRange, text: str) -> None:
    assert str(usd) == text


def test_sums() -> None:
    assert total([("a", UsdRange(1, 2)), ("b", None), ("b", None)]) == Total(UsdRange(1, 2), ("b",))
    assert str(total([("a", None)])) == "a (unknown)"
    assert written(0.009999) == "0.01"
