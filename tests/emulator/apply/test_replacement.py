"""Compute environments are replaced on the embedded AWS without losing a job; a script takes terraform's place.

The script makes the calls that the provider makes, in its order. That the real terraform and provider do the same is
shown in tests/fault_injection/test_live_changes.py.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from gen_infra.apply.replacement import Draining, Replacement
from gen_infra.aws import compute_environments as environments
from gen_infra.errors import AnswerIsNoError, AwsError, GenInfraError, UsageError
from gen_infra.terraform.messages import TerraformError
from gen_infra.terraform.plan import PlanContent
from gen_infra.terraform.saved_plan import Origin, Plan
from gen_infra.tools.diagnostics import Diagnostic
from gen_infra.tools.process import StoppedError
from tests.emulator.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen_infra.emulator import Emulator

ADDRESS = "module.compute_spot.aws_batch_compute_environment.this"
RACE = "Cannot delete, found existing JobQueue relationship"
_numbers = itertools.count(1)


class Lab(Layer):
    """A layer with two queues on one environment, and what terraform would do to replace that."""

    def __init__(self, aws: Emulator, folder: Path) -> None:
        super().__init__(aws, f"swap{next(_numbers)}", folder)
        self.batch = self.clients.batch
        self.queues = [f"main-{self.name}", f"second-{self.name}"]
        self.old = f"spot-{self.name}-{'0' * 25}1"
        self.new = f"spot-{self.name}-{'0' * 25}2"
        made = [self.clients.iam.create_instance_profile(InstanceProfileName=name) for name in (self.old, self.new)]
        for name in (self.old, self.new):
            self.clients.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=self.name)
        self.profiles = {
            each["InstanceProfile"]["InstanceProfileName"]: each["InstanceProfile"]["Arn"] for each in made
        }
        self.make(self.old)
        self.batch.create_job_queue(jobQueueName=self.queues[1], priority=2, computeEnvironmentOrder=order(self.old))
        self.batch.update_job_queue(jobQueue=self.queues[0], computeEnvironmentOrder=order(self.old))
        self.steps: list[Callable[[], Any]] = [lambda: self.make(self.new), *map(self.pointing, self.queues)]
        self.reported: list[str] = []
        self.waited = 0.0

    def make(self, name: str) -> None:
        """Create a compute environment like the layer's own, with its own instance profile."""
        (like,) = self.batch.describe_compute_environments(computeEnvironments=[self.environment])[
            "computeEnvironments"
        ]
        resources: Any = like["computeResources"] | {"instanceRole": self.profiles[name]}
        self.batch.create_compute_environment(
            computeEnvironmentName=name, type="MANAGED", state="ENABLED", computeResources=resources
        )

    def delete_profile(self, name: str) -> None:
        self.clients.iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=self.name)
        self.clients.iam.delete_instance_profile(InstanceProfileName=name)

    def pointing(self, queue: str) -> Callable[[], Any]:
        return lambda: self.batch.update_job_queue(jobQueue=queue, computeEnvironmentOrder=order(self.new))

    # --- what terraform would do ---

    def apply(self, _plan: Plan, /) -> None:
        while self.steps:
            try:
                self.steps[0]()
            except ClientError as error:
                raise terraform_error("updating Batch Job Queue", error) from error
            del self.steps[0]
        try:
            self.batch.update_compute_environment(computeEnvironment=self.old, state="DISABLED")
            self.batch.delete_compute_environment(computeEnvironment=self.old)
        except ClientError as error:
            raise terraform_error(f"deleting Batch Compute Environment ({self.old})", error) from error

    def plan_again(self, only: tuple[str, ...], /) -> Plan:
        assert only == (ADDRESS,)
        return planned(*([going(self.old)] if self.stands(self.old) else []))

    # --- what is asserted ---

    def stands(self, name: str) -> bool:
        return bool(self.batch.describe_compute_environments(computeEnvironments=[name])["computeEnvironments"])

    def state(self, name: str) -> str:
        (found,) = self.batch.describe_compute_environments(computeEnvironments=[name])["computeEnvironments"]
        return found["state"]

    def pointed(self) -> set[tuple[str, ...]]:
        orders = environments.queue_orders(self.clients)
        return {tuple(arn.rpartition("/")[2] for arn in orders[queue]) for queue in self.queues}

    def held(self) -> list[str]:
        return list(environments.holds(environments.queue_orders(self.clients), self.name))

    def replacement(self, *, wait: Callable[[float], None] | None = None, **draining: Any) -> Replacement:
        shown = planned(going(self.old, "create", "delete"))
        return Replacement(
            shown, self, self.clients, self.name, {}, Draining(**draining), self.reported.append,
            wait or self.pause, lambda: self.waited,
        )  # fmt: skip

    def pause(self, seconds: float) -> None:
        """Advance the clock; time passes only here."""
        self.waited += seconds

    def running(self, *command: str, **more: Any) -> str:
        job_id = self.submit(*(command or ("sleep", "3600")), **more)
        self.reach(job_id, "RUNNING")
        return job_id

    def ended(self, job_id: str) -> tuple[str, int]:
        self.reach(job_id, "SUCCEEDED", "FAILED")
        (job,) = self.batch.describe_jobs(jobs=[job_id])["jobs"]
        return job["status"], len(job["attempts"])


def order(name: str) -> Any:
    return [{"order": 1, "computeEnvironment": name}]


def planned(*changes: dict[str, Any]) -> Plan:
    """Return a plan of these changes; nothing here looks at its file."""
    content = PlanContent({"resource_changes": list(changes)})
    return Plan(Path("tfplan"), "", Origin({}, "apply", ""), content)


def going(name: str, *actions: str) -> dict[str, Any]:
    change = {"actions": [*actions] or ["delete"], "before": {"compute_environment_name": name}}
    return {"address": ADDRESS, "type": "aws_batch_compute_environment", "change": change}


def terraform_error(doing: str, error: ClientError) -> TerraformError:
    return TerraformError("terraform apply failed", diagnostics=(Diagnostic("error", f"{doing}: {error}"),))


@pytest.fixture
def lab(aws: Emulator, tmp_path: Path) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environ.items():
            patch.setenv(name, value)
        yield Lab(aws, tmp_path)
    aws.heal()


def test_the_old_one_is_deleted_when_its_jobs_have_ended(lab: Lab) -> None:
    job_id = lab.running()
    looks: list[set[tuple[str, ...]]] = []

    def wait(seconds: float) -> None:
        lab.pause(seconds)
        if lab.state(lab.old) == "DISABLED":
            looks.append(lab.pointed())
            if len(looks) == 2:  # it has waited for it: now let it end
                lab.batch.terminate_job(jobId=job_id, reason="its work is done")

    lab.replacement(wait=wait).carry_out()
    assert looks[:2] == [{(lab.new,)}] * 2, "the queues have the successor while the old one drains"
    assert not lab.stands(lab.old)
    assert lab.held() == []
    waits, ended = lab.reported
    assert waits.startswith(f"  {lab.old} accepts no more jobs; waits for one, the longest since ")
    assert ended == f"  {lab.old} accepts no more jobs; none runs there any more"
    (job,) = lab.batch.describe_jobs(jobs=[job_id])["jobs"]
    assert job["statusReason"] == "its work is done", "and not its host's end"


def test_jobs_of_queues_that_were_taken_over_are_waited_for_too(lab: Lab) -> None:
    """Their names do not end in the environment's, nor does the name of the compute environment that they had."""
    old = f"legacy{lab.name}"
    profile = lab.clients.iam.create_instance_profile(InstanceProfileName=old)["InstanceProfile"]["Arn"]
    lab.clients.iam.add_role_to_instance_profile(InstanceProfileName=old, RoleName=lab.name)
    lab.profiles[old] = profile
    lab.make(old)
    lab.old = old
    for queue in lab.queues:
        lab.batch.update_job_queue(jobQueue=queue, computeEnvironmentOrder=order(old))
    queue = f"legacyQueue{lab.name}"
    lab.batch.create_job_queue(jobQueueName=queue, priority=1, computeEnvironmentOrder=order(old))
    lab.steps.append(lab.pointing(queue))
    lab.end(lab.submit("sleep", "3600"))  # registers the definition
    job_id = lab.batch.submit_job(jobName="legacy", jobQueue=queue, jobDefinition=f"one-{lab.name}")["jobId"]
    lab.reach(job_id, "RUNNING")

    def wait(seconds: float) -> None:
        lab.pause(seconds)
        if lab.state(old) == "DISABLED":
            lab.batch.terminate_job(jobId=job_id, reason="its work is done")

    replace(lab.replacement(wait=wait), queues=(queue,)).carry_out()
    assert not lab.stands(old)
    assert f"{old}-drain" not in environments.queue_orders(lab.clients)
    assert lab.reported[0].startswith(f"  {old} accepts no more jobs; waits for legacy, ")
    (job,) = lab.batch.describe_jobs(jobs=[job_id])["jobs"]
    assert job["statusReason"] == "its work is done", "and not its host's end"


def test_the_calls_come_in_this_order(lab: Lab) -> None:
    before = lab.aws.calls("batch")[-1].number
    lab.replacement().carry_out()
    made = [
        (call.action, call.status)
        for call in lab.aws.calls("batch", since=before)
        if not call.action.startswith(("Describe", "List"))
    ]
    assert made == [
        ("CreateJobQueue", 200),
        ("CreateComputeEnvironment", 200),
        ("UpdateJobQueue", 200),
        ("UpdateJobQueue", 200),
        ("UpdateComputeEnvironment", 200),
        ("DeleteComputeEnvironment", 400),
        ("DeleteJobQueue", 200),
        ("UpdateComputeEnvironment", 200),
        ("DeleteComputeEnvironment", 200),
    ]


def test_it_stops_after_the_drain_timeout_and_the_same_command_resumes(lab: Lab) -> None:
    job_id = lab.running()
    with pytest.raises(AnswerIsNoError, match=f"accepts no new ones: {lab.old}: one") as stopped:
        lab.replacement(timeout=60).carry_out()
    assert "--allow stop-jobs" in stopped.value.hint
    assert lab.waited >= 60
    assert lab.held() == [f"{lab.old}-drain"]
    with pytest.raises(ClientError, match=RACE):  # any attempt
        lab.batch.delete_compute_environment(computeEnvironment=lab.old)
    lab.batch.terminate_job(jobId=job_id, reason="done")
    lab.replacement().carry_out()
    assert not lab.stands(lab.old)
    assert lab.held() == []


def test_jobs_are_terminated_if_allowed_and_retried_on_the_successor(lab: Lab) -> None:
    retried = {"retryStrategy": {"attempts": 2}}
    job_id = lab.running(definition=retried)
    lab.replacement(timeout=30, may_end_jobs=True).carry_out()
    assert not lab.stands(lab.old)
    lab.reach(job_id, "RUNNING")
    (job,) = lab.batch.describe_jobs(jobs=[job_id])["jobs"]
    assert job["attempts"][0]["statusReason"].startswith("Host EC2 (instance i-")
    assert "the time is over: these jobs are terminated" in lab.reported[-1]
    lab.batch.terminate_job(jobId=job_id, reason="done")


def test_nothing_is_held_if_jobs_are_not_waited_for(lab: Lab) -> None:
    before = lab.aws.calls("batch")[-1].number
    lab.replacement(timeout=0, may_end_jobs=True).carry_out()
    assert not lab.stands(lab.old)
    assert "CreateJobQueue" not in {call.action for call in lab.aws.calls("batch", since=before)}


def test_arrays_and_nodes_are_waited_for(lab: Lab) -> None:
    array = lab.submit("sleep", "3600", arrayProperties={"size": 2})
    lab.reach(f"{array}:1", "RUNNING")
    (old,) = environments.compute_environments(lab.clients, [lab.old]).values()
    assert [job.id for job in environments.jobs_on(lab.clients, old, lab.queues)] == [f"{array}:0", f"{array}:1"]
    container = {"image": "quay.io/x/y:1", "vcpus": 1, "memory": 512, "command": ["sleep", "3600"]}
    ranges: Any = [{"targetNodes": "0:", "container": container}]
    lab.batch.register_job_definition(
        jobDefinitionName=f"nodes-{lab.name}", type="multinode",
        nodeProperties={"numNodes": 2, "mainNode": 0, "nodeRangeProperties": ranges},
    )  # fmt: skip
    nodes = lab.batch.submit_job(jobName="nodes", jobQueue=lab.queues[1], jobDefinition=f"nodes-{lab.name}")["jobId"]
    lab.reach(nodes, "RUNNING")
    assert {job.name for job in environments.jobs_on(lab.clients, old, lab.queues)} == {"one", "nodes"}
    for job_id in (array, nodes):
        lab.batch.terminate_job(jobId=job_id, reason="done")
    assert environments.jobs_on(lab.clients, old, lab.queues) == []


def test_queues_are_pointed_back_if_the_switch_fails_halfway(lab: Lab) -> None:
    lab.aws.fail("UpdateJobQueue", after=1, code="ServerException")
    with pytest.raises(TerraformError):
        lab.replacement().carry_out()
    lab.aws.heal()
    assert lab.pointed() == {(lab.old,)}
    assert lab.state(lab.old) == "ENABLED"
    assert lab.reported == [f"pointed back to where they were: {lab.queues[0]}"]
    lab.steps = [*map(lab.pointing, lab.queues)]  # what terraform finds when it plans again
    lab.replacement().carry_out()
    assert lab.pointed() == {(lab.new,)}
    assert not lab.stands(lab.old)


def test_a_failure_to_point_queues_back_is_reported(lab: Lab) -> None:
    lab.aws.fail("UpdateJobQueue", after=1, times=None, code="ExpiredTokenException", status=403)
    with pytest.raises(TerraformError):
        lab.replacement().carry_out()
    assert lab.reported == [
        "some queues may be pointed to a new compute environment and some not: the AWS credentials have expired"
    ]


def test_queues_are_pointed_back_if_the_successor_becomes_invalid(lab: Lab) -> None:
    job_id = lab.running()

    def wait(seconds: float) -> None:
        lab.pause(seconds)
        if lab.state(lab.old) == "DISABLED":
            lab.delete_profile(lab.new)

    with pytest.raises(AwsError, match=f"{lab.new} has become INVALID: CLIENT_ERROR") as failed:
        lab.replacement(wait=wait).carry_out()
    assert "run the same command again" in failed.value.hint
    assert lab.pointed() == {(lab.old,)}
    assert lab.state(lab.old) == "ENABLED"
    lab.batch.terminate_job(jobId=job_id, reason="done")


def test_the_known_race_is_retried(lab: Lab) -> None:
    lab.aws.fail("DeleteComputeEnvironment", after=1, times=3, code="ClientException", message=RACE)
    lab.replacement().carry_out()
    assert not lab.stands(lab.old)
    assert lab.reported.count("the old compute environment is still in a queue; trying again") == 3


def test_the_known_race_is_retried_a_few_times_only(lab: Lab) -> None:
    lab.aws.fail("DeleteComputeEnvironment", times=None, code="ClientException", message=RACE)
    with pytest.raises(TerraformError):
        lab.replacement().carry_out()
    assert len(lab.reported) == 1 + 5


def test_a_queue_of_another_environment_is_named(lab: Lab) -> None:
    lab.batch.create_job_queue(jobQueueName=f"{lab.name}-foreign", priority=1, computeEnvironmentOrder=order(lab.old))
    with pytest.raises(AwsError, match=f"does not delete {lab.old}, which is still in {lab.name}-foreign"):
        lab.replacement().carry_out()
    lab.batch.update_job_queue(jobQueue=f"{lab.name}-foreign", computeEnvironmentOrder=order(lab.new))
    lab.replacement().carry_out()
    assert not lab.stands(lab.old)


def test_another_failure_to_delete_is_not_retried(lab: Lab) -> None:
    lab.aws.fail("DeleteComputeEnvironment", after=1, times=1, code="ClientException", message="no such role")
    with pytest.raises(TerraformError):
        lab.replacement().carry_out()
    assert lab.reported == [f"  {lab.old} accepts no more jobs; none runs there any more"]


def test_what_was_held_for_an_earlier_plan_is_released(lab: Lab) -> None:
    (old,) = environments.compute_environments(lab.clients, [lab.old]).values()
    environments.hold(lab.clients, old, {}, lab.pause)
    assert lab.held()
    lab.steps, nothing = [], planned()
    lab.batch.update_job_queue(jobQueue=lab.queues[0], priority=3)

    class Idle:
        def apply(self, _plan: Plan, /) -> None:
            pass

        def plan_again(self, _only: tuple[str, ...], /) -> Plan:
            raise AssertionError

    Replacement(nothing, Idle(), lab.clients, lab.name, {}, Draining(), lab.reported.append, lab.pause).carry_out()
    assert lab.held() == []
    assert lab.stands(lab.old)


def test_a_destroy_releases_all_that_is_held(lab: Lab) -> None:
    (old,) = environments.compute_environments(lab.clients, [lab.old]).values()
    environments.hold(lab.clients, old, {}, lab.pause)
    environments.release_all(lab.clients, f"not-{lab.name}")
    assert lab.held()
    environments.release_all(lab.clients, lab.name)
    assert lab.held() == []


def test_an_invalid_one_with_jobs_is_not_replaced(lab: Lab) -> None:
    job_id = lab.running()
    lab.delete_profile(lab.old)
    with pytest.raises(UsageError, match=f"{lab.old} is INVALID, so deleting it would terminate its jobs: one"):
        lab.replacement().carry_out()
    assert lab.state(lab.old) == "ENABLED"
    lab.batch.terminate_job(jobId=job_id, reason="done")


def test_changes_that_were_not_shown_are_not_applied(lab: Lab) -> None:
    lab.plan_again = lambda _only, /: planned(going(lab.old), going(lab.new, "update"))  # type: ignore[method-assign]
    with pytest.raises(UsageError, match="the environment has changed meanwhile"):
        lab.replacement().carry_out()
    assert lab.stands(lab.old)


def test_ctrl_c_while_waiting_changes_nothing(lab: Lab) -> None:
    job_id = lab.running()

    def interrupt(_seconds: float) -> None:
        if lab.state(lab.old) == "DISABLED":
            raise KeyboardInterrupt

    with pytest.raises(StoppedError, match=lab.old) as stopped:
        lab.replacement(wait=interrupt).carry_out()
    assert "same command" in stopped.value.hint
    assert lab.held() == [f"{lab.old}-drain"]
    assert lab.pointed() == {(lab.new,)}
    lab.batch.terminate_job(jobId=job_id, reason="done")


@pytest.mark.parametrize("moment", ["CreateJobQueue", "CreateComputeEnvironment", "UpdateJobQueue"])
def test_the_next_run_finishes_after_a_call_that_fails(lab: Lab, moment: str) -> None:
    lab.aws.fail(moment, code="ServerException")
    with pytest.raises(GenInfraError):
        lab.replacement().carry_out()
    lab.aws.heal()
    assert lab.pointed() == {(lab.old,)}
    lab.replacement().carry_out()
    assert lab.pointed() == {(lab.new,)}
    assert not lab.stands(lab.old)
    assert lab.held() == []
