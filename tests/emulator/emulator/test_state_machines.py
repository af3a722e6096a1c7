from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from gen_infra.terraform.adapter import Terraform, find_terraform
from gen_infra.terraform.provider import find_provider

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.emulator import Emulator

CONFIGURATION = """\
terraform {
  required_providers { aws = { source = "hashicorp/aws", version = "~> 5.100" } }
}
provider "aws" { region = "us-east-1" }
variable "second" { default = "Wait" }
resource "aws_kms_key" "this" {}
resource "aws_cloudwatch_log_group" "this" { name = "/aws/vendedlogs/states/germline" }
resource "aws_iam_role" "this" {
  name = "machine"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "states.amazonaws.com" } },
  ] })
}
resource "aws_iam_role_policy" "this" {
  role = aws_iam_role.this.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "logs:*", Resource = "*" },
  ] })
}
resource "aws_sfn_state_machine" "this" {
  depends_on = [aws_iam_role_policy.this]

  name     = "germline"
  role_arn = aws_iam_role.this.arn
  tags     = { team = "genomics" }
  definition = jsonencode({
    QueryLanguage = "JSONata"
    StartAt       = "First"
    States        = { First = { Type = "Pass", Next = var.second }, (var.second) = { Type = "Succeed" } }
  })
  encryption_configuration {
    type       = "CUSTOMER_MANAGED_KMS_KEY"
    kms_key_id = aws_kms_key.this.arn
  }
  logging_configuration {
    level                  = "ALL"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.this.arn}:*"
  }
  tracing_configuration { enabled = true }
}
"""


def test_a_state_machine_settles_through_the_provider(aws: Emulator, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(CONFIGURATION)
    terraform = Terraform(find_terraform(os.environ), tmp_path, {**os.environ, **aws.environ})
    terraform.init(plugin_dir=find_provider(os.environ, flavour=terraform.binary.flavour).plugin_dir)
    client, arn = aws.client("stepfunctions"), "arn:aws:states:us-east-1:123456789012:stateMachine:germline"

    def applied() -> dict[str, Any]:
        terraform.plan(tmp_path / "plan")
        terraform.apply(tmp_path / "plan")
        assert not terraform.plan(tmp_path / "again").has_changes
        described: dict[str, Any] = client.describe_state_machine(stateMachineArn=arn)
        return described

    first = applied()
    (tmp_path / "main.tf").write_text(CONFIGURATION.replace('"Wait"', '"Last"').replace('"ALL"', '"ERROR"'))
    second = applied()

    assert list(json.loads(first["definition"])["States"]) == ["First", "Wait"]
    assert list(json.loads(second["definition"])["States"]) == ["First", "Last"]
    assert [each["loggingConfiguration"]["level"] for each in (first, second)] == ["ALL", "ERROR"]
    assert second["encryptionConfiguration"]["type"] == "CUSTOMER_MANAGED_KMS_KEY"
    assert second["tracingConfiguration"] == {"enabled": True}
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "team", "value": "genomics"}]
