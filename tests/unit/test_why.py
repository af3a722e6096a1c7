"""Why a job is where it is: each cause on answers in the shape that AWS gives them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra import why
from gen_infra.why.gather import gather
from gen_infra.why.table import CERTAIN, LIKELY
from tests.unit.manifests import accept
from tests.unit.recorded import Account, Answer, Refusal

if TYPE_CHECKING:
    from gen_infra.manifest import Manifest

ID = "876da822-4198-45f2-a252-6cea32512ea8"
OTHER = "0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11"
HOUR = 3_600_000
ARN = "arn:aws:batch:us-east-1:123456789012"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/test/isaac:1.0"
GROUP = "AWSBatch-spot-test-20260101-asg-640012bd"
HOST = "i-0123456789abcdef0"


class Facts:
    """A healthy account with one job that has waited for an hour; each case changes what makes it unwell."""

    def __init__(self) -> None:
        now = int(time.time() * 1000)
        self.job: dict[str, Any] = {
            "jobId": ID,
            "jobName": "wgs-1",
            "jobQueue": f"{ARN}:job-queue/main-test",
            "jobDefinition": f"{ARN}:job-definition/isaac-test:3",
            "status": "RUNNABLE",
            "createdAt": now - HOUR,
            "startedAt": 0,
            "attempts": [],
            "timeout": {"attemptDurationSeconds": 3600},
            "retryStrategy": {"attempts": 3},
            "container": {
                "image": IMAGE,
                "command": ["isaac", "--all"],
                "jobRoleArn": "arn:aws:iam::123456789012:role/isaac-test-job",
                "resourceRequirements": [{"type": "VCPU", "value": "4"}, {"type": "MEMORY", "value": "8000"}],
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/aws/batch/test/isaac"}},
            },
        }
        self.others: list[dict[str, Any]] = []
        self.queue: dict[str, Any] = {
            "jobQueueName": "main-test",
            "jobQueueArn": f"{ARN}:job-queue/main-test",
            "state": "ENABLED",
            "status": "VALID",
            "priority": 1,
            "computeEnvironmentOrder": [{"order": 1, "computeEnvironment": f"{ARN}:compute-environment/spot"}],
        }
        self.resources: dict[str, Any] = {
            "type": "SPOT",
            "maxvCpus": 64,
            "desiredvCpus": 4,
            "bidPercentage": 50,
            "instanceTypes": ["m6i"],
            "subnets": ["subnet-0123456789abcdef0"],
            "securityGroupIds": ["sg-0123456789abcdef0"],
        }
        self.environment: dict[str, Any] = {
            "computeEnvironmentName": "spot-test-20260101",
            "computeEnvironmentArn": f"{ARN}:compute-environment/spot",
            "ecsClusterArn": "arn:aws:ecs:us-east-1:123456789012:cluster/spot",
            "state": "ENABLED",
            "status": "VALID",
            "serviceRole": "arn:aws:iam::123456789012:role/batchService-test",
            "computeResources": self.resources,
        }
        self.launches: list[dict[str, Any]] = []
        self.instances = 1
        self.joined = 1
        self.route: dict[str, Any] = {
            "DestinationCidrBlock": "0.0.0.0/0",
            "NatGatewayId": "nat-0123456789abcdef0",
            "State": "active",
        }
        self.host_end = ""
        self.image_is_there = True
        self.key_state = "Enabled"
        self.addresses = 4000
        self.quota = 500.0
        self.log: list[str] = []
        self.refused: dict[str, Refusal] = {}

    # What the cases say about it.

    def reason(self, text: str, *, status: str = "RUNNABLE") -> None:
        self.job |= {"status": status, "statusReason": text}

    def failed(self, status_reason: str, reason: str = "", exit_code: int | None = None) -> None:
        container = {"reason": reason} if reason else {}
        outcome: dict[str, Any] = container | ({} if exit_code is None else {"exitCode": exit_code})
        self.reason(status_reason, status="FAILED")
        self.job["container"] |= {**outcome, "logStreamName": "isaac-test/default/1"}
        self.job["attempts"] = [{"statusReason": status_reason, "container": outcome}]

    def launch_fails(self, message: str) -> None:
        self.launches.append(_launch("Failed", message))

    def child(self, status: str, index: int) -> None:
        self.others.append(_summary(f"{ID}:{index}", status, self.job["createdAt"]))

    def ahead(self, **more: Any) -> None:
        container = {"resourceRequirements": [{"type": "VCPU", "value": "48"}]}
        older = {"jobId": OTHER, "jobName": "whole-cohort", "createdAt": self.job["createdAt"] - HOUR}
        self.others.append(self.job | older | {"container": container} | more)

    # What AWS answers.

    def answers(self) -> dict[str, Answer | Refusal]:
        return {
            "DescribeJobs": self._describe_jobs,
            "ListJobs": self._list_jobs,
            "DescribeJobQueues": {"jobQueues": [self.queue]},
            "DescribeComputeEnvironments": {"computeEnvironments": [self.environment]},
            "DescribeAutoScalingGroups": {"AutoScalingGroups": [_group(self.instances), _group(9, "another")]},
            "DescribeScalingActivities": {"Activities": self.launches},
            "DescribeClusters": {"clusters": [{"registeredContainerInstancesCount": self.joined}]},
            "DescribeSubnets": {"Subnets": [_subnet(self.addresses)]},
            "DescribeSecurityGroups": {"SecurityGroups": [_security_group()]},
            "DescribeRouteTables": {"RouteTables": [_table(self.route)]},
            "DescribeVpcEndpoints": {"VpcEndpoints": []},
            "DescribeInstances": {"Reservations": [{"Instances": self._hosts()}]},
            "DescribeImages": {} if self.image_is_there else Refusal("ImageNotFoundException"),
            "GetRole": Refusal("AccessDenied", "not authorized to perform: iam:GetRole on resource: role x"),
            "DescribeKey": {
                "KeyMetadata": {
                    "KeyId": "1",
                    "Arn": "arn:aws:kms:us-east-1:123456789012:key/1",
                    "KeyState": self.key_state,
                }
            },
            "GetKeyPolicy": {"Policy": json.dumps(_OPEN)},
            "ListGrants": {"Grants": []},
            "GetServiceQuota": {"Quota": {"Value": self.quota}},
            "GetLogEvents": {"events": [{"timestamp": 1, "message": line} for line in self.log]},
            **self.refused,
        }

    def _describe_jobs(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"jobs": [each for each in (self.job, *self.others) if each["jobId"] in request["jobs"]]}

    def _list_jobs(self, request: dict[str, Any]) -> dict[str, Any]:
        of_array = "arrayJobId" in request
        found = [each for each in (self.job, *self.others) if (":" in each["jobId"]) == of_array]
        chosen = [each for each in found if each["status"] == request["jobStatus"]]
        return {"jobSummaryList": [_summary(each["jobId"], each["status"], each["createdAt"]) for each in chosen]}

    def _hosts(self) -> list[dict[str, Any]]:
        return [{"InstanceId": HOST, "StateReason": {"Message": self.host_end}}] if self.host_end else []


_OPEN = {
    "Statement": [
        {"Effect": "Allow", "Action": "kms:*", "Principal": {"AWS": "*"}},
        {"Effect": "Allow", "Action": "kms:*", "Principal": {"Service": "logs.us-east-1.amazonaws.com"}},
    ]
}


def _summary(job_id: str, status: str, created: int) -> dict[str, Any]:
    return {"jobId": job_id, "jobName": "wgs-1", "status": status, "createdAt": created}


def _launch(status: str, message: str = "") -> dict[str, Any]:
    return {
        "ActivityId": "1",
        "AutoScalingGroupName": GROUP,
        "Cause": "a difference between desired and actual capacity",
        "Description": "Launching a new EC2 instance.  Status Reason: see StatusMessage",
        "StartTime": datetime.now(UTC),
        "StatusCode": status,
        **({"StatusMessage": message} if message else {}),
    }


def _group(instances: int, name: str = GROUP) -> dict[str, Any]:
    instance = {
        "InstanceId": HOST,
        "AvailabilityZone": "us-east-1a",
        "LifecycleState": "InService",
        "HealthStatus": "Healthy",
        "ProtectedFromScaleIn": False,
    }
    return {
        "AutoScalingGroupName": name,
        "MinSize": 0,
        "MaxSize": 9,
        "DesiredCapacity": instances,
        "DefaultCooldown": 300,
        "AvailabilityZones": ["us-east-1a"],
        "HealthCheckType": "EC2",
        "CreatedTime": datetime.now(UTC),
        "Instances": [instance] * instances,
    }


def _subnet(addresses: int) -> dict[str, Any]:
    return {
        "SubnetId": "subnet-0123456789abcdef0",
        "VpcId": "vpc-1",
        "AvailabilityZone": "us-east-1a",
        "AvailableIpAddressCount": addresses,
        "MapPublicIpOnLaunch": False,
    }


def _security_group() -> dict[str, Any]:
    return {
        "GroupId": "sg-0123456789abcdef0",
        "GroupName": "workers",
        "VpcId": "vpc-1",
        "IpPermissions": [],
        "IpPermissionsEgress": [{"IpProtocol": "-1"}],
    }


def _table(route: dict[str, Any]) -> dict[str, Any]:
    return {"RouteTableId": "rtb-1", "Associations": [{"Main": True}], "Routes": [route] if route else []}


# --- the causes ---

Case = tuple[Callable[[Facts], object], str, str, str]
_NOT_SCALED = "Failed: We could not launch. "
_PULL = "CannotPullContainerError: Error response from daemon: "
_START = "Task failed to start"
_EXITED = "Essential container in task exited"
_LIMIT = "Canceled by JobStateTimeLimit action due to reason: "
_TOO_LARGE = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement is higher than can be met"
_ABOVE = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) cannot meet the CPU requirement of the job."
_NO_CAPACITY = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested"
_ROLE = "CLIENT_ERROR - Not authorized to perform sts:AssumeRole (Service: AWSSecurityTokenService)"
_NO_SPOT = "There is no Spot capacity available that matches your request."
_KEY = "Instance became unhealthy. Client.InternalError: Client error on launch"
_QUOTA = "You have requested more vCPU capacity than your current vCPU limit of 32 allows (VcpuLimitExceeded)."


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
        lambda facts: facts.ahead(statusReason=_NO_CAPACITY),
        "behind-others",
        "whole-cohort (0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11), asks for 48 vCPUs, and AWS Batch says",
        f"gen-infra why test.yaml {OTHER}",
    ),
    "service role": (
        lambda facts: facts.reason("MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS - Batch service role has an issue."),
        "service-role",
        "acts as arn:aws:iam::123456789012:role/batchService-test",
        "service-linked",
    ),
    "quota reached": (lambda facts: facts.launch_fails(_QUOTA), "vcpu-quota", "limit of 32", "--quota-code L-34B43A08"),
    "quota too small": (has(quota=2.0), "vcpu-quota", "a job of 4 can never start there", "quota-increase"),
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
        lambda facts: facts.reason(_NO_CAPACITY),
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
        "mend what Auto Scaling says",
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
        lambda facts: facts.failed(
            _START, "ResourceInitializationError: unable to pull secrets or registry auth: denied"
        ),
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


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """One for all tests of a module: its clients take longer to make than a test to run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        yield Account()


@pytest.fixture
def env(tmp_path: Path) -> Manifest:
    isaac = {"image": "isaac:1.0", "vcpus": 4, "memory_mib": 8000}
    return accept(tmp_path, jobs={"isaac": isaac}, repositories=["isaac"])


@pytest.fixture
def ask(env: Manifest, account: Account) -> Callable[[Facts], why.Answer]:
    def answer(facts: Facts) -> why.Answer:
        account.answers = facts.answers()
        return why.explain(account.clients, env, Path("test.yaml"), ID)

    return answer


@pytest.mark.parametrize("case", CASES)
def test_a_cause_is_named_with_its_evidence_and_its_fix(case: str, ask: Callable[[Facts], why.Answer]) -> None:
    change, name, evidence, fix = CASES[case]
    facts = Facts()
    change(facts)
    answer = ask(facts)
    assert [cause.name for cause in answer.causes] == [name], answer
    assert evidence in "\n".join(answer.causes[0].evidence)
    assert fix in answer.causes[0].fix


def test_every_cause_of_the_table_has_a_case(env: Manifest, account: Account) -> None:
    found = []
    for change, *_ in CASES.values():
        change(facts := Facts())
        account.answers = facts.answers()
        found.append(gather(account.clients, env, Path("test.yaml"), ID)[0])
    silent = [test.__name__ for test in CERTAIN + LIKELY if not any(test(evidence) for evidence in found)]
    assert silent == []


def test_what_is_not_known_says_what_was_looked_at(ask: Callable[[Facts], why.Answer]) -> None:
    answer = ask(Facts())
    assert answer.causes == ()
    assert not answer.is_well
    looked = "\n".join(answer.looked)
    for words in (
        "job queues",
        f"launches of {GROUP}",
        "ECS clusters",
        "vCPU quotas: Standard Spot",
        "key: alias/batch",
    ):
        assert words in looked
    assert "another" not in looked, "an Auto Scaling group that is not Batch's"
    assert answer.unseen == ("roles: cannot look: needs iam:GetRole",)


def test_what_may_not_be_looked_at_does_not_hide_the_cause(ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    facts.reason(_NO_CAPACITY)
    denied = Refusal("AccessDenied", "User: x is not authorized to perform: autoscaling:DescribeAutoScalingGroups")
    facts.refused = {"DescribeAutoScalingGroups": denied}
    answer = ask(facts)
    assert [cause.name for cause in answer.causes] == ["no-capacity"]
    assert "Auto Scaling groups: needs autoscaling:DescribeAutoScalingGroups" in answer.unseen


def test_launches_that_failed_before_one_succeeded_are_over(ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    facts.launches = [_launch("Successful"), _launch("Failed", _QUOTA)]
    assert ask(facts).causes == ()


@pytest.mark.parametrize("status", ["SUCCEEDED", "RUNNING"])
def test_a_job_that_does_well_has_no_cause(status: str, ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    facts.job["status"] = status
    answer = ask(facts)
    assert answer.is_well
    assert answer.to_dict()["causes"] == []


def test_two_causes_are_both_told(ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    sets("queue", state="DISABLED")(facts)
    needs(96, 8000)(facts)
    assert [cause.name for cause in ask(facts).causes] == ["queue-disabled", "above-vcpu-maximum"]
