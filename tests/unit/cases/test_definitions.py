"""Job definitions out of public reports: what each becomes.

``definitions/`` has them, with names and accounts replaced.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest.importing.job import Imported, import_jobs
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.render.containers import container_properties
from gen_infra.render.files import render
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from collections.abc import Mapping

CASES = Path(__file__).with_name("definitions")
GPU = {"image__base": "ecs-al2023-gpu", "compute__spot__instance_types": ["g5", "p4d"], "compute__spot__type": "EC2"}


def case(name: str) -> Imported:
    (path,) = CASES.glob(f"{name}.*")
    return import_jobs(path.read_text())


def has_note(result: Imported, *words: str) -> bool:
    return any(all(word in note for word in words) for note in result.notes)


def mounts(tmp_path: Path, jobs: dict[str, Any], job: str, **changes: Any) -> Mapping[str, str]:
    """Container path -> host path, as rendered."""
    properties: dict[str, Any] = container_properties(accept(tmp_path, jobs=jobs, **changes), job)
    hosts = {volume["name"]: volume["host"]["sourcePath"] for volume in properties["volumes"]}
    return {mount["containerPath"]: hosts[mount["sourceVolume"]] for mount in properties["mountPoints"]}


def test_a_parameter_by_name_becomes_an_arn_of_the_definitions_region_and_account() -> None:
    result = case("01-refinebio-compendia")
    (entry,) = result.jobs.values()
    assert entry["secrets"]["SENTRY_DSN"] == {"arn": "arn:aws:ssm:us-east-1:123456789012:parameter/lab/sentry"}
    assert has_note(
        result, "secrets: SENTRY_DSN names an SSM parameter, and becomes arn:aws:ssm:us-east-1:123456789012:"
    )
    assert entry["timeout_minutes"] == 14_400


def test_several_containers_of_a_task_become_containers_of_a_job(tmp_path: Path) -> None:
    result = case("03-ecs-properties")
    assert result.refusals == []
    size = {"vcpus": 1, "memory_mib": 4096}
    assert result.jobs == {
        "analytics-with-model-server": {
            "containers": {
                "server": {"image": "registry.example.org/server:1", **size, "essential": False},
                "analytics": {"image": "registry.example.org/analytics:1", **size, "depends_on": {"server": "START"}},
            },
            "attempts": 2, "timeout_minutes": 120, "ephemeral_storage_gib": 30,
            "role": "arn:aws:iam::123456789012:role/lab-task",
            "task_properties": {"runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}},
        }
    }  # fmt: skip
    render(accept(tmp_path, jobs=result.jobs, compute__spot={"type": "FARGATE", "max_vcpus": 64}))


def test_the_single_container_of_a_task_becomes_a_job(tmp_path: Path) -> None:
    result = case("03-ecs-properties-single")
    assert result.jobs == {
        "one-container-in-ecs-properties": {
            "image": "quay.io/biocontainers/bwa:0.7.17", "vcpus": 8, "memory_mib": 30000, "command": ["bwa", "mem"],
            "attempts": 1, "timeout_minutes": 120, "role": "arn:aws:iam::123456789012:role/lab-task",
        }
    }  # fmt: skip
    render(accept(tmp_path, jobs=result.jobs))


def test_eks_is_refused_by_name() -> None:
    (refusal,) = case("04-eks-properties").refusals
    assert refusal.name == "list-efs-on-eks"
    assert "EKS job definitions are not supported" in refusal.reason


def test_nodes_that_differ_are_refused_with_what_differs() -> None:
    result = case("05-multinode-two-kinds")
    assert result.jobs == {}
    assert result.refusals == [
        (
            "manager-and-workers",
            "its nodes differ: 0 and 1: in command; a job of a manifest runs the same container on every node",
        )
    ]


def test_an_instance_type_that_the_queue_does_not_have_is_refused(tmp_path: Path) -> None:
    result = case("06-gromacs-mnp")
    compute = {"mpi": {"type": "EC2", "max_vcpus": 64, "instance_types": ["c7i"]}}
    with pytest.raises(ManifestError, match=r"p3.2xlarge is not among the instance types of queue main \(c7i\)"):
        accept(tmp_path, jobs=result.jobs, compute=compute, queues__main__compute=["mpi"])


def test_only_the_scratch_folder_becomes_scratch(tmp_path: Path) -> None:
    result = case("07-nextflow-mounts")
    ((name, entry),) = result.jobs.items()
    assert entry["scratch"] == "/scratch"
    assert mounts(tmp_path, result.jobs, name, hosts__allow_paths=result.host_paths) == {
        "/scratch": "/docker_scratch",
        "/home/ec2-user/miniconda": "/home/ec2-user/miniconda",
    }


def test_logical_ids_are_names_and_a_shared_folder_stays_what_it_is(tmp_path: Path) -> None:
    result = case("08-cfn-template")
    assert list(result.jobs) == ["RFDiffusionJobDefinition", "ESMFoldJobDefinition"]
    assert has_note(
        result, "RFDiffusionJobDefinition: image ${Registry.RepositoryUri}:latest holds a variable", "replace it"
    )
    diffusion = {**result.jobs["RFDiffusionJobDefinition"], "image": "quay.io/x/rfdiffusion:1"}
    assert "scratch" not in diffusion
    changes = {**GPU, "hosts__allow_paths": result.host_paths}
    assert mounts(tmp_path, {"a": diffusion}, "a", **changes) == {"/database": "/fsx"}


def test_inactive_revisions_are_named_and_not_imported() -> None:
    result = case("15-inactive-revision")
    assert result.jobs["align"]["image"] == "quay.io/biocontainers/bwa:0.7.17"
    assert list(result.jobs) == ["align"]
    assert result.refusals == [("align:5", "the revision is INACTIVE"), ("retired:2", "the revision is INACTIVE")]


def test_shared_memory_has_no_limit_of_ours(tmp_path: Path) -> None:
    result = case("16-torchx-efa")
    ((name, entry),) = result.jobs.items()
    assert entry["linux"]["shared_memory_mib"] == 1_100_000
    assert entry["evaluate_on_exit"] == [{"action": "EXIT", "on_exit_code": "0"}]
    render(accept(tmp_path, jobs={name: entry}, **{**GPU, "compute__spot__max_vcpus": 192}))


def test_long_timeouts_and_retry_rules_are_carried_over(tmp_path: Path) -> None:
    result = case("18-firelens-consumable")
    entry = result.jobs["licensed-basecaller"]
    assert entry["timeout_minutes"] == 43_200
    assert entry["retry"] == [
        {"reason": "CannotPullContainerError*"}, "docker-timeout", "host-lost", {"exit_code": 137},
    ]  # fmt: skip
    assert entry["linux"]["tmpfs"][0]["options"] == ["rw", "mode=1777"]
    assert has_note(
        result,
        "consumableResourceProperties is not carried over: Terraform's AWS provider 5.100 cannot register consumable "
        "resources, and newer versions cannot either",
    )
    manifest = accept(tmp_path, jobs=result.jobs, **GPU)
    text = render(manifest)["terraform/jobs.tf"].decode()
    assert 'on_exit_code = "137"' in text
    assert "attempt_duration_seconds = 2592000" in text
    assert text.count("evaluate_on_exit {") == 5


def test_a_large_environment_stays_whole() -> None:
    variables = [{"name": f"SETTING_{index}", "value": "v" * 100} for index in range(160)]
    container = {"image": "quay.io/biocontainers/bwa:0.7.17", "vcpus": 1, "memory": 1000, "environment": variables}
    result = import_jobs(json.dumps({"jobDefinitionName": "many-variables", "containerProperties": container}))
    assert len(result.jobs["many-variables"]["environment"]) == 160


def test_a_command_line_with_scratch(tmp_path: Path) -> None:
    result = case("48-command-line-with-scratch")
    assert result.jobs["strtk"]["scratch"] == "/scratch"
    assert result.jobs["strtk"]["role"] == "arn:aws:iam::123456789012:role/batchJobRole"
    assert mounts(tmp_path, result.jobs, "strtk") == {"/scratch": "/docker_scratch"}
