from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra import emulator
from tests.emulator.job_helpers import follow, reason, running, submit
from tests.emulator.probes import Lab, refusal, requirements

if TYPE_CHECKING:
    from collections.abc import Iterator

SPOT_RULES = [{"onStatusReason": "Host EC2*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Yield an emulator whose jobs take half a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_INFRA_EMULATOR_JOB_SECONDS", "0.5")
        with emulator.start(seed=False) as running:
            yield Lab(running.endpoint)


@pytest.fixture(scope="module")
def environment(lab: Lab) -> str:
    return lab.environment()


@pytest.fixture
def queue(lab: Lab, environment: str) -> str:
    return lab.queue(environment)


def test_a_job_passes_through_its_states_and_is_described_completely(lab: Lab, queue: str) -> None:
    role, group = lab.role("isaac-job"), f"/aws/batch/{lab.name('group')}"
    lab.client("ecr").create_repository(repositoryName="prod/isaac")
    logs = lab.client("logs")
    logs.create_log_group(logGroupName=group)
    container = {
        "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/prod/isaac:1",
        "command": ["--ref", "Ref::reference", "--out", "s3://results/Ref::sample.bam"],
        "jobRoleArn": role,
        "volumes": [{"name": "scratch", "host": {"sourcePath": "/docker_scratch"}}],
        "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/scratch", "readOnly": False}],
        "environment": [{"name": "STAGE", "value": "prod"}, {"name": "KEPT", "value": "yes"}],
        "resourceRequirements": requirements(vcpu="32", memory="80000"),
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": group, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "isaac"},
        },
    }
    definition = lab.definition(container, parameters={"reference": "hg38", "sample": "none"}, propagateTags=True)
    overrides = {
        "environment": [{"name": "STAGE", "value": "test"}],
        "resourceRequirements": [{"type": "MEMORY", "value": "64000"}],
    }
    job_id = submit(
        lab, queue, definition, containerOverrides=overrides, parameters={"sample": "NA12878"}, tags={"run": "7"}
    )
    job, seen = follow(lab, job_id)

    # On a busy machine a state may be missed, but the order is always right.
    assert seen == [state for state in ("SUBMITTED", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED") if state in seen]
    assert len(seen) > 1
    assert job["createdAt"] <= job["startedAt"] <= job["stoppedAt"]
    assert (job["statusReason"], job["jobQueue"]) == ("Essential container in task exited", queue)
    assert (job["jobDefinition"], job["tags"], job["propagateTags"]) == (definition, {"run": "7"}, True)
    container_seen = job["container"]
    for kept in ("image", "jobRoleArn", "volumes", "mountPoints", "logConfiguration"):
        assert container_seen[kept] == container[kept]
    assert container_seen["exitCode"] == 0
    assert container_seen["command"] == ["--ref", "hg38", "--out", "s3://results/NA12878.bam"]
    assert {each["name"]: each["value"] for each in container_seen["environment"]} == {"STAGE": "test", "KEPT": "yes"}
    assert container_seen["resourceRequirements"] == requirements(vcpu="32", memory="64000")
    [attempt] = job["attempts"]
    assert attempt["container"]["exitCode"] == 0
    assert attempt["container"]["logStreamName"] == container_seen["logStreamName"]
    prefix, default, task = container_seen["logStreamName"].split("/")
    assert (prefix, default) == ("isaac", "default")
    assert container_seen["taskArn"].endswith(task)
    events = logs.get_log_events(logGroupName=group, logStreamName=container_seen["logStreamName"])["events"]
    assert events[-1]["message"] == "exit code 0"


def test_the_overrides_of_a_submission_replace_the_definitions_values(lab: Lab, queue: str) -> None:
    job_id = submit(
        lab,
        queue,
        lab.definition(
            retryStrategy={"attempts": 3, "evaluateOnExit": SPOT_RULES}, timeout={"attemptDurationSeconds": 60}
        ),
        containerOverrides={
            "command": ["sh", "-c", "exit 75"],
            "resourceRequirements": requirements(vcpu="3", memory="900"),
        },
        retryStrategy={"attempts": 2, "evaluateOnExit": [{"onExitCode": "75", "action": "RETRY"}, SPOT_RULES[1]]},
        timeout={"attemptDurationSeconds": 120},
    )
    job, _ = follow(lab, job_id)
    assert job["container"]["resourceRequirements"] == requirements(vcpu="3", memory="900")
    assert (len(job["attempts"]), job["timeout"]) == (2, {"attemptDurationSeconds": 120})


def test_a_multi_node_job_has_overrides_of_its_nodes(lab: Lab, queue: str) -> None:
    container = {"image": "isaac:1", "command": ["true"], "resourceRequirements": requirements(vcpu="1", memory="64")}
    nodes = {"numNodes": 2, "mainNode": 0, "nodeRangeProperties": [{"targetNodes": "0:", "container": container}]}
    batch, name = lab.client("batch"), lab.name("mpi")
    batch.register_job_definition(jobDefinitionName=name, type="multinode", nodeProperties=nodes)
    overrides = {"command": ["sh", "-c", "exit 7"], "resourceRequirements": requirements(vcpu="2", memory="128")}
    every_node = {"nodePropertyOverrides": [{"targetNodes": "0:", "containerOverrides": overrides}]}
    job, _ = follow(lab, submit(lab, queue, name, nodeOverrides=every_node))
    [described] = job["nodeProperties"]["nodeRangeProperties"]
    assert (job["status"], described["container"]["resourceRequirements"]) == (
        "FAILED",
        overrides["resourceRequirements"],
    )
    asked = {"jobName": "j", "jobQueue": queue, "jobDefinition": name, "containerOverrides": overrides}
    assert "ClientException" in refusal(batch.submit_job, **asked)
    assert "ClientException" in refusal(
        batch.submit_job,
        **asked | {"jobDefinition": lab.definition()} | {"containerOverrides": {}, "nodeOverrides": every_node},
    )


@pytest.mark.parametrize(("command", "code"), [(["false"], 1), (["sh", "-c", "exit 3"], 3)])
def test_a_command_that_fails_fails_the_job(lab: Lab, queue: str, command: list[str], code: int) -> None:
    job, _ = follow(lab, submit(lab, queue, **running(command)))
    assert (job["status"], job["container"]["exitCode"], len(job["attempts"])) == ("FAILED", code, 1)
    assert job["statusReason"] == "Essential container in task exited"


@pytest.mark.parametrize(
    ("rules", "attempts"),
    [([], 3), (SPOT_RULES, 1), ([{"onExitCode": "3", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}], 3)],
)
def test_retries_follow_the_strategys_rules(lab: Lab, queue: str, rules: list[Any], attempts: int) -> None:
    definition = lab.definition(retryStrategy={"attempts": 3, "evaluateOnExit": rules})
    job, _ = follow(lab, submit(lab, queue, definition, **running(["sh", "-c", "exit 3"])))
    assert (job["status"], len(job["attempts"])) == ("FAILED", attempts)


def test_a_job_waits_for_its_dependencies_and_fails_with_them(lab: Lab, queue: str) -> None:
    good, bad = submit(lab, queue), submit(lab, queue, **running(["false"]))
    after_good, seen = follow(lab, submit(lab, queue, dependsOn=[{"jobId": good}]))
    after_bad, _ = follow(lab, submit(lab, queue, dependsOn=[{"jobId": good}, {"jobId": bad}]))
    assert (seen[:2], after_good["status"]) == (["SUBMITTED", "PENDING"], "SUCCEEDED")
    assert after_good["startedAt"] >= follow(lab, good)[0]["stoppedAt"]
    assert (after_bad["status"], after_bad["statusReason"]) == ("FAILED", "Dependent Job failed")
    assert "startedAt" not in after_bad


def test_an_arrays_parent_counts_its_children(lab: Lab, queue: str) -> None:
    parent = submit(lab, queue, arrayProperties={"size": 3})
    job, seen = follow(lab, parent)
    assert seen[-2:] == ["PENDING", "SUCCEEDED"]
    counts = {status: count for status, count in job["arrayProperties"]["statusSummary"].items() if count}
    assert (job["arrayProperties"]["size"], counts) == (3, {"SUCCEEDED": 3})
    listed = lab.client("batch").list_jobs(arrayJobId=parent, jobStatus="SUCCEEDED")["jobSummaryList"]
    assert {(each["jobId"], each["arrayProperties"]["index"]) for each in listed} == {
        (f"{parent}:{index}", index) for index in range(3)
    }


def test_a_sequential_array_runs_one_child_after_the_other(lab: Lab, queue: str) -> None:
    parent = submit(lab, queue, arrayProperties={"size": 2}, dependsOn=[{"type": "SEQUENTIAL"}])
    follow(lab, parent)
    first, second = (follow(lab, f"{parent}:{index}")[0] for index in range(2))
    assert second["startedAt"] >= first["stoppedAt"]


def test_cancel_ends_waiting_jobs_and_keeps_running_ones(lab: Lab, queue: str) -> None:
    batch, long = lab.client("batch"), submit(lab, queue, **running(["sleep", "600"]))
    waiting = submit(lab, queue, dependsOn=[{"jobId": long}])
    follow(lab, long, until={"RUNNING"})
    for each in (long, waiting):
        batch.cancel_job(jobId=each, reason="not needed")
    job, _ = follow(lab, waiting)
    assert (job["status"], job["statusReason"], job["isCancelled"]) == ("FAILED", "not needed", True)
    assert follow(lab, long, until={"RUNNING"})[0]["status"] == "RUNNING"
    batch.terminate_job(jobId=long, reason="enough")
    job, _ = follow(lab, long)
    assert (job["status"], job["statusReason"], job["isTerminated"]) == ("FAILED", "enough", True)
    assert [each["container"]["exitCode"] for each in job["attempts"]] == [137]


def test_a_job_that_no_environment_can_hold_stays_runnable(lab: Lab, queue: str) -> None:
    definition = lab.definition({"resourceRequirements": requirements(vcpu="96", memory="1000")})
    status_reason = reason(lab, submit(lab, queue, definition))
    assert status_reason.startswith("MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE")


def test_a_missing_log_group_keeps_the_container_from_starting(lab: Lab, queue: str) -> None:
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "/not/there"}}
    job, _ = follow(lab, submit(lab, queue, lab.definition({"logConfiguration": log})))
    assert (job["status"], job["statusReason"]) == ("FAILED", "Task failed to start")
    assert "ResourceNotFoundException" in job["container"]["reason"]


def test_a_missing_role_keeps_the_container_from_starting(lab: Lab, queue: str) -> None:
    role = "arn:aws:iam::123456789012:role/not-there"
    job, _ = follow(lab, submit(lab, queue, lab.definition({"jobRoleArn": role})))
    assert (job["status"], job["container"]["reason"]) == ("FAILED", f"ECS was unable to assume the role '{role}'")


@pytest.mark.parametrize("tail", ["", ":1", "@sha256:" + 64 * "0"], ids=["latest", "tag", "digest"])
def test_an_image_without_a_repository_cannot_be_pulled(lab: Lab, queue: str, tail: str) -> None:
    registry, name = "123456789012.dkr.ecr.us-east-1.amazonaws.com", lab.name("lab/aligner")
    definition = lab.definition({"image": f"{registry}/{name}{tail}"})
    job, _ = follow(lab, submit(lab, queue, definition))
    assert (job["status"], job["statusReason"]) == ("FAILED", "Task failed to start")
    assert job["container"]["reason"] == (
        f"CannotPullContainerError: Error response from daemon: repository {registry}/{name} not found: name unknown: "
        f"The repository with name '{name}' does not exist in the registry with id '123456789012'"
    )
    lab.client("ecr").create_repository(repositoryName=name)
    assert follow(lab, submit(lab, queue, definition))[0]["status"] == "SUCCEEDED", "an image need not be pushed"


def test_jobs_are_listed_by_queue_status_and_filter(lab: Lab, queue: str) -> None:
    batch = lab.client("batch")
    good, bad = submit(lab, queue, jobName="align-1"), submit(lab, queue, jobName="call-1", **running(["false"]))
    for each in (good, bad):
        follow(lab, each)

    def listed(**arguments: Any) -> list[str]:
        return [each["jobId"] for each in batch.list_jobs(jobQueue=queue, **arguments)["jobSummaryList"]]

    assert listed() == []  # the default status is RUNNING
    assert listed(jobStatus="SUCCEEDED") == [good]
    assert listed(jobStatus="FAILED") == [bad]
    assert listed(filters=[{"name": "JOB_NAME", "values": ["ALIGN*"]}]) == [good]
    assert listed(filters=[{"name": "AFTER_CREATED_AT", "values": ["0"]}]) == [bad, good]
    [summary] = batch.list_jobs(jobQueue=queue, jobStatus="FAILED")["jobSummaryList"]
    assert summary["container"] == {"exitCode": 1}
    assert {"jobArn", "jobName", "createdAt", "startedAt", "stoppedAt", "statusReason"} <= set(summary)


def test_a_long_list_has_pages(lab: Lab, queue: str) -> None:
    definition, batch = lab.definition(), lab.client("batch")
    ids = {submit(lab, queue, definition) for _ in range(5)}
    every = [{"name": "JOB_NAME", "values": ["j"]}]
    pages = list(batch.get_paginator("list_jobs").paginate(jobQueue=queue, filters=every, maxResults=2))
    assert [len(page["jobSummaryList"]) for page in pages] == [2, 2, 1]
    assert {each["jobId"] for page in pages for each in page["jobSummaryList"]} == ids


def test_a_fair_share_queue_requires_a_share_identifier(lab: Lab, environment: str) -> None:
    batch = lab.client("batch")
    policy = batch.create_scheduling_policy(name=lab.name("fair"))["arn"]
    fair, plain = lab.queue(environment, schedulingPolicyArn=policy), lab.queue(environment)
    ranked, unranked = lab.definition(schedulingPriority=1), lab.definition()

    def attempt(queue: str, definition: str, **changes: Any) -> str:
        return refusal(batch.submit_job, jobName="share", jobQueue=queue, jobDefinition=definition, **changes)

    assert attempt(fair, ranked, shareIdentifier="clinical") == "accepted"
    assert attempt(fair, ranked) == "ClientException"
    assert attempt(fair, unranked, shareIdentifier="clinical") == "ClientException"
    assert attempt(plain, ranked, shareIdentifier="clinical") == "ClientException"


@pytest.mark.parametrize(
    "changes",
    [
        {"jobQueue": "not-there"},
        {"jobDefinition": "not-there"},
        {"jobName": "-"},
        {"dependsOn": [{"jobId": "not-there"}]},
        {"arrayProperties": {"size": 1}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_invalid_submission_is_refused(lab: Lab, queue: str, changes: dict[str, Any]) -> None:
    arguments = {"jobName": "job", "jobQueue": queue, "jobDefinition": lab.definition()} | changes
    assert refusal(lab.client("batch").submit_job, **arguments) == "ClientException"


def test_deleting_a_queue_ends_its_jobs(lab: Lab, environment: str) -> None:
    batch, queue = lab.client("batch"), lab.queue(environment)
    job_id = submit(lab, queue, **running(["sleep", "600"]))
    batch.update_job_queue(jobQueue=queue, state="DISABLED")
    batch.delete_job_queue(jobQueue=queue)
    assert follow(lab, job_id)[0]["status"] == "FAILED"
