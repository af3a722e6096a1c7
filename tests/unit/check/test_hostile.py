"""What a manifest from outside may not do: `render` or `check` refuses it, with the place and the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.check.policy import Policy
from gen_infra.check.privileges import PRIVILEGE_CHECKS
from gen_infra.check.rules import broken_rules
from gen_infra.check.runner import accepted_in, terraform_sources
from gen_infra.errors import UsageError
from gen_infra.manifest import load
from gen_infra.manifest.host_access import may_mount
from gen_infra.render.files import render
from gen_infra.terraform.source import read_source
from tests.unit.manifests import accept, changed, write

if TYPE_CHECKING:
    from pathlib import Path

JOB: dict[str, Any] = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}


def device(path: str, **job: Any) -> dict[str, Any]:
    return {"jobs": {"j": {**JOB, **job, "linux": {"devices": [{"host_path": path, "permissions": ["MKNOD"]}]}}}}


def folder(path: str, **job: Any) -> dict[str, Any]:
    raw = {"volumes": [{"name": "v", "host": {"sourcePath": path}}]}
    return {"jobs": {"j": {**JOB, **job, "container_properties": raw}}}


DEVICES = ("/dev/ng0n1", "/dev/md127", "/dev/sg0", "/dev/nvme0n1", "/dev", "/dev/mem", "/dev/infiniband", "/etc/shadow")
FOLDERS = (
    *("/", "/boot", "/dev", "/etc", "/home/ec2-user", "/opt/x", "/proc", "/root", "/run", "/usr", "/srv/x", "/fsx"),
    *("/var/cache/ecs", "/var/spool/cron", "/var/lib/systemd", "/var/lib/docker", "/var/lib/ecs"),
    *("/docker_scratch/link", "/docker_scratch/../etc", "/docker_scratch/.", "/docker_scratch2", "docker_scratch"),
)
DEVICE_PLACE = "jobs.j.linux.devices[0].host_path"
FOLDER_PLACE = "jobs.j.container_properties.volumes[0].host.sourcePath"


@pytest.mark.parametrize("path", DEVICES)
def test_render_refuses_other_devices(path: str, tmp_path: Path) -> None:
    several = {"jobs": {"j": {"containers": {"main": device(path)["jobs"]["j"]}}}}
    for place, manifest in ((DEVICE_PLACE, device(path)), ("jobs.j.containers.main.linux.devices[0]", several)):
        with pytest.raises(UsageError, match=r"hosts\.allow_paths") as raised:
            load(write(tmp_path, changed(**manifest)))
        assert place in str(raised.value)
        assert f'"{path}" is not one of /dev/fuse' in str(raised.value)


@pytest.mark.parametrize("path", FOLDERS)
def test_render_refuses_other_folders(path: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"hosts\.allow_paths") as raised:
        load(write(tmp_path, changed(**folder(path))))
    assert f'{FOLDER_PLACE}: "{path}" is a folder of the host; use /docker_scratch' in str(raised.value)


def test_a_folder_above_scratch_cannot_be_listed(tmp_path: Path) -> None:
    """It holds the scratch directories of all jobs."""
    image = {"scratch": {"mount": "/data/scratch"}, "parameter": "/lab/ami"}
    for path in ("/data", "/data/"):
        with pytest.raises(UsageError, match=rf'"{path}" holds a folder of all jobs \(/data/scratch\)'):
            load(write(tmp_path, changed(**folder(path), image=image, hosts__allow_paths=["/data"])))
    assert not may_mount("/data", ("/data/scratch",), ("/data",)), "no policy file can accept it either"
    assert accept(tmp_path, **folder("/data2"), image=image, hosts__allow_paths=["/data2"]).jobs


@pytest.mark.parametrize(
    "manifest",
    [
        *(device(path) for path in ("/dev/fuse", "/dev/nvidia0", "/dev/nvidia-caps/nvidia-cap1")),
        device("/dev/infiniband/uverbs0"),
        *(folder(path) for path in ("/docker_scratch", "/docker_scratch/")),
        {**folder("/lab/x/y"), "hosts__allow_paths": ["/lab/x"]},
    ],
)
def test_render_accepts_what_is_harmless_or_listed(manifest: dict[str, Any], tmp_path: Path) -> None:
    assert accept(tmp_path, **manifest).jobs


@pytest.mark.parametrize(
    ("manifest", "policy", "found"),
    [
        ({**device("/dev/sg0"), "hosts__allow_paths": ["/dev/sg0"]}, [], ["GI_BATCH_4: it gets the host's /dev/sg0"]),
        ({**device("/dev/sg0"), "hosts__allow_paths": ["/dev/sg0"]}, ["/dev/sg0"], []),
        ({**folder("/etc"), "hosts__allow_paths": ["/etc"]}, [], ["GI_BATCH_2: it mounts the host's /etc"]),
        (
            {**folder("/etc"), "hosts__allow_paths": ["/etc"]},
            ["/etc/x"],
            ["GI_BATCH_2: it mounts the host's /etc"],
        ),
        ({**folder("/fsx/a"), "hosts__allow_paths": ["/fsx/a"]}, ["/fsx"], []),
        (
            {"jobs": {"j": {**JOB, "scratch": "/scratch"}}, "image__scratch__mount": "/var/spool/cron"},
            [],
            ["GI_BATCH_2: it mounts the host's /var/spool/cron"],
        ),
        ({"jobs": {"j": {**JOB, "scratch": "/scratch"}}, "image__scratch__mount": "/lab/scratch"}, [], []),
    ],
)
def test_check_accepts_only_what_the_policy_file_lists(
    manifest: dict[str, Any], policy: list[str], found: list[str], tmp_path: Path
) -> None:
    loaded = accept(tmp_path, **manifest)
    source = read_source(terraform_sources(render(loaded)))
    accepted = accepted_in(loaded, Policy(host_paths=tuple(policy)))
    broken = broken_rules(source.resources, accepted)
    assert [f"{each.rule.id}: {each.problem}" for each in broken if each.rule.id.startswith("GI_BATCH")] == found


ADMIN = "arn:aws:iam::123456789012:role/Administrator"
CENTRAL = "arn:aws:iam::123456789012:role/central/align"
GENOMICS = "arn:aws:iam::123456789012:role/genomics/align"
PROFILE = "arn:aws:iam::123456789012:instance-profile/admin"


def job_role(arn: str) -> dict[str, Any]:
    return {"jobs": {"j": {**JOB, "role": arn}}}


def job_role_of_several(arn: str) -> dict[str, Any]:
    containers = {"main": {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}}
    return {"jobs": {"j": {"containers": containers, "role": arn}}}


@pytest.mark.parametrize(
    ("manifest", "policy", "found"),
    [
        (job_role(ADMIN), [], f"its job role is {ADMIN}"),
        (job_role_of_several(ADMIN), [], f"its job role is {ADMIN}"),
        (job_role(ADMIN), ["arn:aws:iam::123456789012:role/central/*"], f"its job role is {ADMIN}"),
        (job_role(ADMIN), ["arn:aws:iam::123456789012:role/Admin"], f"its job role is {ADMIN}"),
        (job_role(ADMIN), [ADMIN], ""),
        (job_role(CENTRAL), ["arn:aws:iam::123456789012:role/central/*"], ""),
        (job_role(GENOMICS), [], f"its job role is {GENOMICS}"),
        ({**job_role(GENOMICS), "iam__path": "/genomics/"}, [], ""),
        ({**job_role(ADMIN), "iam__path": "/genomics/"}, [], f"its job role is {ADMIN}"),
        ({"compute__spot__service_role": ADMIN}, [], f"its service role is {ADMIN}"),
        ({"iam__instance_profile": PROFILE}, [], f"its instance profile is {PROFILE}"),
        ({"iam__instance_profile": PROFILE}, [PROFILE], ""),
        ({"compute__spot__service_role": "create", "jobs": {"j": JOB}}, [], ""),
        (job_role("arn:aws:iam::123456789012:role/batchInstance-test"), [], ""),
    ],
)
def test_check_accepts_only_own_roles_and_those_of_the_policy_file(
    manifest: dict[str, Any], policy: list[str], found: str, tmp_path: Path
) -> None:
    loaded = accept(tmp_path, **manifest)
    source = read_source(terraform_sources(render(loaded)))
    broken = broken_rules(source.resources, accepted_in(loaded, Policy(roles=tuple(policy))))
    assert [each.problem for each in broken if each.rule.id == "GI_IAM_9"] == ([found] if found else [])
    assert "GI_IAM_9" in PRIVILEGE_CHECKS


@pytest.mark.parametrize(("iam_path", "accepts"), [(None, True), ("/genomics/", True), ("/", False), ("/lab/", False)])
def test_roles_below_another_path_than_the_bases_are_not_its_own(
    iam_path: str | None, accepts: bool, tmp_path: Path
) -> None:
    manifest = accept(tmp_path, **job_role(GENOMICS), iam__path="/genomics/")
    accepted = accepted_in(manifest, iam_path=iam_path)
    assert accepted.accepts_role(GENOMICS) == accepts
    assert accepted.accepts_role("arn:aws:iam::123456789012:role/genomics/batchInstance-test")


def bucket(name: str, **settings: str) -> dict[str, Any]:
    return {
        "state": {"bucket": "lab-tfstate"},
        "image__parameter": "/gen-infra/test/ami",
        "image__rebuild": {"schedule": "rate(7 days)", "bucket": "lab-builds"},
        "buckets": {"b": {"name": name, **settings}},
    }


@pytest.mark.parametrize("access", ["write", "delete", "work"])
@pytest.mark.parametrize(
    ("name", "what"),
    [("lab-tfstate", "the Terraform state (state.bucket)"), ("lab-builds", "the source of the machine image")],
)
def test_render_refuses_jobs_that_write_the_state_or_the_source_of_the_image(
    access: str, name: str, what: str, tmp_path: Path
) -> None:
    for prefix, place in (
        ({}, "buckets.b.name"),
        ({"prefix": "gen-infra/"}, "buckets.b.prefix"),
        ({"prefix": "gen-infra/other/"}, "buckets.b.prefix"),
    ):
        with pytest.raises(UsageError) as raised:
            load(write(tmp_path, changed(**bucket(name, access=access, **prefix))))
        assert f"{place}: jobs could write {what}" in str(raised.value)
    assert accept(tmp_path, **bucket(name, access=access, prefix="results/")).buckets
    assert accept(tmp_path, **bucket(name, access=access, prefix="gen-infra-results/")).buckets


def test_jobs_may_read_that_bucket_and_write_others(tmp_path: Path) -> None:
    assert accept(tmp_path, **bucket("lab-builds", access="read")).buckets
    assert accept(tmp_path, **bucket("lab-results", access="work")).buckets
