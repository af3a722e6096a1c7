"""Write reproducible zip archives for Lambda functions: the same bytes on every machine."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time in the zip format
_REGULAR_FILE_0644 = 0o100644 << 16  # readable by all, because Lambda runs the code as another user
_UNIX = 3


def package(members: Mapping[str, bytes]) -> bytes:
    """Pack members (``/``-separated relative name -> content) as a zip: sorted, mode 0644, dated 1980, uncompressed.

    Uncompressed, because the output of deflate differs between zlib versions, and the handlers have a few KiB.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as writer:
        for name in sorted(members):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.create_system = _UNIX  # zipfile's default depends on the machine
            member.external_attr = _REGULAR_FILE_0644
            writer.writestr(member, members[name])
    return archive.getvalue()
