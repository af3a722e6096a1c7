"""The nine causes that keep Batch jobs from running most often, each brought about on the embedded AWS.

The tests share the account: each repairs what it breaks.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.layer import Layer
from tests.emulator.probes import BATCH_POLICY, TRUST
from tests.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.emulator import Emulator

NAME = "nine"
ENVIRONMENT = f"spot-{NAME}-1"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
QUOTA = (
    "You have requested more vCPU capacity than your current vCPU limit of 64 allows for the instance bucket that the "
    "specified instance type belongs to. Launching EC2 instance failed. VcpuLimitExceeded"
)
NO_SPOT = "Could not launch Spot Instances. {} Launching EC2 instance failed."
NONE_THERE = "There is no Spot capacity available that matches your request."
UNFULFILLABLE = "UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration."
KEY = (
    "Instance became unhealthy while waiting for instance to be in InService state. "
    "Termination Reason: Client.InternalError: Client error on launch"
)


@pytest.fixture(scope="module")
def layer(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layer]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environ.items():
            patch.setenv(name, value)
        yield Layer(aws, NAME, tmp_path_factory.mktemp(NAME))


def causes(layer: Layer, job_id: str) -> list[Any]:
    """Return what `gen-infra why` prints about the job, as text and as JSON."""
    found: list[Any] = json.loads(layer.answer("why", job_id, "--json"))["causes"]
    text = layer.answer("why", job_id)
    for cause in found:
        assert f"cause: {cause['message']}\n" in text
        assert f"fix: {cause['fix']}" in text
    return found


def the_cause(layer: Layer, job_id: str) -> tuple[str, str, str]:
    """Return the name of the only cause, its evidence and its fix."""
    [cause] = causes(layer, job_id)
    return cause["name"], "\n".join(cause["evidence"]), cause["fix"]


def stuck(layer: Layer, **more: Any) -> str:
    """Return a job that has had its turn, and stayed RUNNABLE."""
    job_id = layer.submit("true", **more)
    layer.settle()
    assert layer.describe(job_id)["status"] == "RUNNABLE"
    return job_id


def goes_on(layer: Layer, job_id: str) -> None:
    """Once the cause is gone the job runs: it was that, and nothing else."""
    layer.reach(job_id, "SUCCEEDED", "FAILED")
    assert layer.describe(job_id)["status"] == "SUCCEEDED"


@contextlib.contextmanager
def all_vcpus_busy(layer: Layer) -> Iterator[None]:
    running = layer.submit("sleep", "3600", vcpus=2, arrayProperties={"size": 8})
    wait_until(lambda: layer.describe(running)["arrayProperties"]["statusSummary"]["RUNNING"] == 8)
    try:
        yield
    finally:
        layer.end(running)


@contextlib.contextmanager
def refusing(layer: Layer, message: str) -> Iterator[None]:
    layer.aws.refuse_launches(ENVIRONMENT, message)
    try:
        yield
    finally:
        layer.aws.allow_launches(ENVIRONMENT)


def test_no_instance_type_can_hold_it(layer: Layer) -> None:
    memory = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "8192"}]  # all that an m5.large has
    job_id = stuck(layer, container={"resourceRequirements": memory})
    name, evidence, fix = the_cause(layer, job_id)
    assert name == "no-instance-type"
    assert "it asks for 1 vCPUs, 8192 MiB" in evidence
    assert f"the most that {ENVIRONMENT} can give is 2 vCPUs" in evidence
    assert "AWS Batch says: MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT" in evidence
    assert fix == "lower jobs.one, or add a larger family to instance_types of compute.spot"
    layer.end(job_id)


def test_the_vcpu_maximum_is_reached_by_jobs_that_run(layer: Layer) -> None:
    with all_vcpus_busy(layer):
        job_id = stuck(layer)
        name, evidence, fix = the_cause(layer, job_id)
    assert (name, evidence) == ("vcpu-maximum", "the jobs that run there have 16 of 16 vCPUs\nit asks for 1")
    assert fix == "wait for them, or raise max_vcpus of compute.spot"
    goes_on(layer, job_id)


def test_the_accounts_vcpu_quota_is_reached(layer: Layer) -> None:
    with refusing(layer, QUOTA):
        job_id = stuck(layer)
        name, evidence, fix = the_cause(layer, job_id)
    assert name == "vcpu-quota"
    assert "Auto Scaling says: You have requested more vCPU capacity than your current vCPU limit of 64" in evidence
    assert "request-service-quota-increase --service-code ec2 --quota-code L-34B43A08" in fix
    goes_on(layer, job_id)


def test_its_environment_is_invalid_because_the_instance_profile_is_gone(layer: Layer) -> None:
    iam = layer.clients.iam
    iam.remove_role_from_instance_profile(InstanceProfileName=NAME, RoleName=NAME)
    iam.delete_instance_profile(InstanceProfileName=NAME)
    try:
        job_id = stuck(layer)
        name, evidence, fix = the_cause(layer, job_id)
    finally:
        iam.create_instance_profile(InstanceProfileName=NAME)
        iam.add_role_to_instance_profile(InstanceProfileName=NAME, RoleName=NAME)
    assert name == "environment-invalid"
    profile = f"arn:aws:iam::123456789012:instance-profile/{NAME}"
    assert f"{ENVIRONMENT} is INVALID: CLIENT_ERROR - Invalid IamInstanceProfile: {profile}" in evidence
    assert "AWS Batch says: ACTION_REQUIRED" in evidence
    assert fix == f"gen-infra apply {layer.manifest} makes the instance profile again"
    goes_on(layer, job_id)


@pytest.mark.parametrize("words", [NONE_THERE, UNFULFILLABLE, f"InsufficientInstanceCapacity - {NONE_THERE}"])
def test_spot_has_no_capacity(layer: Layer, words: str) -> None:
    message = NO_SPOT.format(words)
    with refusing(layer, message):
        job_id = stuck(layer)
        name, evidence, fix = the_cause(layer, job_id)
    assert name == "no-capacity"
    assert f"{ENVIRONMENT}: SPOT, m5.large, in 2 subnets" in evidence
    assert f"Auto Scaling says: {message}" in evidence
    told_by_batch = "AWS Batch says: CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - " in evidence
    assert told_by_batch == ("InsufficientInstanceCapacity" in words)
    assert "add families to instance_types of compute.spot" in fix
    goes_on(layer, job_id)


def test_its_image_cannot_be_pulled_because_the_repository_does_not_exist(layer: Layer) -> None:
    image = f"{REGISTRY}/{NAME}/aligner:1"
    job_id = layer.submit("true", container={"image": image})
    layer.reach(job_id, "FAILED")
    name, evidence, fix = the_cause(layer, job_id)
    assert name == "image-absent"
    assert f"name unknown: The repository with name '{NAME}/aligner' does not exist in the registry" in evidence
    address = layer.aws.endpoint.removeprefix("http://")  # the registry's, which is not AWS's here
    assert fix == (
        f"name its repository in repositories, gen-infra apply {layer.manifest}, and docker push "
        f"{address}/{NAME}/aligner:1, or correct image of jobs.one"
    )


def test_instances_may_not_use_the_key_of_their_volumes(layer: Layer) -> None:
    with refusing(layer, KEY):
        job_id = stuck(layer)
        name, evidence, fix = the_cause(layer, job_id)
    assert name == "key-policy"
    assert f"Auto Scaling says: {KEY}" in evidence
    assert fix == f"gen-infra doctor {layer.manifest} looks at the key and its policy"
    goes_on(layer, job_id)


@contextlib.contextmanager
def without_nat(layer: Layer) -> Iterator[None]:
    """Remove the private subnets' route to the NAT gateway."""
    ec2 = layer.clients.ec2
    [table] = ec2.describe_route_tables(Filters=[{"Name": "tag:Name", "Values": ["genomics-private"]}])["RouteTables"]
    [nat] = [each["NatGatewayId"] for each in table["Routes"] if each.get("DestinationCidrBlock") == "0.0.0.0/0"]
    ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
    try:
        yield
    finally:
        ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)


def test_its_instances_have_no_way_out(layer: Layer) -> None:
    with without_nat(layer):
        job_id = stuck(layer)
        name, evidence, fix = the_cause(layer, job_id)
    assert name == "no-way-out"
    assert "cannot reach ecr.api, ecr.dkr, ecs, ecs-agent, ecs-telemetry, logs, s3" in evidence
    assert fix == "add a route to a NAT gateway, or VPC endpoints for these services"
    goes_on(layer, job_id)


def test_its_role_cannot_be_assumed(layer: Layer) -> None:
    iam = layer.clients.iam
    role = iam.create_role(RoleName=f"{NAME}-job", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.delete_role(RoleName=f"{NAME}-job")
    job_id = layer.submit("true", container={"jobRoleArn": role})
    layer.reach(job_id, "FAILED")
    name, evidence, fix = the_cause(layer, job_id)
    assert name == "role-not-assumable"
    assert f"ECS was unable to assume the role '{role}'" in evidence
    assert f"{role} does not exist" in evidence
    assert "a role of yours must trust ecs-tasks.amazonaws.com" in fix


class TestServiceRole:
    """The queue's compute environment has a service role that is not Batch's own."""

    ROLE = f"batchService-{NAME}"
    OTHER = f"spot-{NAME}-2"

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def service_role(cls, layer: Layer) -> Iterator[None]:
        iam, batch = layer.clients.iam, layer.clients.batch
        arn = iam.create_role(RoleName=cls.ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        iam.attach_role_policy(RoleName=cls.ROLE, PolicyArn=BATCH_POLICY)
        [first] = batch.describe_compute_environments(computeEnvironments=[layer.environment])["computeEnvironments"]
        batch.create_compute_environment(
            computeEnvironmentName=cls.OTHER,
            type="MANAGED",
            serviceRole=arn,
            computeResources=first["computeResources"],
        )
        for each in (cls.OTHER, layer.environment):
            batch.update_job_queue(
                jobQueue=f"main-{NAME}", computeEnvironmentOrder=[{"order": 1, "computeEnvironment": each}]
            )
            if each == cls.OTHER:
                yield

    @pytest.mark.parametrize(
        ("action", "cause", "evidence"),
        [
            ("ecs:DescribeClusters", "environment-invalid", "aws-batch is not authorized to perform: ecs:Describe"),
            ("ecs:RunTask", "service-role", "AWS Batch says: MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS - "),
        ],
    )
    def test_it_lacks_a_permission(self, layer: Layer, action: str, cause: str, evidence: str) -> None:
        iam = layer.clients.iam
        denied = {"Effect": "Deny", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": denied})
        iam.put_role_policy(RoleName=self.ROLE, PolicyName="less", PolicyDocument=document)
        try:
            job_id = stuck(layer)
            name, reported, fix = the_cause(layer, job_id)
        finally:
            iam.delete_role_policy(RoleName=self.ROLE, PolicyName="less")
        assert name == cause
        assert evidence in reported
        assert "set service_role of compute.spot to service-linked" in fix
        goes_on(layer, job_id)

    def test_it_does_not_trust_batch(self, layer: Layer) -> None:
        change = layer.clients.iam.update_assume_role_policy
        change(RoleName=self.ROLE, PolicyDocument=json.dumps(TRUST).replace("batch.amazonaws.com", "ec2.amazonaws.com"))
        try:
            job_id = stuck(layer)
            name, evidence, fix = the_cause(layer, job_id)
        finally:
            change(RoleName=self.ROLE, PolicyDocument=json.dumps(TRUST))
        assert name == "environment-invalid"
        assert (
            "User: batch.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: "
            f"arn:aws:iam::123456789012:role/{self.ROLE} " in evidence
        )
        assert fix == (
            "let batch.amazonaws.com assume the service role, or create it again, or set service_role of compute.spot "
            f"to service-linked; then gen-infra apply {layer.manifest}"
        )
        goes_on(layer, job_id)


def test_its_queue_is_disabled(layer: Layer) -> None:
    update = layer.clients.batch.update_job_queue
    with all_vcpus_busy(layer):
        job_id = stuck(layer)
        update(jobQueue=f"main-{NAME}", state="DISABLED")
        try:
            disabled, busy = causes(layer, job_id)
        finally:
            update(jobQueue=f"main-{NAME}", state="ENABLED")
    assert disabled["name"] == "queue-disabled"
    assert disabled["evidence"] == [f"queue main-{NAME} is DISABLED: it accepts no new jobs"]
    assert f"aws batch update-job-queue --job-queue main-{NAME} --state ENABLED" in disabled["fix"]
    assert busy["name"] == "vcpu-maximum", "what is in a disabled queue can finish: this is what holds it up"
    goes_on(layer, job_id)
