"""Rules for shared file systems: settings that have no effect, and mounts of what does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest.job_policies import role_policies
from gen_infra.manifest.reading.loader import ManifestError
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

ID = "fs-0123456789abcdef0"
POINT = "fsap-0123456789abcdef0"


def document(systems: dict[str, Any], **volume: Any) -> dict[str, Any]:
    job = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512, "efs": {"refs": {"mount": "/refs", **volume}}}
    return {"file_systems": systems, "jobs": {"j": job}}


CREATED = {"refs": {"efs": "create"}}
GIVEN = {"refs": {"efs": ID, "access_point": POINT}}
REFUSED = [
    (document(CREATED, file_system="ref"), 'jobs.j.efs.refs.file_system: unknown file system "ref"; choose from: refs'),
    (document({}, file_system="refs"), 'unknown file system "refs"; the manifest has none; or give the id'),
    (document(CREATED, file_system="refs", access_point=POINT), "jobs.j.efs.refs.access_point: file_systems.refs deci"),
    (document(CREATED, file_system="refs", directory="/a"), "jobs.j.efs.refs.directory: the access point sets"),
    (document(GIVEN, file_system="refs", directory="/a"), "jobs.j.efs.refs.directory: the access point sets"),
    (
        document({"refs": {"efs": "create", "access_point": POINT}}, file_system="refs"),
        "file_systems.refs.access_point: a created file system has its own",
    ),
    (document({"refs": {"efs": ID, "uid": 0}}, file_system="refs"), "file_systems.refs.uid: is for efs: create only"),
    (
        document({"refs": {"efs": ID, "infrequent_access_days": 30}}, file_system="refs"),
        "file_systems.refs.infrequent_access_days: is for efs: create only",
    ),
    (
        document({"refs": {"efs": "create", "infrequent_access_days": 31}}, file_system="refs"),
        "file_systems.refs.infrequent_access_days",
    ),
    (document({"fs-1": {"efs": "create"}}, file_system=ID), 'file_systems.fs-1: "fs-1" starts like the id'),
    (document({"refs": {"efs": "fs-zz"}}, file_system="refs"), "file_systems.refs.efs"),
    (document({"refs": {}}, file_system="refs"), "efs"),
]


@pytest.mark.parametrize(("given", "says"), REFUSED, ids=[says[:60] for _, says in REFUSED])
def test_it_is_refused(tmp_path: Path, given: dict[str, Any], says: str) -> None:
    with pytest.raises(ManifestError) as error:
        accept(tmp_path, **given)
    (problem,) = error.value.problems
    assert says in str(problem)


def test_a_job_mounts_an_existing_file_system_by_name_as_by_id(tmp_path: Path) -> None:
    by_name = accept(tmp_path, **document(GIVEN, file_system="refs"))
    by_id = accept(tmp_path, **document({}, file_system=ID, access_point=POINT))
    assert role_policies(by_name, "j") == role_policies(by_id, "j") != []


def test_jobs_with_a_role_of_their_own_get_no_policy(tmp_path: Path) -> None:
    given = document(CREATED, file_system="refs")
    given["jobs"]["reads"] = {
        **given["jobs"]["j"],
        "efs": {"a": {"file_system": "refs", "mount": "/a", "read_only": True}},
    }
    given["jobs"]["own"] = {**given["jobs"]["j"], "role": "arn:aws:iam::123456789012:role/own"}
    assert accept(tmp_path, **given).job_mounts("refs") == {"j": True, "reads": False}
