"""The versions of terraform and of the AWS provider that the rendered files need; no other module states them.

The static modules repeat them in their ``versions.tf``, because they work without gen-infra; a test compares.
"""

from __future__ import annotations

import re

TERRAFORM = (1, 9)  # `init -json`, and validation blocks that refer to other variables
TERRAFORM_WITH_S3_LOCKS = (1, 10)  # the first that locks a state bucket without DynamoDB
AWS_PROVIDER = (5, 100)

LOCK_FILE = ".terraform.lock.hcl"  # the name that terraform gives the file that chooses one release of the provider

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)", re.ASCII)


def terraform_range(*, has_bucket: bool) -> str:
    """Return the range of terraform's versions as HCL writes it, for a local state or for one in a bucket."""
    return ">= " + ".".join(map(str, TERRAFORM_WITH_S3_LOCKS if has_bucket else TERRAFORM))


def provider_range() -> str:
    """Return the range of the AWS provider's versions as HCL writes it."""
    return "~> " + ".".join(map(str, AWS_PROVIDER))


def provider_requirement() -> str:
    """Return a configuration that requires the AWS provider and nothing else."""
    aws = f'aws = {{ source = "hashicorp/aws", version = "{provider_range()}" }}'
    return f"terraform {{\n  required_providers {{ {aws} }}\n}}\n"


def fits_provider_range(version: str) -> bool:
    """Return whether a release of the AWS provider is in its range."""
    match = _VERSION.fullmatch(version)
    major, minor = AWS_PROVIDER
    return match is not None and int(match[1]) == major and int(match[2]) >= minor
