"""An estimate as lines of text."""

from __future__ import annotations

from functools import reduce
from itertools import groupby
from operator import or_
from typing import TYPE_CHECKING

from gen_infra.cost.amounts import UNKNOWN, ZERO, shown, types_without_price, written
from gen_infra.cost.comparison import difference
from gen_infra.cost.estimate import NOTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.cost.amounts import Total, UsdRange
    from gen_infra.cost.comparison import CostChange
    from gen_infra.cost.estimate import CostEstimate
    from gen_infra.cost.hourly import InstancePrice
    from gen_infra.cost.jobs import JobCost
    from gen_infra.cost.worst_day import WorstDay

_FEW = 5  # jobs
_OF_AN_HOUR = 4  # digits


def change_lines(change: CostChange) -> Iterator[str]:
    """Yield a change in short: by the month, on the worst day, and by the job; and what it was before."""
    before, after = change.before, change.after
    yield f"cost in {after.region}, {NOTE}:"
    month, day = (before.fixed_month, before.worst_day) if before else (None, None)
    yield f"  fixed a month: {after.fixed_month}{_was(month, after.fixed_month)}"
    yield f"  worst day, at max_vcpus: {_worst(after)}{_was(day, after.worst_day)}"
    if hours := [_hours_in_short(*each) for each in _by_compute(after)]:
        yield f"  an instance hour with its volumes: {', '.join(hours)}"
    if after.jobs:
        shown_jobs = [
            f"{each.job} {_with(each.at_timeout, each.unpriced)}" + (f" (usually {each.usual})" if each.usual else "")
            for each in after.jobs[:_FEW]
        ]
        more = f"; {len(after.jobs) - _FEW} more: gen-infra show" if len(after.jobs) > _FEW else ""
        yield f"  an attempt of a job that runs to its timeout: {', '.join(shown_jobs)}{more}"
    yield f"  {after.prices_note}"


def _by_compute(found: CostEstimate) -> list[tuple[str, list[InstancePrice]]]:
    return [(compute, list(prices)) for compute, prices in groupby(found.instances, key=lambda each: each.compute)]


def _hours_in_short(compute: str, prices: list[InstancePrice]) -> str:
    known = [each.all_usd for each in prices if each.all_usd]
    if not known:
        return f"{compute} {UNKNOWN}"
    return f"{compute} {_with(reduce(or_, known), types_without_price(len(prices) - len(known), len(prices)))}"


def _with(usd: UsdRange | None, unpriced: str) -> str:
    """Write an amount with what it lacks."""
    return shown(usd) + (f" and {unpriced} ({UNKNOWN})" if unpriced else "")


def _was(before: Total | None, after: Total) -> str:
    if before is None or before == after:
        return ""
    change = difference(before, after)
    low, high = _signed(change.low), _signed(change.high)
    return f"; was {before}: " + (f"{low} USD" if low == high else f"{low} to {high} USD")


def _signed(usd: float) -> str:
    return ("-" if usd < 0 else "+") + written(abs(usd))


def _worst(found: CostEstimate) -> str:
    volumes = sum((each.volumes_usd.high for each in found.worst_days if each.volumes_usd), 0.0)
    gib = sum(each.volumes_gib for each in found.worst_days)
    if not gib or found.worst_day.usd == ZERO:
        return str(found.worst_day)
    return f"{found.worst_day}, with {written(volumes)} USD for {size(gib)} of volumes"


def size(gib: int) -> str:
    """Write a size in the largest unit that leaves a digit before the point."""
    for unit, factor in (("PiB", 1024 * 1024), ("TiB", 1024)):
        if gib >= factor:
            return f"{gib / factor:.1f} {unit}"
    return f"{gib} GiB"


def estimate_lines(found: CostEstimate) -> Iterator[str]:
    """Yield an estimate in full, but for the single instance types: `--json` has these."""
    yield f"Cost in {found.region}, {NOTE}:"
    yield f"fixed a month: {found.fixed_month}"
    yield from (f"  {each.name} ({each.count}): {shown(each.usd)}" for each in found.fixed)
    if found.rates:
        yield "by use, in no sum here:"
    for rate in found.rates:
        price = UNKNOWN if rate.usd is None else f"{rate.usd:g} USD"
        yield f"  {rate.name}: {price} per {rate.unit}"
    for compute, prices in _by_compute(found):
        yield from _hours(compute, prices)
    if found.jobs:
        yield "an attempt of a job:"
    yield from map(_job, found.jobs)
    yield f"worst day, at max_vcpus: {found.worst_day}"
    yield from map(_worst_day, found.worst_days)
    yield f"{found.prices_note}; gen-infra show --json names all sources"


def _hours(compute: str, prices: list[InstancePrice]) -> Iterator[str]:
    known = sorted((each for each in prices if each.usd), key=lambda each: each.usd or ZERO)
    purchase = "Spot" if prices[0].is_spot else "On-Demand"
    volumes = shown(prices[0].volumes_usd, _OF_AN_HOUR)
    if not known:
        yield f"an instance hour of {compute} ({purchase}): {UNKNOWN}, and its volumes {volumes}"
        return
    ends = [known[0], known[-1]] if known[0] != known[-1] else known
    types = " to ".join(f"{each.instance.name} {shown(each.usd, _OF_AN_HOUR)}" for each in ends)
    missing = f"; {len(prices) - len(known)} of {len(prices)} types {UNKNOWN}" if len(known) < len(prices) else ""
    yield f"an instance hour of {compute} ({purchase}): {types}{missing}, and its volumes {volumes}"


def _job(job: JobCost) -> str:
    usual = f"usually {shown(job.usual)} ({job.usual_hours:.2g} h)" if job.usual_hours is not None else (
        f"usual duration {UNKNOWN}"
    )  # fmt: skip
    attempts = f", up to {job.attempts} attempts" if job.attempts > 1 else ""
    at_timeout = _with(job.at_timeout, job.unpriced)
    return f"  {job.job}: {at_timeout} at its timeout of {job.timeout_hours:.4g} h, {usual}{attempts}"


def _worst_day(day: WorstDay) -> str:
    if not day.instances:
        return f"  {day.compute}: {shown(day.usd)} for {day.max_vcpus} vCPUs"
    return (
        f"  {day.compute}: {shown(day.usd)}: {day.instances} {day.instance_type} {shown(day.compute_usd)}, "
        f"{size(day.volumes_gib)} of volumes {shown(day.volumes_usd)}"
    )
