"""The function that disables queues: when it does, which, and what it leaves as it is."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from gen_infra.aws.queues import STOPPED_TAG
from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

ARN = "arn:aws:batch:us-east-1:123456789012:job-queue"


class Aws:
    """What AWS Budgets and AWS Batch are going to answer."""

    def __init__(self) -> None:
        self.stubs: dict[str, Stubber] = {}
        for service in ("batch", "budgets"):
            client: Any = boto3.client(
                service, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
            )
            self.stubs[service] = Stubber(client)
            self.stubs[service].activate()

    def client(self, service: str, **_: Any) -> Any:
        return self.stubs[service].client

    def spends(self, dollars: str) -> None:
        budget = {
            "BudgetName": "batchBudget-prod", "TimeUnit": "MONTHLY", "BudgetType": "COST",
            "BudgetLimit": {"Amount": "5000.0", "Unit": "USD"},
            "CalculatedSpend": {"ActualSpend": {"Amount": dollars, "Unit": "USD"}},
        }  # fmt: skip
        asked = {"AccountId": "123456789012", "BudgetName": "batchBudget-prod"}
        self.stubs["budgets"].add_response("describe_budget", {"Budget": budget}, asked)

    def has(self, **states: str) -> None:
        queues = [
            {"jobQueueName": name, "jobQueueArn": f"{ARN}/{name}", "state": state, "priority": 1}
            | {"computeEnvironmentOrder": []}
            for name, state in states.items()
        ]
        asked = {"jobQueues": ["high-prod", "low-prod"], "maxResults": 100}
        self.stubs["batch"].add_response("describe_job_queues", {"jobQueues": queues}, asked)

    def tags(self, name: str) -> None:
        self.stubs["batch"].add_response(
            "tag_resource", {}, {"resourceArn": f"{ARN}/{name}", "tags": {STOPPED_TAG: ANY}}
        )

    def disables(self, name: str) -> None:
        self.tags(name)
        self.stubs["batch"].add_response("update_job_queue", {}, {"jobQueue": f"{ARN}/{name}", "state": "DISABLED"})

    def refuses(self, name: str) -> None:
        self.tags(name)
        self.stubs["batch"].add_client_error("update_job_queue", "ClientException", f"{name} is being modified")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Yield the answers; at the end every one must have been used."""
    answers = Aws()
    monkeypatch.setattr(boto3, "client", answers.client)
    yield answers
    for stub in answers.stubs.values():
        stub.assert_no_pending_responses()


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """Yield the function as Lambda imports it, for two queues and 120 percent."""
    package = shutil.copytree(data_dir("modules") / "queue-stop" / "src", tmp_path / "package")
    (package / "queues.json").write_text(json.dumps(["high-prod", "low-prod"]))
    monkeypatch.syspath_prepend(package)
    for name, value in {"ACCOUNT": "123456789012", "BUDGET": "batchBudget-prod", "STOP_QUEUES_AT": "120"}.items():
        monkeypatch.setenv(name, value)
    yield importlib.import_module("batch_queue_stop")
    del sys.modules["batch_queue_stop"]


@pytest.mark.parametrize(("dollars", "percent"), [("0", "0"), ("6000", "120"), ("5999.99", "119.9998")])
def test_a_message_stops_nothing_that_the_budget_does_not_confirm(
    dollars: str, percent: str, aws: Aws, function: ModuleType
) -> None:
    aws.spends(dollars)
    answer = function.handler({"Records": []}, None)
    assert (float(answer["percent"]), answer["disabled"]) == (float(percent), [])


def test_enabled_queues_are_marked_and_disabled_and_no_job_is_touched(
    aws: Aws, function: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.spends("6000.01")
    aws.has(**{"high-prod": "ENABLED", "low-prod": "DISABLED"})
    aws.disables("high-prod")
    assert function.handler({}, None) == {"percent": "120.0002", "disabled": ["high-prod"]}
    assert json.loads(capsys.readouterr().out)["queues"] == ["high-prod"]


def test_a_queue_that_is_busy_keeps_no_other_from_being_disabled_and_lambda_tries_again(
    aws: Aws, function: ModuleType
) -> None:
    aws.spends("7000")
    aws.has(**{"high-prod": "ENABLED", "low-prod": "ENABLED"})
    aws.refuses("high-prod")
    aws.disables("low-prod")
    with pytest.raises(function.QueueStopError, match=r"still enabled: high-prod: .*high-prod is being modified"):
        function.handler({}, None)


def test_the_mark_is_the_one_that_gen_infra_looks_for(function: ModuleType) -> None:
    assert function.STOPPED_TAG == STOPPED_TAG
