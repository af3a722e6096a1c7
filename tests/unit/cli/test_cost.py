"""What `gen-infra cost` prints, from AWS's answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from gen_infra.aws import session
from gen_infra.cli import cli
from tests.unit.manifests import changed, write
from tests.unit.recorded import Account

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600_000
ENDED = int(datetime.now(UTC).timestamp() * 1000) - HOUR
HOST = "arn:aws:ecs:us-east-1:123456789012:container-instance/AWSBatch-spot-test-1/0123"
JOB: dict[str, Any] = {
    "jobId": "1",
    "jobName": "align",
    "jobQueue": "arn:aws:batch:us-east-1:123456789012:job-queue/main-test",
    "jobDefinition": "arn:aws:batch:us-east-1:123456789012:job-definition/align-test:3",
    "status": "SUCCEEDED",
    "startedAt": ENDED - 2 * HOUR,
    "container": {"resourceRequirements": [{"type": "VCPU", "value": "16"}, {"type": "MEMORY", "value": "1000"}]},
    "attempts": [
        {"startedAt": ENDED - 2 * HOUR, "stoppedAt": ENDED, "container": {"containerInstanceArn": HOST}}
    ],
}  # fmt: skip


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    account = Account()
    monkeypatch.setattr(session, "clients", lambda _: account.clients)
    monkeypatch.chdir(tmp_path)
    compute = {"type": "EC2", "max_vcpus": 64, "instance_types": ["c7i.8xlarge"]}
    jobs = {"align": {"image": "public.ecr.aws/x/y", "vcpus": 16, "memory_mib": 1000}}
    write(tmp_path, changed(compute__spot=compute, jobs=jobs))
    attributes = [{"name": "ecs.instance-type", "value": "c7i.8xlarge"}]
    account.answers = {
        "GetCallerIdentity": {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/a", "UserId": "A"},
        "ListJobs": lambda asked: {
            "jobSummaryList": [{"jobId": "1", "jobName": "align"}] if asked["jobStatus"] == "SUCCEEDED" else []
        },
        "DescribeJobs": {"jobs": [JOB]},
        "DescribeContainerInstances": {
            "containerInstances": [{"containerInstanceArn": HOST, "attributes": attributes}]
        },
    }  # fmt: skip
    return account


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["cost", "test.yaml", *arguments], standalone_mode=False)


@pytest.mark.usefixtures("aws")
def test_a_table_with_a_total() -> None:
    done = run()
    table = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert table == ["align 1 job 32.00 vCPU hours 1.56 USD", "total, estimated: 1.56 USD"]
    assert "idle instances, traffic and fixed costs are not included" in done.stderr
    assert "older ones are missing" not in done.stderr
    assert "AWS Batch keeps a job for about 7 days" in run("--since", "30d").stderr


@pytest.mark.usefixtures("aws")
def test_json() -> None:
    answer = json.loads(run("--by", "queue", "--json").stdout)
    [group] = answer["groups"]
    assert (group["name"], group["jobs"], group["vcpu_hours"]) == ("main", 1, 32)
    assert (answer["is_estimate"], answer["currency"], answer["by"]) == (True, "USD", "queue")
    assert answer["total"] == {"low": pytest.approx(1.555397), "high": pytest.approx(1.555397)}


def test_without_jobs(aws: Account) -> None:
    aws.answers = {**aws.answers, "ListJobs": {"jobSummaryList": []}}
    done = run()
    assert (done.stdout, done.return_value) == ("", 0)
    assert "no job has run in this time" in done.stderr


@pytest.mark.usefixtures("aws")
def test_a_job_of_unknown_price_costs_not_nothing(tmp_path: Path) -> None:
    compute = {"type": "EC2", "max_vcpus": 64, "instance_types": ["c7i.8xlarge"]}
    jobs = {"align": {"image": "public.ecr.aws/x/y", "vcpus": 16, "memory_mib": 1000}}
    write(tmp_path, changed(region="me-south-1", compute__spot=compute, jobs=jobs))
    done = run()
    table = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert table == ["align 1 job 32.00 vCPU hours 1 job (unknown)", "total, estimated: 1 job (unknown)"]
    assert "the price of 1 of 1 jobs is unknown, and not in the sums" in done.stderr
    assert "prices of On-Demand 2025-04-04" in done.stderr
    [group] = json.loads(run("--json").stdout)["groups"]
    assert (group["usd"], group["jobs_of_unknown_price"]) == (None, 1)


def test_attempts_of_a_job_that_waits_for_another_one_count(aws: Account) -> None:
    waits = {**JOB, "status": "RUNNABLE", "tags": {"Project": "two\u2028lines"}}
    listed = {"jobSummaryList": [{"jobId": "1", "jobName": "align"}]}
    aws.answers = {
        **aws.answers,
        "ListJobs": lambda asked: listed if asked["jobStatus"] == "RUNNABLE" else {"jobSummaryList": []},
        "DescribeJobs": {"jobs": [waits]},
    }
    first, _ = run("--by", "tag", "--tag", "Project").stdout.split("\n", 1)
    assert first.startswith("two lines ")
    assert first.split()[-2:] == ["1.56", "USD"]


def test_what_aws_bills(aws: Account) -> None:
    group = {"Keys": ["gen-infra:cost$test", "Amazon EC2"], "Metrics": {"UnblendedCost": {"Amount": "1234.5"}}}
    aws.answers = {**aws.answers, "GetCostAndUsage": {"ResultsByTime": [{"Groups": [group]}]}}
    lines = run("--source", "cost-explorer", "--since", "2026-11-01").stdout.splitlines()
    assert lines[0].split() == ["Amazon", "EC2", "1,234.50", "USD"]
    assert lines[1] == "total from 2026-11-01 on: 1,234.50 USD, as AWS bills it"
    answer = json.loads(run("--source", "cost-explorer", "--json").stdout)
    assert (answer["total"], answer["is_estimate"], answer["by"]) == (1234.5, False, "service")


@pytest.mark.usefixtures("aws")
def test_cost_explorer_knows_nothing_of_what_existed_before(tmp_path: Path) -> None:
    write(tmp_path, changed(existing={"queues": {"main": "old"}}))
    error: Any = run("--source", "cost-explorer").exception
    assert "what the section existing takes over keeps its tags" in str(error)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--by", "tag"), "--by tag and --tag KEY belong together"),
        (("--tag", "Project"), "--by tag and --tag KEY belong together"),
        (("--source", "cost-explorer", "--by", "job"), "Cost Explorer does not know jobs: --by job needs"),
        (("--since", "soon"), 'invalid time "soon"'),
    ],
)
@pytest.mark.usefixtures("aws")
def test_what_is_refused(arguments: tuple[str, ...], says: str) -> None:
    error: Any = run(*arguments).exception
    assert says in error.message
