"""The table of queues: what is counted, and how it is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.aws.errors import TransientAwsError
from gen_infra.aws.queues import QueueState, queue_states, vcpus_of, watch_queues
from gen_infra.cli.watch import show, table
from gen_infra.errors import AwsError
from tests.unit.recorded import Account, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
ARN = "arn:aws:batch:us-east-1:123456789012:compute-environment"
COUNTS = {"SUBMITTED": 0, "PENDING": 0, "RUNNABLE": 2, "STARTING": 0, "RUNNING": 1}


def container(vcpus: int) -> dict[str, Any]:
    return {"container": {"resourceRequirements": [{"type": "VCPU", "value": str(vcpus)}]}}


def job(job_id: str, status: str, minutes: int, **more: Any) -> dict[str, Any]:
    created = int((NOW - timedelta(minutes=minutes)).timestamp() * 1000)
    always = {"jobName": "wgs", "jobQueue": "main", "jobDefinition": "isaac", "startedAt": 0}
    return {"jobId": job_id, "status": status, "createdAt": created, **always, **more}


ARRAY = {"size": 9, "statusSummary": {"SUCCEEDED": 4, "RUNNING": 3, "RUNNABLE": 2}}
NODES = {"numNodes": 3, "mainNode": 0, "nodeRangeProperties": [{"targetNodes": "0:", **container(8)}]}
JOBS = [
    job("a", "RUNNABLE", 10),
    job("b", "RUNNING", 50, **container(4)),
    job("c", "PENDING", 90, arrayProperties=ARRAY, **container(2)),
    job("d", "STARTING", 1, nodeProperties=NODES),
    job("e", "PENDING", 5),
]


def listed(request: dict[str, Any]) -> dict[str, Any]:
    keys = ("jobId", "jobName", "status", "createdAt")
    found = [each for each in JOBS if each["status"] == request["jobStatus"]]
    sizes = [{"arrayProperties": {"size": 9}} if "arrayProperties" in each else {} for each in found]
    return {
        "jobSummaryList": [{key: each[key] for key in keys} | size for each, size in zip(found, sizes, strict=True)]
    }


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        yield Account()


@pytest.fixture(autouse=True)
def _answers(account: Account) -> None:
    order = [{"order": number, "computeEnvironment": f"{ARN}/{name}"} for number, name in enumerate(("spot", "demand"))]
    environments = [
        {"computeEnvironmentName": name, "computeEnvironmentArn": f"{ARN}/{name}"}
        | {"computeResources": {"type": "EC2", "maxvCpus": most, "subnets": []}}
        for name, most in (("spot", 64), ("demand", 16))
    ]
    queue = {"jobQueueName": "main", "jobQueueArn": "main", "state": "ENABLED", "priority": 1}
    account.answers = {
        "DescribeJobQueues": {"jobQueues": [queue | {"computeEnvironmentOrder": order}]},
        "DescribeComputeEnvironments": {"computeEnvironments": environments},
        "ListJobs": listed,
        "DescribeJobs": lambda request: {"jobs": [each for each in JOBS if each["jobId"] in request["jobs"]]},
    }


def test_arrays_count_as_their_children_and_nodes_all_take_vcpus(account: Account) -> None:
    [state] = queue_states(account.clients, ["main"])
    assert state.counts == {"SUBMITTED": 0, "PENDING": 1, "RUNNABLE": 3, "STARTING": 1, "RUNNING": 4}
    assert state.busy_vcpus == 4 + 3 * 2 + 3 * 8
    assert state.max_vcpus == 64 + 16
    assert state.oldest_runnable == NOW - timedelta(minutes=90)
    assert vcpus_of({"container": {"vcpus": 2}}) == 2


def test_an_environment_that_is_not_applied_is_reported(account: Account) -> None:
    account.answers = {"DescribeJobQueues": {"jobQueues": []}}
    with pytest.raises(AwsError, match="queues not found in us-east-1: main"):
        queue_states(account.clients, ["main"])


def test_watching_retries_transient_errors(account: Account) -> None:
    working = account.answers
    times = iter(range(0, 1000, 50))
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        account.answers = working if len(waits) == 2 else {"DescribeJobQueues": Refusal("ThrottlingException")}

    states = watch_queues(account.clients, ["main"], wait=wait, clock=lambda: next(times))
    assert next(states) == next(states)
    assert len(waits) == 2
    with pytest.raises(TransientAwsError, match="throttles"):
        next(states)


@pytest.mark.parametrize(
    ("age", "said"),
    [(timedelta(minutes=7), "7 min"), (timedelta(minutes=192), "3 h 12 min"), (timedelta(49 / 24), "2 d 1 h")],
)
def test_the_table(age: timedelta, said: str) -> None:
    lines = table([QueueState("highPriority-prod", COUNTS, NOW - age, 416, 1024)], NOW)
    assert [line.split() for line in lines] == [
        ["queue", "SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "oldest", "RUNNABLE", "busy", "vCPUs"],
        ["highPriority-prod", "0", "0", "2", "0", "1", *said.split(), "416", "of", "1024"],
    ]
    assert lines[0].index("busy") == lines[1].index("416")


def test_without_a_terminal_only_changes_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    calm, busy = (QueueState("main", COUNTS, None, vcpus, 64) for vcpus in (0, 8))

    def snapshots() -> Iterator[list[QueueState]]:
        yield from ([calm], [calm], [busy])
        raise KeyboardInterrupt

    show(snapshots(), as_json=False)
    out = capsys.readouterr().out
    assert [line.split()[-3:] for line in out.splitlines() if line.startswith("main")] == [
        ["0", "of", "64"],
        ["8", "of", "64"],
    ]
    assert "\x1b" not in out


def test_on_a_terminal_each_is_drawn_over_the_one_before(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    state = QueueState("main", COUNTS, None, 0, 64)
    show(iter([[state, state], [state, state]]), as_json=False)
    out = capsys.readouterr().out
    assert out.count("\x1b[3F\x1b[J") == 1, "up three lines, and clear what is below"
    assert out.count("queue ") == 2
