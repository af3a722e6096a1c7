"""For each cause: what shows it, and the words of its evidence and its fix."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.unit.why.facts import HOST, ID, IMAGE, OTHER, Facts

Case = tuple[Callable[[Facts], object], str, str, str]
_NOT_SCALED = "Failed: We could not launch. "
_PULL = "CannotPullContainerError: Error response from daemon: "
_START = "Task failed to start"
_EXITED = "Essential container in task exited"
_LIMIT = "Canceled by JobStateTimeLimit action due to reason: "
_TOO_LARGE = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement is higher than can be met"
_ABOVE = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) cannot meet the CPU requirement of the job."
NO_CAPACITY = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested"
_ROLE = "CLIENT_ERROR - Not authorized to perform sts:AssumeRole (Service: AWSSecurityTokenService)"
_PROFILE = "CLIENT_ERROR - Invalid IamInstanceProfile: arn:aws:iam::123456789012:instance-profile/ecsInstanceRole"
_TEMPLATE = "CLIENT_ERROR - The specified launch template, with template name workers-role, does not exist."
_NO_REPOSITORY = (  # in an account whose number holds the digits of status codes
    "repository 401403404555.dkr.ecr.us-east-1.amazonaws.com/isaac not found: name unknown: "
    "The repository with name 'isaac' does not exist in the registry with id '401403404555'"
)
_NO_SPOT = "There is no Spot capacity available that matches your request."
_KEY = "Instance became unhealthy. Client.InternalError: Client error on launch"
QUOTA = "You have requested more vCPU capacity than your current vCPU limit of 32 allows (VcpuLimitExceeded)."


def waits_for(status: str) -> Callable[[Facts], object]:
    def change(facts: Facts) -> None:
        facts.ahead(status=status)
        facts.job |= {"status": "PENDING", "dependsOn": [{"jobId": OTHER, "type": "SEQUENTIAL"}]}

    return change


def dependency_failed(facts: Facts) -> None:
    waits_for("FAILED")(facts)
    facts.reason("Dependent Job failed", status="FAILED")


def array(status: str, child: str) -> Callable[[Facts], object]:
    def change(facts: Facts) -> None:
        facts.reason("Array Child Job failed" if status == "FAILED" else "", status=status)
        facts.job["arrayProperties"] = {"size": 3, "statusSummary": {"SUCCEEDED": 2, child: 1}}
        facts.child(child, 2)

    return change


def needs(vcpus: int, memory_mib: int) -> Callable[[Facts], object]:
    requirements = [{"type": "VCPU", "value": str(vcpus)}, {"type": "MEMORY", "value": str(memory_mib)}]
    return lambda facts: facts.job["container"].update(resourceRequirements=requirements)


def cancelled(facts: Facts) -> None:
    facts.reason("gen-infra cancel, by arn:aws:iam::123456789012:user/ada", status="FAILED")
    facts.job["isCancelled"] = True


def replaced(facts: Facts) -> None:
    """EC2 has forgotten the instance, which was on Spot."""
    lost("")(facts)
    instance = "arn:aws:ecs:us-east-1:123456789012:container-instance/spot-old/0123456789abcdef0123456789abcdef"
    facts.job["attempts"][0]["container"]["containerInstanceArn"] = instance


def lost(end: str) -> Callable[[Facts], object]:
    def change(facts: Facts) -> None:
        facts.failed(f"Host EC2 (instance {HOST}) terminated.")
        facts.host_end = end

    return change


def retried_after_spot(facts: Facts) -> None:
    lost("Server.SpotInstanceTermination: Spot instance termination")(facts)
    facts.job["status"] = "RUNNABLE"


def busy(facts: Facts) -> None:
    container = {"resourceRequirements": [{"type": "VCPU", "value": "62"}]}
    facts.others.append(facts.job | {"jobId": OTHER, "status": "RUNNING", "container": container})


def just_submitted(facts: Facts) -> None:
    facts.job["createdAt"] = int(time.time() * 1000) - 60_000


def not_pushed(facts: Facts) -> None:
    facts.failed(_START, "CannotPullContainerError: see the agent")
    facts.image_is_there = False


def logged(line: str, code: int) -> Callable[[Facts], object]:
    def change(facts: Facts) -> None:
        facts.failed(_EXITED, exit_code=code)
        facts.log = ["reads 30000000 pairs", line]

    return change


def secret(reason: str) -> Callable[[Facts], object]:
    def change(facts: Facts) -> None:
        facts.failed(_START, reason)
        facts.job["container"]["secrets"] = [{"name": "LICENCE", "valueFrom": "arn:aws:ssm:us-east-1:1:parameter/x"}]

    return change


def sets(where: str, **values: Any) -> Callable[[Facts], object]:
    return lambda facts: getattr(facts, where).update(values)


def has(**values: Any) -> Callable[[Facts], object]:
    return lambda facts: vars(facts).update(values)


CASES: dict[str, Case] = {
    # what happens: how it shows, the cause, words of its evidence, words of its fix
    "waits for another": (waits_for("RUNNING"), "dependency", "is RUNNING", f"gen-infra why test.yaml {OTHER}"),
    "another failed": (dependency_failed, "dependency-failed", "FAILED", f"gen-infra why test.yaml {OTHER}"),
    "array waits": (array("PENDING", "RUNNABLE"), "array-children", "2 SUCCEEDED, 1 RUNNABLE", f"{ID}:2"),
    "array failed": (array("FAILED", "FAILED"), "child-failed", "1 of 3 children", f"why test.yaml {ID}:2"),
    "queue disabled": (sets("queue", state="DISABLED"), "queue-disabled", "main-test is DISABLED", "--state ENABLED"),
    "queue stopped by the budget": (
        sets("queue", state="DISABLED", tags={"gen-infra:stopped-by-budget": "2026-11-29T12:00:00Z"}),
        "queue-disabled",
        "since 2026-11-29T12:00:00Z, when notifications.budget was used up",
        "gen-infra apply test.yaml --allow enable-queues",
    ),
    "queue invalid": (
        sets("queue", status="INVALID", statusReason="no such environment"),
        "queue-invalid",
        "no such environment",
        "gen-infra apply test.yaml",
    ),
    "environments disabled": (
        sets("environment", state="DISABLED"),
        "environments-disabled",
        "spot-test-20260101 is DISABLED",
        "--compute-environment spot-test-20260101 --state ENABLED",
    ),
    "environment invalid": (
        sets("environment", status="INVALID", statusReason=_ROLE),
        "environment-invalid",
        "sts:AssumeRole",
        "let batch.amazonaws.com assume the service role",
    ),
    "no role for Spot": (
        lambda facts: facts.launch_fails("AuthFailure.ServiceLinkedRoleCreationNotPermitted - see IAM"),
        "spot-role",
        "ServiceLinkedRoleCreationNotPermitted",
        "create-service-linked-role --aws-service-name spot.amazonaws.com",
    ),
    "no room for volumes": (
        lambda facts: facts.launch_fails("Client.VolumeLimitExceeded: Volume limit exceeded"),
        "volume-quota",
        "VolumeLimitExceeded",
        "gen-infra doctor test.yaml",
    ),
    "no login for the registry": (
        lambda facts: facts.failed(_START, "asm fetching secret from the service for registry: AccessDeniedException"),
        "registry-login",
        "asm fetching secret",
        "gen-infra apply test.yaml",
    ),
    "memory of the GPU": (
        logged("torch.OutOfMemoryError: CUDA out of memory.", 1),
        "gpu-memory",
        "CUDA out of memory",
        "for compute.spot",
    ),
    "shared memory": (
        logged("RuntimeError: DataLoader worker (pid 7) is killed by signal: Bus error.", 1),
        "shared-memory",
        "Bus error",
        "raise shared_memory_mib of jobs.isaac",
    ),
    "no credentials": (
        logged("fatal error: Unable to locate credentials", 1),
        "no-credentials",
        "Unable to locate credentials",
        "its role is isaac-test-job",
    ),
    "a host that is not reached": (
        logged("curl: (6) Could not resolve host: ftp.ebi.ac.uk", 6),
        "host-unreachable",
        "Could not resolve host",
        "name the bucket in buckets of jobs.isaac",
    ),
    "an hour of STARTING": (
        sets("job", status="STARTING"),
        "container-starting",
        "submitted 60 minutes ago, and has its host",
        f"gen-infra cancel test.yaml {ID}",
    ),
    "no instance profile": (
        sets("environment", status="INVALID", statusReason=_PROFILE),
        "environment-invalid",
        "Invalid IamInstanceProfile",
        "gen-infra apply test.yaml makes the instance profile again",
    ),
    "no launch template": (
        sets("environment", status="INVALID", statusReason=_TEMPLATE),
        "environment-invalid",
        "template name workers-role, does not exist",
        "gen-infra apply test.yaml makes the launch template again",
    ),
    "environment invalid for its network": (
        sets("environment", status="INVALID", statusReason="CLIENT_ERROR - security groups not linked to the VPC"),
        "environment-invalid",
        "security groups",
        "correct network in the manifest",
    ),
    "no type is large enough": (
        needs(4, 600_000),
        "no-instance-type",
        "the most that spot-test-20260101 can give is 128 vCPUs and 508",
        "add a larger family to instance_types of compute.spot",
    ),
    "Batch found no type": (
        lambda facts: facts.reason(_LIMIT + _TOO_LARGE, status="FAILED"),
        "no-instance-type",
        "JobStateTimeLimit",
        "lower jobs.isaac",
    ),
    "above the maximum": (needs(96, 8000), "above-vcpu-maximum", "may have 64 vCPUs at most", "raise max_vcpus"),
    "Batch found it above": (
        lambda facts: facts.reason(_ABOVE),
        "above-vcpu-maximum",
        "MAX_RESOURCE",
        "lower jobs.isaac.vcpus",
    ),
    "all vCPUs busy": (busy, "vcpu-maximum", "62 of 64 vCPUs", "raise max_vcpus of compute.spot"),
    "others before it": (
        lambda facts: facts.ahead(statusReason=NO_CAPACITY),
        "behind-others",
        "whole-cohort (0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11), asks for 48 vCPUs; AWS Batch says",
        f"gen-infra why test.yaml {OTHER}",
    ),
    "service role": (
        lambda facts: facts.reason("MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS - Batch service role has an issue."),
        "service-role",
        "acts as arn:aws:iam::123456789012:role/batchService-test",
        "service-linked",
    ),
    "quota reached": (lambda facts: facts.launch_fails(QUOTA), "vcpu-quota", "limit of 32", "--quota-code L-34B43A08"),
    "quota too small": (has(quota=2.0), "vcpu-quota", "a job of 4 cannot start", "quota-increase"),
    "key policy": (lambda facts: facts.launch_fails(_KEY), "key-policy", "Client error on launch", "gen-infra doctor"),
    "key disabled": (has(key_state="Disabled"), "key-policy", "alias/batch-test is Disabled", "aws kms enable-key"),
    "AMI gone": (
        lambda facts: facts.launch_fails("The image id '[ami-0123456789abcdef0]' does not exist. Launching failed."),
        "machine-image",
        "ami-0123456789abcdef0",
        "image.parameter",
    ),
    "subnets full": (has(addresses=0), "no-addresses", "no free address", "add subnets"),
    "Spot too dear": (
        lambda facts: facts.launch_fails(
            "Your Spot request price of 0.01 is lower than the minimum required price 0.02."
        ),
        "spot-price",
        "spot-test-20260101 pays 50 % of On-Demand at most",
        "raise bid_percentage of compute.spot",
    ),
    "no Spot capacity": (
        lambda facts: facts.launch_fails(_NOT_SCALED + _NO_SPOT),
        "no-capacity",
        "SPOT, m6i, in 1 subnets",
        "add families to instance_types of compute.spot",
    ),
    "Batch found no capacity": (
        lambda facts: facts.reason(NO_CAPACITY),
        "no-capacity",
        "cannot fulfill",
        "spot-fallback",
    ),
    "unsupported types": (
        lambda facts: facts.launch_fails(
            "Your instance type (m6i.large) is not supported in your requested Availability Zone (us-east-1e)."
        ),
        "unsupported-instances",
        "us-east-1e",
        "other instance_types",
    ),
    "another launch failure": (
        lambda facts: facts.launch_fails("Something new happened."),
        "launch-fails",
        "Something new happened",
        "fix what Auto Scaling says",
    ),
    "no way out": (has(route={}, joined=0), "no-way-out", "1 instances run, 0 have joined", "NAT gateway"),
    "does not join": (has(joined=0), "instances-do-not-join", "0 have joined", "ecs-agent.log"),
    "just submitted": (just_submitted, "instances-starting", "1 minutes ago", "--watch"),
    "role": (
        lambda facts: facts.failed(_START, "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/x'"),
        "role-not-assumable",
        "its role is arn:aws:iam::123456789012:role/isaac-test-job",
        "ecs-tasks.amazonaws.com",
    ),
    "registry out of reach": (
        lambda facts: facts.failed(_START, _PULL + 'Get "https://123.dkr.ecr/v2/": dial tcp 10.0.0.1:443: i/o timeout'),
        "image-unreachable",
        "i/o timeout",
        "gen-infra doctor test.yaml",
    ),
    "registry throttles": (
        lambda facts: facts.failed(_START, _PULL + "toomanyrequests: You have reached your pull rate limit."),
        "image-throttled",
        "rate limit",
        "ECR",
    ),
    "no such tag": (
        lambda facts: facts.failed(_START, _PULL + f"manifest for {IMAGE} not found: manifest unknown"),
        "image-absent",
        "manifest unknown",
        f"push {IMAGE}",
    ),
    "no such repository": (
        lambda facts: facts.failed(_START, _PULL + _NO_REPOSITORY),
        "image-absent",
        "name unknown",
        "name its repository in repositories, gen-infra apply test.yaml, and docker push",
    ),
    "not in our registry": (
        not_pushed,
        "image-absent",
        "test/isaac 1.0 is not there",
        f"docker push {IMAGE}",
    ),
    "pull denied": (
        lambda facts: facts.failed(_START, _PULL + "pull access denied, no basic auth credentials"),
        "image-denied",
        "no basic auth",
        "AmazonEC2ContainerServiceforEC2Role",
    ),
    "wrong platform": (
        lambda facts: facts.failed(_START, _PULL + "image Manifest does not contain descriptor matching platform"),
        "image-platform",
        "matching platform",
        "--platform linux/amd64",
    ),
    "another failure to pull": (
        lambda facts: facts.failed(_START, "CannotPullContainerError: unexpected EOF"),
        "image-pull",
        "unexpected EOF",
        f"docker pull {IMAGE}",
    ),
    "log group gone": (
        lambda facts: facts.failed(
            _START, "CannotStartContainerError: failed to initialize logging driver: ResourceNotFoundException: gone"
        ),
        "log-group-absent",
        "ResourceNotFoundException",
        "gen-infra apply test.yaml",
    ),
    "log refused": (
        lambda facts: facts.failed(_START, "failed to initialize logging driver: AccessDeniedException"),
        "log-driver",
        "AccessDenied",
        "/aws/batch/test/isaac",
    ),
    "secret": (
        secret("ResourceInitializationError: unable to pull secrets or registry auth: denied"),
        "secrets",
        "unable to pull secrets",
        "gen-infra doctor test.yaml",
    ),
    "volume": (
        lambda facts: facts.failed(_START, "failed to invoke EFS utils commands: mount.nfs4: timed out"),
        "volumes",
        "mount.nfs4",
        "TCP port 2049",
    ),
    "no such program": (
        lambda facts: facts.failed(_START, 'exec: "isaac": executable file not found in $PATH: unknown', 127),
        "program-absent",
        "command: isaac --all",
        "command of jobs.isaac",
    ),
    "Spot reclaimed": (
        lost("Server.SpotInstanceTermination: Spot instance termination"),
        "spot-reclaimed",
        "attempt 1 of 3",
        "raise attempts of jobs.isaac",
    ),
    "Spot reclaimed, forgotten by EC2": (lost(""), "spot-reclaimed", "Host EC2", "raise attempts of jobs.isaac"),
    "Spot reclaimed, waits again": (retried_after_spot, "spot-reclaimed", "Spot instance termination", "attempts"),
    "environment replaced": (
        replaced,
        "host-lost",
        "it ran in the ECS cluster spot-old, which no compute environment of its queue has any more",
        "raise attempts",
    ),
    "host lost": (
        lost("Client.UserInitiatedShutdown: User initiated shutdown"),
        "host-lost",
        "User initiated shutdown",
        "raise attempts",
    ),
    "out of memory": (
        lambda facts: facts.failed(_EXITED, "OutOfMemoryError: Container killed due to memory usage", 137),
        "out-of-memory",
        "it may use 8000 MiB",
        "raise memory_mib of jobs.isaac",
    ),
    "killed": (lambda facts: facts.failed(_EXITED, exit_code=137), "out-of-memory", "exit code 137", "memory_mib"),
    "timeout": (
        lambda facts: facts.failed("Job attempt duration exceeded timeout", exit_code=137),
        "timeout",
        "an attempt may take 60 minutes",
        "timeout_minutes of jobs.isaac",
    ),
    "disk full": (
        logged("write /scratch/out.bam: No space left on device", 1),
        "disk-full",
        "its log says: write /scratch/out.bam",
        "image.scratch.size_gib",
    ),
    "disk full of images": (
        lambda facts: facts.failed(_START, _PULL + "failed to register layer: no space left on device"),
        "disk-full",
        "register layer",
        "image.root.size_gib",
    ),
    "cancelled": (cancelled, "cancelled", "user/ada", "submit it again"),
    "program failed": (
        logged("ValueError: chromosome 23", 2),
        "program-failed",
        "ValueError: chromosome 23",
        "gen-infra logs test.yaml",
    ),
}
