"""What is said of an estimate, and of what a change does to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gen_infra.cost import compare, estimate
from gen_infra.cost.text import change_lines, estimate_lines, size
from gen_infra.explain import Summary
from gen_infra.explain.markdown import to_markdown
from gen_infra.render.blocks import resolved
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest

JOB = {"image": "public.ecr.aws/x/y", "vcpus": 16, "memory_mib": 1000, "timeout_minutes": 120}
EC2 = {"type": "EC2", "max_vcpus": 64, "instance_types": ["c7i.8xlarge"]}
PRICES = "prices of On-Demand 2026-07-20, Spot 2025-06-28 (low end: average saving of a month), volumes 2024-07-18"
TITLE = "cost in us-east-1, estimated by AWS's list prices in USD, before taxes, discounts and free tiers:"


def environment(folder: Path, **changes: Any) -> Manifest:
    return accept(folder, **{"compute__spot": EC2, "jobs": {"align": JOB}, **changes})


def applied(manifest: Manifest) -> dict[str, Any]:
    """Return the manifest as Terraform's state keeps it."""
    values: dict[str, Any] = json.loads(json.dumps(resolved(manifest)))
    return values


def test_a_first_plan_says_what_the_environment_costs(tmp_path: Path) -> None:
    assert list(change_lines(compare({}, environment(tmp_path)))) == [
        TITLE,
        "  fixed a month: 1.00 USD",
        "  worst day, at max_vcpus: 74.66 USD, with 6.12 USD for 2.1 TiB of volumes",
        "  an instance hour with its volumes: spot 1.56 USD",
        "  an attempt of a job that runs to its timeout: align 1.56 USD",
        f"  {PRICES}",
    ]


def test_a_change_is_shown_with_what_it_was(tmp_path: Path) -> None:
    before = environment(tmp_path)
    network = {"create": {"cidr": "10.42.0.0/16", "nat": "one"}}
    after = environment(tmp_path, compute__spot={**EC2, "max_vcpus": 32}, network=network)
    change = compare(applied(before), after)
    _, month, day, *_ = change_lines(change)
    assert month == "  fixed a month: 37.50 USD; was 1.00 USD: +36.50 USD"
    assert day == (
        "  worst day, at max_vcpus: 37.33 USD, with 3.06 USD for 1.1 TiB of volumes; was 74.66 USD: -37.33 USD"
    )
    answer = json.loads(json.dumps(change.to_dict()))
    assert answer["before"]["fixed_month"]["usd"] == {"low": 1, "high": 1}
    assert answer["difference"]["fixed_month"] == {"low": 36.5, "high": 36.5}
    assert answer["fixed_month"]["usd"] == {"low": 37.5, "high": 37.5}


def test_what_costs_the_same_has_no_difference(tmp_path: Path) -> None:
    before = environment(tmp_path)
    lines = list(change_lines(compare(applied(before), before)))
    assert not any("was" in line for line in lines)


def test_a_manifest_that_cannot_be_read_any_more_has_no_cost(tmp_path: Path) -> None:
    change = compare({"name": "old", "cluster": 1}, environment(tmp_path))
    assert change.before is None
    assert change.to_dict()["difference"] is None


def test_a_pull_request_shows_it_as_a_list(tmp_path: Path) -> None:
    text = to_markdown(Summary(()), "prod", change_lines(compare({}, environment(tmp_path))))
    assert "* fixed a month: 1.00 USD\n* worst day, at max\\_vcpus: 74.66 USD" in text


def test_show_says_it_in_full(tmp_path: Path) -> None:
    jobs = {f"job{number}": JOB for number in range(7)}
    manifest = environment(tmp_path, jobs=jobs)
    assert "2 more: gen-infra show" in list(change_lines(compare({}, manifest)))[-2]
    lines = list(estimate_lines(estimate(manifest, {"job0": 0.5})))
    assert lines[:3] == [f"C{TITLE[1:]}", "fixed a month: 1.00 USD", "  KMS key (1): 1.00 USD"]
    assert "an instance hour of spot (On-Demand): c7i.8xlarge 1.4280 USD, and its volumes 0.1274 USD" in lines
    assert "  job0: 1.56 USD at its timeout of 2 h, usually 0.39 USD (0.5 h), up to 3 attempts" in lines
    assert "  job1: 1.56 USD at its timeout of 2 h, usual duration unknown, up to 3 attempts" in lines
    assert "  spot: 74.66 USD: 2 c7i.8xlarge 68.54 USD, 2.1 TiB of volumes 6.12 USD" in lines
    assert "  logs written: 0.5 USD per GB" in lines
    assert lines[-1] == f"{PRICES}; gen-infra show --json names all sources"


def test_what_is_unknown_is_said_to_be(tmp_path: Path) -> None:
    lines = list(estimate_lines(estimate(environment(tmp_path, region="cn-north-1"))))
    assert "fixed a month: KMS key (unknown)" in lines
    assert "  logs written: unknown per GB" in lines
    assert "an instance hour of spot (On-Demand): unknown, and its volumes unknown" in lines
    assert "  align: unknown at its timeout of 2 h, usual duration unknown, up to 3 attempts" in lines
    assert "worst day, at max_vcpus: spot (unknown)" in lines
    assert lines[-2] == "  spot: unknown for 64 vCPUs"
    assert lines[-1].startswith("no price of instances or volumes in cn-north-1 is known; ")


def test_types_without_a_price_are_counted_beside_each_amount(tmp_path: Path) -> None:
    # The file has prices of c6i in me-south-1, and none of c7i.
    compute = {**EC2, "instance_types": ["c6i.8xlarge", "c7i.8xlarge"], "min_vcpus": 32}
    manifest = environment(tmp_path, compute__spot=compute, region="me-south-1")
    found = list(change_lines(compare({}, manifest)))
    assert [line.partition(":")[0].strip() for line in found if "1 of 2 types" in line and "(unknown)" in line] == [
        "fixed a month",
        "worst day, at max_vcpus",
        "an instance hour with its volumes",
        "an attempt of a job that runs to its timeout",
    ]
    assert found[-1].startswith("  prices of On-Demand 2025-04-04, Spot 2025-06-28 (")
    answer = estimate(manifest).to_dict()
    assert answer["worst_day"]["unknown"] == ["1 of 2 types of spot"]
    assert answer["jobs"][0]["unpriced"] == "1 of 2 types"


def test_sizes() -> None:
    assert [size(gib) for gib in (900, 2200, 1_126_400)] == ["900 GiB", "2.1 TiB", "1.1 PiB"]
