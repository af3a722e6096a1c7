"""The base class of the model's structs, and the string types that have a pattern."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, TypeAlias

from msgspec import Meta, Struct, structs

# Where a value is in a manifest: keys of mappings and indexes of lists, from the top.
KeyPath: TypeAlias = tuple[str | int, ...]

ARN_PARTITIONS = "aws|aws-us-gov|aws-cn"
INT32_MAX = 2_147_483_647  # the bound of AWS Batch's own integers


def dotted(path: KeyPath) -> str:
    """Format a path: ``("jobs", "isaac", "command", 0)`` -> ``jobs.isaac.command[0]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def text(pattern: str, allowed: str, *examples: str, max_length: int | None = None) -> Any:
    """Make a ``Meta`` for a string that must match all of ``pattern``; ``allowed`` describes the pattern in messages.

    ``$`` alone would accept a trailing newline, in Python as in ECMAScript's JSON Schema validators.
    """
    return Meta(
        pattern=rf"^(?:{pattern})$(?!\n)",
        max_length=max_length,
        examples=list(examples) or None,
        extra={"allowed": allowed},
        extra_json_schema={"patternErrorMessage": f"should be {allowed}"},
    )


def about(description: str) -> Any:
    """Make a ``Meta`` with the description of a key."""
    return Meta(description=description)


EnvironmentName = Annotated[
    str,
    text(
        "[a-z][a-z0-9-]{0,22}[a-z0-9]", "2 to 24 lower-case letters, digits and hyphens, starting with a letter", "prod"
    ),
]
Key = Annotated[
    str,
    text("[A-Za-z][A-Za-z0-9_-]{0,39}", "1 to 40 letters, digits, '_' and '-', starting with a letter", "isaac"),
]
AccountId = Annotated[str, text("[0-9]{12}", "twelve digits in quotes", "123456789012")]
Region = Annotated[str, text("[a-z]{2}(?:-[a-z]+){1,2}-[0-9]", "an AWS region such as us-east-1", "us-east-1")]
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, with the reserved prefixes and suffixes
_RESERVED_PREFIX = "xn--|sthree-|amzn-s3-demo-"
_RESERVED_SUFFIX = "-s3alias|--ol-s3|.mrap|--x-s3|--table-s3"
BucketName = Annotated[
    str,
    text(
        rf"(?!{_RESERVED_PREFIX})(?!.*(?:{_RESERVED_SUFFIX.replace('.', '[.]')})$)(?!.*(?:\.\.|\.-|-\.))(?![0-9.]+$)"
        "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        "3 to 63 lower-case letters, digits, dots and hyphens (an S3 bucket name), without a prefix or suffix that S3 "
        f"reserves ({', '.join((*_RESERVED_PREFIX.split('|'), *_RESERVED_SUFFIX.split('|')))})",
        "genomics-results-123456789012",
    ),
]
RepositoryName = Annotated[
    str,
    text(
        "[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*",
        "lower-case words joined by '.', '_', '-' or '/' (an ECR repository name)",
        "samtools_stats",
        max_length=200,
    ),
]
_AMI = "ami-(?:[0-9a-f]{8}|[0-9a-f]{17})"
_PARAMETER = "/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+){0,14}"
ImageId = Annotated[str, text(_AMI, "an AMI id such as ami-0123456789abcdef0", "ami-0123456789abcdef0")]
ImageSource = Annotated[
    str,
    text(
        f"{_AMI}|{_PARAMETER}",
        "an AMI id, or an SSM parameter name that starts with '/'",
        "ami-0123456789abcdef0",
        "/lab/images/base",
        max_length=1011,
    ),
]
SubnetId = Annotated[str, text("subnet-[0-9a-f]{8,17}", "a subnet id such as subnet-0123456789abcdef0")]
ZoneName = Annotated[
    str, text("[a-z]{2}(?:-[a-z]+){1,2}-[0-9][a-z]", "an availability zone such as us-east-1a", "us-east-1a")
]
SecurityGroupId = Annotated[str, text("sg-[0-9a-f]{8,17}", "a security group id such as sg-0123456789abcdef0")]
KMS_KEY_ARN = rf"arn:(?:{ARN_PARTITIONS}):kms:[a-z0-9-]+:[0-9]{{12}}:key/[A-Za-z0-9-]{{1,64}}"
ROLE_ARN = rf"arn:(?:{ARN_PARTITIONS}):iam::[0-9]{{12}}:role/[\w+=,.@/-]{{1,512}}"
KmsKeyArn = Annotated[
    str,
    text(
        KMS_KEY_ARN,
        "the ARN of a KMS key (not of an alias)",
        "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
]
RoleArn = Annotated[str, text(ROLE_ARN, "the ARN of an IAM role", "arn:aws:iam::123456789012:role/genomics/isaac")]
ImageRepositoryArn = Annotated[
    str,
    text(
        rf"arn:(?:{ARN_PARTITIONS}):ecr:[a-z0-9-]{{1,32}}:[0-9]{{12}}:repository/[a-z0-9][a-z0-9._/-]{{0,250}}(?:/\*)?",
        "the ARN of an ECR repository, or one that ends in /* for all below",
        "arn:aws:ecr:us-east-1:123456789012:repository/nf-core/*",
        max_length=320,
    ),
]
InstanceProfileArn = Annotated[
    str,
    text(
        ROLE_ARN.replace(":role/", ":instance-profile/"),
        "the ARN of an instance profile (not of its role)",
        "arn:aws:iam::123456789012:instance-profile/batchInstance",
    ),
]
PolicyArn = Annotated[
    str,
    text(
        rf"arn:(?:{ARN_PARTITIONS}):iam::(?:[0-9]{{12}}|aws):policy/[\w+=,.@/-]{{1,512}}",
        "the ARN of an IAM policy",
        "arn:aws:iam::123456789012:policy/developer-boundary",
    ),
]
IamPath = Annotated[
    str,
    text(
        r"/|/(?!aws-|service-role/)[A-Za-z0-9_+=,.@-]+(?:/[A-Za-z0-9_+=,.@-]+)*/",
        "a path that starts and ends with '/', and is none of AWS's (/aws-…/, /service-role/)",
        "/genomics/",
        max_length=128,
    ),
]
ParameterName = Annotated[
    str,
    text(
        _PARAMETER,
        "an SSM parameter name that starts with '/'",
        "/gen-infra/prod/ami",
        max_length=1011,
    ),
]
Schedule = Annotated[
    str,
    text(
        r"rate\((?:1 (?:hour|day)|(?:[2-9]|[1-9][0-9]{1,2}) (?:hours|days))\)"
        r"|cron\([A-Z0-9*?,/#-]+(?: [A-Z0-9*?,/#-]+){5}\)",
        "a rate in hours or days, such as rate(7 days), or the six fields of cron(0 3 ? * SUN *)",
        "rate(7 days)",
        "cron(0 3 ? * SUN *)",
    ),
]
# https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2 (Dot-string and Domain), https://www.rfc-editor.org/rfc/rfc1035
EmailAddress = Annotated[
    str,
    text(
        r"(?!\.)(?!.*\.\.)(?!.*\.@)[A-Za-z0-9._%+'-]{1,64}@"
        r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])",
        "an e-mail address",
        "genomics-ops@example.com",
        max_length=254,
    ),
]
Prefix = Annotated[
    str,
    text(
        "(?!/)(?:[A-Za-z0-9!_.'()-]+/)+",
        "an S3 prefix that ends with '/', without wildcards",
        "genomic-workflow/",
        max_length=512,
    ),
]
AbsolutePath = Annotated[
    str,
    text(
        r"/(?!(?:.*/)?\.{1,2}(?:/|$))[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*",
        "an absolute path of letters, digits, '_', '.' and '-'",
        "/docker_scratch",
        max_length=128,
    ),
]
OWN_TAGS = "gen-infra:"  # how the tags that gen-infra sets itself begin; IAM ignores the case of keys
TAG_KEY, TAG_KEY_ALLOWED = (
    r"(?![aA][wW][sS]:)[A-Za-z0-9 _.:/=+@-]{1,128}",
    "1 to 128 letters, digits, spaces and any of _ . : / = + - @, not starting with aws:",
)
TAG_VALUE, TAG_VALUE_ALLOWED = (
    "[A-Za-z0-9 _.:/=+@-]{0,256}",
    "up to 256 letters, digits, spaces and any of _ . : / = + - @",
)
TagKey = Annotated[str, text(TAG_KEY, TAG_KEY_ALLOWED, "Project")]
TagValue = Annotated[str, text(TAG_VALUE, TAG_VALUE_ALLOWED, "genomics")]
OwnTags = Annotated[dict[TagKey, TagValue], Meta(max_length=50)]
EnvironmentVariable = Annotated[
    str,
    text(
        "(?!AWS_BATCH)[A-Za-z_][A-Za-z0-9_]{0,127}", "letters, digits and '_', not starting with AWS_BATCH", "THREADS"
    ),
]
ParameterKey = Annotated[str, text("[A-Za-z0-9_-]{1,64}", "letters, digits, '_' and '-'", "sample")]
InstanceTypeName = Annotated[
    str,
    text(
        r"optimal|default_x86_64|default_arm64|[a-z][a-z0-9-]*[0-9][a-z0-9-]*(?:\.[a-z0-9-]+)?",
        "'optimal', a family such as c7i, or a type such as c7i.8xlarge",
        "optimal",
        "r7i",
        "c7i.8xlarge",
    ),
]
PlacementGroup = Annotated[str, text(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,254}", "a placement group's name", "mpi")]
# https://github.com/distribution/reference/blob/main/reference.go (grammar) and normalize.go: what is before the first
# slash is the registry if it has a dot, a colon or an upper-case letter, or is localhost.
_DOMAIN_PART = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = rf"{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*(?::[0-9]{{1,5}})?"
_IMAGE_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
ImageTag = Annotated[
    str,
    text(
        "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|sha256:[0-9a-f]{64}",
        "an image's tag in quotes, or its digest",
        "1.0",
        max_length=128,
    ),
]
ContainerImage = Annotated[
    str,
    text(
        rf"(?:(?=[^/]*[.:A-Z][^/]*/|localhost/){_DOMAIN}/|(?![^/]*[.:A-Z][^/]*/)){_IMAGE_PART}(?:/{_IMAGE_PART})*"
        "(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
        "a repository of this manifest (isaac, isaac:1.0) or a full image URI",
        "isaac:1.0",
        "quay.io/biocontainers/samtools:1.21",
        max_length=255,
    ),
]
CodeBuildImage = Annotated[
    str,
    text(
        r"(?:public\.ecr\.aws/codebuild/amazonlinux-x86_64-standard"
        rf"|[0-9]{{12}}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/{_IMAGE_PART}(?:/{_IMAGE_PART})*)"
        "@sha256:[0-9a-f]{64}",
        "public.ecr.aws/codebuild/amazonlinux-x86_64-standard or the URI of a private ECR repository, with @sha256: "
        "and a digest",
        max_length=383,
    ),
]


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """The base class of every part of a manifest: immutable, and unknown keys are refused."""

    @classmethod
    def missing_keys(cls, given: Mapping[str, Any]) -> list[str]:
        """Return the required keys that are not given; of a given one only matters whether its value is empty."""
        return [field.name for field in fields_of(cls) if field.required and field.name not in given]


@cache
def fields_of(model: type[Model]) -> tuple[structs.FieldInfo, ...]:
    """Describe the keys of a part of a manifest: their names, and their defaults if they have one."""
    return structs.fields(model)
