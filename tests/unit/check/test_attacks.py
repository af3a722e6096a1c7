"""Manifests that try to take hosts or the account: `render` refuses each, or `check` fails, with place and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.check.privileges import PRIVILEGE_CHECKS
from gen_infra.check.rules import broken_rules
from gen_infra.check.runner import accepted_in, terraform_sources
from gen_infra.errors import UsageError
from gen_infra.manifest import load
from gen_infra.render.files import render
from gen_infra.terraform.source import read_source
from tests.unit.manifests import accept, changed, write

if TYPE_CHECKING:
    from pathlib import Path

JOB: dict[str, Any] = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
ADMIN = "arn:aws:iam::123456789012:role/Administrator"
PROFILE = "arn:aws:iam::123456789012:instance-profile/Administrator"
SUPPRESSION = {
    "check": "GI_BATCH_2",
    "resource": "aws_batch_job_definition.j",
    "reason": "Our older images need it.",
    "expires": "2027-06-30",
}
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


def job(**keys: Any) -> dict[str, Any]:
    return {"jobs": {"j": {**JOB, **keys}}}


def container(**keys: Any) -> dict[str, Any]:
    return {"jobs": {"j": {"containers": {"main": {**JOB, **keys}}}}}


def nodes(**keys: Any) -> dict[str, Any]:
    return {"compute__spot__type": "EC2", **job(nodes=2, **keys)}


def raw(**members: Any) -> dict[str, Any]:
    return job(container_properties=members)


def task(**members: Any) -> dict[str, Any]:
    return {"jobs": {"j": {"containers": {"main": JOB}, "task_properties": members}}}


def device(path: str) -> dict[str, Any]:
    return {"linux": {"devices": [{"host_path": path, "permissions": ["MKNOD"]}]}}


def folder(path: str) -> dict[str, Any]:
    return {
        "volumes": [{"name": "v", "host": {"sourcePath": path}}],
        "mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}],
    }


def suppression(**keys: str) -> dict[str, Any]:
    return {"suppressions": [{**SUPPRESSION, **keys}]}


DEVICE = "jobs.j.linux.devices[0].host_path: "
FOLDER = "jobs.j.container_properties.volumes[0].host.sourcePath: "
RAW, TASK = "jobs.j.container_properties.", "jobs.j.task_properties."
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    # devices
    *(
        (job(**device(path)), DEVICE, "is not one of /dev/fuse")
        for path in (
            *("/dev/ng0n1", "/dev/md127", "/dev/sg0", "/dev/nvme0n1p1", "/dev/xvda", "/dev/mem", "/dev/kmsg"),
            *("/dev/dm-0", "/dev/mapper/x", "/dev/loop-control", "/dev/vfio/vfio", "/dev/kvm", "/dev/port"),
            *("/dev/net/tun", "/dev/disk/by-id/x"),
        )
    ),
    *(
        (job(**device(path)), DEVICE, "is not an absolute path")
        for path in ("/dev/fuse/../mem", "/dev//fuse", "/dev/infiniband/../sda", "/dev/fuse\n", "dev/fuse")
    ),
    (nodes(**device("/dev/sg0")), DEVICE, "is not one of /dev/fuse"),
    (container(**device("/dev/sg0")), "jobs.j.containers.main.linux.devices[0].host_path: ", "is not one of /dev/fuse"),
    # folders
    *(
        (raw(**folder(path)), FOLDER, "is a folder of the host")
        for path in (
            *("/", "/etc/cron.d", "/root/.ssh", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/proc"),
            *("/var/cache/ecs", "/var/spool/cron", "/docker_scratch/..", "//docker_scratch", "/docker_scratch/jobs/1"),
            *("/DOCKER_SCRATCH", "docker_scratch", ".", "${HOME}"),
        )
    ),
    (nodes(container_properties=folder("/etc")), FOLDER, "is a folder of the host"),
    *(
        ({**raw(**folder("/etc")), "hosts__allow_paths": [path]}, "hosts.allow_paths[0]: ", "is not an absolute path")
        for path in ("/", "/*", "/x/../etc", "etc")
    ),
    ({**job(scratch="/s"), "image__scratch__mount": "/"}, "image.scratch.mount: ", "is not an absolute path"),
    # members that a job has keys for, or must not have
    (job(privileged=True), "jobs.j.privileged: ", "unknown key"),
    (container(privileged=True), "jobs.j.containers.main.privileged: ", "unknown key"),
    (raw(privileged=True), f"{RAW}privileged: ", "is root on its host"),
    (raw(Privileged=True), f"{RAW}Privileged: ", "unknown key"),
    (raw(linuxParameters={"devices": [{"hostPath": "/dev/sda"}]}), f"{RAW}linuxParameters: ", "give it there"),
    (raw(user="root"), f"{RAW}user: ", "give it there"),
    (raw(secrets=[{"name": "A", "valueFrom": "arn:x"}]), f"{RAW}secrets: ", "give it there"),
    (raw(jobRoleArn=ADMIN), f"{RAW}jobRoleArn: ", "give it there"),
    (raw(executionRoleArn=ADMIN), f"{RAW}executionRoleArn: ", "gen-infra makes the execution role"),
    (raw(logConfiguration={"logDriver": "syslog"}), f"{RAW}logConfiguration: ", "gen-infra makes a log group"),
    (job(linux={"capabilities": {"add": ["SYS_ADMIN"]}}), "jobs.j.linux.capabilities: ", "unknown key"),
    (task(pidMode="host"), f"{TASK}pidMode: ", "host is not one of task"),
    (task(ipcMode="host"), f"{TASK}ipcMode: ", "host is not one of task, none"),
    (task(taskRoleArn=ADMIN), f"{TASK}taskRoleArn: ", "unknown key"),
    (task(volumes=folder("/etc")["volumes"]), f"{TASK}volumes: ", "unknown key"),
    (task(networkConfiguration={"assignPublicIp": "ENABLED"}), f"{TASK}networkConfiguration: ", "unknown key"),
    # roles
    (job(role=ADMIN.replace("123456789012", "210987654321")), "jobs.j.role: ", "is in account 210987654321"),
    (job(role="arn:aws:iam::123456789012:role/*"), "jobs.j.role: ", "is not the ARN of an IAM role"),
    ({"iam__instance_profile": ADMIN}, "iam.instance_profile: ", "is not the ARN of an instance profile"),
    # suppressions
    (suppression(resource="***"), "suppressions[0].resource: ", "matches almost every resource"),
    (suppression(resource="*.*"), "suppressions[0].resource: ", "matches almost every resource"),
    (suppression(resource="?*"), "suppressions[0].resource: ", "is not a resource's address"),
    (suppression(reason="          "), "suppressions[0].reason: ", "does not say why"),
    (suppression(reason=". . . . . . ."), "suppressions[0].reason: ", "does not say why"),
    (suppression(reason="\u200bab \u200bcd \u200bef"), "test.yaml:", "is an invisible character"),
    (suppression(check="GI_*"), "suppressions[0].check: ", "is not a check's id"),
    # scripts, state
    ({"image__scripts": ["../../etc/passwd"]}, "image.scripts[0]: ", "below the manifest's folder"),
    ({"image__scripts": ["/etc/passwd"]}, "image.scripts[0]: ", "below the manifest's folder"),
    (
        {"state": {"bucket": "lab-tfstate"}, "buckets": {"b": {"name": "lab-tfstate", "access": "work"}}},
        "buckets.b.name: ",
        "jobs could write the Terraform state",
    ),
    # secrets, also split and encoded
    (job(environment={"DB_PASS": "hunter2"}), "test.yaml:", "DB_PASS contains a secret in plain text"),
    (job(command=["--password", "hunter2"]), "test.yaml:", "--password contains a secret in plain text"),
    (job(command=["curl", "--user", "admin:hunter2secret"]), "test.yaml:", "a password on a command line"),
    (job(environment={"A": "postgres://u:p4ssw0rd@h/db"}), "test.yaml:", "a password in a URL"),
    (job(command=["sh", "-c", f"X={JWT} run"]), "test.yaml:", "a JSON web token"),
    (job(environment={"A": "QUtJQUlPU0ZPRE5ON0VYQU1QTFg="}), "test.yaml:", "an AWS access key, encoded"),
    (job(environment={"A": b"AKIAIOSFODNN7EXAMPLX".hex()}), "test.yaml:", "an AWS access key, encoded"),
    (job(command=["sh", "-c", "echo QUtJQUlPU0ZPRE5ON0VYQU1QTFg= | base64 -d"]), "test.yaml:", "key, encoded"),
    # skip comments of scanners
    *(
        (manifest, "test.yaml:", "turns off a security scanner")
        for skip in (
            *("checkov:skip=CKV_AWS_210", "checkov :skip=x", "CHECKOV:SKIP=all", "#nosec B1", "terrascan:skip=x"),
            *("snyk:ignore", "regula:ignore", "yor:skip", "tfsec:ignore:x", "trivy:ignore:x"),
        )
        for manifest in (job(command=["echo", skip]), {"tags": {"A": skip}})
    ),
]


@pytest.mark.parametrize(("manifest", "place", "reason"), REFUSED)
def test_render_refuses(manifest: dict[str, Any], place: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        load(write(tmp_path, changed(**manifest)))
    assert place in str(raised.value)
    assert reason in str(raised.value)


EFS = {"fileSystemId": "fs-12345678"}
DEFINITION = "aws_batch_job_definition.j"
COMPUTE = "module.compute_spot.aws_batch_compute_environment.this"
FAILED: list[tuple[dict[str, Any], str, str]] = [
    (
        {**raw(**folder("/etc")), "hosts__allow_paths": ["/etc"]},
        DEFINITION,
        "GI_BATCH_2: it mounts the host's /etc",
    ),
    (
        {**nodes(**device("/dev/mem")), "hosts__allow_paths": ["/dev/mem"]},
        DEFINITION,
        "GI_BATCH_4: it gets the host's /dev/mem",
    ),
    *(
        (
            {**job(scratch="/s"), "image__scratch__mount": mount},
            DEFINITION,
            f"GI_BATCH_2: it mounts the host's {mount}",
        )
        for mount in ("/etc", "/var/lib/docker", "/run/ecs")
    ),
    *(
        (manifest, DEFINITION, f"GI_IAM_9: its job role is {ADMIN}")
        for manifest in (
            job(role=ADMIN),
            nodes(role=ADMIN),
            {"jobs": {"j": {"containers": {"main": JOB}, "role": ADMIN}}},
        )
    ),
    ({"compute__spot__service_role": ADMIN}, COMPUTE, f"GI_IAM_9: its service role is {ADMIN}"),
    ({"iam__instance_profile": PROFILE}, COMPUTE, f"GI_IAM_9: its instance profile is {PROFILE}"),
]
UNENCRYPTED = [EFS, {**EFS, "transitEncryption": "DISABLED"}]


@pytest.mark.parametrize(("manifest", "address", "found"), FAILED)
def test_check_fails_and_no_manifest_can_suppress_it(
    manifest: dict[str, Any], address: str, found: str, tmp_path: Path
) -> None:
    loaded = accept(tmp_path, **manifest)
    source = read_source(terraform_sources(render(loaded)))
    broken = {
        (each.resource.address, f"{each.rule.id}: {each.problem}")
        for each in broken_rules(source.resources, accepted_in(loaded))
    }
    assert broken == {(address, found)}
    assert found.partition(":")[0] in PRIVILEGE_CHECKS


@pytest.mark.parametrize("configuration", UNENCRYPTED)
def test_check_fails_for_file_systems_without_tls(configuration: dict[str, str], tmp_path: Path) -> None:
    loaded = accept(tmp_path, **raw(volumes=[{"name": "v", "efsVolumeConfiguration": configuration}]))
    source = read_source(terraform_sources(render(loaded)))
    broken = [each.rule.id for each in broken_rules(source.resources, accepted_in(loaded))]
    assert broken == ["GI_EFS_1", "GI_EFS_2"]
