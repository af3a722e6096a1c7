"""Documented limits of tags in every service, and of CloudWatch Logs, S3 and Lambda."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gen_infra.emulator.validation.limit import Limit, limit, never_starts, one_of

TAGS = "https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"
LAMBDA_VARIABLES = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"
LOGS = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_"
BUCKET_NAMES = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
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


LIMITS: tuple[Limit, ...] = (
    *_tag_rows(),
    # CloudWatch Logs
    limit(
        "logs",
        "PutRetentionPolicy",
        "retentionInDays",
        one_of(*RETENTION_DAYS),
        "InvalidParameterException",
        "1 validation error detected: Value '{value}' at 'retentionInDays' failed to satisfy constraint: "
        f"Member must satisfy enum value set: [{', '.join(map(str, RETENTION_DAYS))}]",
        f"{LOGS}PutRetentionPolicy.html",
    ),
    limit(
        "logs",
        "CreateLogGroup",
        "logGroupName",
        never_starts("aws/"),
        "InvalidParameterException",
        "Log groups starting with AWS/ are reserved for AWS.",
        f"{LOGS}CreateLogGroup.html",
    ),
    # S3
    limit(
        "s3",
        "CreateBucket",
        "Bucket",
        is_bucket_name,
        "InvalidBucketName",
        "The specified bucket is not valid.",
        BUCKET_NAMES,
    ),
    # Lambda
    limit(
        "lambda",
        "CreateFunction UpdateFunctionConfiguration",
        "Environment.Variables",
        _fits_environment,
        "InvalidParameterValueException",
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        "exceeded the 4KB limit.",
        LAMBDA_VARIABLES,
    ),
    limit(
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
)
