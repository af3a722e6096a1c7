"""What `notifications` leads to, and that nothing is rendered without recipients."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.doctor import key as doctor_key
from gen_infra.doctor import runner as doctor
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.render.files import render
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NOTIFIED = {"blocked_queues": ["genomics-ops@example.com"]}


def main_tf(folder: Path, **changes: Any) -> str:
    """Return the rendered text, with single spaces."""
    return " ".join(render(accept(folder, **changes))["terraform/main.tf"].decode().split())


def test_a_topic_and_a_rule_and_leave_for_the_rule_to_use_the_key(tmp_path: Path) -> None:
    rendered = main_tf(tmp_path, notifications=NOTIFIED)
    assert 'event_topics = ["batchQueueBlocked-test"]' in rendered
    assert 'module "queue_notifications" {' in rendered
    assert 'job_queue_arns = ["arn:aws:batch:us-east-1:123456789012:job-queue/main-test"]' in rendered
    assert 'emails = ["genomics-ops@example.com"]' in rendered


def test_nothing_without_addresses(tmp_path: Path) -> None:
    rendered = main_tf(tmp_path)
    assert "event_topics" not in rendered
    assert "queue_notifications" not in rendered


def test_an_address_is_one(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="is not an e-mail address"):
        accept(tmp_path, notifications={"blocked_queues": ["ops"]})


def test_the_doctor_checks_whether_a_given_key_allows_the_rule_to_use_it(tmp_path: Path) -> None:
    aws: Any = None
    check: Any = doctor.key(aws, accept(tmp_path, notifications=NOTIFIED, encryption={"key": KEY}))
    *_, users = check.args
    assert users["events.amazonaws.com"] == doctor_key.PUBLISH


@pytest.mark.parametrize(
    ("region", "logs"),
    [
        ("eu-west-1", "logs.eu-west-1.amazonaws.com"),
        ("us-gov-west-1", "logs.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "logs.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_doctor_checks_whether_the_logs_of_the_partition_may_use_the_key(
    tmp_path: Path, region: str, logs: str
) -> None:
    aws: Any = None
    check: Any = doctor.key(aws, accept(tmp_path, region=region))
    *_, users = check.args
    assert [*users] == [logs]


ALARMS = {
    "critical": ["genomics-ops@example.com"],
    "warning": ["genomics-lab@example.com"],
    "failed_jobs": {"percent": 20},
    "invalid_compute_environments": True,
    "dead_letters": True,
    "waiting_minutes": 120,
    "spot_interruptions": {"attempts": 10},
    "image_age_days": 45,
}


def test_each_severity_has_a_topic_that_its_rule_may_encrypt_for(tmp_path: Path) -> None:
    manifest = accept(tmp_path, notifications=ALARMS)
    assert manifest.event_topics == ["batchAlarmsCritical-test", "batchAlarmsWarning-test"]
    rendered = main_tf(tmp_path, notifications=ALARMS)
    assert 'event_topics = ["batchAlarmsCritical-test", "batchAlarmsWarning-test"]' in rendered
    assert 'emails = { critical = ["genomics-ops@example.com"] warning = ["genomics-lab@example.com"] }' in rendered
    assert "failed_jobs = { percent = 20 window_minutes = 60 at_least = 5 }" in rendered
    assert 'module "dashboard"' not in rendered


def test_a_dashboard_needs_no_topic(tmp_path: Path) -> None:
    rendered = main_tf(tmp_path, notifications={"dashboard": True})
    assert "event_topics" not in rendered
    assert 'module "environment_alarms" {' in rendered
    assert 'module "dashboard" {' in rendered


@pytest.mark.parametrize(
    ("notifications", "more", "problem"),
    [
        (
            {"waiting_minutes": 60},
            {},
            "notifications.waiting_minutes: needs an e-mail address in notifications.warning",
        ),
        (
            {"critical": ["a@b.org"], "waiting_minutes": 60, "warning": ["a@b.org"]},
            {},
            "notifications.critical: has no alarm; add one or more of failed_jobs, invalid_compute_environments",
        ),
        (
            {"warning": ["a@b.org"], "failed_image_builds": True},
            {},
            "notifications.failed_image_builds: needs image.rebuild",
        ),
        (
            {"warning": ["a@b.org"], "spot_interruptions": {"attempts": 1}},
            {"compute": {"spot": {"type": "EC2", "max_vcpus": 8}}},
            "notifications.spot_interruptions: no compute environment runs on Spot",
        ),
        (
            {"warning": ["a@b.org"], "image_age_days": 1},
            {"compute": {"spot": {"type": "FARGATE", "max_vcpus": 8}}},
            "notifications.image_age_days: no compute environment has instances",
        ),
    ],
)
def test_an_alarm_has_recipients_and_something_to_watch(
    tmp_path: Path, notifications: dict[str, Any], more: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ManifestError, match=re.escape(problem)):
        accept(tmp_path, notifications=notifications, **more)


def test_the_names_of_alarms_are_those_of_the_module(tmp_path: Path) -> None:
    assert accept(tmp_path, notifications=ALARMS).alarms == [
        "batchFailedJobs-test",
        "batchInvalidComputeEnvironments-test",
        "batchJobsWait-test",
        "batchSpotInterruptions-test",
        "batchImageAge-test",
        "batchDeadLetters-batchMeasure-test",
        *(
            f"batchRuleFailed-batchAlarms{rule}-test"
            for rule in ("Critical", "Warning", "CriticalCleared", "WarningCleared")
        ),
        *(f"batchRuleFailed-{rule}-test" for rule in ("batchMeasure", "batchJobsEnded", "batchHostsLost")),
        "batchRuleFailed-batchExplain-test",
    ]
