"""The jobs of the last days, from answers of AWS Batch."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.errors import AwsError
from gen_infra.report.chart import WIDTH, Axis, usage_chart
from gen_infra.report.live import job_spans
from tests.unit.manifests import accept
from tests.unit.report.history import IMAGE, JOBS, NOW, ago, answers, attempt, job, live_of

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.report.data import LiveData
    from tests.unit.recorded import Account


@pytest.fixture
def live(account: Account, tmp_path: Path) -> LiveData:
    account.answers = answers(JOBS)
    return live_of(
        account, accept(tmp_path, jobs={"one": {"image": "quay.io/x/y:1", "vcpus": 8, "memory_mib": 512}}), tmp_path
    )


def test_jobs_causes_and_hours(live: LiveData) -> None:
    jobs = {each.id: each for each in live.jobs}

    assert list(jobs) == ["wait", "now", "many", "bad", "killed-too", "killed", "good"], "the newest first"
    assert jobs["good"].vcpu_hours == 8 * 1.5, "of both attempts"
    assert jobs["now"].vcpu_hours == 8 * 1.5, "so far"
    assert jobs["many"].vcpu_hours == 8 * 3, "of the children"
    assert jobs["wait"].vcpu_hours == 0
    [group] = live.spent
    assert (group.name, group.jobs, group.vcpu_hours) == ("one", 5 + 3, 12 + 12 + 24 + 3 * 4)
    causes = {each.name: each.jobs for each in live.causes}
    assert causes["out-of-memory"] == 2
    assert {jobs[each].cause for each in ("killed", "killed-too")} == {"out-of-memory"}
    assert sum(causes.values()) + live.unexplained == 4
    assert jobs["good"].cause == ""
    [queue] = live.queues
    assert (queue.counts["RUNNABLE"], queue.counts["RUNNING"], queue.busy_vcpus, queue.max_vcpus) == (1, 1, 8, 64)


def test_the_life_of_a_job() -> None:
    def lived(detail: dict[str, Any]) -> list[tuple[str, float]]:
        return [(each.state, each.seconds / 60) for each in job_spans(detail, NOW)]

    assert lived(JOBS[0]) == [("waiting", 10), ("failed", 30), ("waiting", 10), ("running", 60)]
    assert lived(JOBS[1]) == [("waiting", 10), ("failed", 30)]
    assert lived(JOBS[4]) == [("waiting", 10), ("running", 90)]
    assert lived(JOBS[5]) == [("waiting", 50)]
    assert lived(job("s", "STARTING", 5)) == [("starting", 5)]
    never_started = job("n", "FAILED", 20, attempts=[attempt(None, 5)], stoppedAt=ago(5))
    assert lived(never_started) == [("starting", 15)]
    assert lived(job("c", "FAILED", 20, stoppedAt=ago(10))) == [("waiting", 10)], "cancelled before it started"
    nodes = job("m", "SUCCEEDED", 20, startedAt=ago(15), stoppedAt=ago(5), nodeProperties={"numNodes": 2})
    assert lived(nodes) == [("waiting", 5), ("running", 10)]


def test_the_chart_has_the_vcpus_of_running_jobs_and_the_number_of_waiting_ones(live: LiveData) -> None:
    axis = Axis.of(live)
    chart = usage_chart(live, axis)

    assert axis.start == NOW - timedelta(minutes=600)
    assert (axis.x(axis.start), axis.x(NOW)) == (0, WIDTH)
    assert chart.most_vcpus == pytest.approx(24), "three failed attempts at a time; an array with three children"
    assert chart.most_waiting == pytest.approx(1)
    assert [tick.label for tick in axis.ticks][:2] == ["06:00", "08:00"]
    assert all(each.width >= 2 for job in live.jobs for each in axis.bars(job))


def test_alarms_that_fire_come_first_and_the_image_has_an_age(account: Account, tmp_path: Path) -> None:
    alarm = {"StateTransitionedTimestamp": NOW, "AlarmDescription": "a reason"}
    named = [
        {"AlarmName": f"{name}-test", "StateValue": state, **alarm}
        for name, state in (("batchFailedJobs", "OK"), ("batchInvalidComputeEnvironments", "ALARM"))
    ]
    account.answers = {**answers([]), "DescribeAlarms": {"MetricAlarms": named}}
    manifest = accept(
        tmp_path,
        notifications={
            "critical": ["lab@example.com"],
            "failed_jobs": {"percent": 20, "window_minutes": 60, "at_least": 3},
            "invalid_compute_environments": True,
        },
    )
    found = live_of(account, manifest, tmp_path)

    assert [(each.name, each.state) for each in found.alarms] == [
        ("batchInvalidComputeEnvironments-test", "ALARM"),
        ("batchFailedJobs-test", "OK"),
    ]
    assert [(each.id, found.until - each.created) for each in found.images] == [(IMAGE, timedelta(days=20))]
    assert found.unseen == ()
    account.answers = answers([])
    assert live_of(account, manifest, tmp_path).unseen == ("alarms: needs cloudwatch:DescribeAlarms",)


def test_without_jobs_there_is_an_axis(account: Account, tmp_path: Path) -> None:
    account.answers = answers([])
    found = live_of(account, accept(tmp_path), tmp_path)
    assert (found.jobs, found.causes, found.spent) == ((), (), ())
    assert usage_chart(found, Axis.of(found)).most_vcpus == 0


def test_queues_that_do_not_exist_are_an_error(account: Account, tmp_path: Path) -> None:
    account.answers = {"DescribeJobQueues": {"jobQueues": []}}
    with pytest.raises(AwsError, match="queues not found in us-east-1: main-test"):
        live_of(account, accept(tmp_path), tmp_path)
