"""What a container of a job finds: its command, environment, files, limits and rights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gen_infra.aws import jobs, session
from tests.emulator.containers.conftest import IMAGE, ContainerLab
from tests.emulator.job_helpers import follow
from tests.emulator.probes import requirements


def test_a_job_runs_its_command_with_parameters_and_environment_and_writes_its_log(containers: ContainerLab) -> None:
    ended = containers.run(
        "echo Ref::sample; echo $STAGE >&2; echo; printf 'no newline'; exit 7",
        job={"parameters": {"sample": "NA12878"}},
        environment=[{"name": "STAGE", "value": "test"}],
    )
    assert (ended.job["status"], ended.job["statusReason"]) == ("FAILED", "Essential container in task exited")
    assert (ended.container["exitCode"], ended.container.get("reason")) == (7, None)
    assert sorted(ended.lines) == ["NA12878", "no newline", "test"]
    [attempt] = ended.job["attempts"]
    assert attempt["container"]["exitCode"] == 7
    assert ended.job["createdAt"] <= attempt["startedAt"] <= attempt["stoppedAt"]


def test_a_job_that_ran_is_not_shown_as_simulated(containers: ContainerLab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in containers.running.environ.items():
        monkeypatch.setenv(name, value)
    job_id = containers.submit("true")
    job = jobs.watch(session.clients("us-east-1"), job_id, lambda _job: None)
    assert (job.succeeded, job.is_simulated) == (True, False)


def test_a_container_has_the_variables_of_batch(containers: ContainerLab) -> None:
    queue = containers.queue.rpartition("/")[2]
    one = containers.submit("env | grep ^AWS_ | sort")
    parent = containers.submit(
        "echo $AWS_BATCH_JOB_ARRAY_INDEX/$AWS_BATCH_JOB_ARRAY_SIZE $AWS_BATCH_JOB_ID",
        job={"arrayProperties": {"size": 2}},
    )
    found = dict(line.split("=", 1) for line in containers.ended(one).lines)
    assert (found["AWS_BATCH_JOB_ID"], found["AWS_BATCH_JOB_ATTEMPT"]) == (one, "1")
    assert found["AWS_BATCH_JQ_NAME"] == queue
    assert found["AWS_BATCH_CE_NAME"].startswith("environment-")
    assert found["AWS_REGION"] == "us-east-1"
    assert "AWS_ACCESS_KEY_ID" not in found
    assert "AWS_BATCH_JOB_ARRAY_INDEX" not in found
    for index in range(2):
        assert containers.ended(f"{parent}:{index}").lines == [f"{index}/2 {parent}:{index}"]


def test_a_container_sees_its_image_and_not_this_machine(containers: ContainerLab, images: Path) -> None:
    written = "echo changed > /bin/get; echo new > /file; ls -d /file"
    ended = containers.run(
        f"{written}; ls /; ls /proc | grep -c '^[0-9]'; wget -O- http://127.0.0.1:22; head -c1 /dev/vda; exit 0"
    )
    assert {"/file", "bin", "etc", "home", "tmp"} <= set(ended.lines)
    assert not {"root", "usr", "var", "srv"} & set(ended.lines)
    processes = next(int(line) for line in ended.lines if line.isdecimal())
    assert processes <= 4, "only its own"
    assert "wget: can't connect to remote host (127.0.0.1): Connection refused" in ended.lines
    assert "head: /dev/vda: No such file or directory" in ended.lines
    assert not (images / IMAGE / "file").exists(), "the image is only read"
    assert "changed" not in (images / IMAGE / "bin/get").read_text()
    assert containers.run("ls -d /file").job["status"] == "FAILED", "the next job starts from the image"


def test_user_limits_file_systems_and_init_are_those_of_the_definition(containers: ContainerLab) -> None:
    script = """
    id; ulimit -n; cd /dev; df -m shm /small | tail -n +2 | awk '{print $2 " at " $6}'; touch /file; touch /small/file
    echo init $(cat /proc/1/comm); ls -l /dev/other | awk '{print $5, $6}'; cd /sys/fs/cgroup
    cat memory/memory.limit_in_bytes memory.max 2>/dev/null
    """
    ended = containers.run(
        script,
        user="worker",
        readonlyRootFilesystem=True,
        ulimits=[{"name": "nofile", "softLimit": 99, "hardLimit": 100}],
        linuxParameters={
            "sharedMemorySize": 8,
            "tmpfs": [{"containerPath": "/small", "size": 4, "mountOptions": ["mode=1777"]}],
            "initProcessEnabled": True,
            "devices": [{"hostPath": "/dev/zero", "containerPath": "/dev/other"}],
        },
    )
    assert "uid=1000(worker) gid=1000(worker) groups=50(staff)" in ended.lines
    assert {"99", "8 at /dev/shm", "4 at /small", "init docker-init", "1, 5"} <= set(ended.lines)
    assert "touch: /file: Read-only file system" in ended.lines
    assert not any("/small/file" in line for line in ended.lines)
    assert str(64 * 1024 * 1024) in ended.lines


def test_volumes_are_folders_of_the_emulator(containers: ContainerLab) -> None:
    efs = {"name": "efs", "efsVolumeConfiguration": {"fileSystemId": "fs-0123456789abcdef0", "rootDirectory": "/data"}}
    fsx = {"name": "fsx-work", "host": {"sourcePath": "/fsx/work"}}
    volumes = [
        {"name": "host", "host": {"sourcePath": "/etc"}},
        {"name": "scratch", "host": {"sourcePath": "/docker_scratch"}},
        efs,
        fsx,
    ]
    points = [
        {"sourceVolume": "host", "containerPath": "/host", "readOnly": True},
        {"sourceVolume": "scratch", "containerPath": "/scratch"},
        {"sourceVolume": "efs", "containerPath": "/efs"},
        {"sourceVolume": "fsx-work", "containerPath": "/fsx"},
    ]
    script = """
    ls -A /host /scratch; touch /host/file /scratch/file; echo kept | tee /efs/file >/fsx/file
    grep ' /scratch ' /proc/self/mountinfo
    """
    first = containers.run(script, volumes=volumes, mountPoints=points)
    *others, mount = first.lines
    assert others == ["/host:", "/scratch:", "touch: /host/file: Read-only file system"]
    own = mount.split()[3]
    assert own.startswith("/host/docker_scratch/"), "the image's runtime wrapper gives each container its own folder"
    assert len(own.rpartition("/")[2]) == 64
    second = containers.run("ls -A /scratch; cat /efs/file /fsx/file", volumes=volumes, mountPoints=points)
    assert second.lines == ["kept", "kept"], "EFS and FSx are shared, and scratch is not"


def test_the_job_role_is_enforced_inside(containers: ContainerLab) -> None:
    lab = containers.lab
    role, bucket = lab.role(lab.name("job")), lab.name("results")
    lab.allow(role.rpartition("/")[2], "s3:GetObject", f"arn:aws:s3:::{bucket}/own/*")
    s3 = lab.client("s3")
    s3.create_bucket(Bucket=bucket)
    for key in ("own/file", "other/file"):
        s3.put_object(Bucket=bucket, Key=key, Body=f"content of {key}".encode())
    ended = containers.run(f"get {bucket}/own/file; echo; get {bucket}/other/file", jobRoleArn=role)
    assert "content of own/file" in ended.lines
    assert "content of other/file" not in ended.lines
    assert "wget: server returned error: HTTP/1.1 403 Forbidden" in ended.lines


def test_a_container_is_not_the_administrator(containers: ContainerLab) -> None:
    """It knows the emulator's address, and could sign with the administrator's key: the emulator refuses both."""
    lab, bucket = containers.lab, containers.lab.name("closed")
    lab.client("s3").create_bucket(Bucket=bucket)
    signed = "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
    before = len(lab.client("s3").list_buckets()["Buckets"])
    script = f"""
    ask() {{ wget -q -S -O- "$@" 2>&1 | grep -o -m1 'HTTP/1.1 [0-9]*'; }}
    ask --header "Authorization: {signed}" "$AWS_ENDPOINT_URL/{bucket}"
    ask --post-data '{{"do": "heal"}}' "$AWS_ENDPOINT_URL/gen-infra/faults"
    ask --post-data '' "$AWS_ENDPOINT_URL/gen-infra/copies"
    ask --post-data '' "$AWS_ENDPOINT_URL/moto-api/reset"
    """
    assert containers.run(script).lines == ["HTTP/1.1 403"] * 4
    assert len(lab.client("s3").list_buckets()["Buckets"]) == before


def test_secrets_are_fetched_as_the_execution_role(containers: ContainerLab) -> None:
    lab = containers.lab
    role = lab.role(lab.name("execution"))
    secret = lab.client("secretsmanager").create_secret(
        Name=lab.name("secret"), SecretString=json.dumps({"key": "hidden"})
    )
    container: dict[str, Any] = {
        "executionRoleArn": role,
        "secrets": [{"name": "LICENSE", "valueFrom": f"{secret['ARN']}:key::"}],
    }
    refused = containers.run("echo $LICENSE", **container)
    assert (refused.job["status"], refused.job["statusReason"]) == ("FAILED", "Task failed to start")
    assert refused.container["reason"].startswith(
        "ResourceInitializationError: unable to pull secrets or registry auth"
    )
    assert "is not authorized to perform: secretsmanager:GetSecretValue" in refused.container["reason"]
    name = lab.name("parameter")
    lab.client("ssm").put_parameter(Name=f"/{name}", Value="also hidden", Type="String")
    lab.allow(role.rpartition("/")[2], "secretsmanager:GetSecretValue", secret["ARN"])
    lab.allow(role.rpartition("/")[2], "ssm:GetParameters", f"arn:aws:ssm:us-east-1:123456789012:parameter/{name}")
    container["secrets"].append({"name": "KEY", "valueFrom": f"/{name}"})
    assert containers.run("echo $LICENSE; echo $KEY", **container).lines == ["hidden", "also hidden"]


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        (
            {"image": "nowhere:1"},
            "CannotPullContainerError: Error response from daemon: pull access denied for nowhere:1",
        ),
        ({"command": ["no-such-program"]}, 'exec: "no-such-program": executable file not found in $PATH'),
        ({"user": "nobody-here"}, "unable to find user nobody-here: no matching entries in passwd file"),
        (
            {"linuxParameters": {"devices": [{"hostPath": "/dev/vda"}]}},
            'error gathering device information while adding custom device "/dev/vda": no such file or directory',
        ),
    ],
    ids=["image", "command", "user", "device"],
)
def test_a_container_that_cannot_start(containers: ContainerLab, container: dict[str, Any], reason: str) -> None:
    job_id = containers.submit(
        "true",
        job={"retryStrategy": {"attempts": 2, "evaluateOnExit": [{"onReason": "Cannot*", "action": "EXIT"}]}},
        **container,
    )
    job, _ = follow(containers.lab, job_id)
    assert (job["status"], job["statusReason"]) == ("FAILED", "Task failed to start")
    [attempt] = job["attempts"]
    assert reason in attempt["container"]["reason"]
    assert "exitCode" not in attempt["container"]


class TestLimits:
    """A container that takes too much is stopped, and does not affect another job that runs beside it."""

    def test_memory(self, containers: ContainerLab) -> None:
        ended = containers.run("exec tail /dev/zero")
        assert (ended.container["exitCode"], ended.container["reason"]) == (
            137,
            "OutOfMemoryError: Container killed due to memory usage",
        )

    def test_processes_disk_and_log(self, containers: ContainerLab) -> None:
        beside = containers.submit("sleep 1; echo fine > /file; cat /file")
        forks = containers.submit(
            "while :; do sleep 100 & done", resourceRequirements=requirements(vcpu="1", memory="500")
        )
        fills = containers.submit("dd if=/dev/zero of=/big bs=1M")
        writes = containers.submit("dd if=/dev/zero bs=1M count=1024; exit 5")
        assert any("can't fork" in line for line in containers.ended(forks).lines)
        assert "dd: error writing '/big': No space left on device" in containers.ended(fills).lines
        assert containers.ended(writes).container["exitCode"] == 5
        assert containers.ended(beside).lines == ["fine"]


def test_shares_of_vcpus(containers: ContainerLab) -> None:
    script = "cat /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/cpu.weight 2>/dev/null"
    ended = containers.run(script, resourceRequirements=requirements(vcpu="2", memory="64"))
    assert ended.lines in (["2048"], ["79"]), "cgroup v1, v2"
