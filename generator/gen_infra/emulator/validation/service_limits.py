"""Documented limits of tags in every service, and of CloudWatch Logs, S3 and Lambda."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gen_infra.emulator.validation import lifecycles, policies
from gen_infra.emulator.validation.limit import Limit, at_most, between, limit, never_starts, one_of

TAGS = "https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"
LAMBDA_VARIABLES = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"
LAMBDA = "https://docs.aws.amazon.com/lambda/latest/api/API_"
S3 = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_"
BUCKET_POLICIES = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html"
ECR_RULES = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html"
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
    *(
        limit(
            "s3",
            "PutBucketLifecycleConfiguration",
            "LifecycleConfiguration.Rules",
            holds,
            code,
            words,
            f"{S3}PutBucketLifecycleConfiguration.html",
        )
        for holds, code, words in (
            (
                lifecycles.has_unique_ids,
                "InvalidArgument",
                "Rule ID must be unique. Found same ID for more than one rule",
            ),
            (lifecycles.has_actions, "InvalidRequest", "At least one action needs to be specified in a rule"),
            (
                lifecycles.has_positive_days,
                "InvalidArgument",
                "'Days' for Expiration action must be a positive integer",
            ),
        )
    ),
    *(
        limit("s3", "PutBucketPolicy", "Policy", holds, "MalformedPolicy", words, BUCKET_POLICIES)
        for holds, words in (
            (policies.is_bucket_policy, "Policies must be valid JSON and the first byte must be '{'"),
            (policies.has_principals, "Missing required field Principal"),
            (policies.has_s3_actions, "Policy has invalid action"),
        )
    ),
    limit(
        "s3",
        "PutBucketPolicy",
        "",
        lambda request: policies.is_about(request["Policy"], request["Bucket"]),
        "MalformedPolicy",
        "Policy has invalid resource",
        BUCKET_POLICIES,
    ),
    # ECR
    *(
        limit("ecr", "PutLifecyclePolicy", "lifecyclePolicyText", holds, "InvalidParameterException", words, ECR_RULES)
        for holds, words in (
            (lifecycles.has_unique_priorities, "Lifecycle policy has duplicate rulePriority values"),
            (lifecycles.has_any_last, "The rule with tagStatus any must have the highest rulePriority"),
            (
                lifecycles.has_tags_of_tagged,
                "A rule with tagStatus tagged must have one of tagPrefixList and tagPatternList",
            ),
        )
    ),
    limit(
        "ecr",
        "TagResource",
        "tags",
        at_most(50),
        "TooManyTagsException",
        "The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a "
        "repository is 50.",
        "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_TagResource.html",
    ),
    # Lambda
    limit(
        "lambda",
        "CreateFunction UpdateFunctionConfiguration",
        "Timeout",
        between(1, 900),
        "ValidationException",
        "1 validation error detected: Value '{value}' at 'timeout' failed to satisfy constraint: "
        "Member must have value less than or equal to 900",
        f"{LAMBDA}CreateFunction.html",
    ),
    limit(
        "lambda",
        "CreateFunction",
        "",
        lambda request: request.get("PackageType") == "Image" or bool(request.get("Handler")),
        "InvalidParameterValueException",
        "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        f"{LAMBDA}CreateFunction.html",
    ),
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
