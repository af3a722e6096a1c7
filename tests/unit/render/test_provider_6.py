"""What is rendered for version 6 of the AWS provider uses only what that version's schema has, and all it requires."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from tasks.provider_schema import rendered_types

from gen_infra.manifest import load
from gen_infra.terraform.hcl import parse
from gen_infra.tools.versions import AWS_PROVIDERS
from tests.golden.renew import manifests
from tests.provider_schema import for_version_6, provider_schema, terraform_files, variations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gen_infra.terraform.hcl import Block, Body

# https://developer.hashicorp.com/terraform/language/meta-arguments
META_ARGUMENTS = frozenset({"count", "depends_on", "for_each", "lifecycle", "provider"})
EIP = """
resource "aws_eip" "this" {
  domain = "vpc"
  region = "us-east-1"
}
"""
ENVIRONMENT = """
resource "aws_batch_compute_environment" "this" {
  type = "MANAGED"

  compute_resources {
    type      = "EC2"
    max_vcpus = 4
    subnets   = ["subnet-0123456789abcdef0"]
  }
}
"""


def problems(text: str) -> Iterator[str]:
    """Yield what version 6 would refuse or warn of in a file, without its values."""
    for block in parse(text).blocks:
        if block.kind in {"resource", "data"} and block.labels[0].startswith("aws_"):
            schema = provider_schema()[block.kind].get(block.labels[0])
            if schema is None:
                yield f"{block.labels[0]} is unknown"
            else:
                yield from _problems(block.body, schema, block.labels[0], META_ARGUMENTS)


def _problems(body: Body, schema: Mapping[str, Any], place: str, meta: frozenset[str] = frozenset()) -> Iterator[str]:
    attributes, blocks = schema.get("attributes", {}), schema.get("blocks", {})
    for name in {*body.attributes} - meta:
        how = attributes[name][0].split() if name in attributes else []
        if name in blocks:
            yield f"{place}.{name} is a block"
        elif not how or how == ["computed"]:
            yield f"{place}.{name} cannot be set"
        elif "deprecated" in how:
            yield f"{place}.{name} is deprecated"
    nested = [
        (name, content, is_one) for name, content, is_one in map(_without_dynamic, body.blocks) if name not in meta
    ]
    for name, content, _ in nested:
        if name not in blocks:
            yield f"{place}.{name} is no block"
        else:
            yield from _problems(content, blocks[name], f"{place}.{name}")
    for name, block in blocks.items():
        count = sum(is_one for each, _, is_one in nested if each == name)
        if count > 1 and not block.get("several"):
            yield f"{place}.{name} is there {count} times"
        if block.get("required") and name not in {each for each, _, _ in nested}:
            yield f"{place}.{name} is missing"
    required = {name for name, (how, _) in attributes.items() if how.startswith("required")}
    yield from (f"{place}.{name} is missing" for name in required - {*body.attributes})


def _without_dynamic(block: Block) -> tuple[str, Body, bool]:
    """Return a block's name and content, and whether it is there exactly once."""
    if block.kind != "dynamic":
        return block.kind, block.body, True
    (content,) = (each for each in block.body.blocks if each.kind == "content")
    return block.labels[0], content.body, False


@cache
def problems_of(path: str, text: str) -> tuple[str, ...]:
    return tuple(f"{path}: {problem}" for problem in problems(text))


def found(files: Mapping[str, bytes]) -> list[str]:
    return [each for path, text in files.items() if path.endswith(".tf") for each in problems_of(path, text.decode())]


@pytest.mark.parametrize("path", manifests(), ids=lambda path: path.stem)
def test_every_manifest_renders_to_what_version_6_knows(path: Path) -> None:
    files = terraform_files(for_version_6(path))

    assert found(files) == []
    ranges = {path for path, text in files.items() if f'version = "{AWS_PROVIDERS[6].range}"'.encode() in text}
    assert ranges == {path for path in files if path.endswith("versions.tf")}


def test_so_does_what_no_manifest_of_the_repository_has() -> None:
    assert [problem for each in variations().values() for problem in found(terraform_files(each))] == []


def test_what_is_rendered_for_version_5_is_refused() -> None:
    examples = [path for path in manifests() if path.stem in {"demo", "fargate"}]
    refused = {problem for path in examples for problem in found(terraform_files(load(path)))}

    prefix = "aws_batch_compute_environment.compute_environment_name_prefix cannot be set"
    assert refused == {
        f"modules/compute-environment/main.tf: {prefix}",
        f"modules/fargate-environment/main.tf: {prefix}",
    }


def test_the_schema_has_the_rendered_types_and_no_other() -> None:
    assert rendered_types() == sorted((kind, name) for kind in ("resource", "data") for name in provider_schema()[kind])


@pytest.mark.parametrize(
    ("text", "old", "new", "problem"),
    [
        (EIP, 'domain = "vpc"', "vpc = true", "aws_eip.vpc cannot be set"),
        (EIP, 'domain = "vpc"', 'public_ip = "198.51.100.1"', "aws_eip.public_ip cannot be set"),
        (EIP, "aws_eip", "aws_eip_x", "aws_eip_x is unknown"),
        (ENVIRONMENT, 'type = "MANAGED"', "", "aws_batch_compute_environment.type is missing"),
        (ENVIRONMENT, "max_vcpus = 4", "", "aws_batch_compute_environment.compute_resources.max_vcpus is missing"),
        (ENVIRONMENT, "compute_resources {", "compute {", "aws_batch_compute_environment.compute is no block"),
        (
            ENVIRONMENT,
            "compute_resources {",
            "compute_resources = {",
            "aws_batch_compute_environment.compute_resources is a block",
        ),
        (
            'resource "aws_cloudwatch_event_rule" "this" {\n  state = "ENABLED"\n}\n',
            'state = "ENABLED"',
            "is_enabled = true",
            "aws_cloudwatch_event_rule.is_enabled is deprecated",
        ),
    ],
)
def test_what_is_wrong_is_found(text: str, old: str, new: str, problem: str) -> None:
    assert list(problems(text)) == []
    assert old in text
    assert list(problems(text.replace(old, new, 1))) == [problem]
