"""Batch: compute environments, job queues, job definitions and jobs."""

from __future__ import annotations

import re
import time
from functools import partial
from typing import Any

from tests.emulator.probes import Lab, probe, refusal, requirements


@probe("arn:aws:iam::123456789012:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch")
def default_service_role(lab: Lab) -> Any:
    name, create = lab.name("environment"), lab.client("batch").create_compute_environment
    answer = refusal(create, computeEnvironmentName=name, type="MANAGED", computeResources=lab.resources())
    return lab.described_environment(name)["serviceRole"] if answer == "accepted" else answer


@probe(["ClientException", "ClientException", "ClientException", "accepted"])
def environment_requirements(lab: Lab) -> Any:
    best_fit: dict[str, Any] = {"allocationStrategy": "BEST_FIT"}
    wanted: list[dict[str, Any]] = [
        {"type": "EC2", "allocationStrategy": "SPOT_CAPACITY_OPTIMIZED"},
        best_fit,
        {"ec2Configuration": [{"imageType": "ECS_AL2"}]},
        best_fit | {"spotIamFleetRole": lab.role("spotFleet")},
    ]
    return [refusal(lab.environment, computeResources=lab.resources(**each)) for each in wanted]


@probe(["ClientException", "accepted", []])
def security_groups_of_the_launch_template(lab: Lab) -> Any:
    resources, ec2, name = lab.resources(), lab.client("ec2"), lab.name("environment")
    groups = resources.pop("securityGroupIds")
    seen = []
    for interface in ({"DeviceIndex": 0}, {"DeviceIndex": 0, "Groups": groups}):
        data = {"NetworkInterfaces": [interface]}
        made = ec2.create_launch_template(LaunchTemplateName=lab.name("template"), LaunchTemplateData=data)
        resources["launchTemplate"] = {"launchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "version": "1"}
        seen.append(refusal(lab.environment, computeEnvironmentName=name, computeResources=resources))
    found = lab.client("batch").describe_compute_environments(computeEnvironments=[name])["computeEnvironments"]
    return [*seen, [group for each in found for group in each["computeResources"].get("securityGroupIds", [])]]


@probe(True)
def named_clusters(lab: Lab) -> Any:
    environment = lab.environment()
    cluster = lab.described_environment(environment)["ecsClusterArn"].rpartition("/")[2]
    return environment.rpartition("/")[2] in cluster


@probe("accepted")
def missing_container_instances(lab: Lab) -> Any:
    cluster = lab.described_environment(lab.environment())["ecsClusterArn"]
    describe = lab.client("ecs").describe_container_instances
    return refusal(describe, cluster=cluster, containerInstances=["0123abcd"])


@probe(["ENABLED", "ECS", 0, {"jobExecutionTimeoutMinutes": 60}, {"jobExecutionTimeoutMinutes": 90}])
def described_settings(lab: Lab) -> Any:
    name = lab.name("environment")
    settings = {"computeEnvironmentName": name, "type": "MANAGED", "computeResources": lab.resources()}
    batch = lab.client("batch")
    policy = {"terminateJobsOnUpdate": False, "jobExecutionTimeoutMinutes": 60}
    batch.create_compute_environment(**settings, serviceRole=lab.linked_role())
    first = lab.described_environment(name)
    seen = [first.get("state"), first.get("containerOrchestrationType"), first["computeResources"].get("desiredvCpus")]
    for minutes in (60, 90):
        policy = {"jobExecutionTimeoutMinutes": minutes}
        batch.update_compute_environment(computeEnvironment=name, updatePolicy=policy)
        seen.append(lab.described_environment(name).get("updatePolicy"))
    return seen


@probe([128, ["c6i"], 50])
def updated_resources(lab: Lab) -> Any:
    name = lab.environment(computeResources=lab.resources(bidPercentage=50))
    changes = {"maxvCpus": 128, "instanceTypes": ["c6i"]}
    lab.client("batch").update_compute_environment(computeEnvironment=name, computeResources=changes)
    found = lab.described_environment(name)["computeResources"]
    return [found["maxvCpus"], found["instanceTypes"], found["bidPercentage"]]


@probe(
    {
        "custom role, bid": "ClientException",
        "custom role, vCPUs": "accepted",
        "custom role, same bid": "accepted",
        "BEST_FIT, image": "ClientException",
        "BEST_FIT, vCPUs": "accepted",
        "linked role, bid": "accepted",
        "linked role, to BEST_FIT": "ClientException",
        "linked role, to custom": "ClientException",
        "minimum above maximum": "ClientException",
    }
)
def refused_updates(lab: Lab) -> Any:
    custom, update = lab.service_role(), lab.client("batch").update_compute_environment
    own = lab.environment(serviceRole=custom, computeResources=lab.resources(bidPercentage=50))
    best_fit = lab.environment(computeResources=lab.resources(type="EC2", allocationStrategy="BEST_FIT"))
    linked = lab.environment()

    def resources(name: str, **changes: Any) -> str:
        return refusal(update, computeEnvironment=name, computeResources=changes)

    image = [{"imageType": "ECS_AL2023", "imageIdOverride": "ami-1"}]
    return {
        "custom role, bid": resources(own, bidPercentage=60),
        "custom role, vCPUs": resources(own, maxvCpus=128),
        "custom role, same bid": resources(own, bidPercentage=50, maxvCpus=64),
        "BEST_FIT, image": resources(best_fit, ec2Configuration=image),
        "BEST_FIT, vCPUs": resources(best_fit, maxvCpus=128),
        "linked role, bid": resources(linked, bidPercentage=60),
        "linked role, to BEST_FIT": resources(linked, allocationStrategy="BEST_FIT"),
        "linked role, to custom": refusal(update, computeEnvironment=linked, serviceRole=custom),
        "minimum above maximum": resources(linked, minvCpus=65),
    }


@probe(["ClientException", "ClientException", "accepted"])
def environment_deletion_order(lab: Lab) -> Any:
    batch, used, free = lab.client("batch"), lab.environment(), lab.environment()
    lab.queue(used)
    batch.update_compute_environment(computeEnvironment=used, state="DISABLED")
    answers = [refusal(batch.delete_compute_environment, computeEnvironment=each) for each in (used, free)]
    refusal(batch.update_compute_environment, computeEnvironment=free, state="DISABLED")
    return [*answers, refusal(batch.delete_compute_environment, computeEnvironment=free)]


@probe(["INVALID", "CLIENT_ERROR - Invalid IamInstanceProfile: late", "VALID", "CLIENT_ERROR", "ClientException"])
def environment_status(lab: Lab) -> Any:
    profile, name = lab.name("late"), lab.name("environment")
    create: dict[str, Any] = {"type": "MANAGED", "serviceRole": lab.linked_role(), "computeEnvironmentName": name}
    create |= {"computeResources": lab.resources(instanceRole=profile)}
    if (answer := refusal(lab.client("batch").create_compute_environment, **create)) != "accepted":
        return answer
    first = lab.described_environment(name)
    lab.client("iam").create_instance_profile(InstanceProfileName=profile)
    role = "arn:aws:iam::123456789012:role/missing"
    return [
        first["status"],
        first["statusReason"].replace(profile, "late"),
        lab.described_environment(name)["status"],
        lab.described_environment(lab.environment(serviceRole=role))["statusReason"].partition(" - ")[0],
        refusal(lab.environment, computeResources=lab.resources(instanceRole=role)),
    ]


@probe(["ClientException", "ClientException", "accepted"])
def queues_of_valid_environments(lab: Lab) -> Any:
    resources, iam = lab.resources(), lab.client("iam")
    profile = resources["instanceRole"].rpartition("/")[2]
    environment, queue = lab.environment(computeResources=resources), lab.queue(lab.environment())
    iam.remove_role_from_instance_profile(InstanceProfileName=profile, RoleName="lab-worker")
    iam.delete_instance_profile(InstanceProfileName=profile)
    order = [{"order": 1, "computeEnvironment": environment}]
    update = {"jobQueue": queue, "computeEnvironmentOrder": order}
    answers = [refusal(partial(lab.queue, environment)), refusal(lab.client("batch").update_job_queue, **update)]
    iam.create_instance_profile(InstanceProfileName=profile)
    return [*answers, refusal(partial(lab.queue, environment))]


def placed(lab: Lab, queue: str) -> str:
    """Start a job of ten minutes on a compute environment, and return its id; moto ends it before."""
    batch, definition = lab.client("batch"), lab.definition({"command": ["sleep", "600"]})
    job_id: str = batch.submit_job(jobName="stays", jobQueue=queue, jobDefinition=definition)["jobId"]
    deadline = time.monotonic() + 60
    while batch.describe_jobs(jobs=[job_id])["jobs"][0]["status"] not in {"RUNNING", "SUCCEEDED", "FAILED"}:
        assert time.monotonic() < deadline
    return job_id


def ended(lab: Lab, job_id: str) -> list[str]:
    [job] = lab.client("batch").describe_jobs(jobs=[job_id])["jobs"]
    return [job["status"], re.sub("i-[0-9a-f]{17}", "i-1", job.get("statusReason", ""))]


@probe(["FAILED", "Host EC2 (instance i-1) terminated."])
def environment_deletion_ends_jobs(lab: Lab) -> Any:
    batch, environment, other = lab.client("batch"), lab.environment(), lab.environment()
    queue = lab.queue(environment)
    job_id = placed(lab, queue)
    order = [{"order": 1, "computeEnvironment": other}]
    batch.update_job_queue(jobQueue=queue, computeEnvironmentOrder=order)
    batch.update_compute_environment(computeEnvironment=environment, state="DISABLED")
    batch.delete_compute_environment(computeEnvironment=environment)
    return ended(lab, job_id)


@probe(["RUNNING", "", "FAILED", "Host EC2 (instance i-1) terminated."])
def infrastructure_update_ends_jobs(lab: Lab) -> Any:
    batch, environment = lab.client("batch"), lab.environment()
    job_id = placed(lab, lab.queue(environment))
    batch.update_compute_environment(computeEnvironment=environment, computeResources={"instanceTypes": ["c6i"]})
    first = ended(lab, job_id)
    batch.update_compute_environment(
        computeEnvironment=environment,
        computeResources={"instanceTypes": ["r6i"]},
        updatePolicy={"terminateJobsOnUpdate": True, "jobExecutionTimeoutMinutes": 30},
    )
    return [*first, *ended(lab, job_id)]


@probe(["accepted", "ClientException"])
def queue_mixtures(lab: Lab) -> Any:
    network = {key: value for key, value in lab.resources().items() if key in ("subnets", "securityGroupIds")}
    fargate = [
        lab.environment(computeResources={"type": kind, "maxvCpus": 4, **network})
        for kind in ("FARGATE", "FARGATE_SPOT")
    ]
    return [refusal(partial(lab.queue, *each)) for each in (fargate, (fargate[0], lab.environment()))]


@probe(["ClientException", ["first", "second"]])
def job_queue_snapshot(lab: Lab) -> Any:
    batch, environment = lab.client("batch"), lab.environment()
    queue, definition = lab.queue(environment), lab.definition()
    batch.update_compute_environment(computeEnvironment=environment, state="DISABLED")
    jobs = {
        batch.submit_job(jobName=name, jobQueue=queue, jobDefinition=definition)["jobArn"]: name
        for name in ("first", "second")
    }
    answers: list[Any] = [refusal(batch.get_job_queue_snapshot, jobQueue="not-there")]
    deadline = time.monotonic() + 60
    while answers == ["ClientException"] and time.monotonic() < deadline:
        found = [jobs[each["jobArn"]] for each in batch.get_job_queue_snapshot(jobQueue=queue)["frontOfQueue"]["jobs"]]
        answers += [found] * (len(found) == len(jobs))
    return answers


@probe(["ClientException", "ClientException", "accepted", "ClientException", "ClientException"])
def queue_scheduling(lab: Lab) -> Any:
    batch = lab.client("batch")
    first, second = (batch.create_scheduling_policy(name=lab.name("fair"))["arn"] for _ in range(2))
    fifo, fair = lab.queue(lab.environment()), lab.queue(lab.environment(), schedulingPolicyArn=first)
    return [
        refusal(batch.update_job_queue, jobQueue=fifo, schedulingPolicyArn=first),
        refusal(batch.update_job_queue, jobQueue=fair, schedulingPolicyArn=""),
        refusal(batch.update_job_queue, jobQueue=fair, schedulingPolicyArn=second),
        refusal(batch.update_job_queue, jobQueue=fair, schedulingPolicyArn=f"{second}-gone"),
        refusal(lambda: lab.queue(lab.environment(), schedulingPolicyArn=f"{second}-gone")),
    ]


@probe([[600], [900], True])
def queue_settings(lab: Lab) -> Any:
    batch, environment = lab.client("batch"), lab.environment()

    def actions(seconds: int) -> list[dict[str, Any]]:
        reason = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
        return [{"reason": reason, "state": "RUNNABLE", "maxTimeSeconds": seconds, "action": "CANCEL"}]

    def kept() -> list[int]:
        return [each["maxTimeSeconds"] for each in lab.described_queue(queue).get("jobStateTimeLimitActions", [])]

    queue = lab.queue(environment, jobStateTimeLimitActions=actions(600))
    seen: list[Any] = [kept()]
    batch.update_job_queue(jobQueue=queue, jobStateTimeLimitActions=actions(900))
    seen.append(kept())
    by_name = [{"order": 1, "computeEnvironment": environment.rpartition("/")[2]}]
    refusal(batch.update_job_queue, jobQueue=queue, computeEnvironmentOrder=by_name)
    return [
        *seen,
        lab.described_queue(queue)["computeEnvironmentOrder"] == [by_name[0] | {"computeEnvironment": environment}],
    ]


@probe(["ClientException", "ClientException", "accepted", "accepted"])
def queue_deletion_order(lab: Lab) -> Any:
    batch = lab.client("batch")
    policy = batch.create_scheduling_policy(name=lab.name("fair"))["arn"]
    queue = lab.queue(lab.environment(), schedulingPolicyArn=policy)
    answers = [refusal(batch.delete_job_queue, jobQueue=queue), refusal(batch.delete_scheduling_policy, arn=policy)]
    queue = lab.queue(lab.environment(), schedulingPolicyArn=policy) if "accepted" in answers else queue
    batch.update_job_queue(jobQueue=queue, state="DISABLED")
    answers.append(refusal(batch.delete_job_queue, jobQueue=queue))
    return [*answers, refusal(batch.delete_scheduling_policy, arn=policy)]


@probe([False, {}, None])
def independent_revisions(lab: Lab) -> Any:
    name = lab.name("job")
    lab.definition(
        jobDefinitionName=name, propagateTags=True, parameters={"reference": "hg38"}, retryStrategy={"attempts": 3}
    )
    second = lab.definition(jobDefinitionName=name, propagateTags=False)
    [found] = lab.client("batch").describe_job_definitions(jobDefinitions=[second])["jobDefinitions"]
    return [found["propagateTags"], found["parameters"], found.get("retryStrategy")]


@probe([10, "ECS", 4, ["main", []]])
def described_definition(lab: Lab) -> Any:
    batch = lab.client("batch")
    [found] = batch.describe_job_definitions(jobDefinitions=[lab.definition(schedulingPriority=10)])["jobDefinitions"]
    container = found["containerProperties"]
    nodes = {"numNodes": 4, "mainNode": 0, "nodeRangeProperties": [{"targetNodes": "0:", "container": container}]}
    arn = batch.register_job_definition(jobDefinitionName=lab.name("mpi"), type="multinode", nodeProperties=nodes)
    [many] = batch.describe_job_definitions(jobDefinitions=[arn["jobDefinitionArn"]])["jobDefinitions"]
    described = [found.get("schedulingPriority"), found.get("containerOrchestrationType")]
    task = {
        "containers": [
            {"name": "main", "image": "isaac:1", "resourceRequirements": requirements(vcpu="1", memory="64")}
        ]
    }
    several = {"jobDefinitionName": lab.name("pair"), "type": "container", "ecsProperties": {"taskProperties": [task]}}
    if (answer := refusal(batch.register_job_definition, **several)) != "accepted":
        return [*described, many.get("nodeProperties", {}).get("numNodes"), answer]
    [pair] = batch.describe_job_definitions(jobDefinitionName=several["jobDefinitionName"])["jobDefinitions"]
    [container] = pair["ecsProperties"]["taskProperties"][0]["containers"]
    return [*described, many.get("nodeProperties", {}).get("numNodes"), [container["name"], container["dependsOn"]]]


@probe({"name": 2, "arn without revision": 2, "name:1": 1, "arn:1": 1, "name:3": "ClientException", "described": [1]})
def revision_lookup(lab: Lab) -> Any:
    batch, name = lab.client("batch"), lab.name("job")
    arns = [lab.definition(jobDefinitionName=name) for _ in range(3)]
    batch.deregister_job_definition(jobDefinition=arns[2])
    queue = lab.queue(lab.environment())

    def revision(identifier: str) -> Any:
        arguments = {"jobName": "lookup", "jobQueue": queue, "jobDefinition": identifier}
        if (answer := refusal(batch.submit_job, **arguments)) != "accepted":
            return answer
        job = batch.submit_job(**arguments)["jobId"]
        return int(batch.describe_jobs(jobs=[job])["jobs"][0]["jobDefinition"].rpartition(":")[2])

    described = batch.describe_job_definitions(jobDefinitions=[f"{name}:1"])["jobDefinitions"]
    return {
        "name": revision(name),
        "arn without revision": revision(arns[0].rpartition(":")[0]),
        "name:1": revision(f"{name}:1"),
        "arn:1": revision(arns[0]),
        "name:3": revision(f"{name}:3"),
        "described": [each["revision"] for each in described],
    }


@probe(
    {
        "status": "SUBMITTED",
        "image": "isaac:1",
        "memory": "128",
        "command": ["align", "hg38"],
        "disabled": "ClientException",
    }
)
def job_life_cycle(lab: Lab) -> Any:
    batch, queue = lab.client("batch"), lab.queue(lab.environment())
    job = {
        "jobName": "observed",
        "jobQueue": queue,
        "jobDefinition": lab.definition({"command": ["align", "Ref::reference"]}),
    }
    more = {"resourceRequirements": [{"type": "MEMORY", "value": "128"}]}
    job_id = batch.submit_job(**job, containerOverrides=more, parameters={"reference": "hg38"})["jobId"]
    [found] = batch.describe_jobs(jobs=[job_id])["jobs"]
    asked = {each["type"]: each["value"] for each in found["container"].get("resourceRequirements", [])}
    batch.update_job_queue(jobQueue=queue, state="DISABLED")
    return {
        "status": found["status"],
        "image": found["container"].get("image"),
        "memory": asked.get("MEMORY"),
        "command": found["container"]["command"],
        "disabled": refusal(batch.submit_job, **job),
    }


PROBES = (
    default_service_role,
    environment_requirements,
    security_groups_of_the_launch_template,
    named_clusters,
    missing_container_instances,
    described_settings,
    updated_resources,
    refused_updates,
    environment_deletion_order,
    environment_status,
    queues_of_valid_environments,
    environment_deletion_ends_jobs,
    infrastructure_update_ends_jobs,
    queue_mixtures,
    job_queue_snapshot,
    queue_scheduling,
    queue_settings,
    queue_deletion_order,
    independent_revisions,
    described_definition,
    revision_lookup,
    job_life_cycle,
)
