"""Find secrets in text with detect-secrets, which checkov includes."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.errors import ToolError
from gen_infra.tools import process

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen_infra.tools.checkov.adapter import Checkov

_DRIVER = Path(__file__).with_name("secrets_driver.py")


class DetectedSecret(NamedTuple):
    """A secret, and what kind it is: ``Slack Token``."""

    kind: str
    text: str


def detect_secrets(
    checkov: Checkov, lines: Iterable[str], environ: Mapping[str, str]
) -> dict[str, tuple[DetectedSecret, ...]]:
    """Return the secrets of each line that contains any.

    Raises:
        ToolError: detect-secrets is missing or incompatible.
    """
    different = sorted(set(lines))
    with tempfile.TemporaryDirectory(prefix="gen-infra-secrets-") as name:
        env = {"PATH": environ.get("PATH", os.defpath), "HOME": name}
        answer = process.run([checkov.python, str(_DRIVER)], cwd=Path(name), env=env, input=json.dumps(different))
    if answer.returncode != 0:
        # Without its message, which may quote a line.
        raise ToolError("detect-secrets failed", hint="it is installed with checkov: pipx install checkov==3.3.30")
    found: list[list[list[str]]] = json.loads(answer.stdout)
    return {
        line: tuple(DetectedSecret(*secret) for secret in secrets)
        for line, secrets in zip(different, found, strict=True)
        if secrets
    }
