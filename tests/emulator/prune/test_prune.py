"""Old revisions and images go; what a job or a revision needs stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gen_infra.aws import session
from tests.cli import clean_environ, gen_infra
from tests.emulator import probes
from tests.emulator.documented_actions import calls_exactly
from tests.emulator.pushed import put_image
from tests.oci import INDEX

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from gen_infra.aws.session import Clients
    from gen_infra.emulator import Emulator

MANIFEST = """\
name: pruned
account: "123456789012"
region: us-east-1
state: local
network: {ids: {subnets: [subnet-0123456789abcdef0], security_groups: [sg-0123456789abcdef0]}}
repositories: [tool]
compute: {spot: {max_vcpus: 64}}
queues: {main: {priority: 1, compute: [spot]}}
jobs: {tool: {image: "tool:9", vcpus: 1, memory_mib: 512}}
"""
REPOSITORY = "pruned/tool"


@pytest.fixture
def clients(aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> Clients:
    for name, value in aws.environ.items():
        monkeypatch.setenv(name, value)
    return session.clients("us-east-1")


@pytest.fixture
def prune(aws: Emulator, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    (tmp_path / "pruned.yaml").write_text(MANIFEST)
    return lambda *arguments: gen_infra(
        "prune", "pruned.yaml", *arguments, environ=clean_environ(**aws.environ), cwd=tmp_path
    )


def register(clients: Clients, image: str, name: str = "tool-pruned") -> None:
    clients.batch.register_job_definition(
        jobDefinitionName=name,
        type="container",
        containerProperties={
            "image": image,
            "command": ["sleep", "60"],
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
        },
    )


def queue(clients: Clients) -> str:
    """Make a queue whose jobs wait."""
    trust = json.dumps(probes.TRUST)
    role = clients.iam.create_role(RoleName="batchService-pruned", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    clients.iam.attach_role_policy(RoleName="batchService-pruned", PolicyArn=probes.BATCH_POLICY)
    environment = clients.batch.create_compute_environment(
        computeEnvironmentName="spot-pruned", type="UNMANAGED", state="ENABLED", serviceRole=role
    )["computeEnvironmentArn"]
    made = clients.batch.create_job_queue(
        jobQueueName="main-pruned",
        state="ENABLED",
        priority=1,
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment}],
    )["jobQueueArn"]
    clients.batch.update_compute_environment(computeEnvironment=environment, state="DISABLED")
    return made


def revisions(clients: Clients) -> list[int]:
    found = clients.batch.describe_job_definitions(jobDefinitionName="tool-pruned", status="ACTIVE")
    return sorted(definition["revision"] for definition in found["jobDefinitions"])


def tags(clients: Clients) -> set[str]:
    found = clients.ecr.describe_images(repositoryName=REPOSITORY)["imageDetails"]
    return {tag for image in found for tag in image.get("imageTags", [])}


def test_what_is_old_and_unused_is_removed(
    aws: Emulator, clients: Clients, prune: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    uri = clients.ecr.create_repository(repositoryName=REPOSITORY)["repository"]["repositoryUri"]
    digests = [put_image(clients.ecr, REPOSITORY, tag, tag.encode()) for tag in "1234567"]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [{"digest": digests[2]}]}
    clients.ecr.put_image(repositoryName=REPOSITORY, imageManifest=json.dumps(index), imageTag="both")
    for tag in "1234567":
        register(clients, f"{uri}:{tag}")
    for tag in ("1", "both"):
        register(clients, f"{uri}:{tag}", "otherTeams")
    job = clients.batch.submit_job(jobName="long", jobQueue=queue(clients), jobDefinition="tool-pruned:2")["jobId"]

    refused = prune()
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    shown = prune("--keep", "2", "--dry-run", "--json")
    assert shown.returncode == 0, shown.stderr
    answer = json.loads(shown.stdout)
    assert answer["removed"] is False
    assert answer["job_definitions"] == [f"tool-pruned:{revision}" for revision in (5, 4, 3, 1)]
    assert {tag for image in answer["images"] for tag in image["tags"]} == {"4", "5"}, (
        "1 is named by another team's definition, 2 by the job that has not ended, 3 is a part of one that is"
    )
    assert revisions(clients) == [1, 2, 3, 4, 5, 6, 7]
    assert tags(clients) == {*"1234567", "both"}

    with calls_exactly(aws, "prune"):
        done = prune("--keep", "2", "--yes")
    assert done.returncode == 0, done.stderr
    assert "job definition tool-pruned:4" in done.stdout.splitlines()
    assert f"image {REPOSITORY}:4: older than the newest 2" in done.stdout.splitlines()
    assert revisions(clients) == [2, 6, 7]
    assert tags(clients) == {*"12367", "both"}
    assert clients.batch.describe_jobs(jobs=[job])["jobs"][0]["status"] not in {"SUCCEEDED", "FAILED"}

    clients.batch.terminate_job(jobId=job, reason="the test is over")
    again = prune("--keep", "5", "--yes")
    assert (again.returncode, again.stdout) == (0, "")
    assert "nothing to remove" in again.stderr
