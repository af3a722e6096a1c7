"""prod is changed while jobs run: each change is planned, explained, applied, and comes true.

The real terraform and provider against the embedded AWS.
"""

from __future__ import annotations

import json
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.aws.compute_environments import holding_queue
from tests.cli import command
from tests.emulator.stack import COMPUTE, Stack, applied, assert_settled, changes, details
from tests.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.emulator.session import Session

BEFORE = {"SUBMITTED", "PENDING", "RUNNABLE", "STARTING"}
QUEUES = ["highPriority-prod", "lowPriority-prod"]
TEMPLATE = "module.compute_genomicsEnv.aws_launch_template.this"
REPLACED = {
    COMPUTE: ("replace", True),
    "module.compute_genomicsEnv.terraform_data.replacement": ("update", False),
    "aws_batch_job_queue.highPriority": ("update", False),
    "aws_batch_job_queue.lowPriority": ("update", False),
}


@pytest.fixture(scope="class")
def prod(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with applied(session, "prod", tmp_path_factory.mktemp("prod")) as made:
        yield made


@contextmanager
def never_without_an_environment(made: Stack) -> Iterator[None]:
    """Check the queues every second: each has an environment that is VALID and ENABLED."""
    batch, over, found = made.batch(), threading.Event(), []

    def look() -> None:
        while not over.wait(1):
            environments = batch.describe_compute_environments()["computeEnvironments"]
            healthy = {
                each["computeEnvironmentArn"]
                for each in environments
                if (each["status"], each["state"]) == ("VALID", "ENABLED")
            }
            for queue in batch.describe_job_queues(jobQueues=QUEUES)["jobQueues"]:
                order = {each["computeEnvironment"] for each in queue["computeEnvironmentOrder"]}
                if not order & healthy:
                    found.append((queue["jobQueueName"], order))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()
    assert found == []


def running_job(made: Stack, seconds: int, queue: str = "highPriority") -> str:
    job_id: str = made.answer("submit", "isaac", "--queue", queue, "--", "sleep", str(seconds))["id"]
    wait_until(lambda: job(made, job_id)["status"] not in BEFORE)
    assert job(made, job_id)["status"] == "RUNNING"
    return job_id


def job(made: Stack, job_id: str) -> Any:
    (found,) = made.batch().describe_jobs(jobs=[job_id])["jobs"]
    return found


def environment(made: Stack) -> Any:
    (found,) = made.batch().describe_compute_environments()["computeEnvironments"]
    return found


def effects(answer: Any, address: str) -> str:
    (found,) = [change["effects"] for change in answer["changes"] if change["address"] == address]
    return "; ".join(effect["text"] for effect in found)


def apply(made: Stack) -> Any:
    """Run `gen-infra apply --json` and return its answer."""
    with never_without_an_environment(made):
        return made.built("apply", "--yes", "--allow", "stop-jobs")


@contextmanager
def applying(made: Stack) -> Iterator[subprocess.Popen[str]]:
    arguments = command("apply", made.manifest, "--out", made.out, "--yes", "--json")
    with subprocess.Popen(
        arguments, cwd=made.folder, env=made.environ,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
            process.wait(120)
        finally:
            process.kill()


def assert_draining(made: Stack, before: Any, job_id: str) -> None:
    found = {
        each["computeEnvironmentName"]: each
        for each in made.batch().describe_compute_environments()["computeEnvironments"]
    }
    old = found.pop(before["computeEnvironmentName"])
    (new,) = found.values()
    assert (old["state"], new["state"], new["status"]) == ("DISABLED", "ENABLED", "VALID")
    for queue in made.batch().describe_job_queues(jobQueues=QUEUES)["jobQueues"]:
        assert [each["computeEnvironment"] for each in queue["computeEnvironmentOrder"]] == [
            new["computeEnvironmentArn"]
        ]
    assert job(made, job_id)["status"] == "RUNNING"
    second = running_job(made, 60)
    assert cluster(job(made, second)) == new["ecsClusterArn"].rpartition("/")[2]


def assert_replaced(made: Stack, before: Any) -> Any:
    """Assert that the queues use the successor and that the old one is gone."""
    after = environment(made)
    assert after["computeEnvironmentName"] != before["computeEnvironmentName"]
    queues = made.batch().describe_job_queues()["jobQueues"]
    assert {queue["jobQueueName"] for queue in queues} == {*QUEUES}
    for queue in queues:
        assert [each["computeEnvironment"] for each in queue["computeEnvironmentOrder"]] == [
            after["computeEnvironmentArn"]
        ]
    return after


def assert_in_order(made: Stack, before: Any, since: int) -> None:
    """Assert the order: create the successor, point the queues to it, delete the old one, refused until drained."""
    name = before["computeEnvironmentName"]
    calls = [
        (call.action, call.status)
        for call in made.aws.calls("batch", since=since)
        if call.action in {"CreateComputeEnvironment", "UpdateJobQueue", "DeleteComputeEnvironment"}
        or call.parameters.get("jobQueue") == holding_queue(name)
    ]
    assert calls == [
        ("CreateComputeEnvironment", 200),
        ("UpdateJobQueue", 200),
        ("UpdateJobQueue", 200),
        ("DeleteComputeEnvironment", 400),
        ("DeleteJobQueue", 200),
        ("DeleteComputeEnvironment", 200),
    ]


class TestInPlace:
    """In this order, on one environment."""

    def test_a_bid_is_changed_in_place(self, prod: Stack) -> None:
        prod.change("prod.yaml", "compute", "genomicsEnv", "bid_percentage", to=60)
        answer = prod.built("plan", "--detailed-exitcode", code=1)
        assert changes(answer) == {COMPUTE: ("update", False)}
        assert details(answer, COMPUTE) == ["compute_resources.bid_percentage: 50 -> 60"]
        assert answer["dangers"] == ["stop-jobs"], "some jobs may take longer than the update gives them"
        ((cause,),) = [change["causes"] for change in answer["changes"]]
        assert cause["where"].startswith("prod.yaml:")
        assert (cause["key"], cause["old"], cause["new"]) == ("compute.genomicsEnv.bid_percentage", 50, 60)
        assert answer["cost"]["difference"]["worst_day"]["high"] > 0  # Spot may cost more

    def test_what_stops_jobs_is_not_applied_without_being_allowed(self, prod: Stack) -> None:
        done = prod.build("apply", "--yes")
        assert done.returncode == 2
        assert "this stops jobs: compute environment genomicsEnv-prod; nothing was changed" in done.stderr
        assert "--allow stop-jobs" in done.stderr
        assert environment(prod)["computeResources"]["bidPercentage"] == 50

    def test_without_the_rendered_folder_the_causes_are_the_same(self, prod: Stack, tmp_path: Path) -> None:
        done = prod.run("plan", "--out", str(tmp_path), "--format", "markdown")
        assert done.stdout.startswith("### Plan for prod: 0 to create, 1 to update, 0 to replace, 0 to destroy\n")
        assert "This **stops jobs**" in done.stdout
        assert "compute.genomicsEnv.bid\\_percentage: 50 -\\> 60" in done.stdout
        assert "\n* worst day, at max\\_vcpus: " in done.stdout

    def test_bid_image_and_job_are_changed_in_place_while_jobs_run(self, prod: Stack) -> None:
        before, job_id = environment(prod), running_job(prod, 3600)
        prod.change("prod.yaml", "image", to={"id": "ami-0123456789abcdef0"})
        prod.change("base.yaml", "jobs", "isaac", "memory_mib", to=90000)
        answer = apply(prod)
        definition = "aws_batch_job_definition.isaac"
        assert changes(answer) == {COMPUTE: ("update", False), definition: ("update", False)}
        assert any(
            "image_id_override" in line and "-> ami-0123456789abcdef0" in line for line in details(answer, COMPUTE)
        )
        assert any("80000 -> 90000" in line for line in details(answer, definition))
        assert "in place: new instances have it; running jobs get 360 minutes" in effects(answer, COMPUTE)
        after = environment(prod)
        assert after["computeEnvironmentName"] == before["computeEnvironmentName"]
        assert job(prod, job_id)["status"] == "RUNNING", "it has 360 minutes to end"
        assert cluster(job(prod, job_id)) == after["ecsClusterArn"].rpartition("/")[2]
        prod.batch().terminate_job(jobId=job_id, reason="its work is done")
        assert after["computeResources"]["bidPercentage"] == 60
        assert after["computeResources"]["ec2Configuration"][0]["imageIdOverride"] == "ami-0123456789abcdef0"
        revisions = prod.batch().describe_job_definitions(jobDefinitionName="isaac-prod", status="ACTIVE")[
            "jobDefinitions"
        ]
        assert sorted(definition["revision"] for definition in revisions) == [1, 2]

    def test_a_strategy_makes_it_a_replacement_that_waits_for_jobs(self, prod: Stack) -> None:
        before, job_id = environment(prod), running_job(prod, 3600)
        since = prod.aws.calls()[-1].number
        prod.change("prod.yaml", "compute", "genomicsEnv", "allocation_strategy", to="SPOT_PRICE_CAPACITY_OPTIMIZED")
        with never_without_an_environment(prod), applying(prod) as process:
            assert process.stderr
            for line in process.stderr:
                if "accepts no more jobs; waits for isaac" in line:
                    break
            assert_draining(prod, before, job_id)
            prod.batch().terminate_job(jobId=job_id, reason="its work is done")
            rest = process.stderr.read()
            assert process.stdout
            answer = json.loads(process.stdout.read())
        assert process.returncode == 0, rest
        expected = {**REPLACED, TEMPLATE: ("update", False)}  # the agent's options are for those updated in place
        assert changes(answer) == expected, "and nothing is left of the change before"
        assert "by a successor, which is VALID before the queues are pointed to it" in effects(answer, COMPUTE)
        assert answer["dangers"] == []
        assert "none runs there any more" in rest
        assert job(prod, job_id)["statusReason"] == "its work is done"
        assert len(job(prod, job_id)["attempts"]) == 1
        after = assert_replaced(prod, before)
        assert after["computeResources"]["allocationStrategy"] == "SPOT_PRICE_CAPACITY_OPTIMIZED"
        assert_in_order(prod, before, since)


class TestServiceRole:
    """In this order, on one environment."""

    def test_a_service_role_makes_it_a_replacement_without_effect_on_jobs(self, prod: Stack) -> None:
        before, job_id = environment(prod), running_job(prod, 75, "lowPriority")
        prod.change("prod.yaml", "compute", "genomicsEnv", "service_role", to="create")
        planned = changes(apply(prod))
        assert planned.pop("module.service_role.aws_iam_role.this") == ("create", False)
        assert {address for address in planned if "service_role" not in address} == {*REPLACED, TEMPLATE}
        ended = job(prod, job_id)
        assert (ended["status"], len(ended["attempts"])) == ("SUCCEEDED", 1)
        after = assert_replaced(prod, before)
        assert after["serviceRole"].endswith(":role/batchService-prod")
        (deleted,) = [
            call
            for call in prod.aws.calls("batch")
            if (call.action, call.status) == ("DeleteComputeEnvironment", 200)
            and before["computeEnvironmentName"] in call.parameters["computeEnvironment"]
        ]
        assert ended["stoppedAt"] / 1000 < deleted.time

    def test_with_a_custom_role_a_larger_scratch_is_a_replacement_too(self, prod: Stack) -> None:
        before = environment(prod)
        prod.change("base.yaml", "image", "scratch", "size_gib", to=1200)
        assert changes(apply(prod)) == {**REPLACED, TEMPLATE: ("update", False)}
        assert_replaced(prod, before)

    def test_a_role_that_is_removed_too_stays_until_the_old_environment_is_deleted(self, prod: Stack) -> None:
        before, job_id = environment(prod), running_job(prod, 3600)
        since = prod.aws.calls()[-1].number
        prod.change("prod.yaml", "compute", "genomicsEnv", "service_role", to="service-linked")
        with never_without_an_environment(prod):
            left = prod.build("apply", "--yes", "--drain-timeout", "0")
        assert left.returncode == 1
        assert f"accepts no new ones: {before['computeEnvironmentName']}: isaac" in left.stderr
        assert job(prod, job_id)["status"] == "RUNNING"
        assert "batchService-prod" in roles(prod)
        prod.batch().terminate_job(jobId=job_id, reason="its work is done")
        apply(prod)
        assert_replaced(prod, before)
        gone = [call.action for call in prod.aws.calls(since=since) if call.status == 200]
        assert gone.index("DeleteComputeEnvironment") < gone.index("DeleteRole")
        assert "batchService-prod" not in roles(prod)
        assert_settled(prod)


def roles(made: Stack) -> set[str]:
    return {role["RoleName"] for role in made.aws.client("iam").list_roles()["Roles"]}


def cluster(found: Any) -> str:
    return str(found["container"]["taskArn"].split("/")[1])
