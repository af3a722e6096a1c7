"""The life cycle of the emulator's jobs, with a simulated clock."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from gen_infra.emulator.job import ContainerResult, ContainerRun, EmulatedJob, Host, node_container
from gen_infra.emulator.jobs import Jobs

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE = 60.0


class Account:
    """One compute environment of 2 vCPUs."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str]] = []

    def place(self, job: EmulatedJob, busy: Mapping[str, float]) -> Host | str:
        if busy.get("here", 0) + job.vcpus > 2:
            return "full"
        return Host.in_environment("here", "cluster", nodes=job.node_count, fargate=False)

    def start_problem(self, _job: EmulatedJob) -> str:
        return ""

    def run(self, _job: EmulatedJob) -> ContainerRun | str:
        return "only simulated"

    def log(self, group: str, stream: str, lines: list[str]) -> None:
        pass

    def report_change(self, job: EmulatedJob) -> None:
        self.changes.append((job.id, job.status))

    def report_blocked(self, job: EmulatedJob) -> None:
        pass


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def job(name: str, command: str = "sleep 6000", attempts: int = 1) -> EmulatedJob:
    container = {"command": command.split(), "vcpus": 2}
    arn = f"arn:aws:batch:us-east-1:123456789012:job/{name}"
    return EmulatedJob(name, name, arn, "queue", "one:1", container, {"attempts": attempts}, None, (), {}, "one")


def started(jobs: Jobs, clock: Clock, one: EmulatedJob) -> EmulatedJob:
    jobs.add([one])
    for _ in range(10):
        clock.now += 1
        jobs.tick()
    assert one.status == "RUNNING"
    return one


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(clock: Clock) -> Jobs:
    return Jobs(Account(), clock)


def test_a_job_loses_its_host_at_the_timeout_and_not_before(jobs: Jobs, clock: Clock) -> None:
    one = started(jobs, clock, job("one", attempts=2))
    jobs.end_hosts("here", after=30 * MINUTE)
    jobs.end_hosts("here", after=60 * MINUTE)  # a second update does not extend the time
    jobs.end_hosts("elsewhere")
    clock.now += 29 * MINUTE
    jobs.tick()
    assert one.status == "RUNNING"
    clock.now += MINUTE
    jobs.tick()
    [lost] = one.attempts
    assert (one.status, lost["statusReason"][:21]) == ("RUNNABLE", "Host EC2 (instance i-")
    started(jobs, clock, one)
    clock.now += 60 * MINUTE
    jobs.tick()
    assert one.status == "RUNNING", "the new host is not that of the update"


def test_a_job_that_ends_before_its_host_succeeds(jobs: Jobs, clock: Clock) -> None:
    one = started(jobs, clock, job("one", "sleep 600"))
    jobs.end_hosts("here", after=30 * MINUTE)
    clock.now += 45 * MINUTE  # without a tick in between
    jobs.tick()
    assert (one.status, one.status_reason) == ("SUCCEEDED", "Essential container in task exited")


def test_two_jobs_do_not_take_the_same_place_at_the_same_time(jobs: Jobs, clock: Clock) -> None:
    one, two = job("one"), job("two")
    jobs.add([two])
    jobs.add([one])
    for _ in range(5):
        clock.now += MINUTE
        jobs.tick()
    assert (two.status, two.status_reason) == ("RUNNING", ""), "it came first"
    assert (one.status, one.status_reason) == ("RUNNABLE", "full")


@pytest.mark.parametrize(("node", "image"), [(0, "all"), (1, "some"), (2, "some"), (3, "three"), (4, "all")])
def test_a_node_has_the_container_of_the_range_that_starts_last(node: int, image: str) -> None:
    ranges = [("0:", "all"), ("1:3", "some"), ("3", "three")]
    nodes = {"nodeRangeProperties": [{"targetNodes": each, "container": {"image": name}} for each, name in ranges]}
    assert node_container(nodes, node) == {"image": image}


def several(**containers: dict[str, object]) -> EmulatedJob:
    one = job("several", "")
    one.task = {"containers": [{"name": name, **each} for name, each in containers.items()]}
    one.container = one.task["containers"][0]
    return one


AFTER_HELPER = [{"containerName": "helper", "condition": "SUCCESS"}]


@pytest.mark.parametrize(
    ("main", "helper", "status", "codes"),
    [
        ({"command": ["true"]}, {"command": ["exit", "3"], "essential": False}, "SUCCEEDED", {"main": 0, "helper": 3}),
        ({"command": ["exit", "3"]}, {"command": ["true"], "essential": False}, "FAILED", {"main": 3, "helper": 0}),
        ({"command": ["true"]}, {"command": ["exit", "3"]}, "FAILED", {"main": 0, "helper": 3}),
        (
            {"command": ["true"], "dependsOn": AFTER_HELPER},
            {"command": ["exit", "3"], "essential": False},
            "FAILED",
            {"helper": 3},
        ),
    ],
)
def test_the_essential_containers_of_several_decide(
    main: dict[str, object], helper: dict[str, object], status: str, codes: dict[str, int], jobs: Jobs, clock: Clock
) -> None:
    one = several(main=main, helper=helper)
    jobs.add([one])
    for _ in range(10):
        clock.now += 1
        jobs.tick()
    assert one.status == status
    [task] = one.describe()["ecsProperties"]["taskProperties"]
    assert {each["name"]: each["exitCode"] for each in task["containers"] if "exitCode" in each} == codes
    [attempt] = one.attempts
    streams = [each["logStreamName"] for each in attempt["taskProperties"][0]["containers"]]
    assert [stream.split("/")[1] for stream in streams] == ["main", "helper"]


def test_a_job_that_cannot_advance_ends_alone(jobs: Jobs, clock: Clock) -> None:
    bad, good = job("bad"), job("good")
    bad.container["vcpus"] = "abc"
    jobs.add([bad])
    jobs.add([good])
    for _ in range(30):
        clock.now += 1
        jobs.tick()
    assert (bad.status, bad.status_reason) == (
        "FAILED",
        "The emulator failed: ValueError: could not convert string to float: 'abc'",
    )
    assert good.status == "RUNNING"


def test_the_end_of_the_thread_that_advances_jobs_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def fail(_jobs: Jobs) -> None:
        raise MemoryError("none left")

    monkeypatch.setattr(Jobs, "tick", fail)
    monkeypatch.setattr(threading, "excepthook", lambda _args: ended.set())
    jobs = Jobs(Account())
    jobs.add([job("one")])
    assert ended.wait(30)
    assert jobs.failure == "MemoryError: none left"


class Run:
    """Containers that start at once, and end when the test says so."""

    has_started, has_ended, problem, is_lost = True, False, "", False

    def __init__(self) -> None:
        self.results: dict[tuple[int, str], ContainerResult] = {}
        self.stops = 0

    def stop(self) -> None:
        self.stops += 1

    def end(self, code: int, reason: str = "") -> None:
        self.results[0, "default"] = ContainerResult(code, reason)
        self.has_ended = True


class RunningAccount(Account):
    """An account whose containers run."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def run(self, _job: EmulatedJob) -> ContainerRun | str:
        self.runs.append(Run())
        return self.runs[-1]


class TestContainers:
    """Attempts whose containers run."""

    @pytest.fixture
    def account(self) -> RunningAccount:
        return RunningAccount()

    @pytest.fixture
    def jobs(self, account: RunningAccount, clock: Clock) -> Jobs:
        return Jobs(account, clock)

    def test_a_job_ends_with_its_containers(self, jobs: Jobs, account: RunningAccount, clock: Clock) -> None:
        one = started(jobs, clock, job("one", "sleep 1"))
        clock.now += 60 * MINUTE
        jobs.tick()
        assert (one.status, account.runs[0].stops) == ("RUNNING", 0), "the command is not simulated"
        account.runs[0].end(0)
        jobs.tick()
        assert (one.status, one.runtime["exitCode"], one.simulated) == ("SUCCEEDED", 0, "")

    def test_a_timeout_stops_the_containers_and_is_not_retried(
        self, jobs: Jobs, account: RunningAccount, clock: Clock
    ) -> None:
        one = job("one", attempts=3)
        one.timeout = 600
        started(jobs, clock, one)
        clock.now += 9 * MINUTE
        jobs.tick()
        assert account.runs[0].stops == 0
        clock.now += MINUTE
        for _ in range(3):
            jobs.tick()
        assert (account.runs[0].stops, one.status) == (1, "RUNNING"), "until they have ended"
        account.runs[0].end(137)
        jobs.tick()
        assert (one.status, one.status_reason) == ("FAILED", "Job attempt duration exceeded timeout")
        assert (one.runtime["exitCode"], len(account.runs)) == (137, 1)

    def test_out_of_memory_is_a_reason_that_decides_about_a_retry(
        self, jobs: Jobs, account: RunningAccount, clock: Clock
    ) -> None:
        one = job("one")
        rules = [{"onReason": "OutOfMemoryError*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}]
        one.retry = {"attempts": 5, "evaluateOnExit": rules}
        started(jobs, clock, one)
        account.runs[0].end(137, "OutOfMemoryError: Container killed due to memory usage")
        jobs.tick()
        assert one.status == "RUNNABLE"
        started(jobs, clock, one)
        account.runs[1].end(1)
        jobs.tick()
        assert (one.status, len(one.attempts)) == ("FAILED", 2)

    def test_the_containers_of_a_lost_host_end_before_the_job_runs_again(
        self, jobs: Jobs, account: RunningAccount, clock: Clock
    ) -> None:
        one = started(jobs, clock, job("one", attempts=2))
        jobs.end_hosts("here")
        jobs.end_hosts("here")
        jobs.tick()
        assert (one.status, account.runs[0].stops) == ("RUNNING", 1)
        account.runs[0].end(137)
        jobs.tick()
        [lost] = one.attempts
        assert (one.status, lost["statusReason"][:21]) == ("RUNNABLE", "Host EC2 (instance i-")
        assert "exitCode" not in lost["container"]

    def test_a_job_that_is_terminated_while_its_host_is_lost_does_not_run_again(
        self, jobs: Jobs, account: RunningAccount, clock: Clock
    ) -> None:
        one = started(jobs, clock, job("one", attempts=2))
        jobs.end_hosts("here")
        jobs.end(one, call="TerminateJob", reason="enough")
        account.runs[0].end(137)
        jobs.tick()
        assert (one.status, one.status_reason, account.runs[0].stops) == ("FAILED", "enough", 1)

    def test_a_task_on_fargate_is_lost_in_a_copy_of_the_emulator_and_runs_again(
        self, jobs: Jobs, account: RunningAccount, clock: Clock
    ) -> None:
        one = started(jobs, clock, job("one", attempts=2))
        one.host = Host.in_environment("here", "cluster", nodes=1, fargate=True)
        account.runs[0].is_lost = True
        jobs.tick()
        [lost] = one.attempts
        assert (one.status, lost["statusReason"]) == ("RUNNABLE", "Your Spot Task was interrupted.")
