"""Why a job is where it is: each cause on answers in the shape that AWS gives them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gen_infra import why
from gen_infra.manifest.model.retry import retry_rules
from gen_infra.why.gather import gather
from gen_infra.why.table import ALL
from tests.conftest import ROOT
from tests.unit.manifests import accept
from tests.unit.recorded import Account, Refusal
from tests.unit.retries import WORDS, api_rules
from tests.unit.why.cases import CASES as COMMON_CASES
from tests.unit.why.cases import NO_CAPACITY, QUOTA, needs, sets
from tests.unit.why.facts import GROUP, HOST, Facts, launch
from tests.unit.why.public_cases import PUBLIC_CASES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gen_infra.manifest import Manifest
    from gen_infra.manifest.model.retry import PresetName

CASES = COMMON_CASES | PUBLIC_CASES


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """Yield one for all tests of a module: its clients take longer to make than a test to run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        yield Account()


@pytest.fixture
def env(tmp_path: Path) -> Manifest:
    isaac = {"image": "isaac:1.0", "vcpus": 4, "memory_mib": 8000}
    return accept(tmp_path, jobs={"isaac": isaac}, repositories=["isaac"])


@pytest.fixture
def ask(env: Manifest, account: Account) -> Callable[[Facts], why.Answer]:
    def answer(facts: Facts) -> why.Answer:
        account.answers = facts.answers()
        return why.explain(account.clients, env, Path("test.yaml"), facts.job["jobId"])

    return answer


@pytest.mark.parametrize("case", CASES)
def test_a_cause_is_named_with_its_evidence_and_its_fix(case: str, ask: Callable[[Facts], why.Answer]) -> None:
    change, name, evidence, fix = CASES[case]
    facts = Facts()
    change(facts)
    answer = ask(facts)
    assert [cause.name for cause in answer.causes] == [name], answer
    assert evidence in "\n".join(answer.causes[0].evidence)
    assert fix in answer.causes[0].fix


def test_every_cause_of_the_table_has_a_case(env: Manifest, account: Account) -> None:
    found = []
    for change, *_ in CASES.values():
        change(facts := Facts())
        account.answers = facts.answers()
        found.append(gather(account.clients, env, Path("test.yaml"), facts.job["jobId"])[0])
    silent = [test.__name__ for test in ALL if not any(test(evidence) for evidence in found)]
    assert silent == []


def test_an_unknown_cause_lists_what_was_looked_at(ask: Callable[[Facts], why.Answer]) -> None:
    answer = ask(Facts())
    assert answer.causes == ()
    assert not answer.is_well
    looked = "\n".join(answer.looked)
    for words in (
        "job queues",
        f"launches of {GROUP}",
        "ECS clusters",
        "vCPU quotas: Standard Spot",
        "key: alias/batch",
    ):
        assert words in looked
    assert "another" not in looked, "an Auto Scaling group that is not Batch's"
    assert answer.unseen == ("roles: cannot check: needs iam:GetRole",)


def test_what_may_not_be_looked_at_does_not_hide_the_cause(ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    facts.reason(NO_CAPACITY)
    denied = Refusal("AccessDenied", "User: x is not authorized to perform: autoscaling:DescribeAutoScalingGroups")
    facts.refused = {"DescribeAutoScalingGroups": denied}
    answer = ask(facts)
    assert [cause.name for cause in answer.causes] == ["no-capacity"]
    assert "Auto Scaling groups: needs autoscaling:DescribeAutoScalingGroups" in answer.unseen


def test_launches_that_failed_before_one_succeeded_are_over(ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    facts.launches = [launch("Successful"), launch("Failed", QUOTA)]
    assert ask(facts).causes == ()


@pytest.mark.parametrize("status", ["SUCCEEDED", "RUNNING"])
def test_a_job_without_problems_has_no_cause(status: str, ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    facts.job["status"] = status
    answer = ask(facts)
    assert answer.is_well
    assert answer.to_dict()["causes"] == []


def test_two_causes_are_both_reported(ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    sets("queue", state="DISABLED")(facts)
    needs(96, 8000)(facts)
    assert [cause.name for cause in ask(facts).causes] == ["queue-disabled", "above-vcpu-maximum"]


def test_a_disabled_queue_hides_nothing_that_holds_its_jobs_up(ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    sets("queue", state="DISABLED")(facts)
    facts.ahead()
    assert [cause.name for cause in ask(facts).causes] == ["queue-disabled", "behind-others"]


@pytest.mark.parametrize(("preset", "on_fargate"), WORDS)
def test_each_preset_of_retry_has_a_cause_that_names_it(
    preset: PresetName, on_fargate: bool, ask: Callable[[Facts], why.Answer]
) -> None:
    def fix(retry: tuple[PresetName, ...]) -> str:
        facts = Facts()
        facts.failed(*WORDS[preset, on_fargate])
        rules = api_rules(retry_rules(retry, on_fargate=on_fargate))
        facts.job["retryStrategy"] = {"attempts": 3, "evaluateOnExit": rules}
        [cause] = ask(facts).causes
        return cause.fix

    assert "raise attempts of jobs.isaac (10 at most)" in fix((preset,))
    assert f"add {preset} to retry of jobs.isaac" in fix(())


def test_what_rendered_retry_rules_wait_for_has_a_cause(ask: Callable[[Facts], why.Answer]) -> None:
    golden = ROOT / "tests" / "golden" / "expected"
    rendered = "".join(path.read_text() for path in golden.glob("*/terraform/jobs.tf"))
    patterns = set(re.findall(r'on_status_reason = "(.*)"', rendered))
    assert {"Host EC2*", "Your Spot Task was interrupted*"} <= patterns
    for pattern in patterns:
        facts = Facts()
        facts.failed(pattern.replace("*", f" (instance {HOST}) terminated."))
        assert ask(facts).causes, pattern


@pytest.mark.parametrize("status", ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING"])
def test_a_cause_of_an_end_is_not_reported_for_a_live_job(status: str, ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    facts.failed("Essential container in task exited", "OutOfMemoryError: Container killed due to memory usage", 137)
    facts.job |= {"status": status, "attempts": []}
    facts.log = ["Building bloom filter", "No space left on device"]
    expected = ["container-starting"] if status == "STARTING" else []
    assert [cause.name for cause in ask(facts).causes] == expected


# Of Snakemake 9.27, run on a rule whose program fails.
SNAKEMAKE = """\
    resources: tmpdir=/tmp
[E::fai_build3_core] Failed to open the file /missing.fa
[faidx] Could not build fai index /missing.fa.fai
RuleException:
CalledProcessError in file "/work/Snakefile", line 16:
Command 'set -euo pipefail;  samtools faidx /missing.fa > broken.txt' returned non-zero exit status 1.
[Sun Nov 29 11:47:50 2026]
Error in rule broken:
    message: None
    jobid: 0
    output: broken.txt
    shell:
        samtools faidx /missing.fa > broken.txt
        (command exited with non-zero exit code)
Removing output files of failed job broken since they might be corrupted:
broken.txt
Shutting down, this might take some time.
Exiting because a job execution failed. Look above for error messages
WorkflowError:
At least one job did not complete successfully.
"""


def test_the_lines_of_a_program_that_an_engine_ran_are_shown(ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    facts.failed("Essential container in task exited", exit_code=1)
    facts.log = SNAKEMAKE.splitlines()
    [cause] = ask(facts).causes
    assert cause.evidence[1:] == (
        "its log says:     resources: tmpdir=/tmp",
        "its log says: [E::fai_build3_core] Failed to open the file /missing.fa",
        "its log says: [faidx] Could not build fai index /missing.fa.fai",
        "its log says: Command 'set -euo pipefail;  samtools faidx /missing.fa > broken.txt' returned non-zero exit"
        " status 1.",
    )


def test_a_cause_of_waiting_is_not_reported_for_an_ended_job(ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    facts.launch_fails(QUOTA)
    sets("environment", status="INVALID", statusReason="CLIENT_ERROR - Clusters can not be blank.")(facts)
    facts.failed("Essential container in task exited", exit_code=3)
    assert [cause.name for cause in ask(facts).causes] == ["program-failed"]


def test_a_job_that_stays_starting_names_its_task_and_its_instance(ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    facts.job["status"] = "STARTING"
    facts.job["container"]["taskArn"] = "arn:aws:ecs:us-east-1:123456789012:task/spot/0f6e3b1a"
    [cause] = ask(facts).causes
    assert "aws ecs describe-tasks --cluster spot --tasks 0f6e3b1a --query" in cause.fix
    assert "Session Manager" in cause.fix
    facts.resources |= {"type": "FARGATE"}
    [cause] = ask(facts).causes
    assert "Session Manager" not in cause.fix


def test_a_job_that_has_just_been_submitted_may_be_starting(ask: Callable[[Facts], why.Answer]) -> None:
    facts = Facts()
    facts.job |= {"status": "STARTING", "createdAt": facts.job["createdAt"] + 55 * 60_000}
    assert [cause.name for cause in ask(facts).causes] == ["instances-starting"]
