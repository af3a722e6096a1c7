"""Manifests that try to take hosts or the account: `render` refuses each, or `check` fails, with place and reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.check.privileges import PRIVILEGE_CHECKS
from gen_infra.check.rules import broken_rules
from gen_infra.check.runner import accepted_in, terraform_sources
from gen_infra.errors import UsageError
from gen_infra.manifest import load
from gen_infra.render.files import render
from gen_infra.terraform.source import read_source
from tests.conftest import ROOT
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
            *("/dev/net/tun", "/dev/disk/by-id/x", "/dev/fuse0", "/dev/fuse/x", "/dev/infiniband/uverbs0/x"),
            *("/dev/cuse", "/dev/vhost-net", "/dev/uinput", "/dev/input/event0", "/dev/tty", "/dev/pts/0", "/dev/root"),
            *("/dev/nvme0", "/dev/disk/by-label/x", "/dev/mqueue", "/dev/cpu/0/msr", "/dev/tpm0", "/dev/watchdog"),
            *("/dev/snapshot", "/dev/hwrng", "/dev/userfaultfd", "/dev/rtc", "/proc/kcore", "/sys/kernel/security"),
            *("/dev/NVIDIA0", "/dev/nvidia-caps/x/y", "/run/docker.sock"),
        )
    ),
    *(
        (job(**device(path)), DEVICE, "is not an absolute path")
        for path in (
            *("/dev/fuse/../mem", "/dev//fuse", "/dev/infiniband/../sda", "/dev/fuse\n", "dev/fuse"),
            *("/dev/nvidia/../sda", "/dev/nvidia ", "/dev/nvidia\u0660", "/dev/infiniband/.", "/dev/block/259:0"),
        )
    ),
    (nodes(**device("/dev/sg0")), DEVICE, "is not one of /dev/fuse"),
    (container(**device("/dev/sg0")), "jobs.j.containers.main.linux.devices[0].host_path: ", "is not one of /dev/fuse"),
    # folders
    *(
        (raw(**folder(path)), FOLDER, "is a folder of the host")
        for path in (
            *("/", "/etc/cron.d", "/root/.ssh", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/proc"),
            *("/var/cache/ecs", "/var/spool/cron", "/docker_scratch/..", "//docker_scratch", "/docker_scratch/jobs/1"),
            *("/DOCKER_SCRATCH", "docker_scratch", ".", "${HOME}", "~/x", "$(pwd)", "C:\\", "/docker_scratch:/etc"),
            *("/mnt", "/srv", "/opt", "/home", "/data", "/efs", "/lost+found", "/sys/fs/cgroup", "/lib/modules"),
            *("/selinux", "/var/lib/cloud", "/etc/ecs", "/dev/zero", "/dev/fuse", "/var/log", "/cgroup"),
            *("/docker_scratch//x", "/docker_scratch/../docker_scratch", "/./docker_scratch", "/docker_scratch/*"),
            *("/docker_scratch ", "/docker_scratch%2f..", "/docker_scratch,/etc"),
        )
    ),
    (nodes(container_properties=folder("/etc")), FOLDER, "is a folder of the host"),
    *(
        ({**raw(**folder("/etc")), "hosts__allow_paths": [path]}, "hosts.allow_paths[0]: ", "is not an absolute path")
        for path in ("/", "/*", "/x/../etc", "etc")
    ),
    ({**job(scratch="/s"), "image__scratch__mount": "/"}, "image.scratch.mount: ", "is not an absolute path"),
    *(
        ({**raw(**folder(path)), "hosts__allow_paths": ["/lab"]}, FOLDER, "is a folder of the host")
        for path in ("/lab/../etc", "/lab//x", "/lab/./x", "/labs", "/LAB")
    ),
    *(
        (raw(volumes=[{"name": "v", "host": host}]), f"{RAW}volumes[0].host", says)
        for host, says in (
            ("/etc", "should be a mapping"),
            ([{"sourcePath": "/etc"}], "should be a mapping"),
            ({"sourcePath": ["/etc"]}, "should be text"),
            ({"SourcePath": "/etc"}, "unknown key"),
        )
    ),
    (raw(volumes=[{"name": "v", "Host": {"sourcePath": "/etc"}}]), f"{RAW}volumes[0].Host", "unknown key"),
    (raw(volumes={"name": "v", "host": {"sourcePath": "/etc"}}), f"{RAW}volumes", "should be a list"),
    *(
        ({"image__aws_cli": path}, "image.aws_cli: ", "is not true or false or a folder below /opt")
        for path in ("/usr/local", "/opt/../etc", "/opt", "/opt/a b")
    ),
    ({"compute__spot__user_data": ["../x.sh"]}, "compute.spot.user_data[0]: ", "below the manifest's folder"),
    ({"compute__spot__user_data": ["x.py"]}, "compute.spot.user_data[0]: ", "below the manifest's folder"),
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
    *((raw(**{name: "host"}), f"{RAW}{name}: ", "unknown key") for name in ("networkMode", "pidMode", "ipcMode")),
    *(
        (raw(**{name: []}), f"{RAW}{name}: ", "unknown key")
        for name in ("dockerSecurityOptions", "systemControls", "capabilities", "extraHosts", "dnsServers")
    ),
    (task(pidMode="HOST"), f"{TASK}pidMode: ", "HOST is not one of task"),
    (task(ipcMode="shareable"), f"{TASK}ipcMode: ", "shareable is not one of task, none"),
    (job(linux={"capabilities": {"add": ["SYS_ADMIN"]}}), "jobs.j.linux.capabilities: ", "unknown key"),
    (task(pidMode="host"), f"{TASK}pidMode: ", "host is not one of task"),
    (task(ipcMode="host"), f"{TASK}ipcMode: ", "host is not one of task, none"),
    (task(taskRoleArn=ADMIN), f"{TASK}taskRoleArn: ", "unknown key"),
    (task(volumes=folder("/etc")["volumes"]), f"{TASK}volumes: ", "unknown key"),
    (task(networkConfiguration={"assignPublicIp": "ENABLED"}), f"{TASK}networkConfiguration: ", "unknown key"),
    # roles
    (job(role=ADMIN.replace("123456789012", "210987654321")), "jobs.j.role: ", "is in account 210987654321"),
    (job(role="arn:aws:iam::123456789012:role/*"), "jobs.j.role: ", "is not the ARN of an IAM role"),
    *(
        (job(role=arn), "jobs.j.role: ", "is not the ARN of an IAM role")
        for arn in (
            *("Administrator", "arn:aws:iam::123456789012:user/x", "arn:aws:sts::123456789012:assumed-role/x/y"),
            *("arn:aws:iam::123456789012:ROLE/x", "arn:aws:iam::aws:role/x", f"{ADMIN}*", f"{ADMIN} ", f"{ADMIN}\n"),
        )
    ),
    (job(role=ADMIN.replace("aws", "aws-us-gov", 1)), "jobs.j.role: ", "aws-us-gov"),
    *(
        ({"iam__path": path, **job(role=f"arn:aws:iam::123456789012:role{path}x")}, "iam.path: ", "is not a path")
        for path in (
            *("/aws-reserved/sso.amazonaws.com/", "/aws-service-role/batch.amazonaws.com/", "/service-role/"),
            *("//", "/*/", "/x", "x/"),
        )
    ),
    ({"iam__instance_profile": ADMIN}, "iam.instance_profile: ", "is not the ARN of an instance profile"),
    # suppressions
    (suppression(resource="***"), "suppressions[0].resource: ", "matches almost every resource"),
    (suppression(resource="*.*"), "suppressions[0].resource: ", "matches almost every resource"),
    (suppression(resource="?*"), "suppressions[0].resource: ", "is not a resource's address"),
    (suppression(reason="          "), "suppressions[0].reason: ", "does not say why"),
    (suppression(reason=". . . . . . ."), "suppressions[0].reason: ", "does not say why"),
    (suppression(reason="\u200bab \u200bcd \u200bef"), "test.yaml:", "is an invisible character"),
    *(
        (suppression(resource=each), "suppressions[0].resource: ", "matches almost")
        for each in ("aws*", "*_*.*", "*.this")
    ),
    (suppression(reason="because Because BECAUSE because"), "suppressions[0].reason: ", "does not say why"),
    *(
        (suppression(check=each), "suppressions[0].check: ", "is not a check's id")
        for each in ("*", "ALL", "CKV_AWS_*")
    ),
    *((suppression(expires=each), "suppressions[0].expires: ", "date") for each in ("", "never", "2027-02-30")),
    (suppression(check="GI_*"), "suppressions[0].check: ", "is not a check's id"),
    # scripts, state
    ({"image__scripts": ["../../etc/passwd"]}, "image.scripts[0]: ", "below the manifest's folder"),
    ({"image__scripts": ["/etc/passwd"]}, "image.scripts[0]: ", "below the manifest's folder"),
    (
        {"state": {"bucket": "lab-tfstate"}, "buckets": {"b": {"name": "lab-tfstate", "access": "work"}}},
        "buckets.b.name: ",
        "jobs could write the Terraform state",
    ),
    *(
        ({"state": {"bucket": "lab-tfstate"}, "buckets": {"b": entry}}, "buckets.b.", says)
        for entry, says in (
            (
                {"name": "lab-tfstate", "access": "write", "prefix": "gen-infra/test/"},
                "could write the Terraform state",
            ),
            ({"name": "lab-*", "access": "write"}, "is not 3 to 63"),
            ({"name": "arn:aws:s3:::lab-tfstate", "access": "write"}, "is not 3 to 63"),
            ({"name": "lab-tfstate", "access": "write", "prefix": "*/"}, "is not an S3 prefix"),
            ({"name": "lab-tfstate", "access": "write", "prefix": "gen-infr?/"}, "is not an S3 prefix"),
            ({"name": "lab-tfstate", "access": "write", "prefix": "${aws:username}/"}, "is not an S3 prefix"),
            ({"name": "lab-tfstate", "access": "write", "prefix": "/"}, "is not an S3 prefix"),
        )
    ),
    *(
        (job(secrets={"A": {"arn": arn}}), "jobs.j.secrets.A.arn: ", "is not the ARN of")
        for arn in (
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:*",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/*",
            "arn:aws:ssm:us-east-1:123456789012:parameter/*",
        )
    ),
    *(
        ({f"image__{key}": name}, f"image.{key}: ", "SSM parameter name")
        for key in ("parameter", "source")
        for name in ("prod/db", "/prod/db/*", "/prod/{{x}}")
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
    *(
        (job(environment={"A": text}), "test.yaml:", ", encoded")
        for text in (
            "QUtJQUlPU0ZPRE5ON0VYQU1QTFg",  # without padding
            "UVV0SlFVbFBVMFpQUkU1T04wVllRVTFRVEZnPQ==",  # twice
            "cG9zdGdyZXM6Ly91c2VyOnA0c3M_dzByZD4-PkBoL2RiPz8_",  # for URLs
            "postgres%3A%2F%2Fu%3Ap4ssw0rd%40h%2Fdb",
        )
    ),
    # skip comments of scanners
    *(
        (manifest, "test.yaml:", "turns off a security scanner")
        for skip in (
            *("checkov:skip=CKV_AWS_210", "checkov :skip=x", "CHECKOV:SKIP=all", "#nosec B1", "terrascan:skip=x"),
            *("snyk:ignore", "regula:ignore", "yor:skip", "tfsec:ignore:x", "trivy:ignore:x"),
            *("# prowler:ignore", "#newtool:skip=X1", "checkov.io/skip1: CKV_AWS_1=x", "# noqa", "cdk_nag", "nosem"),
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


def test_the_principals_of_an_engine_are_named_by_the_manifest_and_no_others_are() -> None:
    loaded = load(ROOT / "envs/examples/nextflow.yaml")
    source = read_source(terraform_sources(render(loaded)))
    accepted = accepted_in(loaded)
    assert [*broken_rules(source.resources, accepted)] == []
    [principal] = loaded.given_engines["nextflow"].principals
    broken, *_ = broken_rules(source.resources, replace(accepted, trusted=frozenset()))
    assert (broken.rule.id, principal in broken.problem) == ("GI_IAM_3", True)
