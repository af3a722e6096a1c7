"""What an own network opens for the jobs: NFS wherever a job mounts EFS, however it does so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.render.files import render
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

JOB: dict[str, Any] = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
EFS = {"efs": {"data": {"file_system": "fs-0123456789abcdef0", "mount": "/data"}}}
RAW = {"volumes": [{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-0123456789abcdef0"}}]}


@pytest.mark.parametrize(
    ("job", "opens"),
    [
        ({**JOB, **EFS}, True),
        ({**JOB, "container_properties": RAW}, True),
        ({"containers": {"main": {**JOB, **EFS}}}, True),
        ({**JOB, "container_properties": {"volumes": [{"name": "data"}]}}, False),
        (JOB, False),
    ],
)
def test_egress_for_nfs_is_open_for_what_mounts_efs(job: dict[str, Any], opens: bool, tmp_path: Path) -> None:
    manifest = accept(tmp_path, network={"create": {"cidr": "10.42.0.0/16", "nat": "one"}}, jobs={"j": job})
    main = render(manifest)["terraform/main.tf"].decode()
    assert ("efs_access" in main) is opens
