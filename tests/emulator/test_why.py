"""`gen-infra why`, as typed, about jobs that are really stuck or have really failed on the embedded AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.aws import jobs, session
from tests.cli import gen_infra
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gen_infra.aws.session import Clients
    from gen_infra.emulator import Emulator

GROUP = "/aws/batch/stuck/one"


class Layer:
    """A queue with a managed compute environment of 16 vCPUs, a definition, and the manifest that goes with them."""

    def __init__(self, aws: Emulator, clients: Clients, folder: Path) -> None:
        self._aws = aws
        self.clients = clients
        profile = clients.iam.create_instance_profile(InstanceProfileName="stuck")["InstanceProfile"]["Arn"]
        clients.logs.create_log_group(logGroupName=GROUP)
        subnets = clients.ec2.describe_subnets(Filters=[{"Name": "tag:Tier", "Values": ["private"]}])["Subnets"]
        ids = [each["SubnetId"] for each in subnets]
        [group, *_] = clients.ec2.describe_security_groups(
            Filters=[{"Name": "group-name", "Values": ["genomics-batch"]}]
        )["SecurityGroups"]
        self.environment = clients.batch.create_compute_environment(
            computeEnvironmentName="spot-stuck-1",
            type="MANAGED",
            computeResources={
                "type": "SPOT",
                "allocationStrategy": "SPOT_CAPACITY_OPTIMIZED",
                "minvCpus": 0,
                "maxvCpus": 16,
                "instanceTypes": ["m5.large"],
                "subnets": ids,
                "securityGroupIds": [group["GroupId"]],
                "instanceRole": profile,
            },
        )["computeEnvironmentArn"]
        clients.batch.create_job_queue(
            jobQueueName="main-stuck",
            state="ENABLED",
            priority=1,
            computeEnvironmentOrder=[{"order": 1, "computeEnvironment": self.environment}],
        )
        network = {"ids": {"subnets": ids, "security_groups": [group["GroupId"]]}}
        job = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
        self.manifest = write(folder, changed(name="stuck", network=network, jobs={"one": job}))

    def submit(self, *command: str, vcpus: int = 1, **more: Any) -> str:
        self.clients.batch.register_job_definition(
            jobDefinitionName="one-stuck",
            type="container",
            containerProperties={
                "image": "quay.io/x/y:1",
                "command": list(command),
                "resourceRequirements": [{"type": "VCPU", "value": str(vcpus)}, {"type": "MEMORY", "value": "512"}],
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": GROUP}},
                **more.pop("container", {}),
            },
            **more.pop("definition", {}),
        )
        made = self.clients.batch.submit_job(jobName="one", jobQueue="main-stuck", jobDefinition="one-stuck", **more)
        return made["jobId"]

    def reach(self, job_id: str, *statuses: str) -> None:
        """Wait until the job is in one of these states."""

        def see(job: jobs.Job) -> None:
            if job.status in statuses:
                raise StopIteration

        with pytest.raises(StopIteration):
            jobs.watch(self.clients, job_id, see)

    def why(self, job_id: str, *options: str) -> Any:
        done = gen_infra("why", self.manifest, job_id, *options, environ=self._aws.environ)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def layer(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layer]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environ.items():
            patch.setenv(name, value)
        yield Layer(aws, session.clients("us-east-1"), tmp_path_factory.mktemp("stuck"))


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
    return layer.submit("sleep", "3600", definition={"timeout": {"attemptDurationSeconds": 1}})


@pytest.mark.parametrize(
    ("submit", "cause"),
    [
        (failing, "cause: its program failed\n  - exit code 3\n  - its log says: job"),
        (killed, "cause: it ran out of memory\n"),
        (without_role, "role/nobody does not exist\n"),
        (without_log_group, "cause: its log group /aws/batch/stuck/gone is gone\n"),
        (too_slow, "cause: it ran for longer than it may\n"),
    ],
)
def test_a_job_that_failed(layer: Layer, submit: Callable[[Layer], str], cause: str) -> None:
    job_id = submit(layer)
    layer.reach(job_id, "FAILED")
    assert cause in layer.why(job_id)


def test_jobs_that_wait(layer: Layer) -> None:
    large = layer.submit("true", vcpus=96)
    layer.reach(large, "RUNNABLE")
    after = layer.submit("true", dependsOn=[{"jobId": large}])
    layer.reach(after, "PENDING")
    assert "cause: it waits for other jobs to succeed" in layer.why(after)
    assert f"gen-infra why {layer.manifest} {large}" in layer.why(after)
    said = layer.why(large)
    assert "cause: it asks for more vCPUs than its queue's environments may ever have" in said
    assert "spot-stuck-1 may have 16 vCPUs at most" in said
    assert "fix: lower jobs.one.vcpus, or raise max_vcpus of compute.spot" in said
    layer.clients.batch.update_compute_environment(computeEnvironment=layer.environment, state="DISABLED")
    layer.clients.batch.update_job_queue(jobQueue="main-stuck", state="DISABLED")
    answer = json.loads(layer.why(large, "--json"))
    assert [cause["name"] for cause in answer["causes"]] == ["queue-disabled", "environments-disabled"]
    layer.clients.batch.update_compute_environment(computeEnvironment=layer.environment, state="ENABLED")
    layer.clients.batch.update_job_queue(jobQueue="main-stuck", state="ENABLED")
    layer.clients.batch.terminate_job(jobId=large, reason="not needed")
    assert "cause: somebody terminated it" in layer.why(large)


def test_a_job_that_does_well(layer: Layer) -> None:
    job_id = layer.submit("true")
    layer.reach(job_id, "SUCCEEDED")
    assert "nothing is wrong with it" in layer.why(job_id)


def test_a_job_that_is_not_there(layer: Layer) -> None:
    done = gen_infra("why", layer.manifest, "0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11", environ=layer._aws.environ)
    assert done.returncode == 4
    assert "error: no such job in us-east-1" in done.stderr
