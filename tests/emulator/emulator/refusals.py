"""Calls that AWS refuses, as changes of calls that it accepts: the call, AWS's error, and where AWS documents it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

API = "https://docs.aws.amazon.com/{}/latest/{}"
BATCH = API.format("batch", "APIReference/API_{}.html")
BOTOCORE = "https://github.com/boto/botocore/tree/develop/botocore/data/{}"  # the service's model
SIZE = "Member must have length less than or equal to"
PATTERN = "Member must satisfy regular expression pattern"
ENUM = "Member must satisfy enum value set"
NULL = "Member must not be null"
MISSING = object()  # takes a parameter away


class Call(NamedTuple):
    """A call that AWS accepts; ``{name}`` and other facts of the account are filled in."""

    service: str
    method: str
    arguments: dict[str, Any]


class Refusal(NamedTuple):
    """A change of a call, and AWS's error.

    Args:
        call: the key of the call.
        path: of the changed parameter, such as ``tags`` or ``retryStrategy.attempts``; ``0`` is a list's first element.
        value: its new value.
        code: AWS's error code.
        words: a part of AWS's message.
        source: where AWS documents it.
    """

    call: str
    path: str
    value: Any
    code: str
    words: str
    source: str


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def trust(service: str) -> str:
    return policy({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def grant(principal: Any, action: Any = "kms:*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}


def long_policy(characters: int) -> str:
    return policy({"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{'a' * characters}/*"})


def requirements(vcpu: str = "1", memory: str = "64", *more: tuple[str, str]) -> list[dict[str, str]]:
    return [{"type": kind, "value": value} for kind, value in (("VCPU", vcpu), ("MEMORY", memory), *more)]


def tags(count: int) -> dict[str, str]:
    return {f"key-{number}": "value" for number in range(count)}


def pairs(count: int) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags(count).items()]


def expiry(priority: int, **selection: str) -> dict[str, Any]:
    chosen = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 9, **selection}
    return {"rulePriority": priority, "selection": chosen, "action": {"type": "expire"}}


ASSUME = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
OLD = {"ID": "old", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 30}}
OWNER = grant({"AWS": "arn:aws:iam::123456789012:root"})
CONTAINER = {"image": "isaac:1", "command": ["align"], "resourceRequirements": requirements()}
FARGATE = {
    "image": "isaac:1",
    "resourceRequirements": requirements("1", "2048"),
    "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
}
TASK = {
    "containers": [
        {**CONTAINER, "name": "main", "dependsOn": [{"containerName": "side", "condition": "SUCCESS"}]},
        {**CONTAINER, "name": "side", "essential": False},
    ],
    "volumes": [{"name": "work"}],
}
FARGATE_PART = {"image": "isaac:1", "resourceRequirements": requirements("1", "2048")}
RESOURCES = {
    "type": "SPOT",
    "allocationStrategy": "SPOT_CAPACITY_OPTIMIZED",
    "minvCpus": 0,
    "maxvCpus": 64,
    "instanceTypes": ["optimal"],
    "instanceRole": "{profile}",
    "subnets": ["{subnet}"],
    "securityGroupIds": ["{group}"],
}
ON_FARGATE = {"type": "FARGATE", "maxvCpus": 4, "subnets": ["{subnet}"], "securityGroupIds": ["{group}"]}
NODES = {"numNodes": 2, "mainNode": 0, "nodeRangeProperties": [{"targetNodes": "0:1", "container": CONTAINER}]}
PASS = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
TAGGED = [{"ResourceType": "launch-template", "Tags": [{"Key": "project", "Value": "genomics"}]}]

CALLS: dict[str, Call] = {
    "definition": Call(
        "batch", "register_job_definition",
        {"jobDefinitionName": "{name}", "type": "container", "containerProperties": CONTAINER, "tags": tags(50)},
    ),
    "fargate": Call(
        "batch", "register_job_definition",
        {
            "jobDefinitionName": "{name}", "type": "container", "platformCapabilities": ["FARGATE"],
            "containerProperties": FARGATE,
        },
    ),
    "several": Call(
        "batch", "register_job_definition",
        {"jobDefinitionName": "{name}", "type": "container", "ecsProperties": {"taskProperties": [TASK]}},
    ),
    "several on Fargate": Call(
        "batch", "register_job_definition",
        {
            "jobDefinitionName": "{name}", "type": "container", "platformCapabilities": ["FARGATE"],
            "ecsProperties": {"taskProperties": [{"containers": [
                {**FARGATE_PART, "name": "main"}, {**FARGATE_PART, "name": "side"},
            ], "executionRoleArn": "arn:aws:iam::123456789012:role/execution"}]},
        },
    ),
    "multi-node": Call(
        "batch", "register_job_definition",
        {"jobDefinitionName": "{name}", "type": "multinode", "nodeProperties": NODES},
    ),
    "retries": Call(
        "batch", "register_job_definition",
        {
            "jobDefinitionName": "{name}", "type": "container", "containerProperties": CONTAINER,
            "timeout": {"attemptDurationSeconds": 60},
            "retryStrategy": {
                "attempts": 10,
                "evaluateOnExit": [
                    {"onStatusReason": "Host EC2*", "action": "RETRY"}, {"onReason": "*", "action": "exit"},
                    {"onExitCode": "1*", "action": "EXIT"},
                ],
            },
        },
    ),
    "job": Call(
        "batch", "submit_job",
        {"jobName": "{name}", "jobQueue": "{queue}", "jobDefinition": "{definition}", "tags": tags(50)},
    ),
    "fargate job": Call(
        "batch", "submit_job", {"jobName": "{name}", "jobQueue": "{queue}", "jobDefinition": "{fargate}"}
    ),
    "array": Call(
        "batch", "submit_job",
        {
            "jobName": "{name}", "jobQueue": "{queue}", "jobDefinition": "{definition}",
            "arrayProperties": {"size": 2}, "dependsOn": [{"type": "SEQUENTIAL"}],
        },
    ),
    "queue": Call(
        "batch", "create_job_queue",
        {
            "jobQueueName": "{name}", "priority": 1000, "tags": tags(50),
            "computeEnvironmentOrder": [{"order": 1, "computeEnvironment": "{environment}"}],
            "jobStateTimeLimitActions": [
                {
                    "reason": "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY", "state": "RUNNABLE", "maxTimeSeconds": 600,
                    "action": "CANCEL",
                }
            ],
        },
    ),
    "queue update": Call("batch", "update_job_queue", {"jobQueue": "{queue}", "priority": 0}),
    "environment": Call(
        "batch", "create_compute_environment",
        {"computeEnvironmentName": "{name}", "type": "MANAGED", "computeResources": RESOURCES, "tags": tags(50)},
    ),
    "fargate environment": Call(
        "batch", "create_compute_environment",
        {"computeEnvironmentName": "{name}", "type": "MANAGED", "computeResources": ON_FARGATE},
    ),
    "environment update": Call(
        "batch", "update_compute_environment",
        {
            "computeEnvironment": "{environment}", "computeResources": {"maxvCpus": 64},
            "updatePolicy": {"jobExecutionTimeoutMinutes": 30},
        },
    ),
    "scheduling policy": Call(
        "batch", "create_scheduling_policy",
        {
            "name": "{name}",
            "fairsharePolicy": {
                "shareDecaySeconds": 604800, "computeReservation": 99,
                "shareDistribution": [{"shareIdentifier": "clinical*", "weightFactor": 0.5}],
            },
        },
    ),
    "jobs": Call("batch", "describe_jobs", {"jobs": ["{job}"]}),
    "definitions": Call("batch", "describe_job_definitions", {"jobDefinitions": ["{definition}"], "maxResults": 100}),
    "queues": Call("batch", "describe_job_queues", {"jobQueues": ["{queue}"]}),
    "environments": Call("batch", "describe_compute_environments", {"computeEnvironments": ["{environment}"]}),
    "job list": Call(
        "batch", "list_jobs", {"jobQueue": "{queue}", "filters": [{"name": "JOB_NAME", "values": ["a*"]}]}
    ),
    "end": Call("batch", "terminate_job", {"jobId": "{job}", "reason": "not needed"}),
    "snapshot": Call("batch", "get_job_queue_snapshot", {"jobQueue": "{queue}"}),
    "log group": Call("logs", "create_log_group", {"logGroupName": "{name}", "kmsKeyId": "{logs_key}", "tags": tags(50)}),
    "retention": Call("logs", "put_retention_policy", {"logGroupName": "{log_group}", "retentionInDays": 30}),
    "repository": Call(
        "ecr", "create_repository",
        {"repositoryName": "prod/{name}", "imageTagMutability": "IMMUTABLE", "tags": pairs(50)},
    ),
    "lifecycle": Call(
        "ecr", "put_lifecycle_policy",
        {"repositoryName": "{repository}", "lifecyclePolicyText": json.dumps({"rules": [expiry(1, tagStatus="untagged"), expiry(2)]})},
    ),
    "tags": Call("batch", "tag_resource", {"resourceArn": "{queue}", "tags": {"team": "genomics"}}),
    "role": Call(
        "iam", "create_role",
        {
            "RoleName": "{name}", "Path": "/genomics/", "AssumeRolePolicyDocument": trust("ecs-tasks.amazonaws.com"),
            "Tags": pairs(50), "MaxSessionDuration": 3600,
        },
    ),
    "regional trust": Call(
        "iam", "create_role",
        {"RoleName": "{name}", "AssumeRolePolicyDocument": trust("logs.us-east-1.amazonaws.com")},
    ),
    "trust update": Call(
        "iam", "update_assume_role_policy",
        {"RoleName": "{role}", "PolicyDocument": trust("spotfleet.amazonaws.com")},
    ),
    "inline policy": Call(
        "iam", "put_role_policy", {"RoleName": "{role}", "PolicyName": "s3", "PolicyDocument": long_policy(9000)}
    ),
    "managed policy": Call("iam", "create_policy", {"PolicyName": "{name}", "PolicyDocument": long_policy(6000)}),
    "profile": Call("iam", "create_instance_profile", {"InstanceProfileName": "{name}"}),
    "launch template": Call(
        "ec2", "create_launch_template",
        {
            "LaunchTemplateName": "{name}", "TagSpecifications": TAGGED,
            "LaunchTemplateData": {
                "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
                "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30, "VolumeType": "gp3"}}],
            },
        },
    ),
    "security group": Call(
        "ec2", "create_security_group",
        {"GroupName": "{name}", "Description": "Batch instances: egress only", "VpcId": "{vpc}"},
    ),
    "subnet": Call("ec2", "create_subnet", {"VpcId": "{vpc}", "CidrBlock": "172.31.240.0/28"}),
    "ingress": Call(
        "ec2", "authorize_security_group_ingress",
        {
            "GroupId": "{used_group}",
            "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65_535, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}],
        },
    ),
    "ec2 tags": Call("ec2", "create_tags", {"Resources": ["{group}"], "Tags": pairs(50)}),
    "gateway": Call("ec2", "attach_internet_gateway", {"InternetGatewayId": "{gateway}", "VpcId": "{vpc_without}"}),
    "route": Call(
        "ec2", "create_route",
        {"RouteTableId": "{table}", "DestinationCidrBlock": "10.88.0.0/16", "GatewayId": "{attached_gateway}"},
    ),
    "endpoint": Call(
        "ec2", "create_vpc_endpoint",
        {"VpcId": "{vpc}", "ServiceName": "com.amazonaws.us-east-1.s3", "VpcEndpointType": "Gateway"},
    ),
    "instances": Call("ec2", "run_instances", {"ImageId": "{image}", "MinCount": 1, "MaxCount": 1}),
    "upload part": Call(
        "s3", "upload_part", {"Bucket": "{bucket}", "Key": "reads", "UploadId": "{upload}", "PartNumber": 1, "Body": b"A"}
    ),
    "state machine": Call(
        "stepfunctions", "create_state_machine",
        {"name": "{name}", "definition": json.dumps(PASS), "roleArn": "{role_arn}"},
    ),
    "group deletion": Call("ec2", "delete_security_group", {"GroupId": "{unused_group}"}),
    "bucket": Call("s3", "create_bucket", {"Bucket": "{name}"}),
    "versioning": Call(
        "s3", "put_bucket_versioning", {"Bucket": "{bucket}", "VersioningConfiguration": {"Status": "Enabled"}}
    ),
    "encryption": Call(
        "s3", "put_bucket_encryption",
        {
            "Bucket": "{bucket}",
            "ServerSideEncryptionConfiguration": {
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
            },
        },
    ),
    "bucket policy": Call(
        "s3", "put_bucket_policy",
        {
            "Bucket": "{bucket}",
            "Policy": policy(
                {
                    "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "s3:GetObject",
                    "Resource": "arn:aws:s3:::{bucket}/*",
                }
            ),
        },
    ),
    "bucket lifecycle": Call(
        "s3", "put_bucket_lifecycle_configuration",
        {"Bucket": "{bucket}", "LifecycleConfiguration": {"Rules": [OLD, {**OLD, "ID": "logs"}]}},
    ),
    "key": Call("kms", "create_key", {"Policy": policy(OWNER), "Tags": [{"TagKey": "a", "TagValue": "b"}]}),
    "unchecked key": Call(
        "kms", "create_key",
        {"Policy": policy(grant({"Service": "logs.amazonaws.com"})), "BypassPolicyLockoutSafetyCheck": True},
    ),
    "key policy": Call(
        "kms", "put_key_policy", {"KeyId": "{key}", "PolicyName": "default", "Policy": policy(OWNER)}
    ),
    "key deletion": Call("kms", "schedule_key_deletion", {"KeyId": "{unused_key}", "PendingWindowInDays": 7}),
    "alias": Call("kms", "create_alias", {"AliasName": "alias/{name}", "TargetKeyId": "{key}"}),
    "function": Call(
        "lambda", "create_function",
        {
            "FunctionName": "{name}", "Runtime": "python3.13", "Role": "{role_arn}", "Handler": "main.handler",
            "Code": {"ZipFile": b"PK\x05\x06" + 18 * b"\0"}, "Timeout": 900, "MemorySize": 128,
            "Environment": {"Variables": {"STAGE": "prod"}},
        },
    ),
    "sqs queue": Call(
        "sqs", "create_queue",
        {"QueueName": "{name}", "Attributes": {"VisibilityTimeout": "43200", "MessageRetentionPeriod": "1209600"}},
    ),
    "topic": Call("sns", "create_topic", {"Name": "{name}"}),
    "subscription": Call(
        "sns", "subscribe", {"TopicArn": "{topic}", "Protocol": "email", "Endpoint": "lab@example.com"}
    ),
    "rule": Call("events", "put_rule", {"Name": "{name}", "ScheduleExpression": "cron(0 3 ? * MON-FRI *)"}),
    "rate rule": Call("events", "put_rule", {"Name": "{name}", "ScheduleExpression": "rate(1 day)"}),
    "schedule": Call(
        "scheduler", "create_schedule",
        {
            "Name": "{name}", "ScheduleExpression": "cron(0 3 1 * ? *)", "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f", "RoleArn": "{role_arn}"},
        },
    ),
    "project": Call(
        "codebuild", "create_project",
        {
            "name": "{name}", "serviceRole": "{role_arn}", "source": {"type": "S3", "location": "b/s.zip"},
            "artifacts": {"type": "NO_ARTIFACTS"}, "timeoutInMinutes": 60,
            "environment": {"type": "LINUX_CONTAINER", "image": "i:1", "computeType": "BUILD_GENERAL1_SMALL"},
        },
    ),
}  # fmt: skip


def _batch(call: str, path: str, value: Any, words: str, page: str) -> Refusal:
    return Refusal(call, path, value, "ClientException", words, BATCH.format(page))


def _model(call: str, path: str, value: Any, code: str, words: str) -> Refusal:
    return Refusal(call, path, value, code, words, BOTOCORE.format(CALLS[call].service))


_TYPE = "SerializationException"
_BAD_NAMES = ("", "-a", "a b", "a.b", "ä", "a" * 129)
GRAMMAR = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"
IAM_QUOTAS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
PRINCIPALS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"
BUCKETS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
PUBLIC = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"
KEYS = API.format("kms", "APIReference/API_CreateKey.html")
LOG_KEYS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"
EC2 = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_{}.html"
SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_{}.html"
VARIABLES = API.format("lambda", "dg/configuration-envvars.html")
CRON = API.format("eventbridge", "userguide/eb-scheduled-rule-pattern.html")
SCHEDULES = API.format("scheduler", "UserGuide/schedule-types.html")
TAGS = API.format("tag-editor", "userguide/best-practices-and-strats.html")
_AWS_TAG = {"aws:team": "genomics"}
_AWS_PAIR = [{"Key": "aws:team", "Value": "genomics"}]
_ORDER = [{"order": number, "computeEnvironment": f"e{number}"} for number in range(4)]
_RETRY = "retryStrategy.evaluateOnExit"
_TASK = "ecsProperties.taskProperties.0"
_ASKED = "containerProperties.resourceRequirements"

REFUSALS: tuple[Refusal, ...] = (
    # Batch: job definitions
    *(_batch("definition", "jobDefinitionName", name, "should match valid pattern", "RegisterJobDefinition") for name in _BAD_NAMES),
    _model("definition", "jobDefinitionName", MISSING, "ClientException", NULL),
    _model("definition", "type", MISSING, "ClientException", NULL),
    _model("definition", "type", "contained", "ClientException", ENUM),
    _model("definition", "tags", tags(51), "ClientException", f"{SIZE} 50"),
    _model("definition", "tags", {"k" * 129: "v"}, "ClientException", f"{SIZE} 128"),
    _model("definition", "tags", {"k": "v" * 257}, "ClientException", f"{SIZE} 256"),
    _batch("definition", "tags", _AWS_TAG, "must not start with aws:", "TagResource"),
    _model("definition", "schedulingPriority", "high", _TYPE, "STRING_VALUE"),
    _batch("definition", "schedulingPriority", 10_000, "between 0 and 9999", "RegisterJobDefinition"),
    _batch("definition", "containerProperties", MISSING, "must be provided", "RegisterJobDefinition"),
    _batch("definition", "containerProperties.image", MISSING, "image must not be empty", "ContainerProperties"),
    _batch("definition", "containerProperties.image", "isaac 1", "Invalid image isaac 1", "ContainerProperties"),
    _batch("definition", "containerProperties.instanceType", "m5.large", "only applicable for multi-node", "ContainerProperties"),
    _batch("definition", "containerProperties.networkConfiguration", {"assignPublicIp": "ENABLED"}, "not applicable for EC2", "ContainerProperties"),
    _batch("definition", "containerProperties.command", ["x" * 25_000], "exceeds 24 KiB", "RegisterJobDefinition"),
    *(_batch("definition", _ASKED, requirements(vcpu), "invalid value", "ResourceRequirement") for vcpu in ("abc", "0", "-1", "1e3")),
    *(_batch("definition", _ASKED, requirements("1", memory), "invalid value", "ResourceRequirement") for memory in ("", "64.5", "2 GiB")),
    _batch("definition", _ASKED, requirements("0.5"), "whole number", "ResourceRequirement"),
    _batch("definition", _ASKED, requirements("1", "1"), "at least 4 MiB", "ResourceRequirement"),
    _batch("definition", _ASKED, requirements()[:1], "Memory is not provided", "ResourceRequirement"),
    _batch("definition", _ASKED, requirements()[1:], "vCPU is not provided", "ResourceRequirement"),
    _batch("definition", _ASKED, requirements("1", "64", ("GPU", "0.5")), "invalid value", "ResourceRequirement"),
    _model("definition", _ASKED, [{"type": "CPU", "value": "1"}], "ClientException", ENUM),
    _model("definition", _ASKED, [{"type": "VCPU"}], "ClientException", NULL),
    _model("definition", _ASKED, [{"type": "VCPU", "value": 1}], _TYPE, "NUMBER_VALUE"),
    _batch("definition", "containerProperties.mountPoints", [{"sourceVolume": "scratch", "containerPath": "/s"}], "not among the volumes", "MountPoint"),
    _batch("definition", "containerProperties.mountPoints", [{"containerPath": "/s"}], "not among the volumes", "MountPoint"),
    _batch("definition", "containerProperties.volumes", [{"name": "a b"}], "Invalid volume name", "Volume"),
    _batch("definition", "containerProperties.volumes", [{"name": "a"}, {"name": "a"}], "must be unique", "Volume"),
    _batch("definition", "containerProperties.environment", [{"name": "AWS_BATCH_JOB_ID", "value": "1"}], "AWS_BATCH", "ContainerProperties"),
    _batch("definition", "containerProperties.secrets", [{"name": "S", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/s"}], "executionRoleArn", "ContainerProperties"),
    _batch("definition", "containerProperties.linuxParameters", {"swappiness": 101}, "between 0 and 100", "LinuxParameters"),
    _batch("definition", "containerProperties.linuxParameters", {"maxSwap": -1}, "not be negative", "LinuxParameters"),
    _model("definition", "containerProperties.privileged", "yes", _TYPE, "STRING_VALUE"),
    _model("definition", "containerProperties.logConfiguration", {"logDriver": "cloudwatch"}, "ClientException", ENUM),
    _model("definition", "containerProperties.ulimits", [{"name": "nofile"}], "ClientException", NULL),
    _model("definition", "platformCapabilities", ["EKS"], "ClientException", ENUM),
    # Batch: timeouts and retries
    *(_batch("retries", "timeout.attemptDurationSeconds", seconds, "at least 60 seconds", "JobTimeout") for seconds in (0, 30, 59)),
    *(_batch("retries", "retryStrategy.attempts", attempts, "between 1 and 10", "RetryStrategy") for attempts in (0, 11)),
    _batch("retries", _RETRY, 6 * [{"onReason": "*", "action": "EXIT"}], "at most 5", "RetryStrategy"),
    _model("retries", _RETRY, [{"onReason": "*", "action": "STOP"}], "ClientException", ENUM),
    _model("retries", _RETRY, [{"onReason": "*"}], "ClientException", NULL),
    _batch("retries", _RETRY, [{"onExitCode": "a", "action": "EXIT"}], "onExitCode", "EvaluateOnExit"),
    _batch("retries", _RETRY, [{"onReason": "a*b", "action": "EXIT"}], "onReason", "EvaluateOnExit"),
    _batch("retries", _RETRY, [{"onStatusReason": "x" * 513, "action": "EXIT"}], "onStatusReason", "EvaluateOnExit"),
    # Batch: Fargate
    *(
        _batch("fargate", _ASKED, requirements(vcpu, memory), "not valid", "ResourceRequirement")
        for vcpu, memory in (("1", "1024"), ("1", "4000"), ("3", "8192"), ("0.25", "4096"), ("32", "131072"))
    ),
    _batch("fargate", "containerProperties.executionRoleArn", MISSING, "executionRoleArn", "ContainerProperties"),
    _batch("fargate", "containerProperties.privileged", True, "not applicable for Fargate", "ContainerProperties"),
    _batch("fargate", "containerProperties.vcpus", 1, "vcpus is not applicable for Fargate", "ContainerProperties"),
    _batch("fargate", "containerProperties.ulimits", [{"name": "nofile", "softLimit": 1, "hardLimit": 1}], "ulimits is not applicable", "ContainerProperties"),
    *(_batch("fargate", "containerProperties.ephemeralStorage", {"sizeInGiB": size}, "between 21 and 200", "EphemeralStorage") for size in (20, 201)),
    # Batch: several containers
    _batch("several", "ecsProperties.taskProperties", [], "one element in taskProperties", "EcsProperties"),
    _batch("several", f"{_TASK}.containers", [], "1 to 10 containers", "EcsTaskProperties"),
    _batch("several", f"{_TASK}.containers", [{**CONTAINER, "name": f"c{number}"} for number in range(11)], "1 to 10 containers", "EcsTaskProperties"),
    _batch("several", f"{_TASK}.containers.1.name", "main", "names of containers must be unique", "TaskContainerProperties"),
    _batch("several", f"{_TASK}.containers.0.name", MISSING, "must have a name", "TaskContainerProperties"),
    _batch("several", f"{_TASK}.containers.0.name", "a b", "Invalid container name a b", "TaskContainerProperties"),
    _batch("several", f"{_TASK}.containers.0.image", "isaac 1", "Invalid image isaac 1", "TaskContainerProperties"),
    _batch("several", f"{_TASK}.containers.0.resourceRequirements", requirements()[:1], "Memory is not provided", "ResourceRequirement"),
    _batch("several", f"{_TASK}.containers.0.resourceRequirements", requirements("0.5"), "whole number", "ResourceRequirement"),
    _batch("several", f"{_TASK}.containers.0.environment", [{"name": "AWS_BATCH_X", "value": "x"}], "cannot start with AWS_BATCH", "TaskContainerProperties"),
    _batch("several", f"{_TASK}.containers.0.essential", False, "must have an essential container", "TaskContainerProperties"),
    _batch("several", f"{_TASK}.containers.1.essential", True, "cannot be set on an essential container", "TaskContainerDependency"),
    _batch("several", f"{_TASK}.containers.0.dependsOn.0.containerName", "gone", "containers of the task", "TaskContainerDependency"),
    _batch("several", f"{_TASK}.containers.1.dependsOn", [{"containerName": "main", "condition": "START"}], "without a circle", "TaskContainerDependency"),
    _batch("several", f"{_TASK}.containers.0.mountPoints", [{"sourceVolume": "gone", "containerPath": "/x"}], "not among the volumes", "MountPoint"),
    _batch("several", f"{_TASK}.containers.0.secrets", [{"name": "A", "valueFrom": "a"}], "require an executionRoleArn", "EcsTaskProperties"),
    _batch("several", f"{_TASK}.volumes", [{"name": "a"}, {"name": "a"}], "names of volumes must be unique", "Volume"),
    _batch("several on Fargate", f"{_TASK}.containers.0.resourceRequirements", requirements("2", "2048"), "3.00 vCPU, 4096 MiB", "ResourceRequirement"),
    # Batch: multi-node jobs
    _batch("multi-node", "nodeProperties.mainNode", 2, "smaller than numNodes", "NodeProperties"),
    _batch("multi-node", "nodeProperties.numNodes", 3, "cover all nodes", "NodeRangeProperty"),
    _batch("multi-node", "nodeProperties.nodeRangeProperties.0.targetNodes", "all", "Invalid targetNodes", "NodeRangeProperty"),
    _batch("multi-node", "nodeProperties", MISSING, "must be provided", "RegisterJobDefinition"),
    # Batch: jobs
    *(_batch("job", "jobName", name, "Job name should match valid pattern", "SubmitJob") for name in _BAD_NAMES[1:]),
    _model("job", "jobQueue", MISSING, "ClientException", NULL),
    _batch("job", "jobQueue", "not-there", "JobQueue not-there not found", "SubmitJob"),
    _batch("job", "jobDefinition", "not-there", "does not exist or is not in ACTIVE status", "SubmitJob"),
    _batch("job", "shareIdentifier", "clinical", "scheduling policy", "SubmitJob"),
    _batch("job", "shareIdentifier", "a b", "Invalid shareIdentifier", "SubmitJob"),
    _batch("job", "schedulingPriorityOverride", -1, "between 0 and 9999", "SubmitJob"),
    _batch("job", "timeout", {"attemptDurationSeconds": 30}, "at least 60 seconds", "JobTimeout"),
    _batch("job", "retryStrategy", {"attempts": 11}, "between 1 and 10", "RetryStrategy"),
    _batch("job", "tags", _AWS_TAG, "must not start with aws:", "TagResource"),
    _model("job", "tags", tags(51), "ClientException", f"{SIZE} 50"),
    _batch("job", "dependsOn", 21 * [{"jobId": "{job}"}], "at most 20", "SubmitJob"),
    _batch("job", "dependsOn", [{"jobId": "not-there"}], "does not exist", "SubmitJob"),
    _batch("job", "dependsOn", [{"type": "SEQUENTIAL"}], "Only an array job", "JobDependency"),
    _batch("job", "dependsOn", [{"jobId": "{job}", "type": "N_TO_N"}], "Only an array job", "JobDependency"),
    _model("job", "dependsOn", [{"jobId": "{job}", "type": "PARALLEL"}], "ClientException", ENUM),
    _batch("job", "dependsOn", [{}], "must be SEQUENTIAL", "JobDependency"),
    _batch("job", "containerOverrides", {"resourceRequirements": [{"type": "VCPU", "value": "abc"}]}, "invalid value", "ResourceRequirement"),
    _batch("job", "containerOverrides", {"resourceRequirements": [{"type": "VCPU", "value": "0.5"}]}, "whole number", "ResourceRequirement"),
    _batch("job", "containerOverrides", {"resourceRequirements": [{"type": "MEMORY", "value": "1"}]}, "at least 4 MiB", "ResourceRequirement"),
    _batch("job", "containerOverrides", {"command": ["x" * 31_000]}, "exceeds 30 KiB", "SubmitJob"),
    _model("job", "propagateTags", "yes", _TYPE, "STRING_VALUE"),
    _batch("fargate job", "containerOverrides", {"resourceRequirements": [{"type": "VCPU", "value": "3"}]}, "(3.00 vCPU, 2048 MiB) not valid", "ResourceRequirement"),
    *(_batch("array", "arrayProperties.size", size, "between 2 and 10,000", "ArrayProperties") for size in (0, 1, 10_001)),
    _batch("array", "dependsOn", [{"jobId": "{job}", "type": "N_TO_N"}], "array of the same size", "JobDependency"),
    _model("array", "arrayProperties.size", "two", _TYPE, "STRING_VALUE"),
    # Batch: lists
    _model("jobs", "jobs", MISSING, "ClientException", NULL),
    _batch("jobs", "jobs", [], "1 to 100", "DescribeJobs"),
    _batch("jobs", "jobs", 101 * ["{job}"], "1 to 100", "DescribeJobs"),
    _batch("definitions", "jobDefinitions", 101 * ["d"], "at most 100", "DescribeJobDefinitions"),
    _batch("definitions", "maxResults", 101, "between 1 and 100", "DescribeJobDefinitions"),
    _batch("queues", "jobQueues", 101 * ["q"], "at most 100", "DescribeJobQueues"),
    _batch("queues", "nextToken", "page two", "Invalid nextToken", "DescribeJobQueues"),
    _batch("environments", "computeEnvironments", 101 * ["e"], "at most 100", "DescribeComputeEnvironments"),
    _batch("job list", "filters", 2 * [{"name": "JOB_NAME", "values": ["a"]}], "Only one filter", "ListJobs"),
    _batch("job list", "filters", [{"name": "STATUS", "values": ["a"]}], "Invalid filter name", "ListJobs"),
    _batch("job list", "filters", [{"name": "JOB_NAME", "values": []}], "must have values", "KeyValuesPair"),
    _batch("job list", "jobQueue", MISSING, "One of jobQueue, arrayJobId", "ListJobs"),
    _batch("job list", "arrayJobId", "{job}", "One of jobQueue, arrayJobId", "ListJobs"),
    _batch("job list", "nextToken", "bad", "Invalid nextToken", "ListJobs"),
    _batch("job list", "maxResults", 0, "between 1 and 100", "ListJobs"),
    _model("job list", "jobStatus", "DONE", "ClientException", ENUM),
    _model("end", "reason", MISSING, "ClientException", NULL),
    _batch("end", "reason", "", "1 to 1024", "TerminateJob"),
    _batch("snapshot", "jobQueue", "not-there", "not found", "GetJobQueueSnapshot"),
    _model("snapshot", "jobQueue", MISSING, "ClientException", NULL),
    # Batch: job queues and scheduling policies
    *(_batch("queue", "jobQueueName", name, "should match valid pattern", "CreateJobQueue") for name in _BAD_NAMES[1:]),
    _model("queue", "priority", MISSING, "ClientException", NULL),
    *(_batch("queue", "priority", priority, "between 0 and 1000", "CreateJobQueue") for priority in (-1, 1001)),
    _batch("queue", "computeEnvironmentOrder", _ORDER, "1 to 3", "CreateJobQueue"),
    _batch("queue", "computeEnvironmentOrder", [], "1 to 3", "CreateJobQueue"),
    _batch("queue", "computeEnvironmentOrder", [_ORDER[0], _ORDER[1] | {"order": 0}], "repeat an order", "ComputeEnvironmentOrder"),
    _batch("queue", "computeEnvironmentOrder", [_ORDER[0], _ORDER[0] | {"order": 9}], "repeat a compute environment", "ComputeEnvironmentOrder"),
    _batch(
        "queue", "computeEnvironmentOrder",
        [{"order": 1, "computeEnvironment": "{environment}"}, {"order": 2, "computeEnvironment": "{fargate_environment}"}],
        "mix", "CreateJobQueue",
    ),
    _model("queue", "state", "ON", "ClientException", ENUM),
    *(_batch("queue", "jobStateTimeLimitActions.0.maxTimeSeconds", seconds, "between 600 and 86400", "JobStateTimeLimitAction") for seconds in (599, 86_401)),
    _batch("queue", "jobStateTimeLimitActions.0.reason", "SLOW", "Invalid reason", "JobStateTimeLimitAction"),
    _model("queue", "jobStateTimeLimitActions.0.state", "RUNNING", "ClientException", ENUM),
    _model("queue", "tags", tags(51), "ClientException", f"{SIZE} 50"),
    _batch("queue update", "priority", 1001, "between 0 and 1000", "UpdateJobQueue"),
    _model("queue update", "priority", "high", _TYPE, "STRING_VALUE"),
    _batch("scheduling policy", "name", "a b", "should match valid pattern", "CreateSchedulingPolicy"),
    _batch("scheduling policy", "fairsharePolicy.shareDecaySeconds", 604_801, "shareDecaySeconds", "FairsharePolicy"),
    _batch("scheduling policy", "fairsharePolicy.computeReservation", 100, "computeReservation", "FairsharePolicy"),
    *(_batch("scheduling policy", "fairsharePolicy.shareDistribution.0.weightFactor", weight, "weightFactor", "ShareAttributes") for weight in (0, 1000)),
    _batch("scheduling policy", "fairsharePolicy.shareDistribution.0.shareIdentifier", "a-b", "shareIdentifier", "ShareAttributes"),
    # Batch: compute environments
    *(_batch("environment", "computeEnvironmentName", name, "should match valid pattern", "CreateComputeEnvironment") for name in _BAD_NAMES[1:]),
    _model("environment", "type", "AUTOMATIC", "ClientException", ENUM),
    _batch("environment", "type", "UNMANAGED", "must not be provided", "CreateComputeEnvironment"),
    _batch("environment", "computeResources", MISSING, "must be provided", "CreateComputeEnvironment"),
    _model("environment", "computeResources.type", "ONDEMAND", "ClientException", ENUM),
    _model("environment", "computeResources.allocationStrategy", "CHEAPEST", "ClientException", ENUM),
    _batch("environment", "computeResources.minvCpus", -1, "minvCpus", "ComputeResource"),
    _batch("environment", "computeResources.minvCpus", 65, "between minvCpus and maxvCpus", "ComputeResource"),
    _batch("environment", "computeResources.minvCpus", MISSING, "minvCpus is required", "ComputeResource"),
    _model("environment", "computeResources.maxvCpus", MISSING, "ClientException", NULL),
    _batch("environment", "computeResources.maxvCpus", 0, "maxvCpus must be positive", "ComputeResource"),
    _batch("environment", "computeResources.bidPercentage", 101, "between 0 and 100", "ComputeResource"),
    _batch("environment", "computeResources.instanceRole", MISSING, "instanceRole is required", "ComputeResource"),
    _batch("environment", "computeResources.instanceTypes", MISSING, "instanceTypes is required", "ComputeResource"),
    _batch("environment", "computeResources.subnets", [], "1 to 16", "ComputeResource"),
    _batch("environment", "computeResources.subnets", 17 * ["{subnet}"], "1 to 16", "ComputeResource"),
    _batch("environment", "computeResources.securityGroupIds", 6 * ["{group}"], "at most 5", "ComputeResource"),
    _batch("environment", "computeResources.ec2Configuration", 3 * [{"imageType": "ECS_AL2023"}], "at most 2", "ComputeResource"),
    _batch("environment", "computeResources.ec2Configuration", [{"imageType": "ECS_AL2"}], "ECS_AL2", "Ec2Configuration"),
    _batch("environment", "computeResources.launchTemplate", {"version": "1"}, "launchTemplateId or launchTemplateName", "LaunchTemplateSpecification"),
    _batch("environment", "computeResources.tags", _AWS_TAG, "must not start with aws:", "ComputeResource"),
    _model("environment", "tags", tags(51), "ClientException", f"{SIZE} 50"),
    *(
        _batch("fargate environment", f"computeResources.{key}", value, "not applicable for Fargate", "ComputeResource")
        for key, value in {"instanceRole": "r", "instanceTypes": ["m5"], "bidPercentage": 50}.items()
    ),
    _batch("fargate environment", "computeResources.securityGroupIds", MISSING, "securityGroupIds is required", "ComputeResource"),
    _batch("environment update", "computeResources.maxvCpus", 0, "maxvCpus must be positive", "ComputeResourceUpdate"),
    _model("environment update", "updatePolicy.jobExecutionTimeoutMinutes", 0, "ClientException", "greater than or equal to 1"),
    _model("environment update", "state", "OFF", "ClientException", ENUM),
    *(
        _batch("fargate environment", f"computeResources.{key}", value, "not applicable for Fargate", "ComputeResource")
        for key, value in {"desiredvCpus": 1, "allocationStrategy": "BEST_FIT", "ec2Configuration": [{"imageType": "ECS_AL2023"}], "placementGroup": "a", "imageId": "ami-1", "spotIamFleetRole": "r"}.items()
    ),
    _batch("environment", "unmanagedvCpus", 4, "only applicable for an UNMANAGED", "CreateComputeEnvironment"),
    _batch("environment", "computeResources.instanceTypes", ["m6g", "m6i"], "one architecture", "ComputeResource"),
    _batch("environment update", "computeResources.instanceTypes", ["m6g", "m6i"], "one architecture", "ComputeResource"),
    _batch("definition", "ecsProperties", {"taskProperties": [TASK]}, "Only one of containerProperties", "RegisterJobDefinition"),
    _batch("definition", "nodeProperties", NODES, "Only one of containerProperties", "RegisterJobDefinition"),
    _batch("definition", "containerProperties.fargatePlatformConfiguration", {"platformVersion": "LATEST"}, "not applicable for EC2", "ContainerProperties"),
    _batch("definition", "containerProperties.runtimePlatform", {"cpuArchitecture": "MIPS"}, "cpuArchitecture", "RuntimePlatform"),
    _batch("definition", "containerProperties.ulimits", [{"name": "files", "softLimit": 1, "hardLimit": 1}], "ulimit", "Ulimit"),
    *(
        _batch("definition", "containerProperties.volumes", [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-0123456789abcdef0", **more}}], words, page)
        for more, words, page in (
            ({"authorizationConfig": {"iam": "ENABLED"}}, "transitEncryption must be ENABLED", "EFSAuthorizationConfig"),
            ({"authorizationConfig": {"accessPointId": "fsap-1"}, "transitEncryption": "ENABLED", "rootDirectory": "/a"}, "rootDirectory", "EFSAuthorizationConfig"),
            ({"transitEncryptionPort": 70_000}, "between 0 and 65535", "EFSVolumeConfiguration"),
        )
    ),
    *(
        _batch("fargate", f"containerProperties.{key}", value, words, page)
        for key, value, words, page in (
            ("linuxParameters", {"maxSwap": 5}, "not applicable for Fargate", "LinuxParameters"),
            ("linuxParameters", {"swappiness": 5}, "not applicable for Fargate", "LinuxParameters"),
            ("linuxParameters", {"tmpfs": [{"containerPath": "/t", "size": 5}]}, "not applicable for Fargate", "LinuxParameters"),
            ("resourceRequirements", requirements("1", "2048", ("GPU", "1")), "GPU is not applicable", "ResourceRequirement"),
            ("volumes", [{"name": "v", "host": {"sourcePath": "/a"}}], "host.sourcePath", "Host"),
            ("logConfiguration", {"logDriver": "gelf"}, "awslogs or splunk", "ContainerProperties"),
        )
    ),
    _batch("job", "containerOverrides", {"environment": [{"name": "AWS_BATCH_X", "value": "1"}]}, "AWS_BATCH", "ContainerOverrides"),
    _batch("job", "nodeOverrides", {"numNodes": 2}, "only for multi-node", "NodeOverrides"),
    _batch("job", "eksPropertiesOverride", {"podProperties": {}}, "Amazon EKS", "SubmitJob"),
    _batch("tags", "resourceArn", "arn:x", "Invalid ARN", "TagResource"),
    # CloudWatch Logs
    *(_model("log group", "logGroupName", name, "InvalidParameterException", "failed to satisfy constraint") for name in ("", "a b", "a" * 513)),
    _model("log group", "tags", tags(51), "InvalidParameterException", f"{SIZE} 50"),
    Refusal("log group", "tags", _AWS_TAG, "InvalidParameterException", "aws: prefixed", TAGS),
    *(
        Refusal("log group", "kmsKeyId", key, "AccessDeniedException", "does not exist or is not allowed to be used", LOG_KEYS)
        for key in ("{key}", "{other_key}", "{disabled_key}", "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555")
    ),
    *(Refusal("retention", "retentionInDays", days, "InvalidParameterException", ENUM, "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html") for days in (0, 2, 7777)),
    # ECR
    *(_model("repository", "repositoryName", name, "InvalidParameterException", "repositoryName") for name in ("A", "a", "prod/", "a//b", "a_.b", "a" * 257)),
    _model("repository", "imageTagMutability", "FIXED", "InvalidParameterException", "imageTagMutability"),
    *(
        Refusal("repository", "encryptionConfiguration", {"encryptionType": "KMS", "kmsKey": key}, "KmsException", "does not exist or is not enabled", API.format("AmazonECR", "userguide/encryption-at-rest.html"))
        for key in ("arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555", "{disabled_key}")
    ),
    Refusal("repository", "tags", _AWS_PAIR, "InvalidTagParameterException", "aws: prefixed", TAGS),
    *(
        Refusal("lifecycle", "lifecyclePolicyText", json.dumps({"rules": rules}), "InvalidParameterException", words, "https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html")
        for rules, words in (
            ([expiry(1, tagStatus="untagged"), expiry(1)], "duplicate rulePriority"),
            ([expiry(1), expiry(2, tagStatus="untagged")], "highest rulePriority"),
            ([expiry(1, tagStatus="tagged")], "tagPrefixList"),
        )
    ),
    # IAM
    *(_model("role", "RoleName", name, "ValidationError", "roleName") for name in ("", "a b", "größe", "a" * 65)),
    _model("role", "Path", "genomics", "ValidationError", "path"),
    _model("role", "Description", "x" * 1001, "ValidationError", f"{SIZE} 1000"),
    _model("role", "MaxSessionDuration", 60, "ValidationError", "greater than or equal to 3600"),
    _model("role", "Tags", pairs(51), "ValidationError", f"{SIZE} 50"),
    Refusal("role", "Tags", _AWS_PAIR, "InvalidInput", "reserved prefix", TAGS),
    _model("role", "AssumeRolePolicyDocument", MISSING, "ValidationError", NULL),
    Refusal("role", "AssumeRolePolicyDocument", "{[", "MalformedPolicyDocument", "invalid Json", PRINCIPALS),
    *(
        Refusal("role", "AssumeRolePolicyDocument", trust(service), "MalformedPolicyDocument", f'"SERVICE":"{service}"', PRINCIPALS)
        for service in ("btach.amazonaws.com", "ecs-tasks", "ec2.example.com")
    ),
    Refusal("role", "AssumeRolePolicyDocument", policy(*20 * [grant({"Service": "ec2.amazonaws.com"}, "sts:AssumeRole")]), "LimitExceeded", "ACLSizePerRole: 2048", IAM_QUOTAS),
    Refusal("trust update", "PolicyDocument", trust("nope.amazonaws.com"), "MalformedPolicyDocument", "Invalid principal", PRINCIPALS),
    Refusal("inline policy", "PolicyDocument", long_policy(10_300), "LimitExceeded", "Maximum policy size of 10240 bytes", IAM_QUOTAS),
    _model("inline policy", "PolicyName", "a b", "ValidationError", "policyName"),
    Refusal("inline policy", "RoleName", "{full_role}", "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role", IAM_QUOTAS),
    Refusal("managed policy", "PolicyDocument", long_policy(6200), "LimitExceeded", "PolicySize: 6144", IAM_QUOTAS),
    _model("managed policy", "PolicyName", "a" * 129, "ValidationError", f"{SIZE} 128"),
    _model("profile", "InstanceProfileName", "a/b", "ValidationError", "instanceProfileName"),
    *(
        Refusal("inline policy", "PolicyDocument", policy({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **more}), "MalformedPolicyDocument", words, GRAMMAR)
        for more, words in (({"Principal": "*"}, "should not specify a principal"), ({"Sid": "a b"}, "alpha-numeric"))
    ),
    *(
        Refusal("role", "AssumeRolePolicyDocument", policy(statement), "MalformedPolicyDocument", words, GRAMMAR)
        for statement, words in (
            ({**ASSUME, "Resource": "*"}, "prohibited field Resource"),
            ({key: value for key, value in ASSUME.items() if key != "Principal"}, "Missing required field Principal"),
            ({**ASSUME, "Action": "s3:GetObject"}, "may only specify STS AssumeRole actions"),
            ({**ASSUME, "Principal": {"AWS": "arn:aws:iam::123456789012:role/missing"}}, "Invalid principal"),
        )
    ),
    Refusal("role", "PermissionsBoundary", "arn:aws:iam::123456789012:policy/missing", "NoSuchEntity", "does not exist or is not attachable", "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"),
    # EC2
    *(Refusal("subnet", "CidrBlock", block, "InvalidSubnet.Range", "invalid", EC2.format("CreateSubnet")) for block in ("172.31.240.0/29", "172.0.0.0/8")),
    *(
        Refusal("ingress", "IpPermissions", [{"IpProtocol": protocol, "FromPort": first, "ToPort": last, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}], "InvalidParameterValue", words, EC2.format("IpPermission"))
        for protocol, first, last, words in (("tcp", 99, 1, "portRange"), ("tcp", 70_000, 70_000, "portRange"), ("xyz", 1, 1, "Unknown protocol"))
    ),
    *(
        Refusal("launch template", "LaunchTemplateName", name, "InvalidLaunchTemplateName.MalformedException", "between 3 and 128", EC2.format("CreateLaunchTemplate"))
        for name in ("a b c", "a_b*", "ab", "a" * 129)
    ),
    _model("launch template", "LaunchTemplateData", MISSING, "MissingParameter", "LaunchTemplateData"),
    Refusal("launch template", "LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit", 65, "InvalidParameterValue", "HttpPutResponseHopLimit", EC2.format("LaunchTemplateInstanceMetadataOptionsRequest")),
    _model("launch template", "LaunchTemplateData.MetadataOptions.HttpTokens", "always", "InvalidParameterValue", "HttpTokens"),
    _model("launch template", "LaunchTemplateData.BlockDeviceMappings.0.Ebs.VolumeType", "gp9", "InvalidParameterValue", "VolumeType"),
    Refusal("launch template", "LaunchTemplateData.BlockDeviceMappings.0.Ebs.VolumeSize", 70_000, "InvalidParameterValue", "70000GiB", EC2.format("LaunchTemplateEbsBlockDeviceRequest")),
    Refusal("launch template", "TagSpecifications.0.Tags", _AWS_PAIR, "InvalidParameterValue", "reserved for internal use", TAGS),
    Refusal("launch template", "TagSpecifications.0.Tags", pairs(51), "TagLimitExceeded", "50", TAGS),
    Refusal("security group", "GroupName", "sg-mine", "InvalidParameterValue", "sg-*", EC2.format("CreateSecurityGroup")),
    Refusal("security group", "GroupName", "a" * 256, "InvalidParameterValue", "1 to 255", EC2.format("CreateSecurityGroup")),
    Refusal("security group", "Description", "größer", "InvalidParameterValue", "GroupDescription", EC2.format("CreateSecurityGroup")),
    _model("security group", "Description", MISSING, "MissingParameter", "Description"),
    Refusal("ec2 tags", "Tags", pairs(51), "TagLimitExceeded", "50", TAGS),
    Refusal("ec2 tags", "Tags", _AWS_PAIR, "InvalidParameterValue", "reserved for internal use", TAGS),
    Refusal("group deletion", "GroupId", "{used_group}", "DependencyViolation", "dependent object", EC2.format("DeleteSecurityGroup")),
    Refusal("group deletion", "GroupId", "{default_group}", "CannotDelete", "cannot be deleted by a user", API.format("vpc", "userguide/default-security-group.html")),
    Refusal("gateway", "VpcId", "{vpc_with}", "InvalidParameterValue", "already has an internet gateway attached", "https://github.com/binlab/terraform-aws-vault-ha-raft/issues/54"),
    *(
        Refusal("route", key, value, code, words, EC2.format("CreateRoute"))
        for key, value, code, words in (
            ("GatewayId", MISSING, "MissingParameter", "exactly one target"),
            ("NatGatewayId", "nat-0123456789abcdef0", "InvalidParameterCombination", "exactly one target"),
            ("DestinationCidrBlock", MISSING, "MissingParameter", "destinationCidrBlock"),
        )
    ),
    *(
        Refusal("endpoint", "ServiceName", name, "InvalidServiceName", f"'{name}' does not exist", EC2.format("CreateVpcEndpoint"))
        for name in ("com.amazonaws.us-east-1.nope", "com.amazonaws.eu-west-1.s3", "s3")
    ),
    Refusal("instances", "ImageId", "ami-0123456789abcdef0", "InvalidAMIID.NotFound", "does not exist", API.format("AWSEC2", "APIReference/errors-overview.html")),
    # Step Functions
    *(
        Refusal("state machine", "definition", json.dumps({**PASS, key: value}), "InvalidDefinition", words, API.format("step-functions", "apireference/API_CreateStateMachine.html"))
        for key, value, words in (("StartAt", None, "StartAt"), ("StartAt", "Nope", "StartAt"), ("States", {}, "States"))
    ),
    # S3
    Refusal("upload part", "UploadId", "nope", "NoSuchUpload", "upload does not exist", API.format("AmazonS3", "API/API_UploadPart.html")),
    *(
        Refusal("bucket", "Bucket", name, "InvalidBucketName", "not valid", BUCKETS)
        for name in ("Bad_Bucket", "ab", "a..b", "a.-b", "10.0.0.1", "xn--lab", "sthree-lab", "lab-s3alias", "lab--ol-s3", "amzn-s3-demo-lab", "a" * 64)
    ),
    Refusal("versioning", "VersioningConfiguration.Status", "On", "MalformedXML", "not well-formed", API.format("AmazonS3", "API/API_PutBucketVersioning.html")),
    Refusal("encryption", "ServerSideEncryptionConfiguration.Rules.0.ApplyServerSideEncryptionByDefault.SSEAlgorithm", "DES", "MalformedXML", "not well-formed", API.format("AmazonS3", "API/API_ServerSideEncryptionByDefault.html")),
    Refusal("bucket policy", "Policy", policy(grant("*", "s3:GetObject", Resource="arn:aws:s3:::{bucket}/*")), "AccessDenied", "Access Denied", PUBLIC),
    Refusal("bucket policy", "Policy", policy(grant({"AWS": "*"}, "s3:GetObject", Resource="arn:aws:s3:::{bucket}/*", Condition={"Bool": {"aws:SecureTransport": "true"}})), "AccessDenied", "Access Denied", PUBLIC),
    *(
        Refusal("bucket policy", "Policy", document, "MalformedPolicy", words, "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html")
        for document, words in (
            ("{", "valid JSON"),
            (policy({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{bucket}/*"}), "Principal"),
            (policy(grant(OWNER["Principal"], "ec2:RunInstances", Resource="arn:aws:s3:::{bucket}/*")), "invalid action"),
            (policy(grant(OWNER["Principal"], "s3:GetObject", Resource="arn:aws:s3:::other/*")), "invalid resource"),
        )
    ),
    *(
        Refusal("bucket lifecycle", "LifecycleConfiguration.Rules", rules, code, words, API.format("AmazonS3", "API/API_PutBucketLifecycleConfiguration.html"))
        for rules, code, words in (
            (2 * [OLD], "InvalidArgument", "Rule ID must be unique"),
            ([{**OLD, "Expiration": {"Days": 0}}], "InvalidArgument", "positive integer"),
            ([{key: value for key, value in OLD.items() if key != "Expiration"}], "InvalidRequest", "At least one action"),
        )
    ),
    # KMS
    Refusal("key policy", "Policy", policy(*400 * [OWNER]), "LimitExceededException", "32768 bytes", API.format("kms", "developerguide/resource-limits.html")),
    Refusal("key", "Policy", policy(grant({"Service": "logs.us-east-1.amazonaws.com"})), "MalformedPolicyDocumentException", "will not allow you to update the key policy", KEYS),
    Refusal("key", "Policy", policy(grant(OWNER["Principal"], ["kms:Encrypt", "kms:Decrypt"])), "MalformedPolicyDocumentException", "will not allow you to update the key policy", KEYS),
    Refusal("key", "Policy", "{[", "MalformedPolicyDocumentException", "not valid JSON", KEYS),
    Refusal("key", "Policy", policy(grant({"AWS": "arn:aws:iam::123456789012:role/missing"})), "MalformedPolicyDocumentException", "invalid principals", KEYS),
    _model("key", "KeySpec", "AES", "ValidationException", ENUM),
    _model("key", "Description", "x" * 8193, "ValidationException", f"{SIZE} 8192"),
    Refusal("key", "Tags", [{"TagKey": "aws:team", "TagValue": "genomics"}], "TagException", "reserved prefix", TAGS),
    Refusal("key policy", "Policy", policy(grant(OWNER["Principal"], "kms:Decrypt")), "MalformedPolicyDocumentException", "will not allow you to update the key policy", KEYS),
    _model("key policy", "KeyId", MISSING, "ValidationException", NULL),
    *(_model("key deletion", "PendingWindowInDays", days, "ValidationException", "equal to") for days in (0, 366)),
    Refusal("key deletion", "PendingWindowInDays", 31, "ValidationException", "between 7 and 30", API.format("kms", "APIReference/API_ScheduleKeyDeletion.html")),
    Refusal("alias", "AliasName", "genomics", "ValidationException", "alias/", API.format("kms", "APIReference/API_CreateAlias.html")),
    Refusal("alias", "AliasName", "alias/aws/genomics", "NotAuthorizedException", "", API.format("kms", "APIReference/API_CreateAlias.html")),
    # Lambda
    Refusal("function", "Timeout", 901, "ValidationException", "less than or equal to 900", API.format("lambda", "api/API_CreateFunction.html")),
    Refusal("function", "Handler", MISSING, "InvalidParameterValueException", "Handler are mandatory", API.format("lambda", "api/API_CreateFunction.html")),
    *(_model("function", "FunctionName", name, "ValidationException", "functionName") for name in ("a b", "a" * 200)),
    _model("function", "Runtime", "python4", "ValidationException", ENUM),
    _model("function", "Timeout", 0, "ValidationException", "greater than or equal to 1"),
    _model("function", "MemorySize", 64, "ValidationException", "greater than or equal to 128"),
    _model("function", "Role", "submit", "ValidationException", PATTERN),
    _model("function", "Timeout", "long", _TYPE, "STRING_VALUE"),
    Refusal("function", "Environment.Variables", {"AWS_REGION": "us-east-1"}, "InvalidParameterValueException", "AWS_REGION", VARIABLES),
    Refusal("function", "Environment.Variables", {"LONG": "x" * 4096}, "InvalidParameterValueException", "4KB", VARIABLES),
    # SQS, SNS, EventBridge, CodeBuild
    *(Refusal("sqs queue", "QueueName", name, "InvalidParameterValue", "1 to 80 in length", SQS.format("CreateQueue")) for name in ("a b", "a" * 81)),
    *(
        Refusal("sqs queue", "Attributes", {key: value}, "InvalidAttributeValue", key, SQS.format("SetQueueAttributes"))
        for key, value in (("VisibilityTimeout", "43201"), ("MessageRetentionPeriod", "59"), ("DelaySeconds", "901"), ("ReceiveMessageWaitTimeSeconds", "21"))
    ),
    *(Refusal("topic", "Name", name, "InvalidParameter", "Topic Name", API.format("sns", "api/API_CreateTopic.html")) for name in ("a b", "a" * 257)),
    *(
        Refusal("subscription", "Endpoint", address, "InvalidParameter", "Email address", API.format("sns", "api/API_Subscribe.html"))
        for address in ("lab", "lab@example", "the lab@example.com", "lab@example.com,ops@example.com")
    ),
    Refusal("subscription", "Protocol", "pigeon", "InvalidParameter", "pigeon", API.format("sns", "api/API_Subscribe.html")),
    _model("rule", "Name", "a b", "ValidationException", PATTERN),
    _model("rule", "State", "ON", "ValidationException", ENUM),
    *(
        Refusal("rule", "ScheduleExpression", each, "ValidationException", "ScheduleExpression is not valid", CRON)
        for each in ("daily", "rate(1 days)", "rate(0 minutes)", "cron(0 3 * * *)", "cron(0 3 * * * *)", "cron(60 3 ? * MON *)", "cron(0 30-10 * * ? *)")
    ),
    Refusal("rule", "ScheduleExpression", MISSING, "ValidationException", "EventPattern or ScheduleExpression", API.format("eventbridge", "APIReference/API_PutRule.html")),
    *(Refusal("schedule", "ScheduleExpression", each, "ValidationException", "Invalid Schedule Expression", SCHEDULES) for each in ("cron(0 3 1 * MON *)", "at(tomorrow)")),
    Refusal("schedule", "GroupName", "nope", "ResourceNotFoundException", "group nope does not exist", API.format("scheduler", "APIReference/API_CreateSchedule.html")),
    Refusal("schedule", "ScheduleExpressionTimezone", "Mars/Phobos", "ValidationException", "Mars/Phobos", SCHEDULES),
    _model("schedule", "Name", "a b", "ValidationException", PATTERN),
    _model("schedule", "FlexibleTimeWindow", MISSING, "ValidationException", NULL),
    Refusal("schedule", "FlexibleTimeWindow", {"Mode": "FLEXIBLE"}, "ValidationException", "MaximumWindowInMinutes", SCHEDULES),
    _model("project", "name", "a", "InvalidInputException", "name"),
    _model("project", "timeoutInMinutes", 4, "InvalidInputException", "greater than or equal to 5"),
    _model("project", "environment.computeType", "HUGE", "InvalidInputException", ENUM),
    _model("project", "serviceRole", MISSING, "InvalidInputException", NULL),
)  # fmt: skip
