from __future__ import annotations

import io
import json
import zipfile
from hashlib import sha256
from typing import TYPE_CHECKING

from gen_infra.render.files import render
from gen_infra.render.package import package
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

MEMBERS = {"handler.py": b"def handler(event, context):\n    return event\n", "lib/names.py": b"PREFIX = 'prod'\n"}


def test_the_archive_holds_the_members_readable_by_everybody() -> None:
    with zipfile.ZipFile(io.BytesIO(package(MEMBERS))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == MEMBERS
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}


def test_the_bytes_are_the_same_on_every_machine() -> None:
    assert package(MEMBERS) == package(dict(reversed(MEMBERS.items())))
    assert sha256(package(MEMBERS)).hexdigest() == "316bb995c3e2f8a11c4038a33c451e9a127c8f0a965fef04d906f8c5ebc7e1dc"


def test_the_functions_package_says_what_may_be_submitted(tmp_path: Path) -> None:
    job = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
    manifest = accept(tmp_path, jobs={"isaac": job, "isaac-b": job}, submit_function={"max_vcpus": 8})
    with zipfile.ZipFile(io.BytesIO(render(manifest)["terraform/job-functions.zip"])) as archive:
        assert {"batch_submit_job.py", "batch_limits.py", "batch_function.py"} <= {*archive.namelist()}
        said = json.loads(archive.read("submissions.json"))
    assert said == {
        "arn_prefix": "arn:aws:batch:us-east-1:123456789012",
        "definitions_by_tag": False,
        "job_definitions": {"isaac-test": None, "isaac-b-test": None},
        "job_queues": ["main-test"],
        "fair_share": {},
        "overrides": [],
        "max_vcpus": 8,
        "max_memory_mib": None,
        "max_gpus": None,
        "max_array_size": None,
    }
