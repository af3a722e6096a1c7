"""What the parts of the model are built with."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

ARN_PARTITIONS = "aws|aws-us-gov|aws-cn"


def text(pattern: str, says: str, *examples: str, max_length: int | None = None) -> Any:
    """A ``Meta`` for a string that must match ``pattern`` as a whole; ``says`` is the rule in words.

    ``$`` alone would let a trailing newline through, in Python as in ECMAScript's JSON Schema validators.
    """
    return Meta(
        pattern=rf"^(?:{pattern})$(?!\n)",
        max_length=max_length,
        examples=list(examples) or None,
        extra={"says": says},
    )


def about(description: str) -> Any:
    """A ``Meta`` for what a key means."""
    return Meta(description=description)


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """What every part of a manifest has in common: immutable, no unknown keys."""


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
InstanceProfileArn = Annotated[
    str,
    text(
        ROLE_ARN.replace(":role/", ":instance-profile/"),
        "the ARN of an instance profile (not of its role)",
        "arn:aws:iam::123456789012:instance-profile/batchInstance",
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
EnvironmentVariable = Annotated[
    str,
    text(
        "(?!AWS_BATCH)[A-Za-z_][A-Za-z0-9_]{0,127}", "letters, digits and '_', not starting with AWS_BATCH", "THREADS"
    ),
]
