"""The placement of jobs, and how deletions and updates of compute environments affect them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra import emulator
from tests.emulator.job_helpers import described, follow, reason, running, submit
from tests.emulator.probes import Lab, requirements

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEEPING = running(["sleep", "600"])


@pytest.fixture(scope="module")
def quick() -> Iterator[emulator.Emulator]:
    """Yield an emulator whose jobs take half a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_INFRA_EMULATOR_JOB_SECONDS", "0.5")
        with emulator.start(seed=False) as running:
            yield running


@pytest.fixture(scope="module")
def lab(quick: emulator.Emulator) -> Lab:
    return Lab(quick.endpoint)


def environment(lab: Lab, **resources: Any) -> str:
    return lab.environment(computeResources=lab.resources(**resources))


def fargate(lab: Lab) -> str:
    wanted = {"subnets", "securityGroupIds"}
    network = {key: value for key, value in lab.resources().items() if key in wanted}
    return lab.environment(computeResources={"type": "FARGATE", "maxvCpus": 16, **network})


def asking(lab: Lab, vcpu: str, memory: str = "64") -> str:
    return lab.definition({"resourceRequirements": requirements(vcpu=vcpu, memory=memory)})


def cluster(lab: Lab, arn: str) -> str:
    name: str = lab.described_environment(arn)["ecsClusterArn"].rpartition(":cluster/")[2]
    assert name
    return name


def place(job: Any) -> str:
    """Return the name of the cluster of the job's task."""
    found = re.fullmatch(r"arn:aws:ecs:us-east-1:123456789012:task/([^/]+)/[0-9a-f]{32}", job["container"]["taskArn"])
    assert found
    return found[1]


def end(lab: Lab, *jobs: str) -> None:
    for each in jobs:
        lab.client("batch").terminate_job(jobId=each, reason="done")


def test_a_job_goes_to_the_first_environment_with_room(lab: Lab) -> None:
    first, second = environment(lab, maxvCpus=4), environment(lab, maxvCpus=8)
    queue, four = lab.queue(first, second), asking(lab, "4")
    jobs = []
    for expected in (first, second, second):
        jobs.append(submit(lab, queue, four, **SLEEPING))
        assert place(follow(lab, jobs[-1], until={"RUNNING"})[0]) == cluster(lab, expected)
    last = submit(lab, queue, four)
    barrier = submit(lab, lab.queue(environment(lab)))  # when this one has ended, the scheduler has also seen the other
    follow(lab, barrier)
    waiting = described(lab, last)
    assert (waiting["status"], waiting.get("statusReason", "")) == ("RUNNABLE", "")
    assert "taskArn" not in waiting["container"]
    end(lab, jobs[0])
    assert place(follow(lab, last)[0]) == cluster(lab, first)
    end(lab, *jobs)


def test_a_disabled_environment_is_skipped(lab: Lab) -> None:
    first, second = environment(lab), environment(lab)
    queue = lab.queue(first, second)
    lab.client("batch").update_compute_environment(computeEnvironment=first, state="DISABLED")
    assert place(follow(lab, submit(lab, queue))[0]) == cluster(lab, second)


def test_a_placed_job_names_its_instance_except_on_fargate(lab: Lab) -> None:
    on_ec2, on_fargate = environment(lab), fargate(lab)
    job, _ = follow(lab, submit(lab, lab.queue(on_ec2)))
    prefix = f"arn:aws:ecs:us-east-1:123456789012:container-instance/{cluster(lab, on_ec2)}/"
    assert job["container"]["containerInstanceArn"].startswith(prefix)
    assert job["attempts"][0]["container"]["taskArn"] == job["container"]["taskArn"]
    job, _ = follow(lab, submit(lab, lab.queue(on_fargate)))
    assert place(job) == cluster(lab, on_fargate)
    assert "containerInstanceArn" not in job["container"]


def test_a_job_that_no_instance_type_holds_stays_runnable(lab: Lab) -> None:
    queue = lab.queue(environment(lab, instanceTypes=["m5.large"]))
    fits, exact = asking(lab, "2", "7900"), asking(lab, "2", "8192")  # all of the type's advertised memory
    follow(lab, submit(lab, queue, fits))
    stuck = submit(lab, queue, exact)
    assert reason(lab, stuck).startswith("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT")


def multi_node(lab: Lab, nodes: int) -> str:
    ranges = [
        {
            "targetNodes": "0:",
            "container": {
                "image": "isaac:1",
                "resourceRequirements": requirements(vcpu="2", memory="64"),
                "command": ["sleep", "600"],
            },
        },
        {
            "targetNodes": "1:2",
            "container": {"image": "worker:1", "resourceRequirements": requirements(vcpu="2", memory="64")},
        },
    ]
    arn: str = lab.client("batch").register_job_definition(
        jobDefinitionName=lab.name("job"),
        type="multinode",
        nodeProperties={"numNodes": nodes, "mainNode": 0, "nodeRangeProperties": ranges},
    )["jobDefinitionArn"]
    return arn


def test_a_multi_node_job_is_described_node_by_node(lab: Lab) -> None:
    where = environment(lab, type="EC2", allocationStrategy="BEST_FIT_PROGRESSIVE", maxvCpus=6)
    queue = lab.queue(where)
    job_id = submit(lab, queue, multi_node(lab, 3))
    parent, _ = follow(lab, job_id, until={"RUNNING"})
    assert parent["nodeProperties"]["numNodes"] == 3
    assert "container" not in parent
    batch = lab.client("batch")
    nodes = batch.describe_jobs(jobs=[f"{job_id}#{index}" for index in range(4)])["jobs"]
    assert [each["jobId"] for each in nodes] == [f"{job_id}#{index}" for index in range(3)]
    assert [each["nodeDetails"]["isMainNode"] for each in nodes] == [True, False, False]
    assert [each["container"]["image"] for each in nodes] == ["isaac:1", "worker:1", "worker:1"]
    assert {each["status"] for each in nodes} == {"RUNNING"}
    assert {place(each) for each in nodes} == {cluster(lab, where)}
    assert len({each["container"]["containerInstanceArn"] for each in nodes}) == 3
    other = submit(lab, queue, asking(lab, "1"))
    follow(lab, submit(lab, lab.queue(environment(lab))))
    assert described(lab, other)["status"] == "RUNNABLE", "the three nodes use all six vCPUs"
    end(lab, job_id)
    follow(lab, other)


def test_a_multi_node_job_larger_than_the_maximum_stays_runnable(lab: Lab) -> None:
    queue = lab.queue(environment(lab, type="EC2", allocationStrategy="BEST_FIT_PROGRESSIVE", maxvCpus=6))
    job_id = submit(lab, queue, multi_node(lab, 4))
    assert reason(lab, job_id).startswith("MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE")


def test_instances_that_cannot_reach_ecs_get_no_job(lab: Lab) -> None:
    ec2 = lab.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.0.0/20")["Subnet"]["SubnetId"]
    [group] = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    inside = environment(lab, subnets=[subnet], securityGroupIds=[group["GroupId"]])
    job_id = submit(lab, lab.queue(inside))
    follow(lab, submit(lab, lab.queue(environment(lab))))
    assert described(lab, job_id)["status"] == "RUNNABLE"
    ec2.create_vpc_endpoint(
        VpcId=vpc, VpcEndpointType="Interface", ServiceName="com.amazonaws.us-east-1.ecs", SubnetIds=[subnet]
    )
    assert place(follow(lab, job_id)[0]) == cluster(lab, inside)


def test_an_invalid_environment_gets_no_job_and_the_next_one_does(lab: Lab) -> None:
    iam, resources = lab.client("iam"), lab.resources()
    profile = resources["instanceRole"].rpartition("/")[2]
    first, second = lab.environment(computeResources=resources), environment(lab)
    only, both = lab.queue(first), lab.queue(first, second)
    iam.remove_role_from_instance_profile(InstanceProfileName=profile, RoleName="lab-worker")
    iam.delete_instance_profile(InstanceProfileName=profile)
    assert place(follow(lab, submit(lab, both))[0]) == cluster(lab, second)
    stuck = submit(lab, only)
    assert reason(lab, stuck) == "ACTION_REQUIRED - CE(s) associated with the job queue are invalid."
    iam.create_instance_profile(InstanceProfileName=profile)
    iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName="lab-worker")
    assert follow(lab, stuck)[0]["status"] == "SUCCEEDED"


def test_an_environment_whose_launch_template_is_deleted_is_invalid(lab: Lab) -> None:
    ec2, name = lab.client("ec2"), lab.name("template")
    made = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"EbsOptimized": True})
    template = made["LaunchTemplate"]["LaunchTemplateId"]
    by_id = environment(lab, launchTemplate={"launchTemplateId": template, "version": "1"})
    by_name = environment(lab, launchTemplate={"launchTemplateName": name})
    assert {lab.described_environment(each)["status"] for each in (by_id, by_name)} == {"VALID"}
    ec2.delete_launch_template(LaunchTemplateId=template)
    words = "CLIENT_ERROR - The specified launch template, with template {}, does not exist."
    for each, which in ((by_id, f"ID {template}"), (by_name, f"name {name}")):
        described = lab.described_environment(each)
        assert (described["status"], described["statusReason"]) == ("INVALID", words.format(which))


def test_an_environment_whose_service_role_is_deleted_is_invalid(lab: Lab) -> None:
    role = lab.service_role()
    where = lab.environment(serviceRole=role)
    assert lab.described_environment(where)["status"] == "VALID"
    iam, name = lab.client("iam"), role.rpartition("/")[2]
    iam.delete_role_policy(RoleName=name, PolicyName="batch")
    iam.delete_role(RoleName=name)
    assert "Not authorized to perform sts:AssumeRole" in lab.described_environment(where)["statusReason"]


def leave(lab: Lab, queue: str, old: str, new: str) -> None:
    """Move the queue to another compute environment, and delete the first one."""
    batch = lab.client("batch")
    batch.update_job_queue(jobQueue=queue, computeEnvironmentOrder=[{"order": 1, "computeEnvironment": new}])
    batch.update_compute_environment(computeEnvironment=old, state="DISABLED")
    batch.delete_compute_environment(computeEnvironment=old)


@pytest.mark.parametrize(
    ("rules", "again"),
    [
        ([], True),
        ([{"onStatusReason": "Host EC2*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}], True),
        ([{"onReason": "*", "action": "EXIT"}], False),
    ],
    ids=["none", "spot", "never"],
)
def test_a_job_whose_environment_is_deleted_is_retried_elsewhere(lab: Lab, rules: list[Any], again: bool) -> None:
    old, new = environment(lab), environment(lab)
    queue = lab.queue(old)
    definition = lab.definition(retryStrategy={"attempts": 2, "evaluateOnExit": rules})
    job_id = submit(lab, queue, definition, **SLEEPING)
    follow(lab, job_id, until={"RUNNING"})
    leave(lab, queue, old, new)
    job, _ = follow(lab, job_id, until={"RUNNING", "FAILED"})
    assert job["status"] == ("RUNNING" if again else "FAILED")
    [lost] = job["attempts"]
    assert re.fullmatch(r"Host EC2 \(instance i-[0-9a-f]{17}\) terminated\.", lost["statusReason"])
    assert "exitCode" not in lost["container"]
    if again:
        assert place(job) == cluster(lab, new)
        end(lab, job_id)


def test_a_fargate_environment_with_jobs_is_not_deleted_but_invalid(lab: Lab) -> None:
    batch, old = lab.client("batch"), fargate(lab)
    queue = lab.queue(old)
    job_id = submit(lab, queue, **SLEEPING)
    follow(lab, job_id, until={"RUNNING"})
    leave(lab, queue, old, fargate(lab))
    found = lab.described_environment(old)
    assert (found["status"], found["statusReason"].partition(".")[0]) == (
        "INVALID",
        "CLIENT_ERROR - The Cluster cannot be deleted while Tasks are active",
    )
    assert described(lab, job_id)["status"] == "RUNNING"
    end(lab, job_id)
    batch.delete_compute_environment(computeEnvironment=old)
    assert batch.describe_compute_environments(computeEnvironments=[old])["computeEnvironments"] == []


def test_an_update_that_replaces_no_instance_keeps_jobs_running(lab: Lab) -> None:
    batch, where = lab.client("batch"), environment(lab, instanceTypes=["c6i"])
    batch.update_compute_environment(computeEnvironment=where, updatePolicy={"terminateJobsOnUpdate": True})
    job_id = submit(lab, lab.queue(where), **SLEEPING)
    follow(lab, job_id, until={"RUNNING"})
    same = {"maxvCpus": 32, "instanceTypes": ["c6i"]}
    batch.update_compute_environment(computeEnvironment=where, state="ENABLED", computeResources=same)
    assert described(lab, job_id)["status"] == "RUNNING"
    batch.update_compute_environment(computeEnvironment=where, computeResources={"instanceTypes": ["r6i"]})
    assert described(lab, job_id)["status"] == "FAILED"


def test_an_environment_whose_launches_are_refused_is_skipped(lab: Lab, quick: emulator.Emulator) -> None:
    first, second = environment(lab), environment(lab)
    name = first.rpartition("/")[2]
    quick.refuse_launches(name, "VcpuLimitExceeded")
    both, only = lab.queue(first, second), lab.queue(first)
    assert place(follow(lab, submit(lab, both))[0]) == cluster(lab, second)
    stuck = submit(lab, only)
    follow(lab, submit(lab, both))
    assert (described(lab, stuck)["status"], described(lab, stuck).get("statusReason")) == ("RUNNABLE", None)
    quick.refuse_launches(name, "InsufficientInstanceCapacity: there are none")
    expected = "Service cannot fulfill the capacity requested for instance type [optimal]"
    assert reason(lab, stuck) == f"CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - {expected}"
    quick.allow_launches(name)
    assert place(follow(lab, stuck)[0]) == cluster(lab, first)
