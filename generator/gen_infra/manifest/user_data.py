"""Write the user data of instances: one MIME document with a part for each script, as AWS Batch takes it.

https://docs.aws.amazon.com/batch/latest/userguide/launch-templates.html (Amazon EC2 user data in launch templates)
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen_infra.manifest.model.host_script import HostScript


def user_data(scripts: Sequence[HostScript]) -> str | None:
    """Return the document; None without scripts.

    The boundary between the parts is a hash of the scripts, so that no script can contain it and add a part.
    """
    if not scripts:
        return None
    digest = hashlib.sha256("".join(script.sha256 for script in scripts).encode()).hexdigest()
    boundary = f"gen-infra-{digest[:40]}"  # 70 characters at most
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
