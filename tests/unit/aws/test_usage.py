"""What the jobs of runs used, from their entries of DescribeJobs, and the estimate by list prices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gen_infra.aws.runs import Run, StepRun
from gen_infra.aws.usage import Usage, usage_of

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOUR = 3_600_000
ENDED = int(NOW.timestamp() * 1000)


def needs(**given: str) -> dict[str, Any]:
    return {"resourceRequirements": [{"type": kind, "value": value} for kind, value in given.items()]}


def job(status: str = "SUCCEEDED", **members: Any) -> dict[str, Any]:
    return {"status": status, "container": needs(VCPU="4", MEMORY="8192"), **members}


def attempt(hours: float) -> dict[str, int]:
    return {"startedAt": ENDED - int(hours * HOUR), "stoppedAt": ENDED}


def test_all_attempts_count_and_the_one_that_runs() -> None:
    failed = job(attempts=[attempt(1), attempt(0.5)])
    assert usage_of(failed, NOW) == Usage(6, 12)
    running = job("RUNNING", attempts=[attempt(1)], startedAt=ENDED - HOUR // 2)
    assert usage_of(running, NOW) == Usage(6, 12)


def test_a_job_that_has_not_started_used_nothing() -> None:
    assert usage_of(job("RUNNABLE"), NOW) == Usage()
    assert usage_of(job("FAILED", attempts=[{"statusReason": "Task failed to start"}]), NOW) == Usage()


def test_every_node_and_every_container_counts() -> None:
    node = {"container": needs(VCPU="4", MEMORY="8192")}
    nodes = {"numNodes": 3, "nodeRangeProperties": [node]}
    assert usage_of({"status": "SUCCEEDED", "attempts": [attempt(1)], "nodeProperties": nodes}, NOW) == Usage(12, 24)
    task = {"containers": [needs(VCPU="1", MEMORY="1024"), needs(VCPU="2", MEMORY="1024")]}
    several = {"status": "SUCCEEDED", "attempts": [attempt(1)], "ecsProperties": {"taskProperties": [task]}}
    assert usage_of(several, NOW) == Usage(3, 2)


def test_the_estimate_is_by_list_prices_and_there_is_none_for_gpus() -> None:
    assert Usage(10, 100).usd == pytest.approx(10 * 0.04048 + 100 * 0.004445)
    gpu = usage_of(job(container=needs(VCPU="4", MEMORY="8192", GPU="1"), attempts=[attempt(2)]), NOW)
    assert gpu.to_dict() == {"vcpu_hours": 8, "memory_gib_hours": 16, "gpu_hours": 2, "estimated_usd": None}


def test_a_run_is_the_sum_of_its_steps_and_unknown_without_any() -> None:
    def step(usage: Usage | None) -> StepRun:
        return StepRun("align", "SUCCEEDED", "job-2", NOW, NOW, "", earlier_jobs=("job-1",), usage=usage)

    def run(*steps: StepRun, samples: tuple[Run, ...] = ()) -> Run:
        return Run("x", "arn", "SUCCEEDED", NOW, NOW, steps=steps, samples=samples)

    one = run(step(Usage(1, 2)), step(None), step(Usage(3, 4)))
    assert run(samples=(one, one)).usage == Usage(8, 12)
    assert run(step(None)).usage is None
    assert step(None).jobs == ("job-1", "job-2")
    shown = one.to_dict()
    assert [each["usage"] and each["usage"]["vcpu_hours"] for each in shown["steps"]] == [1, None, 3]
    assert (shown["usage"]["vcpu_hours"], shown["started"]) == (4, "2026-11-29T12:00:00Z")
