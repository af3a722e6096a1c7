"""What AWS answers about one stuck job, in the shapes of its APIs, for each of the causes to change."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.unit.recorded import Refusal

if TYPE_CHECKING:
    from tests.unit.recorded import Answer

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
        self.launches.append(launch("Failed", message))

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


def launch(status: str, message: str = "") -> dict[str, Any]:
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
