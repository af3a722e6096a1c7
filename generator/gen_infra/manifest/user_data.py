"""Write and read the user data of instances: one MIME document with a part for each script, as AWS Batch takes it.

https://docs.aws.amazon.com/batch/latest/userguide/launch-templates.html (Amazon EC2 user data in launch templates)
"""

from __future__ import annotations

import base64
import binascii
import email
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_infra.manifest.model.host_script import HostScript


def user_data(scripts: Sequence[HostScript]) -> str | None:
    """Return the document; None without scripts.

    The boundary between the parts is a hash of the scripts, so that no script can contain it and add a part.
    """
    if not scripts:
        return None
    digest = hashlib.sha256("".join(script.sha256 for script in scripts).encode()).hexdigest()
    boundary = f"gen-infra-{digest[:24]}"  # scanners take 40 such characters for an AWS secret key
    parts = [
        f"--{boundary}\n"
        'Content-Type: text/x-shellscript; charset="utf-8"\n'
        "Content-Transfer-Encoding: 8bit\n"
        f'Content-Disposition: attachment; filename="{number:02}-{script.file_name}"\n'
        f"\n{script.content}\n"
        for number, script in enumerate(scripts, start=1)
    ]
    head = f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{boundary}"\n\n'
    return f"{head}{''.join(parts)}--{boundary}--\n"


def scripts_in(encoded: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the SHA-256 of each part of user data in base64, as a launch template has it.

    What is not such a document is one part without a name.
    """
    try:
        document = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        document = encoded.encode()
    message = email.message_from_bytes(document)
    parts = [part for part in message.walk() if not part.is_multipart()] if message.is_multipart() else []
    for part in parts:
        content = part.get_payload(decode=True)
        yield part.get_filename() or "", hashlib.sha256(content if isinstance(content, bytes) else b"").hexdigest()
    if not parts:
        yield "", hashlib.sha256(document).hexdigest()
