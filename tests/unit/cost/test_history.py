"""What jobs have cost, from AWS's answers: how long they ran, on what, and what of it is not known any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.aws.job_history import cluster_of, hosts_of, instance_types, jobs_since, succeeded_jobs
from gen_infra.cost import UsdRange
from gen_infra.cost.history import NONE, groups, spends, usual_hours
from tests.unit.manifests import accept
from tests.unit.recorded import Account, Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.cost.history import JobSpend
    from gen_infra.manifest import Manifest

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
HOUR = 3_600_000
ENDED = int(NOW.timestamp() * 1000) - 2 * HOUR
PREFIX = "arn:aws:ecs:us-east-1:123456789012"
BATCH = "arn:aws:batch:us-east-1:123456789012"
HOST = f"{PREFIX}:container-instance/AWSBatch-rest-test-20260101-1/0123"
C7I, VOLUMES = 1.428, (1100 * 0.08 + 125 * 0.04) / 730  # c7i.8xlarge, 32 vCPUs; root and scratch
near: Any = pytest.approx


def needs(**given: float) -> dict[str, Any]:
    return {"resourceRequirements": [{"type": kind, "value": f"{value:g}"} for kind, value in given.items()]}


def attempt(hours: float, place: str = HOST, ended: int = ENDED) -> dict[str, Any]:
    return {
        "startedAt": ended - int(hours * HOUR), "stoppedAt": ended, "container": {"containerInstanceArn": place}
    }  # fmt: skip


def job(name: str = "1", *attempts: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "jobId": name,
        "jobName": "align",
        "jobQueue": f"{BATCH}:job-queue/main-test",
        "jobDefinition": f"{BATCH}:job-definition/align-test:3",
        "status": "SUCCEEDED",
        "startedAt": ENDED - HOUR,
        "container": needs(VCPU=16, MEMORY=1000),
        "attempts": list(attempts),
        **members,
    }


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return accept(
        tmp_path,
        compute={
            "spot": {"max_vcpus": 64, "instance_types": ["c7i.8xlarge", "c7i.16xlarge"]},
            "rest": {"type": "EC2", "max_vcpus": 64, "instance_types": ["c7i.8xlarge", "r7i.8xlarge"]},
        },
        queues={"main": {"priority": 1, "compute": ["spot", "rest"]}},
        jobs={"align": {"image": "public.ecr.aws/x/y", "vcpus": 16, "memory_mib": 1000}},
    )


def spend(manifest: Manifest, *details: dict[str, Any], since: datetime = SINCE, **types: str) -> list[JobSpend]:
    known = {HOST: "c7i.8xlarge"} | types
    return spends(manifest, details, known, since, NOW)


class TestSpend:
    def test_a_share_of_the_instance_for_all_attempts(self, manifest: Manifest) -> None:
        (found,) = spend(manifest, job("1", attempt(1), attempt(0.5)))
        assert (found.hours, found.is_certain, found.job, found.queue) == (1.5, True, "align", "main")
        assert found.usd == UsdRange.exactly(near(0.75 * (C7I + VOLUMES)))

    def test_a_running_attempt_counts_until_now(self, manifest: Manifest) -> None:
        running = job(status="RUNNING", container={**needs(VCPU=16, MEMORY=1000), "containerInstanceArn": HOST})
        (found,) = spend(manifest, running)
        assert found.hours == 3
        assert found.usd == UsdRange.exactly(near(1.5 * (C7I + VOLUMES)))

    def test_what_ran_before_does_not_count(self, manifest: Manifest) -> None:
        (found,) = spend(manifest, job("1", attempt(4)), since=NOW - timedelta(hours=3))
        assert found.hours == 1
        assert spend(manifest, job("1", attempt(1)), since=NOW - timedelta(hours=1)) == []

    def test_an_unknown_instance_is_any_of_its_compute_environment(self, manifest: Manifest) -> None:
        (found,) = spends(manifest, [job("1", attempt(1))], {}, SINCE, NOW)
        assert not found.is_certain
        assert found.usd == UsdRange(near((C7I + VOLUMES) / 2), near((2.1168 + VOLUMES) / 2))

    def test_a_cluster_of_another_name_leaves_the_queues_compute_environments(self, manifest: Manifest) -> None:
        gone = f"{PREFIX}:container-instance/AWSBatch-old-test-1/0123"
        (found,) = spend(manifest, job("1", attempt(1, gone)))
        assert found.usd
        assert found.usd.high == near((2.1168 + VOLUMES) / 2)
        assert found.usd.low < (C7I + VOLUMES) / 2  # on Spot

    def test_a_node_has_an_instance_for_itself(self, manifest: Manifest) -> None:
        (found,) = spend(manifest, job("1#0", attempt(1)))
        assert found.usd == UsdRange.exactly(near(C7I + VOLUMES))

    def test_fargate(self, tmp_path: Path) -> None:
        manifest = accept(tmp_path, compute__spot__type="FARGATE")
        task = f"{PREFIX}:task/AWSBatch-spot-test-1-2/99"
        ran = {"startedAt": ENDED - HOUR, "stoppedAt": ENDED, "container": {"taskArn": task}}
        (found,) = spend(manifest, job("1", ran, container=needs(VCPU=4, MEMORY=8192)))
        assert found.is_certain
        assert found.usd == UsdRange.exactly(near(4 * 0.04048 + 8 * 0.004445))

    def test_without_prices_it_is_unknown(self, tmp_path: Path) -> None:
        (found,) = spend(accept(tmp_path, region="cn-north-1"), job("1", attempt(1)))
        (group,) = groups([found], "job")
        assert (found.usd, group.usd.unknown) == (None, ("1",))
        assert group.to_dict()["jobs_of_unknown_price"] == 1


def test_groups(manifest: Manifest) -> None:
    tags = {"Project": "rare", "gen-infra:workflow": "germline-test", "gen-infra:step": "call"}
    of_workflow = job("2", attempt(2), jobName="call-NA12878", tags=tags)
    found = spend(manifest, job("1", attempt(1), parameters={"sample": "NA1"}), of_workflow, job("3", attempt(1)))
    assert [(each.name, each.jobs, each.vcpu_hours) for each in groups(found, "job")] == [("align", 3, 64)]
    assert [each.name for each in groups(found, "queue")] == ["main"]
    assert [(each.name, each.jobs) for each in groups(found, "tag", "Project")] == [(NONE, 2), ("rare", 1)]
    assert [(each.name, each.jobs) for each in groups(found, "workflow")] == [(NONE, 2), ("germline", 1)]
    assert [(each.name, each.jobs) for each in groups(found, "sample")] == [("NA12878", 1), (NONE, 1), ("NA1", 1)]
    total = sum(each.usd.usd.high for each in groups(found, "sample"))
    assert total == near(groups(found, "job")[0].usd.usd.high)


def test_the_usual_duration_is_the_median_of_successful_attempts(manifest: Manifest) -> None:
    def ran(hours: float, **members: Any) -> dict[str, Any]:
        return job(startedAt=ENDED - int(hours * HOUR), stoppedAt=ENDED, **members)

    others = ran(100, status="FAILED"), ran(100, arrayProperties={"size": 9}), ran(100, jobDefinition="other")
    assert usual_hours(manifest, [ran(1), ran(5), ran(2), *others]) == {"align": 2}
    assert usual_hours(manifest, []) == {}


class TestAnswers:
    @pytest.fixture
    def aws(self, monkeypatch: pytest.MonkeyPatch) -> Account:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        return Account()

    def test_children_and_nodes_take_the_place_of_their_parents(self, aws: Account) -> None:
        def summary(name: str, **members: Any) -> dict[str, Any]:
            return {"jobId": name, "jobName": name, "stoppedAt": ENDED, **members}

        listed: dict[tuple[str, str], list[dict[str, Any]]] = {
            ("main-test", "SUCCEEDED"): [
                summary("plain"), summary("mpi", nodeProperties={"numNodes": 2}),
                summary("old", stoppedAt=int(SINCE.timestamp() * 1000) - 1),
            ],
            ("main-test", "PENDING"): [summary("array", arrayProperties={"size": 2})],
            ("array", "FAILED"): [summary("array:0")],
            ("array", "RUNNING"): [summary("array:1")],
            ("mpi", "SUCCEEDED"): [summary("mpi#0"), summary("mpi#1")],
        }  # fmt: skip

        def answer(request: dict[str, Any]) -> dict[str, Any]:
            of = request.get("jobQueue") or request.get("arrayJobId") or request["multiNodeJobId"]
            return {"jobSummaryList": listed.get((of, request["jobStatus"]), [])}

        def described(request: dict[str, Any]) -> dict[str, Any]:
            return {"jobs": [job(name) for name in request["jobs"]]}

        aws.answers = {"ListJobs": answer, "DescribeJobs": described}
        found = jobs_since(aws.clients, ["main-test"], SINCE)
        assert sorted(each["jobId"] for each in found) == ["array:0", "array:1", "mpi#0", "mpi#1", "plain"]
        ended = succeeded_jobs(aws.clients, ["main-test"], 100)
        assert [each["jobId"] for each in ended] == ["plain", "mpi", "old"]

    def test_instance_types_of_what_ecs_knows(self, aws: Account) -> None:
        attributes = [{"name": "ecs.os-type", "value": "linux"}, {"name": "ecs.instance-type", "value": "c7i.8xlarge"}]
        known = {"containerInstanceArn": HOST, "attributes": attributes}
        missing = {"arn": f"{HOST}4", "reason": "MISSING"}
        aws.answers = {"DescribeContainerInstances": {"containerInstances": [known], "failures": [missing]}}
        assert instance_types(aws.clients, [HOST, f"{HOST}4", f"{PREFIX}:task/c/1", ""]) == {HOST: "c7i.8xlarge"}
        aws.answers = {"DescribeContainerInstances": Refusal("ClusterNotFoundException")}
        assert instance_types(aws.clients, [HOST]) == {}

    def test_no_call_without_instances(self, aws: Account) -> None:
        assert instance_types(aws.clients, [f"{PREFIX}:task/c/1"]) == {}


def test_places() -> None:
    assert cluster_of(HOST) == "AWSBatch-rest-test-20260101-1"
    assert cluster_of("") == ""
    assert hosts_of(job("1", attempt(1), {"statusReason": "never started"})) == [(ENDED - HOUR, ENDED, HOST)]
    assert hosts_of(job(status="RUNNABLE")) == []
