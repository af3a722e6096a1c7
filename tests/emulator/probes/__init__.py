"""One probe for each patch of moto: it observes the emulator, and has the result that AWS would give.

A probe calls an endpoint over HTTP and returns what it observed. Its set-up must also work with an unpatched moto, so
that the two can be compared.
"""

from __future__ import annotations

import functools
import io
import itertools
import json
import os
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBERS = itertools.count()
ONCE = Config(retries={"total_max_attempts": 1})
_SERVICES = [f"{name}.amazonaws.com" for name in ("batch", "codebuild", "ec2", "ecs-tasks", "lambda", "scheduler")]
_WORKER_ACTIONS = (
    *("ecs:DiscoverPollEndpoint", "ecs:Poll", "ecs:RegisterContainerInstance", "ecs:Submit*"),
    *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken"),
    *("ecr:GetDownloadUrlForLayer", "logs:CreateLogStream", "logs:PutLogEvents"),
)
WORKER_POLICY = json.dumps(  # of AmazonEC2ContainerServiceforEC2Role, which is not in every moto
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": _WORKER_ACTIONS, "Resource": "*"}]}
)
BATCH_POLICY = "arn:aws:iam::aws:policy/service-role/AWSBatchServiceRole"
SERVICE_POLICY = json.dumps(  # of AWSBatchServiceRole, which is not in every moto
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["autoscaling:*", "ec2:*", "ecs:*", "iam:GetInstanceProfile", "iam:PassRole"],
                "Resource": "*",
            }
        ],
    }
)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": _SERVICES}, "Action": "sts:AssumeRole"}],
}


class Probe(NamedTuple):
    """What is observed at an endpoint, and what AWS would give; ``name`` is the patch's."""

    name: str
    observe: Callable[[Lab], Any]
    expected: Any


def probe(expected: Any) -> Callable[[Callable[[Lab], Any]], Probe]:
    """Make the function the probe for the patch of the same name; its module lists it in ``PROBES``."""
    return lambda observe: Probe(observe.__name__, observe, expected)


@dataclass(frozen=True)
class Lab:
    """Clients of one endpoint, and the resources that most Batch calls need."""

    endpoint: str

    def client(self, service: str) -> Any:
        return _client(self.endpoint, service)

    def name(self, kind: str) -> str:
        return f"{kind}-{os.getpid()}-{next(_NUMBERS)}"

    def role(self, name: str, path: str = "/", *, service: str = "") -> str:
        """Make the role if there is none; ``service`` may assume it."""
        iam = self.client("iam")
        trusted = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
        trust = TRUST | {"Statement": [trusted]} if service else TRUST
        try:
            arn: str = iam.get_role(RoleName=name)["Role"]["Arn"]
        except ClientError:
            arn = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        return arn

    def allow(self, role: str, action: str, resource: str) -> None:
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.client("iam").put_role_policy(RoleName=role, PolicyName=self.name("policy"), PolicyDocument=document)

    def user(self, *statements: dict[str, Any]) -> boto3.Session:
        """Make a user with an inline policy of these statements; return a session with its access key."""
        iam, name = self.client("iam"), self.name("user")
        iam.create_user(UserName=name)
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")

    def service_role(self) -> str:
        """Make a role with which Batch may do what it does for a compute environment; return its ARN."""
        name = self.name("batchService")
        arn = self.role(name)
        self.client("iam").put_role_policy(RoleName=name, PolicyName="batch", PolicyDocument=SERVICE_POLICY)
        return arn

    def linked_role(self) -> str:
        return self.role("AWSServiceRoleForBatch", "/aws-service-role/batch.amazonaws.com/")

    def profile(self, role: str = "") -> str:
        """Make an instance profile with a role, by default one whose instances join their cluster; return its ARN."""
        iam, name = self.client("iam"), self.name("workers")
        if not role:
            role = "lab-worker"
            self.role(role)
            iam.put_role_policy(RoleName=role, PolicyName="worker", PolicyDocument=WORKER_POLICY)
        arn: str = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"]
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
        return arn

    def resources(self, **changes: Any) -> dict[str, Any]:
        ec2 = self.client("ec2")
        group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])
        return {
            "type": "SPOT",
            "allocationStrategy": "SPOT_CAPACITY_OPTIMIZED",
            "minvCpus": 0,
            "maxvCpus": 64,
            "instanceTypes": ["optimal"],
            "instanceRole": changes.get("instanceRole") or self.profile(),
            "subnets": [ec2.describe_subnets()["Subnets"][0]["SubnetId"]],
            "securityGroupIds": [group["SecurityGroups"][0]["GroupId"]],
        } | changes

    def environment(self, **changes: Any) -> str:
        settings: dict[str, Any] = {"type": "MANAGED", "state": "ENABLED", "computeResources": self.resources()}
        settings |= {"computeEnvironmentName": self.name("environment"), "serviceRole": self.linked_role()}
        arn: str = self.client("batch").create_compute_environment(**settings | changes)["computeEnvironmentArn"]
        return arn

    def queue(self, *environments: str, **changes: Any) -> str:
        order = [{"order": number, "computeEnvironment": each} for number, each in enumerate(environments)]
        settings: dict[str, Any] = {"jobQueueName": self.name("queue"), "state": "ENABLED", "priority": 1}
        settings["computeEnvironmentOrder"] = order
        arn: str = self.client("batch").create_job_queue(**settings | changes)["jobQueueArn"]
        return arn

    def definition(self, container: dict[str, Any] | None = None, **changes: Any) -> str:
        properties = {"image": "isaac:1", "resourceRequirements": requirements(vcpu="1", memory="64")}
        settings: dict[str, Any] = {"jobDefinitionName": self.name("job"), "type": "container"}
        settings["containerProperties"] = properties | (container or {})
        arn: str = self.client("batch").register_job_definition(**settings | changes)["jobDefinitionArn"]
        return arn

    def described_environment(self, name: str) -> Any:
        return self.client("batch").describe_compute_environments(computeEnvironments=[name])["computeEnvironments"][0]

    def described_queue(self, name: str) -> Any:
        return self.client("batch").describe_job_queues(jobQueues=[name])["jobQueues"][0]

    def function(self, source: str, **changes: Any) -> str:
        role = self.role("functions")
        statement = {"Effect": "Allow", "Action": ["logs:*", "sqs:SendMessage"], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.client("iam").put_role_policy(RoleName="functions", PolicyName="logs", PolicyDocument=document)
        settings = {
            "FunctionName": self.name("function"),
            "Runtime": "python3.13",
            "Role": role,
            "Handler": "main.handler",
            "Code": {"ZipFile": zipped(source)},
            "Timeout": 20,
        }
        name: str = self.client("lambda").create_function(**settings | changes)["FunctionName"]
        return name


@functools.cache
def _client(endpoint: str, service: str) -> Any:
    session: Any = boto3.Session("testing", "testing", region_name="us-east-1")
    return session.client(service, endpoint_url=endpoint, config=ONCE)


def requirements(*, vcpu: str, memory: str) -> list[dict[str, str]]:
    return [{"type": "VCPU", "value": vcpu}, {"type": "MEMORY", "value": memory}]


def zipped(source: str) -> bytes:
    """Make a deployment package whose only file is main.py."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("main.py", source)
    return buffer.getvalue()


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    """Return the error code, or ``accepted``."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "accepted"
