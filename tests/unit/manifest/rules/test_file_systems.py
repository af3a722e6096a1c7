"""Rules for shared file systems: settings that have no effect, and mounts of what does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest.job_policies import role_policies
from gen_infra.manifest.lustre import boot_scripts, mount_script
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.render.containers import container_properties
from gen_infra.render.files import packer_folder
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest

ID = "fs-0123456789abcdef0"
POINT = "fsap-0123456789abcdef0"


JOB = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}


def document(systems: dict[str, Any], **volume: Any) -> dict[str, Any]:
    return {"file_systems": systems, "jobs": {"j": {**JOB, "efs": {"refs": {"mount": "/refs", **volume}}}}}


def lustre(job: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a manifest with FSx for Lustre, which a job mounts."""
    settings = {"fsx": ID, "mount_name": "abcdefgh", **changes}
    return {
        "image": {"parameter": "/lab/ami"},
        "file_systems": {"work": {key: value for key, value in settings.items() if value is not None}},
        "jobs": {"j": {**JOB, "fsx": {"work": {"mount": "/work"}}, **(job or {})}},
    }


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
    (document({"refs": {}}, file_system="refs"), "file_systems.refs: needs either efs or fsx"),
    (document({"refs": {"efs": ID, "fsx": ID}}, file_system=ID), "file_systems.refs: needs either efs or fsx"),
    (document({"refs": {"efs": ID, "mount_name": "a"}}, file_system=ID), "file_systems.refs.mount_name: is for fsx"),
    (lustre(mount_name=None), "file_systems.work: fsx needs mount_name"),
    (lustre(mount_name="/abc"), "file_systems.work.mount_name"),
    (lustre(access_point=POINT), "file_systems.work.access_point: is for efs only"),
    (lustre(uid=0), "file_systems.work.uid: is for efs: create only"),
    (
        lustre() | {"image": {}},
        "file_systems.work.fsx: compute.spot runs AWS's own image, which has no Lustre client: set image.par",
    ),
    (
        lustre() | {"compute": {"spot": {"max_vcpus": 64, "image": {"base": "ecs-al2023-x86_64"}}}},
        "set compute.spot.image.parameter, such as to /gen-infra/test/ami",
    ),
    (
        lustre() | {"image": {"parameter": "/lab/ami", "scratch": {"mount": "/fsx/a"}}},
        "image.scratch.mount: /fsx is for",
    ),
    (lustre(job={"fsx": {"wrk": {"mount": "/work"}}}), 'jobs.j.fsx.wrk: unknown FSx for Lustre file system "wrk"'),
    (
        lustre(job={"efs": {"a": {"file_system": "work", "mount": "/a"}}}),
        "jobs.j.efs.a.file_system: work is FSx for Lustr",
    ),
    (lustre(job={"scratch": "/work"}), '"/work" is already the mount path of scratch'),
    (
        document(CREATED, file_system="refs") | {"jobs": {"j": {**JOB, "fsx": {"refs": {"mount": "/refs"}}}}},
        "jobs.j.fsx.refs: file_systems.refs is EFS; mount it by efs",
    ),
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


FARGATE = {"fargate": {"type": "FARGATE", "max_vcpus": 4}}


def test_fargate_mounts_no_lustre(tmp_path: Path) -> None:
    queues = {"main": {"priority": 1, "compute": ["fargate"]}}
    with pytest.raises(ManifestError) as error:
        accept(tmp_path, **lustre() | {"compute": FARGATE, "queues": queues})
    said = "\n".join(map(str, error.value.problems))
    assert "jobs.j.fsx: a job on Fargate has no fsx" in said
    assert "file_systems.work.fsx: needs a compute environment with instances" in said


def test_a_host_mounts_lustre_when_it_starts_before_other_scripts(tmp_path: Path) -> None:
    (tmp_path / "own.sh").write_text("#!/bin/bash\n")
    compute = {"spot": {"max_vcpus": 64, "user_data": ["own.sh"]}, **FARGATE}
    manifest = accept(tmp_path, **lustre() | {"compute": compute})
    names = {key: [each.path for each in boot_scripts(manifest, each)] for key, each in manifest.compute.items()}
    assert names == {"spot": ["agent.sh", "fsx.sh", "own.sh"], "fargate": []}
    assert "add fs-0123456789abcdef0.fsx.us-east-1.amazonaws.com@tcp:/abcdefgh /fsx/work" in script(manifest)
    assert "fs-0123456789abcdef0.fsx.cn-north-1.amazonaws.com.cn@tcp:/abcdefgh" in script(
        accept(tmp_path, **lustre() | {"region": "cn-north-1"})
    )
    assert mount_script(accept(tmp_path, **document(CREATED, file_system="refs"))) is None


def script(manifest: Manifest) -> str:
    found = mount_script(manifest)
    assert found
    return found.content


def test_jobs_mount_the_folder_of_the_host_and_no_role_is_needed(tmp_path: Path) -> None:
    manifest = accept(tmp_path, **lustre())
    properties = container_properties(manifest, "j")
    assert properties["volumes"] == [{"name": "fsx-work", "host": {"sourcePath": "/fsx/work"}}]
    assert properties["mountPoints"] == [{"sourceVolume": "fsx-work", "containerPath": "/work", "readOnly": False}]
    assert role_policies(manifest, "j") == []
    assert manifest.job_folders == ("/docker_scratch", "/fsx/work")


def test_the_image_gets_the_client_and_its_hash_covers_it(tmp_path: Path) -> None:
    with_client, without = (
        packer_folder(accept(tmp_path, **each)) for each in (lustre(), document({}, file_system=ID))
    )
    assert "scripts/lustre.sh" in with_client
    assert "scripts/lustre.sh" not in without
    named = b'"${path.root}/scripts/lustre.sh"'
    assert named in with_client["genomics.pkr.hcl"]
    assert named not in without["genomics.pkr.hcl"]
