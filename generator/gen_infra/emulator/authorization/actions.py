"""Which IAM actions a call needs: usually the one of its own name, and those that it implies.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# IAM's prefix of a service, where it is not boto3's name.
PREFIXES = {
    "efs": "elasticfilesystem",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
    "stepfunctions": "states",
}
# Calls that need no permission.
FREE = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
_S3 = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectAttributes": "GetObject",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
# Those that are ObjectVersion… where the call names a version.
_OF_VERSIONS = {f"{verb}Object{part}" for verb in ("Delete", "Get", "Put") for part in ("", "Acl", "Tagging")}
_OTHERS = {
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbudgetservice.html
    **dict.fromkeys(
        (
            *("budgets:CreateBudget", "budgets:UpdateBudget", "budgets:DeleteBudget"),
            *(
                f"budgets:{verb}{kind}"
                for verb in ("Create", "Delete", "Update")
                for kind in ("Notification", "Subscriber")
            ),
        ),
        "budgets:ModifyBudget",
    ),
    **dict.fromkeys(
        (
            *("budgets:DescribeBudget", "budgets:DescribeBudgets", "budgets:DescribeNotificationsForBudget"),
            "budgets:DescribeSubscribersForNotification",
        ),
        "budgets:ViewBudget",
    ),
    "kms:ReEncrypt": "kms:ReEncryptFrom",  # and ReEncryptTo
    "lambda:Invoke": "lambda:InvokeFunction",
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
# What a call needs besides its own action if it has this parameter.
_TAGGING = {
    "batch:CreateComputeEnvironment": ("tags", "batch:TagResource"),
    "batch:CreateJobQueue": ("tags", "batch:TagResource"),
    "batch:CreateSchedulingPolicy": ("tags", "batch:TagResource"),
    "batch:RegisterJobDefinition": ("tags", "batch:TagResource"),
    "batch:SubmitJob": ("tags", "batch:TagResource"),
    "budgets:ModifyBudget": ("ResourceTags", "budgets:TagResource"),
    "cloudwatch:PutMetricAlarm": ("Tags", "cloudwatch:TagResource"),
    "ecr:CreateRepository": ("tags", "ecr:TagResource"),
    "elasticfilesystem:CreateAccessPoint": ("Tags", "elasticfilesystem:TagResource"),
    "elasticfilesystem:CreateFileSystem": ("Tags", "elasticfilesystem:TagResource"),
    "events:PutRule": ("Tags", "events:TagResource"),
    "iam:CreateInstanceProfile": ("Tags", "iam:TagInstanceProfile"),
    "iam:CreateOpenIDConnectProvider": ("Tags", "iam:TagOpenIDConnectProvider"),
    "iam:CreatePolicy": ("Tags", "iam:TagPolicy"),
    "iam:CreateRole": ("Tags", "iam:TagRole"),
    "kms:CreateKey": ("Tags", "kms:TagResource"),
    "lambda:CreateFunction": ("Tags", "lambda:TagResource"),
    "logs:CreateLogGroup": ("tags", "logs:TagResource"),
    "scheduler:CreateScheduleGroup": ("Tags", "scheduler:TagResource"),
    "secretsmanager:CreateSecret": ("Tags", "secretsmanager:TagResource"),
    "sns:CreateTopic": ("Tags", "sns:TagResource"),
    "sqs:CreateQueue": ("tags", "sqs:TagQueue"),
    "ssm:PutParameter": ("Tags", "ssm:AddTagsToResource"),
    "sts:AssumeRole": ("Tags", "sts:TagSession"),
    "states:CreateStateMachine": ("tags", "states:TagResource"),
}


def actions(service: str, operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """Return the IAM actions of a call, its own first; empty for a call that needs none.

    Args:
        service: boto3's name of the service.
        operation: AWS's name of the operation.
        parameters: the call's nested parameters.
    """
    prefix = PREFIXES.get(service, service)
    name = _S3.get(operation, operation) if prefix == "s3" else operation
    if prefix == "s3" and "VersionId" in parameters and name in _OF_VERSIONS:
        name = name.replace("Object", "ObjectVersion")
    action = _OTHERS.get(f"{prefix}:{name}", f"{prefix}:{name}")
    if action in FREE:
        return []
    if prefix == "s3":
        return [action, *_with_object(name, parameters)]
    if action == "kms:ReEncryptFrom":
        return [action, "kms:ReEncryptTo"]
    tags, also = ("TagSpecifications", "ec2:CreateTags") if prefix == "ec2" else _TAGGING.get(action, ("", ""))
    return [action, also] if parameters.get(tags) and action != also else [action]


def _with_object(name: str, parameters: Mapping[str, Any]) -> list[str]:
    """Return what writing an object needs besides: to tag it, and to read what it is copied from."""
    if name != "PutObject":
        return []
    tagging = ["s3:PutObjectTagging"] if parameters.get("Tagging") else []
    return [*tagging, *(["s3:GetObject"] if parameters.get("CopySource") else [])]
