"""Documented limits of the other services that a Batch environment uses, and their words for a request beyond them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gen_infra.emulator.validation import policies, schedules
from gen_infra.emulator.validation.limit import (
    Condition,
    Limit,
    at_most,
    between,
    length,
    matches,
    never_starts,
    one_of,
    values,
)

IAM_QUOTAS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
TAGS = "https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"
LAMBDA_VARIABLES = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"
LOGS = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_"
SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_"
EC2 = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/"
KEY_POLICIES = "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html"
BUCKET_NAMES = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
EVENT_SCHEDULES = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html"
SCHEDULES = "https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html"
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096),
    *(1827, 2192, 2557, 2922, 3288, 3653),
)
RESERVED_VARIABLES = frozenset(
    {"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION"}
    | {
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
    }
    | {"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"}
    | {"AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR"}
    | {"LAMBDA_TASK_ROOT"}
)


def is_bucket_name(name: str) -> bool:
    """Return whether S3 accepts the name of a new general purpose bucket."""
    return (
        re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name, re.ASCII) is not None
        and not re.search(r"\.\.|\.-|-\.", name)
        and not re.fullmatch(r"[0-9]+(\.[0-9]+){3}", name)
        and not name.startswith(("xn--", "sthree-", "amzn-s3-demo-"))
        and not name.endswith(("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"))
    )


def _fits_environment(variables: Mapping[str, str]) -> bool:
    return sum(len(name) + len(value) for name, value in variables.items()) <= 4096


def _no_reserved(variables: Mapping[str, str]) -> bool:
    return not RESERVED_VARIABLES & set(variables)


def _show_reserved(variables: Mapping[str, str]) -> str:
    return ", ".join(sorted(RESERVED_VARIABLES & set(variables)))


def _starts_with_vpc_group(name: str) -> bool:
    return not name.lower().startswith("sg-")


def _tag_rows() -> Iterator[Limit]:
    """Make the rows for tag keys, which every service has in its own place."""
    for service, actions, path, code, words in (
        (
            "logs",
            "CreateLogGroup TagLogGroup TagResource",
            "tags{}",
            "InvalidParameterException",
            "aws: prefixed tag key names are not allowed for external use.",
        ),
        (
            "ecr",
            "CreateRepository TagResource",
            "tags[].Key",
            "InvalidTagParameterException",
            "aws: prefixed tag key names are not allowed for external use",
        ),
        (
            "iam",
            "CreateRole CreatePolicy CreateInstanceProfile TagRole TagPolicy",
            "Tags[].Key",
            "InvalidInput",
            "The tag key {value} uses the reserved prefix aws:.",
        ),
        (
            "ec2",
            "CreateTags",
            "Tags[].Key",
            "InvalidParameterValue",
            "Tag keys starting with 'aws:' are reserved for internal use",
        ),
        (
            "ec2",
            "CreateLaunchTemplate CreateSecurityGroup CreateVpc CreateSubnet CreateVpcEndpoint RunInstances",
            "TagSpecifications[].Tags[].Key",
            "InvalidParameterValue",
            "Tag keys starting with 'aws:' are reserved for internal use",
        ),
        (
            "kms",
            "CreateKey TagResource",
            "Tags[].TagKey",
            "TagException",
            "The tag key {value} uses the reserved prefix aws:.",
        ),
        (
            "lambda",
            "CreateFunction TagResource",
            "Tags{}",
            "InvalidParameterValueException",
            "Tag keys starting with aws: are reserved.",
        ),
        ("sqs", "CreateQueue TagQueue", "tags{}", "InvalidParameterValue", "Tag keys starting with aws: are reserved."),
        (
            "sns",
            "CreateTopic TagResource",
            "Tags[].Key",
            "InvalidParameter",
            "Tag keys starting with aws: are reserved.",
        ),
        (
            "events",
            "PutRule TagResource",
            "Tags[].Key",
            "ValidationException",
            "Tag keys starting with aws: are reserved.",
        ),
        (
            "codebuild",
            "CreateProject UpdateProject",
            "tags[].key",
            "InvalidInputException",
            "Tag keys starting with aws: are reserved.",
        ),
    ):
        yield Limit(service, tuple(actions.split()), path, never_starts("aws:"), code, words, TAGS)


def _has_at_most_50_tags(request: Mapping[str, Any]) -> bool:
    return len([*values(request, "Tags[]")]) <= 50 and all(
        len(each.get("Tags") or ()) <= 50 for each in values(request, "TagSpecifications[]")
    )


def _queue_attribute(name: str, low: int, high: int) -> Limit:
    return Limit(
        "sqs",
        ("CreateQueue", "SetQueueAttributes"),
        f"Attributes.{name}",
        between(low, high),
        "InvalidAttributeValue",
        f"Invalid value for the parameter {name}.",
        f"{SQS}SetQueueAttributes.html",
    )


def _limit(
    service: str,
    actions: str,
    path: str,
    holds: Condition,
    code: str,
    words: str,
    source: str,
    status: int = 400,
    show: Callable[[Any], str] = str,
) -> Limit:
    return Limit(service, tuple(actions.split()), path, holds, code, words, source, status, show)


_ROLE_POLICIES = "CreateRole UpdateAssumeRolePolicy"
LIMITS: tuple[Limit, ...] = (
    *_tag_rows(),
    # CloudWatch Logs
    _limit(
        "logs",
        "PutRetentionPolicy",
        "retentionInDays",
        one_of(*RETENTION_DAYS),
        "InvalidParameterException",
        "1 validation error detected: Value '{value}' at 'retentionInDays' failed to satisfy constraint: "
        f"Member must satisfy enum value set: [{', '.join(map(str, RETENTION_DAYS))}]",
        f"{LOGS}PutRetentionPolicy.html",
    ),
    _limit(
        "logs",
        "CreateLogGroup",
        "logGroupName",
        never_starts("aws/"),
        "InvalidParameterException",
        "Log groups starting with AWS/ are reserved for AWS.",
        f"{LOGS}CreateLogGroup.html",
    ),
    # IAM
    _limit(
        "iam",
        "CreatePolicy CreatePolicyVersion",
        "PolicyDocument",
        lambda text: policies.size(text) <= 6144,
        "LimitExceeded",
        "Cannot exceed quota for PolicySize: 6144",
        IAM_QUOTAS,
        409,
    ),
    _limit(
        "iam",
        "PutRolePolicy",
        "PolicyDocument",
        lambda text: policies.size(text) <= 10_240,
        "LimitExceeded",
        "Maximum policy size of 10240 bytes exceeded for role",
        IAM_QUOTAS,
        409,
    ),
    _limit(
        "iam",
        "CreateRole",
        "AssumeRolePolicyDocument",
        lambda text: policies.size(text) <= 2048,
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
        IAM_QUOTAS,
        409,
    ),
    _limit(
        "iam",
        "UpdateAssumeRolePolicy",
        "PolicyDocument",
        lambda text: policies.size(text) <= 2048,
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
        IAM_QUOTAS,
        409,
    ),
    _limit(
        "iam",
        "CreateRole",
        "AssumeRolePolicyDocument",
        policies.is_policy,
        "MalformedPolicyDocument",
        "This policy contains invalid Json",
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html",
    ),
    _limit(
        "iam",
        "CreateRole",
        "AssumeRolePolicyDocument",
        lambda text: not policies.unknown_service(text),
        "MalformedPolicyDocument",
        'Invalid principal in policy: "SERVICE":"{value}"',
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
        show=policies.unknown_service,
    ),
    _limit(
        "iam",
        "UpdateAssumeRolePolicy",
        "PolicyDocument",
        lambda text: not policies.unknown_service(text),
        "MalformedPolicyDocument",
        'Invalid principal in policy: "SERVICE":"{value}"',
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
        show=policies.unknown_service,
    ),
    # KMS
    _limit(
        "kms",
        "CreateKey PutKeyPolicy",
        "Policy",
        policies.is_policy,
        "MalformedPolicyDocumentException",
        "The policy document is not valid JSON or has an unknown version.",
        KEY_POLICIES,
    ),
    _limit(
        "kms",
        "CreateKey PutKeyPolicy",
        "",
        policies.lets_its_policy_change,
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
        KEY_POLICIES,
    ),
    _limit(
        "kms",
        "CreateAlias",
        "AliasName",
        matches(r"alias/[a-zA-Z0-9/_-]+"),
        "ValidationException",
        'Alias must start with the prefix "alias/". Please see '
        "http://docs.aws.amazon.com/kms/latest/developerguide/programming-aliases.html",
        "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html",
    ),
    _limit(
        "kms",
        "CreateAlias",
        "AliasName",
        never_starts("alias/aws/"),
        "NotAuthorizedException",
        "",
        "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html",
    ),
    _limit(
        "kms",
        "ScheduleKeyDeletion",
        "PendingWindowInDays",
        between(7, 30),
        "ValidationException",
        "PendingWindowInDays must be between 7 and 30, not {value}",
        "https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html",
    ),
    # EC2
    _limit(
        "ec2",
        "CreateLaunchTemplate",
        "LaunchTemplateName",
        matches(r"[A-Za-z0-9()./_-]{3,128}"),
        "InvalidLaunchTemplateName.MalformedException",
        "A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the "
        "following characters: - ( ) . / _.",
        f"{EC2}API_CreateLaunchTemplate.html",
    ),
    _limit(
        "ec2",
        "CreateSecurityGroup",
        "GroupName",
        length(1, 255),
        "InvalidParameterValue",
        "Value ({value}) for parameter GroupName is invalid. It must have 1 to 255 characters.",
        f"{EC2}API_CreateSecurityGroup.html",
    ),
    _limit(
        "ec2",
        "CreateSecurityGroup",
        "GroupName",
        _starts_with_vpc_group,
        "InvalidParameterValue",
        "Value ({value}) for parameter GroupName is invalid. Group names may not be in the format sg-*",
        f"{EC2}API_CreateSecurityGroup.html",
    ),
    _limit(
        "ec2",
        "CreateSecurityGroup",
        "Description",
        matches(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}"),
        "InvalidParameterValue",
        "Value ({value}) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.",
        f"{EC2}API_CreateSecurityGroup.html",
    ),
    _limit(
        "ec2",
        "CreateTags CreateLaunchTemplate CreateSecurityGroup CreateVpc CreateSubnet RunInstances",
        "",
        _has_at_most_50_tags,
        "TagLimitExceeded",
        "More than 50 tags specified",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html",
    ),
    _limit(
        "ec2",
        "CreateLaunchTemplate CreateLaunchTemplateVersion",
        "LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit",
        between(1, 64),
        "InvalidParameterValue",
        "Value ({value}) for parameter HttpPutResponseHopLimit is invalid.",
        f"{EC2}API_LaunchTemplateInstanceMetadataOptionsRequest.html",
    ),
    _limit(
        "ec2",
        "CreateLaunchTemplate CreateLaunchTemplateVersion",
        "LaunchTemplateData.BlockDeviceMappings[].Ebs.VolumeSize",
        between(1, 65_536),
        "InvalidParameterValue",
        "Volume of {value}GiB is too large for volume type",
        f"{EC2}API_LaunchTemplateEbsBlockDeviceRequest.html",
    ),
    # S3
    _limit(
        "s3",
        "CreateBucket",
        "Bucket",
        is_bucket_name,
        "InvalidBucketName",
        "The specified bucket is not valid.",
        BUCKET_NAMES,
    ),
    # Lambda
    _limit(
        "lambda",
        "CreateFunction UpdateFunctionConfiguration",
        "Environment.Variables",
        _fits_environment,
        "InvalidParameterValueException",
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        "exceeded the 4KB limit.",
        LAMBDA_VARIABLES,
    ),
    _limit(
        "lambda",
        "CreateFunction UpdateFunctionConfiguration",
        "Environment.Variables",
        _no_reserved,
        "InvalidParameterValueException",
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: "
        "{value}",
        LAMBDA_VARIABLES,
        show=_show_reserved,
    ),
    # SQS
    _limit(
        "sqs",
        "CreateQueue",
        "QueueName",
        matches(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo"),
        "InvalidParameterValue",
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        f"{SQS}CreateQueue.html",
    ),
    _queue_attribute("DelaySeconds", 0, 900),
    _queue_attribute("KmsDataKeyReusePeriodSeconds", 60, 86_400),
    _queue_attribute("MaximumMessageSize", 1024, 1_048_576),
    _queue_attribute("MessageRetentionPeriod", 60, 1_209_600),
    _queue_attribute("ReceiveMessageWaitTimeSeconds", 0, 20),
    _queue_attribute("VisibilityTimeout", 0, 43_200),
    # SNS
    _limit(
        "sns",
        "CreateTopic",
        "Name",
        matches(r"[A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo"),
        "InvalidParameter",
        "Invalid parameter: Topic Name",
        "https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html",
    ),
    _limit(
        "sns",
        "Subscribe",
        "Protocol",
        one_of("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"),
        "InvalidParameter",
        "Invalid parameter: Amazon SNS does not support this protocol string: {value}",
        "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html",
    ),
    # EventBridge and its scheduler
    _limit(
        "events",
        "PutRule",
        "ScheduleExpression",
        lambda text: not text or schedules.is_schedule(text),
        "ValidationException",
        "Parameter ScheduleExpression is not valid.",
        EVENT_SCHEDULES,
    ),
    _limit(
        "events",
        "PutRule",
        "",
        lambda rule: bool(rule.get("ScheduleExpression") or rule.get("EventPattern")),
        "ValidationException",
        "Parameter(s) EventPattern or ScheduleExpression must be specified.",
        "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html",
    ),
    _limit(
        "events",
        "PutTargets",
        "Targets",
        at_most(5),
        "LimitExceededException",
        "The requested resource exceeds the maximum number allowed.",
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
    ),
    _limit(
        "scheduler",
        "CreateSchedule UpdateSchedule",
        "ScheduleExpression",
        schedules.is_scheduler_expression,
        "ValidationException",
        "Invalid Schedule Expression {value}.",
        SCHEDULES,
    ),
    _limit(
        "scheduler",
        "CreateSchedule UpdateSchedule",
        "FlexibleTimeWindow",
        lambda window: window.get("Mode") != "FLEXIBLE" or bool(window.get("MaximumWindowInMinutes")),
        "ValidationException",
        "MaximumWindowInMinutes is required for a FLEXIBLE time window.",
        SCHEDULES,
    ),
)
