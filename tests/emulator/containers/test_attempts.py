"""The attempts of jobs whose containers run: stops, retries, nodes, several containers, the end of the emulator."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from gen_infra import emulator
from gen_infra.tools import container_host
from tests.emulator.containers.conftest import IMAGE, ContainerLab
from tests.emulator.job_helpers import described, follow, submit
from tests.emulator.probes import Lab, requirements

IGNORES = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
OBEYS = IGNORES.replace("''", "'echo stopping; exit 9'")


def test_a_job_that_obeys_sigterm_ends_as_it_wants(containers: ContainerLab) -> None:
    job_id = containers.submit(OBEYS)
    containers.wait_for_line(job_id, "ready")
    containers.lab.client("batch").terminate_job(jobId=job_id, reason="enough")
    ended = containers.ended(job_id)
    assert (ended.job["status"], ended.job["statusReason"], ended.job["isTerminated"]) == ("FAILED", "enough", True)
    assert (ended.container["exitCode"], ended.lines) == (9, ["ready", "stopping"])


def test_a_job_that_ignores_sigterm_is_killed_and_a_job_beside_it_is_not(containers: ContainerLab) -> None:
    batch, beside = containers.lab.client("batch"), containers.submit(OBEYS)
    job_id = containers.submit(IGNORES, job={"retryStrategy": {"attempts": 2}})
    for each in (beside, job_id):
        containers.wait_for_line(each, "ready")
    batch.terminate_job(jobId=job_id, reason="enough")
    ended = containers.ended(job_id)
    assert (ended.job["status"], ended.container["exitCode"]) == ("FAILED", 137)
    assert len(ended.job["attempts"]) == 1
    assert described(containers.lab, beside)["status"] == "RUNNING"
    batch.terminate_job(jobId=beside, reason="its own end")
    ended = containers.ended(beside)
    assert (ended.job["statusReason"], ended.lines) == ("its own end", ["ready", "stopping"])


def test_exit_codes_decide_about_retries_and_dependent_jobs(containers: ContainerLab) -> None:
    rules = [{"onExitCode": "75", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}]
    retry = {"retryStrategy": {"attempts": 3, "evaluateOnExit": rules}}
    first = containers.submit('test "$AWS_BATCH_JOB_ATTEMPT" = 2 || exit 75', job=retry)
    second = containers.submit("echo after; exit 4", job=retry | {"dependsOn": [{"jobId": first}]})
    third = containers.submit("echo never", job={"dependsOn": [{"jobId": second}]})
    job = containers.ended(first).job
    assert [each["container"]["exitCode"] for each in job["attempts"]] == [75, 0]
    ended = containers.ended(second)
    assert (ended.lines, len(ended.job["attempts"])) == (["after"], 1)
    job, _ = follow(containers.lab, third)
    assert (job["status"], job["statusReason"], job["attempts"]) == ("FAILED", "Dependent Job failed", [])


def test_a_lost_host_ends_its_containers_and_the_job_runs_again(containers: ContainerLab) -> None:
    lab = containers.lab
    environment = lab.environment()
    queue, other = lab.queue(environment), lab.environment()
    command = {"command": ["sh", "-c", f'test "$AWS_BATCH_JOB_ATTEMPT" = 2 && exit 0; {IGNORES}']}
    definition = lab.definition({"image": IMAGE, "resourceRequirements": requirements(vcpu="1", memory="64")} | command)
    job_id = submit(lab, queue, definition, retryStrategy={"attempts": 2})
    containers.wait_for_line(job_id, "ready")
    batch = lab.client("batch")
    order = [{"order": 1, "computeEnvironment": each} for each in (environment, other)]
    order[1]["order"] = 2
    batch.update_job_queue(jobQueue=queue, computeEnvironmentOrder=order)
    batch.update_compute_environment(
        computeEnvironment=environment,
        updatePolicy={"terminateJobsOnUpdate": True},
        computeResources={"instanceTypes": ["m5"], "allocationStrategy": "SPOT_CAPACITY_OPTIMIZED"},
    )
    job = containers.ended(job_id).job
    lost, _ = job["attempts"]
    assert (job["status"], lost["statusReason"][:21]) == ("SUCCEEDED", "Host EC2 (instance i-")
    assert "exitCode" not in lost["container"]


def test_the_nodes_of_a_multi_node_job_reach_the_main_node(containers: ContainerLab) -> None:
    lab = containers.lab
    main = """
    test -z "$AWS_BATCH_JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS" || exit 1
    mkfifo /open # at the end of its own input nc would close the connection before anything has arrived
    nc -l -p 2022 <>/open | sed 's/^/got /'
    """
    child = """
    test $AWS_BATCH_JOB_NODE_INDEX/$AWS_BATCH_JOB_NUM_NODES/$AWS_BATCH_JOB_MAIN_NODE_INDEX = 1/2/0 || exit 1
    until echo hello | nc $AWS_BATCH_JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS 2022; do sleep 0.1; done
    sleep 1000
    """
    ranges = [
        {
            "targetNodes": str(index),
            "container": {
                "image": IMAGE,
                "command": ["sh", "-c", script],
                "resourceRequirements": requirements(vcpu="1", memory="64"),
            },
        }
        for index, script in enumerate((main, child))
    ]
    nodes = {"numNodes": 2, "mainNode": 0, "nodeRangeProperties": ranges}
    name = lab.name("nodes")
    lab.client("batch").register_job_definition(jobDefinitionName=name, type="multinode", nodeProperties=nodes)
    job_id = submit(lab, containers.queue, name)
    job, _ = follow(lab, job_id)
    ended = {each["jobId"]: each["container"] for each in (follow(lab, f"{job_id}#{node}")[0] for node in range(2))}
    assert job["status"] == "SUCCEEDED"
    assert containers.lines(ended[f"{job_id}#0"]["logStreamName"]) == ["got hello"]
    assert ended[f"{job_id}#0"]["exitCode"] == 0
    assert ended[f"{job_id}#1"]["exitCode"] == 137, "the end of the main node ends the others"


def several(
    containers: ContainerLab, *volumes: dict[str, Any], **scripts: tuple[str, dict[str, Any]]
) -> dict[str, Any]:
    """Run a job of several containers, which share a volume; return it as it ended."""
    made = [
        {
            "name": name,
            "image": IMAGE,
            "command": ["sh", "-c", script],
            "resourceRequirements": requirements(vcpu="1", memory="64"),
            "mountPoints": [{"sourceVolume": "shared", "containerPath": "/shared"}],
        }
        | more
        for name, (script, more) in scripts.items()
    ]
    lab = containers.lab
    task = {"taskProperties": [{"containers": made, "volumes": [{"name": "shared"}, *volumes]}]}
    name = lab.name("several")
    lab.client("batch").register_job_definition(jobDefinitionName=name, type="container", ecsProperties=task)
    job: dict[str, Any] = follow(lab, submit(lab, containers.queue, name))[0]
    return job


def after(container: str) -> list[dict[str, str]]:
    return [{"containerName": container, "condition": "SUCCESS"}]


def test_containers_of_one_job_wait_for_each_other_and_share_a_volume(containers: ContainerLab) -> None:
    helper = {"essential": False}
    job = several(
        containers,
        main=("cat /shared/file; exit 3", {"dependsOn": after("prepare")}),
        prepare=("sleep 0.3; echo prepared > /shared/file", helper),
        beside=("sleep 1000", helper),
    )
    found = {each["name"]: each for each in job["ecsProperties"]["taskProperties"][0]["containers"]}
    assert job["status"] == "FAILED"
    assert {name: each.get("exitCode") for name, each in found.items()} == {"main": 3, "prepare": 0, "beside": 137}
    assert containers.lines(found["main"]["logStreamName"]) == ["prepared"]


def test_nothing_is_left_on_the_scratch_disk_of_an_image_with_another_mount(containers: ContainerLab) -> None:
    """The first container has a folder on the disk while it runs; the second, which would see all, does not start."""
    scratch = {"mountPoints": [{"sourceVolume": "scratch", "containerPath": "/scratch"}], "essential": False}
    disk = {"mountPoints": [{"sourceVolume": "disk", "containerPath": "/disk"}]}
    job = several(
        containers,
        {"name": "scratch", "host": {"sourcePath": "/mnt/nvme"}},
        {"name": "disk", "host": {"sourcePath": "/mnt"}},
        first=("echo large > /scratch/file; grep ' /scratch ' /proc/self/mountinfo", scratch),
        second=("ls -A /disk/nvme", disk | {"dependsOn": after("first")}),
    )
    found = {each["name"]: each for each in job["ecsProperties"]["taskProperties"][0]["containers"]}
    [mount] = containers.lines(found["first"]["logStreamName"])
    assert re.fullmatch("/host/mnt/nvme/[0-9a-f]{64}", mount.split()[3]), "a folder of its own, by the image's wrapper"
    assert "reason" not in found["first"], "files that a container leaves are a reason"
    [refusal] = containers.lines(found["second"]["logStreamName"])
    assert refusal.endswith("/host/mnt holds the scratch of all jobs")


def has_cgroup(container: str) -> bool:
    return any(
        (parent / container_host.CGROUP / container).exists()
        for parent in (container_host.CGROUPS, *container_host.CGROUPS.iterdir())
    )


def test_containers_end_with_a_killed_emulator(images: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_INFRA_EMULATOR_JOB_SECONDS", "0.1")
        running = emulator.start(seed=False, images=images)
    with running:
        lab = Lab(running.endpoint)
        own = ContainerLab(lab, running, lab.queue(lab.environment()))
        scratch: dict[str, Any] = {
            "volumes": [{"name": "scratch", "host": {"sourcePath": "/docker_scratch"}}],
            "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/scratch"}],
        }
        job_id = own.submit(f"grep ' /scratch ' /proc/self/mountinfo; {IGNORES}", **scratch)
        own.wait_for_line(job_id, "ready")
        stream = own.lab.client("batch").describe_jobs(jobs=[job_id])["jobs"][0]["container"]["logStreamName"]
        container = own.lines(stream)[0].split()[3].rpartition("/")[2]
        assert has_cgroup(container)
        os.kill(running.pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while has_cgroup(container):
            assert time.monotonic() < deadline, "the container still runs"
        running.process.wait(10)


def test_a_copy_of_the_emulator_runs_the_job_again(containers: ContainerLab) -> None:
    job_id = containers.submit(
        'echo ready; test "$AWS_BATCH_JOB_ATTEMPT" = 2 || sleep 1000', job={"retryStrategy": {"attempts": 2}}
    )
    containers.wait_for_line(job_id, "ready")
    with containers.running.copy() as copy:
        job, _ = follow(Lab(copy.endpoint), job_id)
        assert (job["status"], len(job["attempts"])) == ("SUCCEEDED", 2)
    containers.lab.client("batch").terminate_job(jobId=job_id, reason="enough")
    assert len(containers.ended(job_id).job["attempts"]) == 1, "the original is not affected"
