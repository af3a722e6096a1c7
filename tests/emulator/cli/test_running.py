"""logs, cancel and jobs --watch, as typed, on jobs of the embedded AWS."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.cli import clean_environ, command
from tests.emulator.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.emulator import Emulator


@pytest.fixture(scope="module")
def layer(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layer]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environ.items():
            patch.setenv(name, value)
        yield Layer(aws, "running", tmp_path_factory.mktemp("running"))


def waiting(layer: Layer) -> str:
    """Submit a job that requests more than there is."""
    job_id = layer.submit("true", vcpus=96)
    layer.reach(job_id, "RUNNABLE")
    return job_id


def running(layer: Layer) -> str:
    job_id = layer.submit("sleep", "3600")
    layer.reach(job_id, "RUNNING")
    return job_id


SIMULATED = "simulated, no container runs: the emulator has no image quay.io/x/y:1"


def status(layer: Layer, job_id: str) -> tuple[str, str]:
    [job] = layer.clients.batch.describe_jobs(jobs=[job_id])["jobs"]
    return job["status"], job.get("statusReason", "")


def test_logs_of_every_attempt_as_text_as_json_and_since(layer: Layer) -> None:
    job_id = layer.submit("false", definition={"retryStrategy": {"attempts": 2}})
    layer.reach(job_id, "FAILED")
    said = layer.answer("logs", job_id)
    assert said.splitlines() == [
        f"job {job_id}, attempt 1",
        SIMULATED,
        "command: false",
        "exit code 1",
        f"job {job_id}, attempt 2",
        SIMULATED,
        "command: false",
        "exit code 1",
    ]
    lines = [json.loads(line) for line in layer.answer("logs", job_id, "--json").splitlines()]
    assert [line["text"] for line in lines] == said.splitlines()
    assert all(line["time"].endswith("Z") for line in lines)
    assert layer.answer("logs", job_id, "--since", "1h") == said
    later = layer.run("logs", job_id, "--since", "2199-01-01T00:00:00Z")
    assert (later.returncode, later.stdout) == (0, "")
    assert (
        f"the job wrote nothing since 2199-01-01T00:00:00Z, or its log is deleted: log group {layer.log_group}"
        in later.stderr
    )
    assert 'invalid time "a while"' in layer.run("logs", job_id, "--since", "a while").stderr


def test_a_job_of_several_containers_shows_each_of_them(layer: Layer) -> None:
    """With the definition that its manifest would have: submit changes one command, logs and why name the container."""
    requirements = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}]
    options = {"logDriver": "awslogs", "options": {"awslogs-group": layer.log_group, "awslogs-stream-prefix": "pair"}}
    more: Any = {"image": "quay.io/x/y:1", "resourceRequirements": requirements, "logConfiguration": options}
    containers: Any = [
        {"name": "align", "dependsOn": [{"containerName": "fetch", "condition": "SUCCESS"}], **more},
        {"name": "fetch", "command": ["fetch"], "essential": False, **more},
    ]
    layer.clients.batch.register_job_definition(
        jobDefinitionName="pair-running",
        type="container",
        ecsProperties={"taskProperties": [{"containers": containers}]},
    )
    one = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
    several = {"align": {**one, "depends_on": {"fetch": "SUCCESS"}}, "fetch": {**one, "essential": False}}
    document = yaml.safe_load(layer.manifest.read_text())
    layer.manifest.write_text(
        yaml.safe_dump({**document, "jobs": {**document["jobs"], "pair": {"containers": several}}})
    )
    job_id = layer.answer("submit", "pair", "--", "exit", "3").strip()
    layer.reach(job_id, "FAILED")
    assert sorted(layer.answer("logs", job_id).splitlines()) == [
        "align: command: exit 3",
        "align: exit code 3",
        f"align: job {job_id}, attempt 1",
        f"align: {SIMULATED}",
        "fetch: command: fetch",
        "fetch: exit code 0",
        f"fetch: job {job_id}, attempt 1",
        f"fetch: {SIMULATED}",
    ]
    card = layer.answer("jobs", job_id)
    assert "simulated:  the embedded AWS ran no container; the log says why" in card
    assert "align: exit code 3" in card
    assert "fetch: exit code 0" in card
    why = json.loads(layer.answer("why", job_id, "--json"))
    assert why["causes"][0]["name"] == "program-failed"
    assert why["causes"][0]["evidence"][0] == "container align: exit code 3"
    fetched = layer.answer("submit", "pair", "--container", "fetch", "--", "exit", "4").strip()
    layer.reach(fetched, "FAILED")
    assert "fetch: exit code 4" in layer.answer("logs", fetched)
    refused = layer.run("submit", "pair", "--container", "nope", "--", "true")
    assert (refused.returncode, "unknown container" in refused.stderr) == (2, True)
    assert layer.run("submit", "one", "--container", "x").returncode == 2


def test_logs_are_followed_to_the_end_of_the_last_attempt(layer: Layer) -> None:
    job_id = layer.submit("sleep", "2", definition={"retryStrategy": {"attempts": 1}})
    assert layer.answer("logs", job_id, "--follow").splitlines() == [
        f"job {job_id}, attempt 1",
        SIMULATED,
        "command: sleep 2",
        "exit code 0",
    ]


def test_without_a_log_the_reason_is_printed(layer: Layer) -> None:
    job_id = layer.submit("true", vcpus=96, arrayProperties={"size": 2})
    assert f"gen-infra logs {layer.manifest} {job_id}:0" in layer.run("logs", job_id).stderr
    child = layer.run("logs", f"{job_id}:0")
    assert (child.returncode, child.stdout) == (0, "")
    assert "has not started" in child.stderr
    layer.clients.batch.terminate_job(jobId=job_id, reason="done")


def test_what_waits_is_cancelled_and_what_runs_is_terminated(layer: Layer) -> None:
    one, other = waiting(layer), running(layer)
    assert layer.answer("cancel", one, other, "--yes").splitlines() == [one, other]
    for job_id, call in ((one, "isCancelled"), (other, "isTerminated")):
        [job] = layer.clients.batch.describe_jobs(jobs=[job_id])["jobs"]
        assert (job["status"], job[call]) == ("FAILED", True)  # type: ignore[literal-required]
        assert job["statusReason"].startswith("gen-infra cancel, by arn:aws:")


def test_only_a_queues_jobs_in_one_state_are_cancelled(layer: Layer) -> None:
    kept, gone = running(layer), {waiting(layer), waiting(layer)}
    answer = json.loads(layer.answer("cancel", "--queue", "main", "--status", "RUNNABLE", "--yes", "--json"))
    assert {job["id"] for job in answer} == gone
    assert {status(layer, job_id)[0] for job_id in gone} == {"FAILED"}
    assert status(layer, kept)[0] == "RUNNING"
    layer.clients.batch.terminate_job(jobId=kept, reason="done")


def test_nothing_is_cancelled_that_was_not_meant(layer: Layer) -> None:
    job_id = waiting(layer)
    refused = layer.run("cancel", job_id)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "add --yes to confirm" in refused.stderr
    unknown = layer.run("cancel", job_id, "0f6e3b1a-5b1c-4f43-9a53-7d2cbb1f3c11", "--yes")
    assert unknown.returncode == 1
    assert "nothing was changed" in unknown.stderr
    for wrong in ([], [job_id, "--queue", "main"], ["--queue", "main"], ["--status", "RUNNABLE"]):
        assert layer.run("cancel", "--yes", *wrong).returncode == 2
    layer.manifest.write_text(layer.manifest.read_text().replace("main", "another"))
    try:
        foreign = layer.run("cancel", job_id, "--yes")
    finally:
        layer.manifest.write_text(layer.manifest.read_text().replace("another", "main"))
    assert foreign.returncode == 2
    assert f"do not belong to environment running: {job_id} in main-running" in foreign.stderr
    assert status(layer, job_id)[0] == "RUNNABLE"
    layer.answer("cancel", job_id, "--yes")
    assert layer.run("cancel", job_id, "--yes").stderr == f"job {job_id} has already ended: FAILED\n"
    assert layer.answer("cancel", job_id, "--yes", "--json") == "[]\n"
    empty = layer.run("cancel", "--queue", "main", "--status", "RUNNABLE", "--yes")
    assert (empty.returncode, empty.stderr) == (0, "queue main has no RUNNABLE jobs\n")


def test_a_job_continues_when_watching_it_is_interrupted(layer: Layer) -> None:
    watching = subprocess.Popen(
        command("submit", layer.manifest, "one", "--watch", "--", "sleep", "3600"),
        env=clean_environ(**layer.aws.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = threading.Timer(60, watching.kill)
    deadline.start()
    try:
        assert watching.stdout
        job_id = watching.stdout.readline().strip()
        assert watching.stderr
        watching.stderr.readline()  # the first status: it is watching
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate()
    finally:
        deadline.cancel()
        watching.kill()
    assert watching.returncode == 4
    assert f"error: stopped watching; job {job_id} continues" in said
    assert f"gen-infra logs {layer.manifest} {job_id} --follow" in said
    assert status(layer, job_id)[0] not in {"SUCCEEDED", "FAILED"}
    layer.clients.batch.terminate_job(jobId=job_id, reason="done")


def test_the_queues_are_watched_until_interrupted(layer: Layer) -> None:
    stuck, busy = waiting(layer), running(layer)
    watching = subprocess.Popen(
        command("jobs", layer.manifest, "--watch", "--json"),
        env=clean_environ(**layer.aws.environ),
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = threading.Timer(60, watching.kill)
    deadline.start()
    try:
        assert watching.stdout
        [first] = json.loads(watching.stdout.readline())
        layer.clients.batch.terminate_job(jobId=busy, reason="done")
        [second] = json.loads(watching.stdout.readline())
        watching.send_signal(signal.SIGINT)
        assert watching.wait() == 0
    finally:
        deadline.cancel()
        watching.kill()
        watching.communicate()
    assert first["queue"] == "main-running"
    assert (first["counts"]["RUNNABLE"], first["counts"]["RUNNING"]) == (1, 1)
    assert (first["busy_vcpus"], first["max_vcpus"]) == (1, 16)
    assert first["oldest_runnable"]
    assert (second["counts"]["RUNNING"], second["busy_vcpus"]) == (0, 0)
    layer.clients.batch.terminate_job(jobId=stuck, reason="done")


def test_what_jobs_have_cost_is_estimated_from_their_history(layer: Layer) -> None:
    layer.reach(layer.submit("true"), "SUCCEEDED")
    answer = json.loads(layer.answer("cost", "--by", "queue", "--since", "30d", "--json"))
    [group] = answer["groups"]
    assert (group["name"], answer["is_estimate"]) == ("main", True)
    assert group["jobs"] == answer["jobs"] >= 1
    assert 0 < group["usd"]["low"] < group["usd"]["high"]
    assert any("AWS Batch keeps a job for about 7 days" in note for note in answer["notes"])
    assert any("their instance has ended" in note for note in answer["notes"])
    shown = json.loads(layer.answer("show", "--history", "--json"))
    assert shown["cost"]["jobs"][0]["usual_hours"] is not None
    refused = layer.run("cost", "--source", "cost-explorer")
    assert refused.returncode == 2
    assert "Cost Explorer has no costs of the environment running in this time" in refused.stderr
