"""What the real terraform says where AWS or its provider cannot be reached, in words of our own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gen_infra.errors import GenInfraError, MissingError, UsageError
from gen_infra.terraform.adapter import Terraform, TerraformError
from gen_infra.terraform.provider import find_provider
from tests.tools.conftest import BOTH
from tests.tools.server import server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AWS = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region              = "us-east-1"
  allowed_account_ids = ["123456789012"]
  max_retries         = 1
}

data "aws_region" "here" {}
"""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}


def init_with_aws(tf: Terraform) -> None:
    tf.init(plugin_dir=find_provider(os.environ, flavour=tf.binary.flavour).plugin_dir)


def test_no_credentials(terraform: Callable[..., Terraform], tmp_path: Path) -> None:
    tf = terraform(AWS, AWS_EC2_METADATA_DISABLED="true", HOME=str(tmp_path))
    init_with_aws(tf)

    with pytest.raises(MissingError, match="there are no AWS credentials"):
        tf.plan(tmp_path / "plan")


CALLER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::210987654321:user/ada</Arn><UserId>A</UserId><Account>210987654321</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


def denial(code: str) -> str:
    return f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (200, CALLER, UsageError, "belong to AWS account 210987654321"),
        (403, denial("ExpiredToken"), MissingError, "have expired"),
        (403, denial("InvalidClientTokenId"), MissingError, "does not accept the credentials"),
    ],
)
def test_credentials_that_are_not_good_enough(
    terraform: Callable[..., Terraform], tmp_path: Path, status: int, body: str, error: type[GenInfraError], said: str
) -> None:
    with server(status, body) as url:
        tf = terraform(AWS, AWS_ENDPOINT_URL=url, **CREDENTIALS)
        init_with_aws(tf)

        with pytest.raises(error, match=said):
            tf.plan(tmp_path / "plan")


@BOTH
def test_aws_cannot_be_reached(terraform: Callable[..., Terraform], tmp_path: Path) -> None:
    tf = terraform(AWS, AWS_ENDPOINT_URL="http://127.0.0.1:1", AWS_MAX_ATTEMPTS="1", **CREDENTIALS)
    init_with_aws(tf)

    with pytest.raises(TerraformError, match="connection refused") as raised:
        tf.plan(tmp_path / "plan")

    assert raised.value.cause == "unreachable"


def test_a_provider_that_is_nowhere(terraform: Callable[..., Terraform], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(MissingError, match="provider hashicorp/aws") as raised:
        terraform(AWS).init(plugin_dir=tmp_path / "empty")

    assert "GEN_INFRA_PLUGIN_DIR" in raised.value.hint
