"""What can be proved for OpenTofu without its program: the rendered files use only what it shares with Terraform.

OpenTofu began as a copy of Terraform 1.5: https://opentofu.org/docs/intro/migration. What Terraform has got since may
be missing there or differ, and what OpenTofu has got, such as the encryption of states, terraform refuses.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest import load
from gen_infra.terraform.hcl import FunctionCall, Opaque, parse
from gen_infra.tools.versions import AWS_PROVIDERS, terraform_range
from tests.golden.renew import manifests
from tests.provider_schema import terraform_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.terraform.hcl import Body

# Of Terraform 1.5, without import and check, which would be there only for a while or slow a plan down. Without moved,
# an alarm whose address changes would be deleted under the name under which it is made again.
BLOCKS = {"data", "locals", "module", "moved", "output", "provider", "resource", "terraform", "variable"}
SETTINGS = {"backend", "required_providers", "required_version"}  # not: cloud, encryption, provider_meta, experiments
# https://github.com/hashicorp/terraform/blob/main/CHANGELOG.md of 1.8 to 1.11
FUNCTIONS_SINCE_1_5 = {"ephemeralasnull", "issensitive", "templatestring"}


def bodies(path: Path) -> Iterator[Body]:
    for name, content in terraform_files(load(path)).items():
        if name.endswith(".tf"):
            yield parsed(content.decode())


@cache
def parsed(text: str) -> Body:
    """Parse a file once: most are modules, which many manifests use."""
    return parse(text)


def functions(value: Any) -> Iterator[str]:
    if isinstance(value, FunctionCall):
        yield value.name
    if isinstance(value, Opaque):
        yield from re.findall(r"\b(\w+(?:::\w+)*)\(", value.text)
    if is_dataclass(value):
        yield from functions([getattr(value, field.name) for field in fields(value)])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from functions(item)
    elif isinstance(value, dict):
        yield from functions([*value.values()])


@pytest.mark.parametrize("path", manifests(), ids=lambda path: path.stem)
def test_only_what_terraform_1_5_had_is_used(path: Path) -> None:
    found = [*bodies(path)]

    assert {block.kind for body in found for block in body.blocks} <= BLOCKS
    settings = [block.body for body in found for block in body.blocks if block.kind == "terraform"]
    assert {name for body in settings for name in (*body.attributes, *(each.kind for each in body.blocks))} <= SETTINGS
    used = {*functions(found)}
    assert {"merge", "jsondecode"} <= used, "the functions are no longer found"
    assert not used & FUNCTIONS_SINCE_1_5
    assert not {name for name in used if "::" in name}


@pytest.mark.parametrize("path", [path for path in manifests() if path.stem in {"demo", "prod"}], ids=["demo", "prod"])
def test_the_provider_has_no_registry_in_its_name(path: Path) -> None:
    """Each program takes it from its own registry, and writes that one into the lock file and the state."""
    manifest = load(path)
    text = terraform_files(manifest)["versions.tf"].decode()
    assert re.search(r'source += "hashicorp/aws"', text)
    assert f'"{terraform_range(has_bucket=manifest.state != "local")}"' in text  # OpenTofu counts its versions likewise
    assert f'"{AWS_PROVIDERS[5].range}"' in text
