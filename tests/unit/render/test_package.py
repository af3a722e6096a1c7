from __future__ import annotations

import io
import zipfile
from hashlib import sha256

from gen_infra.render.package import package

MEMBERS = {"handler.py": b"def handler(event, context):\n    return event\n", "lib/names.py": b"PREFIX = 'prod'\n"}


def test_the_archive_holds_the_members_readable_by_everybody() -> None:
    with zipfile.ZipFile(io.BytesIO(package(MEMBERS))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == MEMBERS
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}


def test_the_bytes_are_the_same_on_every_machine() -> None:
    assert package(MEMBERS) == package(dict(reversed(MEMBERS.items())))
    assert sha256(package(MEMBERS)).hexdigest() == "316bb995c3e2f8a11c4038a33c451e9a127c8f0a965fef04d906f8c5ebc7e1dc"
