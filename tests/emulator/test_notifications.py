"""Who is told of blocked queues: applied by the real provider, and gone without a trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gen_infra.aws import session
from gen_infra.aws.leftovers import notification_leftovers
from tests.cli import gen_infra
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from gen_infra.emulator import Emulator

NAME = "batchQueueBlocked-told"


def test_blocked_queues_are_told_by_e_mail(aws: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environ.items():
        monkeypatch.setenv(name, value)
    lookup = {
        "vpc": {"Name": "genomics"},
        "subnets": {"Tier": "private"},
        "security_groups": {"Name": "genomics-batch"},
    }
    document = changed(
        name="told",
        network={"lookup": lookup},
        image={"parameter": "/gen-infra/prod/ami"},
        notifications={"blocked_queues": ["genomics-ops@example.com"]},
    )
    manifest = write(tmp_path, document)

    def run(command: str) -> str:
        done = gen_infra(command, manifest, "--yes", "--out", tmp_path / "build", environ=aws.environ, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("apply")
    clients = session.clients("us-east-1")
    rule = clients.events.describe_rule(Name=NAME)
    queue = "arn:aws:batch:us-east-1:123456789012:job-queue/main-told"
    assert json.loads(rule["EventPattern"]) == {
        "source": ["aws.batch"],
        "detail-type": ["Batch Job Queue Blocked"],
        "detail": {"jobQueue": [queue]},
    }
    [target] = clients.events.list_targets_by_rule(Rule=NAME)["Targets"]
    topic = target["Arn"]
    assert topic.endswith(f":{NAME}")
    attributes: Any = clients.sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert rule["Arn"] in attributes["Policy"]
    [subscription] = clients.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "genomics-ops@example.com")
    key = clients.kms.get_key_policy(KeyId=attributes["KmsMasterKeyId"], PolicyName="default")["Policy"]
    [encrypting] = [each for each in json.loads(key)["Statement"] if each.get("Sid") == "EncryptEvents"]
    assert encrypting["Condition"] == {"ArnEquals": {"kms:EncryptionContext:aws:sns:topicArn": [topic]}}
    assert notification_leftovers(clients, [NAME]) == [f"event rule {NAME}", f"topic {topic}"]
    run("destroy")
    assert notification_leftovers(clients, [NAME]) == []
