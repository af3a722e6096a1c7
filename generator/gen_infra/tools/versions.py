"""The versions of terraform and of the AWS provider that the rendered files need; no other module states them.

This is also the one place that says what differs between the provider's major versions. The static modules, which work
without gen-infra, are written for version 5, and `AwsProvider.rewrite` gives their text for another version. What reads
plans knows the names of version 6 only, because the reader of plans replaces the old ones by `RENAMED`.
https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/guides/version-6-upgrade.html.markdown
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

TERRAFORM = (1, 9)  # `init -json`, and validation blocks that refer to other variables
TERRAFORM_WITH_S3_LOCKS = (1, 10)  # the first that locks a state bucket without DynamoDB

LOCK_FILE = ".terraform.lock.hcl"  # the name that terraform gives the file that chooses one release of the provider

Major: TypeAlias = Literal[5, 6]
DEFAULT_MAJOR: Major = 5  # with which the tests create, change and destroy environments

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)", re.ASCII)  # no pre-release, which a range does not admit either


@dataclass(frozen=True, slots=True)
class AwsProvider:
    """A major version of Terraform's AWS provider that environments can be rendered for.

    Args:
        major: ``terraform.aws_provider`` of the manifest.
        minor: the oldest minor version that is as described here.
        in_place: the allocation strategies with which it updates a compute environment in place.
        gp3_throughput: the most MiB/s that it accepts for a gp3 volume.
        rewrites: by file of a module: texts of version 5, which the file has once each, and what replaces them.
    """

    major: Major
    minor: int
    in_place: tuple[str, ...]
    gp3_throughput: int
    rewrites: Mapping[str, Mapping[str, str]]

    def __str__(self) -> str:
        """Return what messages call it."""
        return f"Terraform's AWS provider {self.major}.{self.minor}"

    @property
    def range(self) -> str:
        """Return the range of its versions as HCL writes it."""
        return f"~> {self.major}.{self.minor}"

    @property
    def requirement(self) -> str:
        """Return a configuration that requires it and nothing else."""
        aws = f'aws = {{ source = "hashicorp/aws", version = "{self.range}" }}'
        return f"terraform {{\n  required_providers {{ {aws} }}\n}}\n"

    def admits(self, release: str) -> bool:
        """Return whether a release, such as 5.100.0, is in its range."""
        match = _VERSION.fullmatch(release)
        return match is not None and int(match[1]) == self.major and int(match[2]) >= self.minor

    def rewrite(self, module: str, file: str, text: str) -> str:
        """Return the text of a static module's file for this version.

        Raises:
            ValueError: a text that is to be replaced is not in the file once: the table and the file disagree.
        """
        ranges = {f'"{_5.range}"': f'"{self.range}"'} if file == "versions.tf" else {}
        for old, new in {**ranges, **self.rewrites.get(f"{module}/{file}", {})}.items():
            if text.count(old) != 1:
                raise ValueError(f"{module}/{file} has {old!r} {text.count(old)} times")
            text = text.replace(old, new)
        return text


def terraform_range(*, has_bucket: bool) -> str:
    """Return the range of terraform's versions as HCL writes it, for a local state or for one in a bucket."""
    return ">= " + ".".join(map(str, TERRAFORM_WITH_S3_LOCKS if has_bucket else TERRAFORM))


RENAMED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "aws_batch_compute_environment": {
            "compute_environment_name": "name",
            "compute_environment_name_prefix": "name_prefix",
        }
    }
)
"""Resource type -> attribute of version 5 -> its name in version 6."""

_5 = AwsProvider(5, 100, in_place=("BEST_FIT_PROGRESSIVE", "SPOT_CAPACITY_OPTIMIZED"), gp3_throughput=1000, rewrites={})
_PREFIX = {"  compute_environment_name_prefix = ": "  name_prefix = "}
_ONLY_IN_5 = (
    "; AWS would take\n  # SPOT_PRICE_CAPACITY_OPTIMIZED too, but version 5 of the provider replaces the compute "
    "environment for it."
)
_NAME = {"aws_batch_compute_environment.this.compute_environment_name\n": "aws_batch_compute_environment.this.name\n"}
# SPOT_PRICE_CAPACITY_OPTIMIZED in place: 6.10, https://github.com/hashicorp/terraform-provider-aws/pull/40148.
# 2,000 MiB/s: https://github.com/hashicorp/terraform-provider-aws/pull/44604, merged in October 2025.
# 6.25, of December 2025, is the oldest version whose schema the rendered files were compared with.
_6 = AwsProvider(
    6,
    25,
    in_place=(*_5.in_place, "SPOT_PRICE_CAPACITY_OPTIMIZED"),
    gp3_throughput=2000,
    rewrites={
        "fargate-environment/main.tf": _PREFIX,
        "fargate-environment/outputs.tf": _NAME,
        "compute-environment/outputs.tf": _NAME,
        "existing-environment/main.tf": {"  compute_environment_name = ": "  name = "},
        "existing-environment/outputs.tf": _NAME,
        "compute-environment/main.tf": _PREFIX
        | {
            '["BEST_FIT_PROGRESSIVE", "SPOT_CAPACITY_OPTIMIZED"]': (
                '["BEST_FIT_PROGRESSIVE", "SPOT_CAPACITY_OPTIMIZED", "SPOT_PRICE_CAPACITY_OPTIMIZED"]'
            ),
            _ONLY_IN_5: ".",
            # New names, since a value that changes with the version would replace compute environments; a new resource
            # does not.
            'resource "terraform_data" "replacement"': 'resource "terraform_data" "replacement_trigger"',
            'resource "terraform_data" "type"': 'resource "terraform_data" "type_trigger"',
            "[terraform_data.replacement, terraform_data.type]": (
                "[terraform_data.replacement_trigger, terraform_data.type_trigger]"
            ),
        },
        "compute-environment/variables.tf": {
            "var.root_volume.throughput <= 1000": "var.root_volume.throughput <= 2000",
            "root_volume.throughput is for gp3 only: 125 to 1000 MiB/s": (
                "root_volume.throughput is for gp3 only: 125 to 2000 MiB/s"
            ),
            "var.scratch_volume.throughput <= 1000": "var.scratch_volume.throughput <= 2000",
            "scratch_volume.throughput is for gp3 only: 125 to 1000 MiB/s": (
                "scratch_volume.throughput is for gp3 only: 125 to 2000 MiB/s"
            ),
        },
        "compute-environment/README.md": {
            "is `BEST_FIT_PROGRESSIVE` or `SPOT_CAPACITY_OPTIMIZED` |": (
                "is `BEST_FIT_PROGRESSIVE`, `SPOT_CAPACITY_OPTIMIZED` or `SPOT_PRICE_CAPACITY_OPTIMIZED` |"
            ),
            "a custom service role (or `SPOT_PRICE_CAPACITY_OPTIMIZED`) a\n  launch template": (
                "a custom service role a launch template"
            ),
        },
    },
)

AWS_PROVIDERS: Mapping[Major, AwsProvider] = MappingProxyType({5: _5, 6: _6})
