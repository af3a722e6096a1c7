"""Jobs on the embedded AWS: submitted, followed to their end, found again."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gen_infra.aws import jobs, session, submission
from gen_infra.aws.submission import SubmitRequest
from gen_infra.errors import AwsError, UsageError
from gen_infra.resources import data_dir
from tests.emulator import probes

if TYPE_CHECKING:
    from gen_infra.aws.session import Clients
    from gen_infra.emulator import Emulator

TRUST = json.dumps(probes.TRUST)


@pytest.fixture
def clients(aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> Clients:
    for name, value in aws.environ.items():
        monkeypatch.setenv(name, value)
    return session.clients("us-east-1")


def layer(clients: Clients, env: str) -> None:
    """Just enough of an environment for jobs: a compute environment, two queues, a definition."""
    role = clients.iam.create_role(RoleName=f"batchService-{env}", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    clients.iam.attach_role_policy(RoleName=f"batchService-{env}", PolicyArn=probes.BATCH_POLICY)
    environment = clients.batch.create_compute_environment(
        computeEnvironmentName=f"genomicsEnv-{env}", type="UNMANAGED", state="ENABLED", serviceRole=role
    )["computeEnvironmentArn"]
    for queue in ("highPriority", "lowPriority"):
        clients.batch.create_job_queue(
            jobQueueName=f"{queue}-{env}",
            state="ENABLED",
            priority=1,
            computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment}],
        )
    clients.batch.register_job_definition(
        jobDefinitionName=f"isaac-{env}",
        type="container",
        containerProperties={
            "image": "public.ecr.aws/docker/library/busybox",
            "command": ["true"],
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
        },
    )


def function(clients: Clients, env: str) -> str:
    """Return the submit function as the module deploys it, without its queue of dead letters."""
    limits = {
        "arn_prefix": "arn:aws:batch:us-east-1:123456789012",
        "job_definitions": {f"isaac-{env}": None},
        "definitions_by_tag": False,
        "job_queues": [f"highPriority-{env}"],
        "fair_share": {},
        "overrides": ["environment"],
        "max_vcpus": 1,
        "max_memory_mib": None,
        "max_gpus": None,
        "max_array_size": 3,
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for path in (data_dir("modules") / "job-functions" / "src").glob("*.py"):
            file.write(path, path.name)
        file.writestr("submissions.json", json.dumps(limits))
    role = clients.iam.create_role(RoleName=f"batchSubmitJob-{env}", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    statement = {"Effect": "Allow", "Action": "batch:SubmitJob", "Resource": f"arn:aws:batch:*:*:job-*-{env}*"}
    tagging = {"Effect": "Allow", "Action": "batch:TagResource", "Resource": "arn:aws:batch:*:*:job/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement, tagging]})
    clients.iam.put_role_policy(RoleName=f"batchSubmitJob-{env}", PolicyName="submit", PolicyDocument=document)
    clients.functions.create_function(
        FunctionName=f"batchSubmitJob-{env}",
        Runtime="python3.13",
        Handler="batch_submit_job.handler",
        Role=role,
        Timeout=60,
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"ENVIRONMENT": env}},
    )
    return f"batchSubmitJob-{env}"


def request(env: str, name: str = "wgs-1", queue: str = "highPriority") -> SubmitRequest:
    return SubmitRequest(name=name, queue=f"{queue}-{env}", definition=f"isaac-{env}")


def test_a_submitted_job_is_watched_to_its_end(clients: Clients) -> None:
    layer(clients, "watched")
    seen: list[str] = []
    job_id = submission.submit(clients, request("watched"))
    job = jobs.watch(clients, job_id, lambda job: seen.append(job.status))
    assert job.id == job_id
    assert job.succeeded
    assert job.is_simulated, "its image is not there"
    assert (job.name, job.queue, job.definition) == ("wgs-1", "highPriority-watched", "isaac-watched:1")
    assert seen[-1] == "SUCCEEDED"
    assert len(seen) == len(set(seen))
    assert job.created is not None
    assert job.stopped is not None
    assert job.created <= job.stopped
    assert job_id in job.console_url


def test_jobs_are_listed_by_queue_and_status(clients: Clients) -> None:
    layer(clients, "listed")
    high = submission.submit(clients, request("listed", "high"))
    low = submission.submit(clients, request("listed", "low", "lowPriority"))
    for job_id in (high, low):
        jobs.watch(clients, job_id, lambda _job: None)
    queues = ["highPriority-listed", "lowPriority-listed"]
    assert {job.id for job in jobs.list_jobs(clients, queues)} == {high, low}
    assert [job.name for job in jobs.list_jobs(clients, queues[1:])] == ["low"]
    assert jobs.list_jobs(clients, queues, ["FAILED"]) == []
    assert [job.id for job in jobs.describe(clients, [low, "no-such-job", high])] == [low, high]


def test_a_queue_that_does_not_exist_is_reported_in_batchs_words(clients: Clients) -> None:
    layer(clients, "nowhere")
    with pytest.raises(AwsError, match=r"SubmitJob failed: .*midPriority-nowhere.*ClientException"):
        submission.submit(clients, request("nowhere", queue="midPriority"))


def test_the_environments_function_submits_and_refuses(clients: Clients) -> None:
    layer(clients, "function")
    name = function(clients, "function")
    job_id = submission.submit_via_function(clients, name, request("function"))
    assert [job.name for job in jobs.describe(clients, [job_id])] == ["wgs-1"]
    with pytest.raises(UsageError, match="'highPriority-other' does not belong to the environment 'function'"):
        submission.submit_via_function(clients, name, request("other"))
    environment, asked = {"SAMPLE": "17"}, request("function")
    array = submission.submit_via_function(clients, name, replace(asked, array_size=3, environment=environment))
    assert clients.batch.describe_jobs(jobs=[array])["jobs"][0]["arrayProperties"]["size"] == 3
    for change, message in (
        (
            {"command": ("sh",)},
            "containerOverrides.command stays as declared; add command to submit_function.overrides",
        ),
        ({"vcpus": 2}, "VCPU 2 is more than 1, which is submit_function.max_vcpus"),
    ):
        with pytest.raises(UsageError, match=message):
            submission.submit_via_function(clients, name, replace(asked, **change))
