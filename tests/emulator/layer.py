"""Create the minimum that jobs need, through the API: faster than terraform."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.aws import jobs, session
from gen_infra.cli import main
from tests.emulator.probes import TRUST, WORKER_POLICY
from tests.polling import wait_until
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.emulator import Emulator


class Layer:
    """A queue with a managed compute environment of 16 vCPUs, a definition, and the manifest that goes with them.

    Args:
        aws: the emulator.
        name: the environment's, unique in that account.
        folder: where the manifest is written.
    """

    def __init__(self, aws: Emulator, name: str, folder: Path) -> None:
        self.aws = aws
        self.name = name
        self.log_group = f"/aws/batch/{name}/one"
        self.clients = clients = session.clients("us-east-1")
        profile = clients.iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"]
        clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        clients.iam.put_role_policy(RoleName=name, PolicyName="worker", PolicyDocument=WORKER_POLICY)
        clients.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        clients.logs.create_log_group(logGroupName=self.log_group)
        subnets = clients.ec2.describe_subnets(Filters=[{"Name": "tag:Tier", "Values": ["private"]}])["Subnets"]
        ids = [each["SubnetId"] for each in subnets]
        [group, *_] = clients.ec2.describe_security_groups(
            Filters=[{"Name": "group-name", "Values": ["genomics-batch"]}]
        )["SecurityGroups"]
        self.environment = clients.batch.create_compute_environment(
            computeEnvironmentName=f"spot-{name}-1",
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
            jobQueueName=f"main-{name}",
            state="ENABLED",
            priority=1,
            computeEnvironmentOrder=[{"order": 1, "computeEnvironment": self.environment}],
        )
        network = {"ids": {"subnets": ids, "security_groups": [group["GroupId"]]}}
        job = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
        self.manifest = write(folder, changed(name=name, network=network, jobs={"one": job}))

    def submit(self, *command: str, vcpus: int = 1, **more: Any) -> str:
        container: Any = {
            "image": "quay.io/x/y:1",
            "command": list(command),
            "resourceRequirements": [{"type": "VCPU", "value": str(vcpus)}, {"type": "MEMORY", "value": "512"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": self.log_group}},
            **more.pop("container", {}),
        }
        self.clients.batch.register_job_definition(
            jobDefinitionName=f"one-{self.name}",
            type="container",
            containerProperties=container,
            **more.pop("definition", {}),
        )
        made = self.clients.batch.submit_job(
            jobName="one", jobQueue=f"main-{self.name}", jobDefinition=f"one-{self.name}", **more
        )
        return made["jobId"]

    def reach(self, job_id: str, *statuses: str) -> None:
        """Wait until the job is in one of these states."""

        def check_status(job: jobs.SubmittedJob) -> None:
            if job.status in statuses:
                raise StopIteration

        with pytest.raises(StopIteration):
            jobs.watch(self.clients, job_id, check_status)

    def settle(self) -> None:
        """Wait until Batch has tried to place every job that was submitted before."""
        last = self.submit("true", vcpus=96)  # more than any environment has, so that Batch gives it a status reason
        wait_until(lambda: self.describe(last).get("statusReason"))
        self.clients.batch.terminate_job(jobId=last, reason="not needed")

    def describe(self, job_id: str) -> Any:
        [job] = self.clients.batch.describe_jobs(jobs=[job_id])["jobs"]
        return job

    def end(self, *jobs: str) -> None:
        for each in jobs:
            self.clients.batch.terminate_job(jobId=each, reason="done")

    def run(self, command: str, *arguments: str, manifest: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run `gen-infra COMMAND MANIFEST ARGUMENTS` without a terminal, in this process, where it starts faster."""
        typed = ["gen-infra", command, str(manifest or self.manifest), *arguments]
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            patch.setattr(sys, "argv", typed)
            with pytest.raises(SystemExit) as end:
                main()
        assert isinstance(end.value.code, int)
        return subprocess.CompletedProcess(typed, end.value.code, out.getvalue(), err.getvalue())

    def answer(self, command: str, *arguments: str) -> str:
        """Run the command, which must succeed, and return what it prints."""
        done = self.run(command, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
