"""The provider source that is decided on really serves terraform."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from gen_infra.terraform.adapter import Terraform, find_terraform
from gen_infra.terraform.provider import find_provider, os_arch

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}
"""


@pytest.fixture
def terraform(tmp_path: Path) -> Terraform:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "main.tf").write_text(CONFIGURATION)
    return Terraform(find_terraform(os.environ), folder, os.environ)


def installed(terraform: Terraform) -> list[str]:
    host = "registry.terraform.io" if terraform.binary.flavour == "terraform" else "registry.opentofu.org"
    aws = terraform.folder / ".terraform" / "providers" / host / "hashicorp" / "aws"
    return [path.parent.name for path in aws.glob(f"*/{os_arch()}")]


def test_init_with_what_is_found_here(terraform: Terraform) -> None:
    terraform.init(plugin_dir=find_provider(os.environ, flavour=terraform.binary.flavour).plugin_dir)

    (version,) = installed(terraform)
    assert version.startswith("5.")


def test_init_with_a_packed_mirror(terraform: Terraform, tmp_path: Path) -> None:
    """Terraform asks no more of a package than that it is a zip file, until the provider is started."""
    host = "registry.terraform.io" if terraform.binary.flavour == "terraform" else "registry.opentofu.org"
    aws = tmp_path / "mirror" / host / "hashicorp" / "aws"
    aws.mkdir(parents=True)
    with zipfile.ZipFile(aws / f"terraform-provider-aws_5.123.0_{os_arch()}.zip", "w") as package:
        package.writestr("terraform-provider-aws_v5.123.0", "")

    source = find_provider(
        {"GEN_INFRA_PLUGIN_DIR": str(tmp_path / "mirror")}, flavour=terraform.binary.flavour, roots=[]
    )
    terraform.init(plugin_dir=source.plugin_dir)

    assert installed(terraform) == ["5.123.0"]
