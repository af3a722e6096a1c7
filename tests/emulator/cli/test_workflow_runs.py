"""run, runs and why, as typed, on a workflow whose samples say how their jobs end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gen_infra import emulator
from gen_infra.aws import runs
from gen_infra.manifest import load
from gen_infra.manifest.state_machines import definition, many_definition
from tests.emulator.layer import Layer
from tests.emulator.probes import Lab
from tests.emulator.probes.state_machines import STATES
from tests.polling import wait_until
from tests.unit.manifests import changed, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.emulator import Emulator

NAME, BUCKET = "flow", "flow-results"
ACTIONS = ("batch:*", "events:*", "states:StartExecution", "s3:*")


class WorkflowLayer(Layer):
    """A layer with workflows whose first job runs the command of its sample.

    The role of `denied` may not submit jobs, and the steps of `impatient` may take two seconds.
    """

    def __init__(self, aws: Emulator, folder: Path) -> None:
        super().__init__(aws, NAME, folder)
        self.lab = Lab(aws.endpoint)
        self.clients.s3.create_bucket(Bucket=BUCKET)
        network = yaml.safe_load(self.manifest.read_text())["network"]
        job = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
        align = job | {"command": ["sh", "-c", "Ref::does"], "required_parameters": ["does"], "buckets": ["results"]}
        inputs, first = {"sample": "text", "does": "text"}, {"job": "align", "parameters": {"does": "$does"}}
        steps = {"align": first, "stats": {"job": "stats", "after": ["align"]}}
        many = {"max_concurrency": 10, "tolerated_failure_percentage": 80}
        document = changed(
            name=NAME,
            network=network,
            buckets={"results": {"name": BUCKET, "access": "write"}},
            jobs={"align": align, "stats": job},
            workflows={
                "germline": {"input": inputs, "steps": steps, "many": many},
                "denied": {"input": inputs, "steps": steps},
                "impatient": {"input": inputs, "steps": steps},
            },
        )
        self.manifest = write(folder, document)
        self.env = load(self.manifest)
        self.register("align", ["sh", "-c", "Ref::does"])
        self.register("stats", ["true"])
        for workflow in self.env.workflows:
            role = self.lab.role(workflow, service=STATES)
            for action in ACTIONS[workflow == "denied" :]:
                self.lab.allow(workflow, action, "*")
            states = definition(self.env, workflow)
            if workflow == "impatient":
                states["States"]["align"]["TimeoutSeconds"] = 2
            self._create(self.env.state_machine_name(workflow), states, role)
        germline = self.env.workflows["germline"].many
        assert germline is not None
        many_name = self.env.many_machine_name("germline")
        self._create(many_name, many_definition(self.env, "germline", germline), self.lab.role("germline"))

    def register(self, job: str, command: list[str]) -> None:
        container: Any = {
            "image": "quay.io/x/y:1",
            "command": command,
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": self.log_group}},
        }
        self.clients.batch.register_job_definition(
            jobDefinitionName=f"{job}-{NAME}", type="container", containerProperties=container
        )

    def _create(self, name: str, states: dict[str, Any], role: str) -> None:
        self.lab.client("stepfunctions").create_state_machine(name=name, definition=json.dumps(states), roleArn=role)

    def start(self, name: str, does: str, workflow: str = "germline") -> None:
        self.answer("run", workflow, f"sample={name}", f"does={does}", "--name", name)

    def shown(self, run: str, *options: str) -> Any:
        return json.loads(self.answer("runs", run, "--json", *options))

    def ended(self, run: str) -> Any:
        return wait_until(lambda: found if (found := self.shown(run))["stopped"] else None)


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkflowLayer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_INFRA_EMULATOR_JOB_SECONDS", "0.3")
        patch.setattr(runs, "_POLL_SECONDS", 0.1)
        with emulator.start() as running:
            for name, value in running.environ.items():
                patch.setenv(name, value)
            yield WorkflowLayer(running, tmp_path_factory.mktemp(NAME))


def states(run: Any) -> dict[str, list[tuple[str, str]]]:
    """Return the steps of each sample with their states."""
    return {
        json.loads(each["input"])["sample"]: [(step["name"], step["status"]) for step in each["steps"]]
        for each in run["samples"]
    }


WHOLE, BROKEN = [("align", "SUCCEEDED"), ("stats", "SUCCEEDED")], [("align", "FAILED")]


def test_the_failed_samples_of_a_list_that_succeeded_are_started_again(layer: WorkflowLayer, tmp_path: Path) -> None:
    samples = tmp_path / "trio.jsonl"
    rows = [("father", "true"), ("mother", "exit 1"), ("child", "exit 2")]
    samples.write_text("".join(json.dumps({"sample": name, "does": does}) + "\n" for name, does in rows))
    layer.answer("run", "germline", "--samples", str(samples), "--name", "trio-20261129-101500")
    first = layer.ended("trio-20261129-101500")
    assert (first["status"], states(first)) == ("SUCCEEDED", {"father": WHOLE, "mother": BROKEN, "child": BROKEN})

    found = json.loads(layer.answer("why", first["name"], "--json"))
    jobs = {each["sample"]: each["job"] for [group] in [found["groups"]] for each in group["samples"]}
    assert jobs.keys() == {"mother", "child"}
    text = layer.answer("why", first["name"])
    one, other = jobs
    assert text.startswith(f"run {first['name']}, sample {one}, step align: FAILED States.TaskFailed\n")
    assert f"\nand in the same way: {other} ({jobs[other]})\n" in text
    assert text.count("cause: its program failed\n") == 1

    layer.register("align", ["true"])
    done = layer.run("runs", "trio-20261129-101500", "--resume", "--watch", "--json")
    again = json.loads(done.stdout)
    assert (done.returncode, again["status"], states(again)) == (0, "SUCCEEDED", {"mother": WHOLE, "child": WHOLE})
    assert again["name"].startswith("trio-2")
    assert (
        "AWS does not continue trio-20261129-101500, which succeeded with 2 of 3 samples failed:"
        f" started {again['name']} over these 2\n"
    ) in done.stderr

    [step, *_] = again["samples"][0]["steps"]
    assert 0 < step["usage"]["vcpu_hours"] < again["usage"]["vcpu_hours"] < 0.1
    card = layer.answer("runs", again["name"])
    assert "\nestimate:   ~0.00 USD: 0.00 vCPU-hours, 0.00 GiB-hours\n            by Fargate's list prices" in card

    done = layer.run("runs", again["name"], "--resume")
    assert done.returncode == 2
    assert f"run {again['name']} succeeded: there is nothing to resume" in done.stderr
    layer.register("align", ["sh", "-c", "Ref::does"])


def test_a_failed_run_continues_and_one_that_runs_cannot_be_resumed(layer: WorkflowLayer) -> None:
    layer.start("slow", "sleep 3600")
    wait_until(lambda: layer.shown("slow")["steps"][0]["job_id"])
    done = layer.run("runs", "slow", "--resume")
    assert (done.returncode, done.stdout) == (2, "")
    assert "run slow is RUNNING" in done.stderr

    layer.answer("cancel", "slow", "--yes")
    assert "cause: the run was stopped\n  - Stopped gen-infra cancel, by arn:aws:" in layer.answer("why", "slow")
    layer.register("align", ["true"])
    done = layer.run("runs", "slow", "--resume", "--watch", "--json")
    assert [(step["name"], step["status"]) for step in json.loads(done.stdout)["steps"]] == WHOLE
    assert "continued slow\n" in done.stderr
    layer.register("align", ["sh", "-c", "Ref::does"])


def test_lists_are_checked_before_anything_starts(layer: WorkflowLayer, tmp_path: Path) -> None:
    samples = tmp_path / "bad.jsonl"
    samples.write_text('{"sample": "a", "does": "true"}\n{"sample": "a", "does": "true"}\n{"sample": "b"}\n')
    done = layer.run("run", "germline", "--samples", str(samples))
    assert (done.returncode, done.stdout) == (2, "")
    assert f'{samples}:3: does is missing; {samples}:2: sample "a" is also that of {samples}:1' in done.stderr
    done = layer.run("run", "germline", "--samples", f"s3://{BUCKET}/lists/one.jsonl")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: s3://{BUCKET}/lists/one.jsonl does not exist\n" in done.stderr
    layer.clients.s3.put_object(Bucket=BUCKET, Key="lists/one.jsonl", Body=b'{"sample": "a", "does": "true"}\n')
    started = json.loads(
        layer.answer("run", "germline", "--samples", f"s3://{BUCKET}/lists/one.jsonl", "--name", "one", "--json")
    )
    assert (started["name"], started["samples"]) == ("one", 1)
    key = "workflows/flow/germline/lists/one.csv"
    written = layer.clients.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    samples.write_text('{"sample": "b", "does": "true"}\n')
    done = layer.run("run", "germline", "--samples", str(samples), "--name", "one")
    assert (done.returncode, 'there is a run "one" already' in done.stderr) == (2, True)
    assert layer.clients.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == written, "the list of that run"


def test_a_workflow_that_was_not_applied_names_the_command_that_does(layer: WorkflowLayer, tmp_path: Path) -> None:
    document = yaml.safe_load(layer.manifest.read_text())
    later = write(tmp_path, document | {"workflows": {"later": document["workflows"]["denied"]}})
    for command in (("run", "later", "sample=a", "does=true"), ("runs",), ("runs", "a"), ("cancel", "a", "--yes")):
        done = layer.run(*command, manifest=later)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"error: the state machine later-{NAME} does not exist\n" in done.stderr
        assert f"hint: run gen-infra apply {later} first\n" in done.stderr
    document["workflows"] |= {"later": document["workflows"]["denied"]}
    done = layer.run("runs", manifest=write(tmp_path, document))
    assert done.returncode == 0, "the runs of the other workflows"
    assert f"workflow later was not applied: run gen-infra apply {later}" in done.stderr


# A job's own timeout, a minute at least, is explained in tests/emulator/why.
def test_why_names_the_step_the_job_and_the_cause(layer: WorkflowLayer) -> None:
    layer.start("slow-job", "sleep 3600", workflow="impatient")
    for name, does in (("bug", "exit 1"), ("hungry", "exit 137"), ("lost", "sleep 3600")):
        layer.start(name, does)
    layer.start("refused", "true", workflow="denied")
    wait_until(lambda: layer.shown("lost")["steps"][0]["job_id"])
    layer.reach(layer.shown("lost")["steps"][0]["job_id"], "RUNNING")
    layer.ended("slow-job")
    layer.clients.batch.update_compute_environment(
        computeEnvironment=layer.environment,
        computeResources={"instanceTypes": ["r6i.large"]},
        updatePolicy={"terminateJobsOnUpdate": True, "jobExecutionTimeoutMinutes": 30},
    )
    causes = {
        "bug": "program-failed",
        "hungry": "out-of-memory",
        "lost": "spot-reclaimed",
        "slow-job": "step-timeout",
        "refused": "submission-denied",
    }
    for run, cause in causes.items():
        [step] = layer.ended(run)["steps"]
        answer = json.loads(layer.answer("why", run, "--json"))
        text = layer.answer("why", run)
        assert answer["step"].startswith(f"run {run}, step align: {step['status']}")
        assert answer["causes"][0]["name"] == cause
        assert text.startswith(f"{answer['step']}\n")
        assert f"\ncause: {answer['causes'][0]['message']}\n" in text
        if step["job_id"]:
            assert answer["job"]["id"] == step["job_id"]
            assert step["job_id"] in text
    refused = json.loads(layer.answer("why", "refused", "--json"))["causes"][0]
    assert refused["message"].startswith("the role denied of its state machine may not batch:SubmitJob on arn:")
    assert f"gen-infra apply {layer.manifest}" in refused["fix"]
