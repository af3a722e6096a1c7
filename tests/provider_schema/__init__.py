"""The schema of version 6 of the AWS provider, which `make provider-schema` renews, and what is rendered for it."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import structs
from tasks.provider_schema import DATA_FILE

from gen_infra.manifest import load
from gen_infra.manifest.model.settings import TerraformSettings
from gen_infra.render.files import render
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest

ADOPTED = DATA_FILE.with_name("adopted.yaml")


@cache
def provider_schema() -> dict[str, Any]:
    """Return the data file, see `tasks.provider_schema`."""
    content: dict[str, Any] = json.loads(DATA_FILE.read_text())
    return content


def for_version_6(path: Path) -> Manifest:
    return structs.replace(load(path), terraform=TerraformSettings(aws_provider=6))


def variations() -> dict[str, Manifest]:
    """Return manifests that render what no other does: adopted resources, and data sources of what exists already."""
    examples = ROOT / "envs" / "examples"
    rebuild, access = for_version_6(examples / "image-rebuild.yaml"), for_version_6(examples / "access.yaml")
    assert access.access
    profile = f"arn:aws:iam::{rebuild.account}:instance-profile/central/batchInstance"
    return {
        "adopted": for_version_6(ADOPTED),
        "existing-profile": structs.replace(rebuild, iam=structs.replace(rebuild.iam, instance_profile=profile)),
        "existing-provider": structs.replace(access, access=structs.replace(access.access, oidc_providers="lookup")),
    }


def terraform_files(manifest: Manifest) -> dict[str, bytes]:
    """Return what is rendered below ``terraform/``, by path from there."""
    prefix = "terraform/"
    return {path.removeprefix(prefix): content for path, content in render(manifest).items() if path.startswith(prefix)}
