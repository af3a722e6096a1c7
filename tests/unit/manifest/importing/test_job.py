"""Job definitions of AWS Batch as entries of a manifest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.errors import UsageError
from gen_infra.manifest.importing.job import Imported, import_jobs
from gen_infra.render.containers import container_properties
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

# As it was written until 2021: vCPUs and memory at the top level.
OLD = {
    "jobDefinitionName": "isaac-prod",
    "type": "container",
    "retryStrategy": {"attempts": 3},
    "parameters": {"sample": "NA12878"},
    "containerProperties": {
        "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/isaac:latest",
        "jobRoleArn": "arn:aws:iam::123456789012:role/jobRole",
        "vcpus": 32,
        "memory": 80000,
        "command": ["--sample", "Ref::sample"],
        "mountPoints": [{"containerPath": "/scratch", "readOnly": False, "sourceVolume": "docker_scratch"}],
        "volumes": [{"name": "docker_scratch", "host": {"sourcePath": "/docker_scratch"}}],
        "environment": [{"name": "THREADS", "value": "32"}, {"name": "DB_PASSWORD", "value": "hunter2"}],
        "ulimits": [{"name": "nofile", "softLimit": 65536, "hardLimit": 65536}],
        "privileged": False,
    },
}
ISAAC = {
    "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/isaac:latest",
    "vcpus": 32,
    "memory_mib": 80000,
    "command": ["--sample", "Ref::sample"],
    "environment": {"THREADS": "32"},
    "parameters": {"sample": "NA12878"},
    "attempts": 3,
    "scratch": "/scratch",
    "ulimits": {"nofile": {"soft": 65536, "hard": 65536}},
    "role": "arn:aws:iam::123456789012:role/jobRole",
}
# The example of the AWS Batch user guide.
SLEEP = {
    "jobDefinitionName": "sleep30",
    "type": "container",
    "containerProperties": {
        "image": "busybox",
        "resourceRequirements": [{"type": "MEMORY", "value": "10"}, {"type": "VCPU", "value": "1"}],
        "command": ["sleep", "30"],
    },
    "timeout": {"attemptDurationSeconds": 90},
}
FARGATE = {
    "jobDefinitionName": "fargate",
    "type": "container",
    "platformCapabilities": ["FARGATE"],
    "containerProperties": {
        "image": "public.ecr.aws/amazonlinux/amazonlinux:2023",
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "networkConfiguration": {"assignPublicIp": "ENABLED"},
        "fargatePlatformConfiguration": {"platformVersion": "LATEST"},
        "resourceRequirements": [{"type": "VCPU", "value": "0.25"}, {"type": "MEMORY", "value": "512"}],
        "command": ["echo", "hello"],
    },
    "tags": {"Team": "a", "aws:cloudformation:stack-name": "lab"},
}


def imported(document: object) -> Imported:
    return import_jobs(document if isinstance(document, str) else json.dumps(document))


def said(result: Imported, *words: str) -> bool:
    return any(all(word in note for word in words) for note in result.notes)


def test_a_definition_from_before_2021() -> None:
    result = imported(OLD)
    assert result.jobs == {"isaac-prod": ISAAC}
    assert said(result, "environment: DB_PASSWORD looks like a secret and is left out")
    assert "hunter2" not in "".join(result.notes)
    assert said(result, "jobRoleArn is kept as `role`", "without that key it makes one, for `buckets`")
    assert said(result, "timeout is not given")
    assert said(
        result,
        'attempts 3 retry host-lost, image-pull, docker-timeout only; add `retry: [{reason: "*"}]` to retry every',
    )
    assert len(result.notes) == 4, "what gen-infra does in the same way has no note"


def test_the_user_guides_example() -> None:
    result = imported(SLEEP)
    assert result.jobs == {
        "sleep30": {
            "image": "docker.io/library/busybox",
            "vcpus": 1,
            "memory_mib": 10,
            "command": ["sleep", "30"],
            "attempts": 1,
            "timeout_minutes": 2,
        }
    }
    assert said(result, "image busybox is on Docker Hub")
    assert said(result, "timeout of 90 seconds becomes 2 minutes")


def test_a_job_on_fargate_keeps_its_size_and_needs_a_queue_there() -> None:
    result = imported(FARGATE)
    assert result.jobs["fargate"] == {
        "image": "public.ecr.aws/amazonlinux/amazonlinux:2023", "vcpus": 0.25, "memory_mib": 512,
        "command": ["echo", "hello"], "attempts": 1, "tags": {"Team": "a"},
    }  # fmt: skip
    for words in (
        "give it a queue on Fargate", "executionRoleArn", "networkConfiguration is not carried over",
    ):  # fmt: skip
        assert said(result, words), words
    assert not said(result, "fargatePlatformConfiguration"), "LATEST is what gen-infra asks for"


def test_the_newest_revision_is_imported() -> None:
    older = {**SLEEP, "revision": 9, "status": "ACTIVE", "jobDefinitionArn": "arn:aws:batch:…:9"}
    newer = {**SLEEP, "revision": 10, "status": "ACTIVE", "jobDefinitionArn": "arn:aws:batch:…:10"}
    newer["containerProperties"] = {**SLEEP["containerProperties"], "command": ["true"]}  # type: ignore[dict-item]
    result = imported({"jobDefinitions": [newer, older, OLD]})
    assert list(result.jobs) == ["sleep30", "isaac-prod"]
    assert result.jobs["sleep30"]["command"] == ["true"]


def test_a_command_line() -> None:
    result = imported(
        "aws batch register-job-definition \\\n"
        "  --job-definition-name isaac-prod --type container --retry-strategy attempts=3 \\\n"
        "  --parameters sample=NA12878 --timeout attemptDurationSeconds=3600 --region us-east-1 \\\n"
        f"  --container-properties '{json.dumps(OLD['containerProperties'])}'\n"
    )
    assert result.jobs == {"isaac-prod": {**ISAAC, "timeout_minutes": 60}}
    assert not said(result, "region")


def test_a_cloudformation_template() -> None:
    result = imported(
        {
            "Resources": {
                "Job": {
                    "Type": "AWS::Batch::JobDefinition",
                    "Properties": {
                        "JobDefinitionName": "sleep30",
                        "Parameters": {"Sample": "x"},
                        "ContainerProperties": {
                            "Image": "busybox:1",
                            "ResourceRequirements": [
                                {"Type": "VCPU", "Value": "1"},
                                {"Type": "MEMORY", "Value": "10"},
                                {"Type": "GPU", "Value": "1"},
                            ],
                        },
                    },
                }
            }
        }
    )
    assert result.jobs["sleep30"]["parameters"] == {"Sample": "x"}
    assert result.jobs["sleep30"]["image"] == "docker.io/library/busybox:1"
    assert result.jobs["sleep30"]["gpus"] == 1
    assert said(result, "gpus needs `image: {base: ecs-al2023-gpu}`")


def test_bare_container_properties() -> None:
    result = imported(OLD["containerProperties"])
    assert result.jobs["job1"]["vcpus"] == 32


@pytest.mark.parametrize(
    ("host", "read_only", "carried"),
    [("/docker_scratch", False, True), ("/docker_scratch/", False, True),
     ("/mnt/nvme", False, False), ("/docker_scratch", True, False),
     ("/var/run/docker.sock", False, False), ("/etc", False, False), ("/", False, False)],
)  # fmt: skip
def test_only_a_folder_that_can_be_scratch_becomes_scratch(host: str, read_only: bool, carried: bool) -> None:
    container = {
        **SLEEP["containerProperties"],  # type: ignore[dict-item]
        "mountPoints": [{"containerPath": "/work", "readOnly": read_only, "sourceVolume": "v"}],
        "volumes": [{"name": "v", "host": {"sourcePath": host}}],
    }
    result = imported({**SLEEP, "containerProperties": container})
    assert (result.jobs["sleep30"].get("scratch") == "/work") is carried
    assert said(result, "mountPoints: /work") is not carried


@pytest.mark.parametrize(
    "host", ["/etc", "/var/run/docker.sock", "//", "/srv/../usr/bin", "/opt/lab", "/home/a", "/local"]
)
def test_system_folders_are_left_out_and_others_need_to_be_listed(host: str) -> None:
    container = {
        **SLEEP["containerProperties"],  # type: ignore[dict-item]
        "mountPoints": [{"containerPath": "/work", "sourceVolume": "v"}],
        "volumes": [{"name": "v", "host": {"sourcePath": host}}],
    }
    result = imported({**SLEEP, "containerProperties": container})
    is_listed = host in ("/opt/lab", "/home/a", "/local")
    assert result.host_paths == ([host] if is_listed else [])
    assert any("is a system folder of the host" in note for note in result.notes) is not is_listed


def test_a_variable_without_a_value_is_left_out_as_the_provider_does() -> None:
    container = {
        **SLEEP["containerProperties"],  # type: ignore[dict-item]
        "environment": [{"name": "EMPTY", "value": ""}, {"name": "SET", "value": "1"}],
    }
    result = imported({**SLEEP, "containerProperties": container})
    assert result.jobs["sleep30"]["environment"] == {"SET": "1"}
    assert said(result, "environment: EMPTY")


@pytest.mark.parametrize("where", ["command", "environment", "image", "parameters"])
def test_no_secret_is_repeated(where: str) -> None:
    secret = "ghp_" + "a1B2" * 9
    document: dict[str, Any] = json.loads(json.dumps(SLEEP))
    container = document["containerProperties"]
    if where == "command":
        container["command"] = ["run", secret]
    elif where == "environment":
        container["environment"] = [{"name": "HARMLESS", "value": secret}]
    elif where == "image":
        container["image"] = f"https://user:{secret}@example.com/x"
    else:
        document["parameters"] = {"sample": secret}
    result = imported(document)
    assert secret not in json.dumps(result.jobs) + "".join(result.notes)
    assert said(result, "secret")


def test_what_a_manifest_does_not_accept_has_a_note() -> None:
    container = {"image": "a/b", "vcpus": 3_000_000_000, "memory": 10, "environment": [{"name": "A-B", "value": "x"}]}
    result = imported({"jobDefinitionName": "1 odd:name", "containerProperties": container})
    assert list(result.jobs) == ["job-1-odd-name"]
    assert said(result, "the name becomes job-1-odd-name")
    assert said(result, "environment: A-B is left out")
    assert said(result, "vcpus is not accepted by a manifest")
    result = imported([SLEEP, {"jobDefinitionName": "many", "type": "multinode", "nodeProperties": {"numNodes": 2}}])
    assert list(result.jobs) == ["sleep30"]
    assert result.refusals == [("many", "its nodeProperties have no node ranges")]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", "null", "3", "[" * 100_000, '{"a": [1, {"b": "c"}]}',
     "aws batch register-job-definition '",
     "Resources: {a: {Type: AWS::Batch::JobQueue}}", "a: [b", "a: " + "[" * 100_000],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_a_file_without_a_definition_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        import_jobs(text)


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        (
            "aws batch register-job-definition --container-properties {",
            "job1",
            "the JSON of containerProperties is invalid",
        ),
        ('{"jobDefinitionName": "three", "containerProperties": []}', "three", "it has no container properties"),
        ('{"jobDefinitionName": 3, "containerProperties": []}', "3", "its jobDefinitionName is 3, which is not text"),
        (
            '{"jobDefinitionName": "two", "containerProperties": [{"image": "a/b"}, {"image": "a/c"}]}',
            "two",
            "its containerProperties are not a mapping",
        ),
        (
            '{"jobDefinitionName": "both", "containerProperties": {"image": "a/b"}, "ecsProperties": '
            '{"taskProperties": [{"containers": [{"image": "a/c"}]}]}}',
            "both",
            "it has containerProperties and ecsProperties; AWS Batch accepts one of them",
        ),
        (
            '{"jobDefinitionName": "both", "containerProperties": {"image": "a/b"}, "nodeProperties": {"numNodes": 2}}',
            "both",
            "it has containerProperties and nodeProperties; AWS Batch accepts one of them",
        ),
        (
            '{"jobDefinitionName": "many", "type": "multinode", "containerProperties": {"image": "a/b"}}',
            "many",
            "its type is multinode, but it has containerProperties; AWS Batch accepts nodeProperties",
        ),
        (
            "aws batch register-job-definition --container-properties file://job.json",
            "job1",
            "its arguments are in the file job.json; import that file instead",
        ),
    ],
)
def test_an_unusable_definition_is_refused_by_name(text: str, name: str, reason: str) -> None:
    result = import_jobs(text)
    assert (result.jobs, result.refusals) == ({}, [(name, reason)])


def test_values_of_other_types_are_imported_or_refused() -> None:
    container: dict[str, Any] = OLD["containerProperties"]  # type: ignore[assignment]
    strange: list[Any] = [None, 3, -1, "x", True, [], [3], {}, {"x": 3}, [[]], [None], float("inf"), {"name": {}}]
    for value in [*strange, [{"name": [], "host": 3}], [{"sourceVolume": []}]]:
        for key in container:
            imported({**OLD, "containerProperties": {**container, key: value}})
        for key in OLD:
            result = imported({**OLD, key: value})
            assert len(result.jobs) + len(result.refusals) == 1


def test_a_definition_of_gen_infra_is_imported_as_it_was(tmp_path: Path) -> None:
    job = {
        "image": "quay.io/biocontainers/samtools:1.21", "vcpus": 4, "memory_mib": 10000,
        "command": ["stats", "Ref::in"],
        "environment": {"A": "b"}, "parameters": {"in": "x.bam"}, "attempts": 2, "timeout_minutes": 90,
        "scratch": "/scratch", "scheduling_priority": 7,
    }  # fmt: skip
    manifest = accept(tmp_path, jobs={"stats": job})
    registered = {
        "jobDefinitionName": manifest.suffixed("stats"),
        "type": "container",
        "platformCapabilities": ["EC2"],
        "propagateTags": True,
        "parameters": manifest.jobs["stats"].parameters,
        "schedulingPriority": 7,
        "retryStrategy": {"attempts": 2},
        "timeout": {"attemptDurationSeconds": 5400},
        "containerProperties": container_properties(manifest, "stats"),
    }
    result = imported(registered)
    assert result.jobs == {"stats-test": job}
    again = accept(tmp_path, jobs={"stats": result.jobs["stats-test"]})
    assert container_properties(again, "stats") == container_properties(manifest, "stats")
