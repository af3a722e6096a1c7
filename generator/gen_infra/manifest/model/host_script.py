"""The model of shell scripts that run as root on the hosts."""

from __future__ import annotations

import hashlib
from typing import Annotated, TypeAlias

from gen_infra.manifest.model.base import Model, about, text

MOST_SCRIPTS = 20
SCRIPT_CHARACTERS = 65_536

_NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
ScriptPath = Annotated[
    str,
    text(
        rf"{_NAME}(?:/{_NAME})*[.]sh",
        "the path of a .sh file below the manifest's folder, of letters, digits, '_', '.' and '-'",
        "scripts/tools.sh",
        max_length=128,
    ),
]


class HostScript(Model, frozen=True, kw_only=True):
    """A shell script with its text, as `manifest.resolved.yaml` has it; a manifest usually names a file."""

    path: Annotated[ScriptPath, about("The file that the text is from.")]
    content: Annotated[
        str,
        text(
            r"#!/[^\n\r]*\b(?:bash|sh)(?:\n[^\r]*)?",
            "a shell script whose first line is #!/bin/bash or #!/bin/sh",
            max_length=SCRIPT_CHARACTERS,
        ),
        about("The text of the script."),
    ]

    @property
    def file_name(self) -> str:
        """Return the last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def sha256(self) -> str:
        """Return the hash of the script, by which a policy file accepts it."""
        return hashlib.sha256(self.content.encode()).hexdigest()


# A path is replaced by the file's text when the manifest is read.
HostScripts: TypeAlias = tuple[ScriptPath | HostScript, ...]


def read_scripts(scripts: HostScripts) -> tuple[HostScript, ...]:
    """Return the scripts with their texts.

    Raises:
        ValueError: a path was not replaced by its file.
    """
    if unread := [script for script in scripts if isinstance(script, str)]:
        raise ValueError(f"script {unread[0]} was not read")
    return tuple(script for script in scripts if isinstance(script, HostScript))
