"""What `notifications` leads to, and that nothing is rendered without recipients."""

from __future__ import annotations

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
