"""`gen-infra why`, as typed, about jobs that are really stuck or have really failed on the embedded AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gen_infra import why
from gen_infra.manifest import load
from tests.emulator.layer import Layer
from tests.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.emulator import Emulator


@pytest.fixture(scope="module")
def layer(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layer]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environ.items():
            patch.setenv(name, value)
        yield Layer(aws, "stuck", tmp_path_factory.mktemp("stuck"))


def failing(layer: Layer) -> str:
    return layer.submit("sh", "-c", "exit 3")


def killed(layer: Layer) -> str:
    return layer.submit("sh", "-c", "exit 137")


def without_role(layer: Layer) -> str:
    return layer.submit("true", container={"jobRoleArn": "arn:aws:iam::123456789012:role/nobody"})


def without_log_group(layer: Layer) -> str:
    options = {"logDriver": "awslogs", "options": {"awslogs-group": "/aws/batch/stuck/gone"}}
    return layer.submit("true", container={"logConfiguration": options})


def too_slow(layer: Layer) -> str:
    return layer.submit("sleep", "3600", definition={"timeout": {"attemptDurationSeconds": 60}})


def test_jobs_that_failed(layer: Layer) -> None:
    submitted = {
        too_slow(layer): "timeout",
        failing(layer): "program-failed",
        killed(layer): "out-of-memory",
        without_role(layer): "role-not-assumable",
        without_log_group(layer): "log-group-absent",
    }
    env = load(layer.manifest)
    for job_id, cause in submitted.items():
        layer.reach(job_id, "FAILED")
        answer = why.explain(layer.clients, env, layer.manifest, job_id)
        assert [each.name for each in answer.causes] == [cause], answer
        assert answer.unseen == ()
    first = next(job_id for job_id, cause in submitted.items() if cause == "program-failed")
    assert "\ncause: its program failed\n  - exit code 3\n  - its log says: job" in layer.answer("why", first)


def test_jobs_that_wait(layer: Layer) -> None:
    large = layer.submit("true", vcpus=96)
    layer.reach(large, "RUNNABLE")
    after = layer.submit("true", dependsOn=[{"jobId": large}])
    layer.reach(after, "PENDING")
    said = layer.answer("why", after)
    assert "cause: it waits for other jobs to succeed" in said
    assert f"gen-infra why {layer.manifest} {large}" in said
    said = layer.answer("why", large)
    assert "cause: it asks for more vCPUs than its queue's compute environments may ever have" in said
    assert "spot-stuck-1 may have 16 vCPUs at most" in said
    assert "fix: lower jobs.one.vcpus, or raise max_vcpus of compute.spot" in said
    layer.clients.batch.update_compute_environment(computeEnvironment=layer.environment, state="DISABLED")
    layer.clients.batch.update_job_queue(jobQueue="main-stuck", state="DISABLED")
    wait_until(lambda: "NO_ENABLED_COMPUTE_ENVIRONMENT" in layer.describe(large)["statusReason"])
    answer = json.loads(layer.answer("why", large, "--json"))
    assert [cause["name"] for cause in answer["causes"]] == ["queue-disabled", "environments-disabled"]
    layer.clients.batch.update_compute_environment(computeEnvironment=layer.environment, state="ENABLED")
    layer.clients.batch.update_job_queue(jobQueue="main-stuck", state="ENABLED")
    layer.clients.batch.terminate_job(jobId=large, reason="not needed")
    [cause] = why.explain(layer.clients, load(layer.manifest), layer.manifest, large).causes
    assert cause.message == "it was terminated by a call of AWS Batch's API"


def test_a_job_without_problems(layer: Layer) -> None:
    job_id = layer.submit("sleep", "60")
    layer.reach(job_id, "RUNNING")
    assert "nothing is wrong with it" in layer.answer("why", job_id)
    layer.clients.batch.terminate_job(jobId=job_id, reason="done")


def test_a_job_that_is_not_there(layer: Layer) -> None:
    done = layer.run("why", "0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11")
    assert done.returncode == 4
    assert 'error: job "0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11" not found in us-east-1' in done.stderr
