"""What `notifications.budget` leads to, and where it is refused."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, cast

import pytest

from gen_infra.doctor import key as doctor_key
from gen_infra.doctor import runner as doctor
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.manifest.rules import warnings
from gen_infra.render.files import render
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BUDGET = {"usd_a_month": 5000, "emails": ["lab-head@example.com"]}
JOB = {"image": "public.ecr.aws/x/y", "vcpus": 1, "memory_mib": 512}
STOPS = {"budget": {**BUDGET, "stop_queues_at": 120}}


def text(files: dict[str, bytes], name: str = "main.tf") -> str:
    """Return a rendered file with single spaces."""
    return " ".join(files[f"terraform/{name}"].decode().split())


def test_all_that_costs_has_the_tag_of_costs(tmp_path: Path) -> None:
    files = render(accept(tmp_path, tags={"Project": "genomics"}))
    of_resources = 'tags = { Project = "genomics" "gen-infra:cost" = "test" "gen-infra:environment" = "test" }'
    assert of_resources in text(files, "providers.tf")
    # Instances lack gen-infra:environment, by which the role of image builds may terminate its builders.
    assert 'tags = { Project = "genomics" "gen-infra:cost" = "test" }' in text(files)


def test_the_doctor_asks_for_the_tags_of_what_is_billed(tmp_path: Path) -> None:
    compute, jobs = (
        {"spot": {"type": "SPOT", "max_vcpus": 4, "tags": {"Team": "rna"}}},
        {"j": {**JOB, "tags": {"A": ""}}},
    )
    manifest = accept(tmp_path, tags={"Project": "genomics"}, compute=compute, jobs=jobs)
    assert manifest.billed_tags == ["gen-infra:cost", "Project", "Team"]
    check: Any = next(doctor._money(cast("Any", None), manifest, tmp_path))
    assert check.args[1] == manifest.billed_tags


def test_a_budget_alone_stops_nothing(tmp_path: Path) -> None:
    files = render(accept(tmp_path, notifications={"budget": BUDGET}))
    assert 'usd_a_month = 5000 at_percent = [50, 80, 100] emails = ["lab-head@example.com"] }' in text(files)
    assert not [path for path in files if "queue-stop" in path]
    assert "budget_topics" not in text(files)


def test_the_function_that_stops_the_queues_knows_them(tmp_path: Path) -> None:
    files = render(accept(tmp_path, notifications=STOPS))
    rendered = text(files)
    assert "stop_queues_at = 120 stop_topic_arn = module.queue_stop.topic_arn" in rendered
    assert 'budget_topics = ["batchQueueStop-test"]' in rendered
    assert (
        'job_queue_arns = ["arn:aws:batch:us-east-1:123456789012:job-queue/main-test"] stop_queues_at = 120' in rendered
    )
    with zipfile.ZipFile(io.BytesIO(files["terraform/queue-stop.zip"])) as package:
        assert json.loads(package.read("queues.json")) == ["main-test"]
        assert "batch_queue_stop.py" in package.namelist()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"region": "us-gov-west-1"}, "AWS Budgets has no budgets in US dollars in us-gov-west-1; remove it"),
        ({"region": "cn-north-1"}, "AWS Budgets has no budgets in US dollars in cn-north-1; remove it"),
        ({"existing": {"queues": {"main": "old"}}}, "what the section existing takes over does not get the tag"),
    ],
)
def test_where_it_could_not_count_it_is_refused(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=words):
        accept(tmp_path, notifications={"budget": BUDGET}, **changes)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("at_percent", [50, 80, 50], r"notifications\.budget\.at_percent\[2\]: 50 is listed twice"),
        ("emails", ["a@b.org", "a@b.org"], r'notifications\.budget\.emails\[1\]: "a@b.org" is listed twice'),
        ("emails", [], "emails"),
        ("usd_a_month", 0, "usd_a_month"),
        ("stop_queues_at", 1001, "stop_queues_at"),
    ],
)
def test_values_that_aws_refuses(key: str, value: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=words):
        accept(tmp_path, notifications={"budget": {**BUDGET, key: value}})


@pytest.mark.parametrize(("stop", "warned"), [(40, True), (50, False), (120, False)])
def test_a_stop_before_any_notification_is_a_warning(stop: int, *, warned: bool, tmp_path: Path) -> None:
    manifest = accept(tmp_path, notifications={"budget": {**BUDGET, "stop_queues_at": stop}})
    found = [message for path, message in warnings(manifest) if path[-1] == "stop_queues_at"]
    assert found == (["the queues are disabled before the first notification, at 50 percent"] if warned else [])


def test_the_doctor_checks_whether_a_given_key_allows_budgets_to_use_it(tmp_path: Path) -> None:
    aws: Any = None
    check: Any = doctor.key(aws, accept(tmp_path, notifications=STOPS, encryption={"key": KEY}))
    *_, users = check.args
    assert users["budgets.amazonaws.com"] == doctor_key.PUBLISH
