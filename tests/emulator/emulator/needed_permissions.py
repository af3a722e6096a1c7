"""Calls, and the permissions that AWS asks for each: every one of them is needed, and together they are enough.

The actions and the resources' types are those of
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_PLACE = "us-east-1:123456789012"
_BUCKET = "aws-batch-genomics-resources"
_DOCUMENT = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
_TRUST = '{"Version": "2012-10-17", "Statement": []}'
_ROLE = "arn:aws:iam::123456789012:role"
_CONTAINER = {
    "image": "isaac:1",
    "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "64"}],
}


class Needs(NamedTuple):
    """One call: boto3's service and method, its arguments, and what it needs: ``{action: resource}``."""

    service: str
    method: str
    arguments: Mapping[str, Any]
    permissions: Mapping[str, str]


NEEDED = [
    Needs("batch", "describe_job_queues", {}, {"batch:DescribeJobQueues": "*"}),
    Needs("batch", "list_jobs", {"jobQueue": "main"}, {"batch:ListJobs": "*"}),
    Needs(
        "batch",
        "submit_job",
        {"jobName": "a", "jobQueue": "main", "jobDefinition": "isaac"},
        {"batch:SubmitJob": f"arn:aws:batch:{_PLACE}:job-*"},
    ),
    Needs(
        "batch",
        "submit_job",
        {"jobName": "a", "jobQueue": "main", "jobDefinition": f"arn:aws:batch:{_PLACE}:job-definition/isaac:3"},
        {"batch:SubmitJob": f"arn:aws:batch:{_PLACE}:job-*"},
    ),
    Needs(
        "batch",
        "submit_job",
        {"jobName": "a", "jobQueue": "main", "jobDefinition": "isaac", "tags": {"run": "1"}},
        {"batch:SubmitJob": f"arn:aws:batch:{_PLACE}:job-*", "batch:TagResource": "*"},
    ),
    Needs(
        "batch",
        "terminate_job",
        {"jobId": "abc", "reason": "done"},
        {"batch:TerminateJob": f"arn:aws:batch:{_PLACE}:job/abc"},
    ),
    Needs(
        "batch",
        "cancel_job",
        {"jobId": "abc", "reason": "done"},
        {"batch:CancelJob": f"arn:aws:batch:{_PLACE}:job/abc"},
    ),
    Needs(
        "batch",
        "update_job_queue",
        {"jobQueue": "main", "state": "DISABLED"},
        {"batch:UpdateJobQueue": f"arn:aws:batch:{_PLACE}:job-queue/main"},
    ),
    Needs(
        "batch",
        "register_job_definition",
        {
            "jobDefinitionName": "a",
            "type": "container",
            "containerProperties": _CONTAINER | {"jobRoleArn": f"{_ROLE}/batch/a"},
        },
        {"batch:RegisterJobDefinition": f"arn:aws:batch:{_PLACE}:job-definition/a", "iam:PassRole": f"{_ROLE}/batch/a"},
    ),
    Needs(
        "batch",
        "register_job_definition",
        {"jobDefinitionName": "a", "type": "container", "containerProperties": _CONTAINER, "tags": {"a": "b"}},
        {
            "batch:RegisterJobDefinition": f"arn:aws:batch:{_PLACE}:job-definition/a",
            "batch:TagResource": f"arn:aws:batch:{_PLACE}:job-definition/a:*",
        },
    ),
    Needs(
        "batch",
        "deregister_job_definition",
        {"jobDefinition": f"arn:aws:batch:{_PLACE}:job-definition/a:1"},
        {"batch:DeregisterJobDefinition": f"arn:aws:batch:{_PLACE}:job-definition/a:1"},
    ),
    Needs(
        "ecs",
        "describe_tasks",
        {"cluster": f"arn:aws:ecs:{_PLACE}:cluster/absent", "tasks": ["0123abcd"]},
        {"ecs:DescribeTasks": f"arn:aws:ecs:{_PLACE}:task/absent/0123abcd"},
    ),
    Needs(
        "ecs",
        "describe_container_instances",
        {"cluster": "absent", "containerInstances": [f"arn:aws:ecs:{_PLACE}:container-instance/absent/0123abcd"]},
        {"ecs:DescribeContainerInstances": f"arn:aws:ecs:{_PLACE}:container-instance/absent/0123abcd"},
    ),
    Needs("ec2", "describe_vpcs", {}, {"ec2:DescribeVpcs": "*"}),
    Needs("ec2", "create_vpc", {"CidrBlock": "10.9.0.0/16"}, {"ec2:CreateVpc": f"arn:aws:ec2:{_PLACE}:vpc/*"}),
    Needs(
        "ec2",
        "create_vpc",
        {
            "CidrBlock": "10.9.0.0/16",
            "TagSpecifications": [{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "b"}]}],
        },
        {"ec2:CreateVpc": f"arn:aws:ec2:{_PLACE}:vpc/*", "ec2:CreateTags": f"arn:aws:ec2:{_PLACE}:vpc/*"},
    ),
    Needs(
        "ec2",
        "create_key_pair",
        {"KeyName": "packer_1"},
        {"ec2:CreateKeyPair": f"arn:aws:ec2:{_PLACE}:key-pair/packer_1"},
    ),
    Needs(
        "ec2",
        "create_launch_template",
        {
            "LaunchTemplateName": "workers",
            "LaunchTemplateData": {"InstanceType": "m6i.large"},
            "TagSpecifications": [{"ResourceType": "launch-template", "Tags": [{"Key": "a", "Value": "b"}]}],
        },
        {
            "ec2:CreateLaunchTemplate": f"arn:aws:ec2:{_PLACE}:launch-template/*",
            "ec2:CreateTags": f"arn:aws:ec2:{_PLACE}:launch-template/*",
        },
    ),
    Needs(
        "ec2",
        "delete_security_group",
        {"GroupId": "sg-0123456789abcdef0"},
        {"ec2:DeleteSecurityGroup": f"arn:aws:ec2:{_PLACE}:security-group/sg-0123456789abcdef0"},
    ),
    Needs(
        "ec2",
        "deregister_image",
        {"ImageId": "ami-0123456789abcdef0"},
        {"ec2:DeregisterImage": "arn:aws:ec2:us-east-1::image/ami-0123456789abcdef0"},
    ),
    Needs("ecr", "get_authorization_token", {}, {"ecr:GetAuthorizationToken": "*"}),
    Needs(
        "ecr",
        "create_repository",
        {"repositoryName": "needed/a"},
        {"ecr:CreateRepository": f"arn:aws:ecr:{_PLACE}:repository/needed/a"},
    ),
    Needs(
        "ecr",
        "describe_images",
        {"repositoryName": "needed/b"},
        {"ecr:DescribeImages": f"arn:aws:ecr:{_PLACE}:repository/needed/b"},
    ),
    Needs("ecr", "describe_repositories", {}, {"ecr:DescribeRepositories": f"arn:aws:ecr:{_PLACE}:repository/*"}),
    Needs("iam", "list_roles", {}, {"iam:ListRoles": "*"}),
    Needs("iam", "get_role", {"RoleName": "absent"}, {"iam:GetRole": f"{_ROLE}/absent"}),
    Needs(
        "iam",
        "get_role",
        {"RoleName": "AWSServiceRoleForBatch"},
        {"iam:GetRole": f"{_ROLE}/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"},
    ),
    Needs(
        "iam",
        "create_role",
        {"RoleName": "needed", "Path": "/batch/", "AssumeRolePolicyDocument": _TRUST},
        {"iam:CreateRole": f"{_ROLE}/batch/needed"},
    ),
    Needs(
        "iam",
        "put_role_policy",
        {"RoleName": "needed", "PolicyName": "a", "PolicyDocument": _DOCUMENT},
        {"iam:PutRolePolicy": f"{_ROLE}/batch/needed"},
    ),
    Needs(
        "iam",
        "create_instance_profile",
        {"InstanceProfileName": "needed", "Path": "/batch/"},
        {"iam:CreateInstanceProfile": "arn:aws:iam::123456789012:instance-profile/batch/needed"},
    ),
    Needs(
        "iam",
        "create_policy",
        {"PolicyName": "needed", "PolicyDocument": _DOCUMENT},
        {"iam:CreatePolicy": "arn:aws:iam::123456789012:policy/needed"},
    ),
    Needs(
        "iam",
        "create_service_linked_role",
        {"AWSServiceName": "spot.amazonaws.com"},
        {"iam:CreateServiceLinkedRole": f"{_ROLE}/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot"},
    ),
    Needs("kms", "create_key", {}, {"kms:CreateKey": "*"}),
    Needs(
        "kms",
        "create_key",
        {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
        {"kms:CreateKey": "*", "kms:TagResource": f"arn:aws:kms:{_PLACE}:key/*"},
    ),
    Needs("kms", "list_aliases", {}, {"kms:ListAliases": "*"}),
    Needs(
        "lambda",
        "invoke",
        {"FunctionName": "submit"},
        {"lambda:InvokeFunction": f"arn:aws:lambda:{_PLACE}:function:submit"},
    ),
    Needs(
        "lambda",
        "get_function",
        {"FunctionName": "submit"},
        {"lambda:GetFunction": f"arn:aws:lambda:{_PLACE}:function:submit"},
    ),
    Needs(
        "logs",
        "create_log_group",
        {"logGroupName": "/aws/batch/needed"},
        {"logs:CreateLogGroup": f"arn:aws:logs:{_PLACE}:log-group:/aws/batch/needed:*"},
    ),
    Needs(
        "logs",
        "create_log_group",
        {"logGroupName": "/aws/batch/tagged", "tags": {"a": "b"}},
        {
            "logs:CreateLogGroup": f"arn:aws:logs:{_PLACE}:log-group:/aws/batch/tagged:*",
            "logs:TagResource": f"arn:aws:logs:{_PLACE}:log-group:/aws/batch/tagged",
        },
    ),
    Needs(
        "logs",
        "get_log_events",
        {"logGroupName": "/aws/batch/needed", "logStreamName": "a"},
        {"logs:GetLogEvents": f"arn:aws:logs:{_PLACE}:log-group:/aws/batch/needed:*"},
    ),
    Needs("s3", "list_buckets", {}, {"s3:ListAllMyBuckets": "*"}),
    Needs("s3", "head_bucket", {"Bucket": _BUCKET}, {"s3:ListBucket": f"arn:aws:s3:::{_BUCKET}"}),
    Needs("s3", "list_objects_v2", {"Bucket": _BUCKET, "Prefix": "a/"}, {"s3:ListBucket": f"arn:aws:s3:::{_BUCKET}"}),
    Needs("s3", "get_bucket_location", {"Bucket": _BUCKET}, {"s3:GetBucketLocation": f"arn:aws:s3:::{_BUCKET}"}),
    Needs(
        "s3",
        "get_object_tagging",
        {"Bucket": _BUCKET, "Key": "a", "VersionId": "1"},
        {"s3:GetObjectVersionTagging": f"arn:aws:s3:::{_BUCKET}/a"},
    ),
    Needs(
        "s3",
        "put_object",
        {"Bucket": _BUCKET, "Key": "a/b", "Body": b"x"},
        {"s3:PutObject": f"arn:aws:s3:::{_BUCKET}/a/b"},
    ),
    Needs(
        "s3",
        "put_object",
        {"Bucket": _BUCKET, "Key": "a/b", "Body": b"x", "Tagging": "a=b"},
        {"s3:PutObject": f"arn:aws:s3:::{_BUCKET}/a/b", "s3:PutObjectTagging": f"arn:aws:s3:::{_BUCKET}/a/b"},
    ),
    Needs("s3", "head_object", {"Bucket": _BUCKET, "Key": "a/b"}, {"s3:GetObject": f"arn:aws:s3:::{_BUCKET}/a/b"}),
    Needs("s3", "delete_object", {"Bucket": _BUCKET, "Key": "a/b"}, {"s3:DeleteObject": f"arn:aws:s3:::{_BUCKET}/a/b"}),
    Needs(
        "s3",
        "delete_objects",
        {"Bucket": _BUCKET, "Delete": {"Objects": [{"Key": "a/b"}, {"Key": "a/c"}]}},
        {"s3:DeleteObject": f"arn:aws:s3:::{_BUCKET}/a/*"},
    ),
    Needs(
        "s3",
        "copy_object",
        {"Bucket": _BUCKET, "Key": "a/copy", "CopySource": f"{_BUCKET}/a/b"},
        {"s3:PutObject": f"arn:aws:s3:::{_BUCKET}/a/copy", "s3:GetObject": f"arn:aws:s3:::{_BUCKET}/a/b"},
    ),
    Needs(
        "s3",
        "put_public_access_block",
        {"Bucket": _BUCKET, "PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
        {"s3:PutBucketPublicAccessBlock": f"arn:aws:s3:::{_BUCKET}"},
    ),
    Needs(
        "secretsmanager",
        "get_secret_value",
        {"SecretId": f"arn:aws:secretsmanager:{_PLACE}:secret:a-AbCdEf"},
        {"secretsmanager:GetSecretValue": f"arn:aws:secretsmanager:{_PLACE}:secret:a-??????"},
    ),
    Needs("sns", "create_topic", {"Name": "needed"}, {"sns:CreateTopic": f"arn:aws:sns:{_PLACE}:needed"}),
    Needs("sqs", "create_queue", {"QueueName": "needed"}, {"sqs:CreateQueue": f"arn:aws:sqs:{_PLACE}:needed"}),
    Needs(
        "ssm",
        "get_parameter",
        {"Name": "/gen-infra/prod/ami"},
        {"ssm:GetParameter": f"arn:aws:ssm:{_PLACE}:parameter/gen-infra/prod/ami"},
    ),
    Needs(
        "ssm",
        "get_parameters",
        {"Names": ["/gen-infra/prod/ami"]},
        {"ssm:GetParameters": f"arn:aws:ssm:{_PLACE}:parameter/gen-infra/prod/ami"},
    ),
    Needs(
        "ssm",
        "put_parameter",
        {"Name": "/needed/a", "Value": "1", "Type": "String", "Tags": [{"Key": "a", "Value": "b"}]},
        {
            "ssm:PutParameter": f"arn:aws:ssm:{_PLACE}:parameter/needed/a",
            "ssm:AddTagsToResource": f"arn:aws:ssm:{_PLACE}:parameter/needed/a",
        },
    ),
    Needs(
        "events",
        "put_rule",
        {"Name": "needed", "ScheduleExpression": "rate(1 day)"},
        {"events:PutRule": f"arn:aws:events:{_PLACE}:rule/needed"},
    ),
    Needs("codebuild", "list_projects", {}, {"codebuild:ListProjects": "*"}),
    Needs("efs", "describe_file_systems", {}, {"elasticfilesystem:DescribeFileSystems": "*"}),
    Needs(
        "efs",
        "create_file_system",
        {"CreationToken": "needed", "Tags": [{"Key": "Name", "Value": "needed"}]},
        {
            "elasticfilesystem:CreateFileSystem": "*",
            "elasticfilesystem:TagResource": f"arn:aws:elasticfilesystem:{_PLACE}:file-system/*",
        },
    ),
    Needs("cloudwatch", "describe_alarms", {}, {"cloudwatch:DescribeAlarms": "*"}),
    Needs("service-quotas", "list_services", {}, {"servicequotas:ListServices": "*"}),
    Needs("resourcegroupstaggingapi", "get_resources", {}, {"tag:GetResources": "*"}),
    Needs("autoscaling", "describe_auto_scaling_groups", {}, {"autoscaling:DescribeAutoScalingGroups": "*"}),
    Needs("cloudtrail", "lookup_events", {}, {"cloudtrail:LookupEvents": "*"}),
    Needs("stepfunctions", "list_state_machines", {}, {"states:ListStateMachines": "*"}),
]
