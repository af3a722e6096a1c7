"""The report as a whole: its data, its page, and the command."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gen_infra import pipeline
from gen_infra.cli import cli
from gen_infra.report.data import EnvironmentReport, ReportPart
from gen_infra.report.gather import gather
from gen_infra.report.page import common_reasons, marked, number, page, span
from tests.unit.manifests import changed, write
from tests.unit.report.history import NOW

JOB = {"image": "quay.io/x/y:1", "vcpus": 4, "memory_mib": 8000}


@pytest.fixture(autouse=True)
def _without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "PATH": "/nowhere",  # without dot, which would be a process
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


def report(folder: Path, **changes: Any) -> EnvironmentReport:
    path = write(folder, changed(**changes))
    environment = pipeline.load(path, folder / "build")
    return gather(environment, path, lambda _: None, since=timedelta(days=7), checks=False, now=NOW)


def part(found: EnvironmentReport, part_id: str) -> ReportPart:
    [one] = [each for each in found.parts if each.id == part_id]
    return one


def test_a_part_has_its_lines_its_terraform_and_its_roles(tmp_path: Path) -> None:
    write(tmp_path, "jobs:\n  one:\n    image: quay.io/x/y:1\n    vcpus: 4\n    memory_mib: 8000\n", "parent.yaml")
    found = report(tmp_path, extends="parent.yaml", jobs={"one": {"vcpus": 8}, "one_more": JOB})
    one = part(found, "job-one")

    own, inherited = one.manifest
    assert own.text == "one:\n  vcpus: 8"
    assert (Path(inherited.file).name, inherited.line) == ("parent.yaml", 3)
    assert inherited.text == "image: quay.io/x/y:1\nvcpus: 4\nmemory_mib: 8000"
    assert [each.text.split(" {")[0] for each in one.terraform] == [
        'resource "aws_batch_job_definition" "one"',
        'resource "aws_cloudwatch_log_group" "one"',
        'resource "aws_iam_role" "one"',
    ]
    assert all(each.text.endswith("\n}") for each in one.terraform)
    assert one.roles == ("one-test-job",)
    compute = part(found, "compute-spot")
    assert compute.terraform[0].text.startswith('module "compute_spot" {')
    assert "batchInstance-test" in compute.roles


def test_a_job_fits_where_it_costs_least(tmp_path: Path) -> None:
    found = report(tmp_path, compute__spot__instance_types=["m6i"], compute__spot__type="EC2", jobs={"one": JOB})
    [[place]] = [each.places for each in found.jobs]

    assert (place.key, place.type, place.jobs_in_max_vcpus) == ("spot", "EC2", 16)
    assert place.best
    assert place.best.name.startswith("m6i.")
    assert place.best.vcpus_percent == 100
    assert 40 < place.best.memory_percent < 60
    assert place.best.usd_an_hour
    assert place.best.usd_a_job_hour
    assert place.best.usd_a_job_hour.low == pytest.approx(place.best.usd_an_hour.low / place.best.at_once)
    assert place.best.usd_a_job_hour.low == pytest.approx(0.192, rel=0.1), "m6i.xlarge, and its volumes"


def test_a_job_on_fargate_and_a_multi_node_job_have_the_price_of_the_cost_estimate(tmp_path: Path) -> None:
    compute = {"main": {"type": "FARGATE", "max_vcpus": 16}, "ec2": {"type": "EC2", "max_vcpus": 64}}
    compute["ec2"]["instance_types"] = ["m6i.xlarge"]
    queues = {name: {"priority": 1, "compute": [place]} for name, place in (("small", "main"), ("nodes", "ec2"))}
    small = {**JOB, "vcpus": 1, "memory_mib": 2048, "queue": "small"}
    jobs = {"small": small, "nodes": {**JOB, "vcpus": 2, "nodes": 3, "queue": "nodes"}}
    found = report(tmp_path, compute=compute, queues=queues, jobs=jobs)
    estimated = {each.job: each.usd_an_hour for each in found.cost.jobs}
    for job in found.jobs:
        assert [place.usd_a_job_hour for place in job.places] == [estimated[job.key]], job.key
    assert estimated["small"]
    assert estimated["small"].high == pytest.approx(0.04048 + 2 * 0.004445), "a vCPU and 2 GiB in us-east-1"


def test_a_reason_that_several_roles_have_is_said_once(tmp_path: Path) -> None:
    boundary = "arn:aws:iam::123456789012:policy/limits"
    found = report(tmp_path, iam={"permissions_boundary": boundary}, jobs={"one": JOB})
    [reason] = common_reasons(found.access)
    assert reason.startswith("the permissions boundary limits may forbid it, and was not read: no AWS credentials")
    assert page(found).count('<span class="doubt">') == 0
    assert page(found).count(f'<span class="mark">?</span> {reason}.</p>') == 1


def test_what_is_missing_is_named_with_the_reason(tmp_path: Path) -> None:
    found = report(tmp_path)
    missing = {each.section: each for each in found.missing}

    assert set(missing) == {"live", "plan", "check", "picture"}
    assert missing["live"].why.startswith("no AWS credentials")
    assert missing["plan"].hint == f"run gen-infra plan {tmp_path / 'test.yaml'}"
    text = page(found)
    assert "no AWS credentials" in text
    assert "there is no saved plan" in text


class _Elements(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - HTMLParser's signature
        self._open = ""

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open, []).append(data)


def test_the_page_admits_its_own_style_and_script_and_nothing_else(tmp_path: Path) -> None:
    elements = _Elements(page(report(tmp_path)))
    [policy] = [
        attrs["content"] for tag, attrs in elements.tags if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy
    rules = dict(each.split(" ", 1) for each in policy.split("; "))

    def hashes(tag: str) -> list[str]:
        digests = [hashlib.sha256(text.encode()).digest() for text in elements.texts[tag]]
        return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]

    assert rules.pop("script-src") == " ".join(hashes("script"))
    assert rules.pop("style-src").split() == hashes("style")
    assert rules == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}
    for tag, attrs in elements.tags:
        assert not {"src", "style", "srcset", "data", "action"} & {*attrs}, tag
        assert not any(name.startswith("on") for name in attrs), tag
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}
        assert (attrs.get("href") or "#").startswith(("#", "https://")), attrs


def test_ids_are_unique_and_links_lead_somewhere(tmp_path: Path) -> None:
    tags = _Elements(page(report(tmp_path, jobs={"one": JOB}))).tags
    ids = [attrs["id"] for _, attrs in tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    links = {attrs["href"] for tag, attrs in tags if tag == "a" and (attrs.get("href") or "").startswith("#")}
    assert {"#part-job-one", "#role-one-test-job", "#access"} <= links
    assert [link for link in links if link and link[1:] not in ids] == []


def test_the_json_has_all_data(tmp_path: Path) -> None:
    found = report(tmp_path, jobs={"one": JOB})
    data = found.to_dict()

    assert json.loads(json.dumps(data)) == data
    assert set(data) == set(EnvironmentReport.__dataclass_fields__)
    assert data["made"] == "2026-11-29T15:00:00Z"
    assert data["access"]["roles"][0]["name"] == "one-test-job"
    assert data["cost"]["fixed_month"]["items"]


def test_texts() -> None:
    assert [number(each) for each in (0, 1234, 12.345, 0.034, 1e6)] == ["0", "1,234", "12.3", "0.03", "1,000,000"]
    spans = [span(each).replace("\u2009", " ") for each in (5, 720, 11100, 187200, timedelta(hours=1))]
    assert spans == ["5 s", "12 min", "3 h 05 min", "2 d 4 h", "1 h 00 min"]
    assert marked("run `a <b>` & c") == "run <code>a &lt;b&gt;</code> &amp; c"
    assert marked("one ` alone <") == "one ` alone &lt;"


class TestCommand:
    @pytest.fixture(autouse=True)
    def _here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        write(tmp_path, changed())

    def run(self, *arguments: str) -> Any:
        return CliRunner().invoke(cli, ["report", "test.yaml", "--no-check", *arguments])

    def test_it_writes_the_page_and_prints_its_path(self) -> None:
        done = self.run("--output", "a.html", "--quiet")
        assert (done.exit_code, done.output) == (0, "a.html\n")
        assert "<title>test · gen-infra report</title>" in Path("a.html").read_text()
        assert sorted(each.name for each in Path().iterdir()) == ["a.html", "test.yaml"]

    def test_the_page_is_report_html_and_progress_names_what_is_missing(self) -> None:
        done = self.run()
        assert done.stdout == "report.html\n"
        assert re.search(r"^not in it: live: no AWS credentials", done.stderr, re.MULTILINE)

    def test_json_writes_a_page_only_on_request(self) -> None:
        assert json.loads(self.run("--json").stdout)["name"] == "test"
        assert not Path("report.html").exists()
        self.run("--json", "--output", "b.html")
        assert Path("b.html").exists()

    def test_a_folder_that_does_not_exist_is_an_error_before_anything_is_looked_up(self) -> None:
        error = self.run("--output", "no/a.html").exception
        assert str(error) == 'folder "no" does not exist'
