"""AWS's words and programs' logs as they are really printed: the failing ones have their cause, the harmless ones none.

``corpus/failing.jsonl``: one report a line, with its source: a public thread, or the page or source file that has the
message; ``cut_cause`` is what is left of it where Batch cuts its end. Names, accounts and buckets are replaced.
``corpus/harmless.txt``: lines of jobs that did well, below the
address that they are taken from.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.why import messages
from gen_infra.why.gather import gather
from gen_infra.why.table import causes
from tests.unit.manifests import accept
from tests.unit.recorded import Account
from tests.unit.why.facts import ID, Facts, launch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.aws.session import Json
    from gen_infra.why.evidence import Evidence

CORPUS = Path(__file__).parent / "corpus"
FAILING: list[dict[str, Any]] = [json.loads(line) for line in (CORPUS / "failing.jsonl").read_text().splitlines()]
HARMLESS = [line for line in (CORPUS / "harmless.txt").read_text().splitlines() if not line.startswith("#")]
# Lines that hold nearly the words of a failure.
NEAR = (
    "java -Xmx28g -XX:+ExitOnOutOfMemoryError -XX:+HeapDumpOnOutOfMemoryError -jar picard.jar SortSam",
    "DEBUG AWSCredentialsProviderChain - Unable to load credentials from EnvironmentVariableCredentialsProvider",
    "docker run --oom-kill-disable --shm-size=8g lab/bwa:0.7.17 bwa index ref.fa",
    "checking for ENOSPC... yes",
    "Pulling singularity image docker://quay.io/biocontainers/bwa:0.7.17--h5bf99c6_8.",
    "Fetching secret sauce recipe from the docs",
    "Log driver is /usr/bin/logger; log group lab, log stream 1",
    "host EC2 (instance type m6i.large) detected",
    'State: {"OOMKilled":false,"Dead":false}',
    "line 12: 4 Killed processes reported by the cluster",
    "Unable to locate credentials file; using the instance's role",
    "Max memory 32G; out of memory errors are retried with more memory",
    "Using 30.5 GB of 32 GB; will spill to disk when memory is exhausted",
    "GPU 0: Tesla V100; CUDA out of memory errors fall back to unified memory",
    "mimalloc: warning: unable to allocate aligned OS memory directly, fall back to over-allocation",
    "NOTE: 403 reads had unmapped mates",
    "status: 401 variants filtered",
    "Undetermined_S0_L001_R1_001.fastq.gz",
    "VolumeError bars: 0.1",
    # https://github.com/OpenEnergyPlatform/open-MaStR/issues/155
    "2021-01-13 17:28:01 WARNING Retrying (Retry(total=2, connect=None, read=None, redirect=None, status=None)) after "
    "connection broken by 'NewConnectionError('<urllib3.connection.HTTPSConnection object at 0x7fdd09d22d30>: Failed "
    "to establish a new connection: [Errno -3] Temporary failure in name resolution',)': /MaStRApi/Api.svc/Soap11",
    "Warning: Problem (retrying all errors). curl: (6) Could not resolve host: ftp.ebi.ac.uk; will retry in 1 second",
    "Resolving ftp.ebi.ac.uk... 193.62.193.165",
    "Connecting to ftp.ebi.ac.uk|193.62.193.165|:443... failed: Connection timed out. Retrying.",
    "java.net.UnknownHostException: ip-10-0-1-5: Name or service not known",
    "Reads that could not resolve to one host genome: 6",
    "host unreachable_contigs removed: 28",
    "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1",
    "connect timeout of the cache is 28 s; endpoint URL from the environment",
)
STATUSES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED")
CUT = 255  # characters of a reason that Batch keeps
# Patterns that say what was being done; alone they are no failure.
LOG_PATTERNS = [value for name, value in vars(messages).items() if name.startswith("LOGGED_")]
REASON_PATTERNS = [
    value
    for name, value in vars(messages).items()
    if isinstance(value, re.Pattern) and not name.startswith(("LOGGED_", "_"))
] + [pattern for _, pattern in messages.SUBJECTS]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    """Yield a job that has waited for an hour, in an account where nothing is wrong."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        account = Account()
        account.answers = Facts().answers()
        isaac = {"image": "isaac:1.0", "vcpus": 4, "memory_mib": 8000}
        manifest = accept(tmp_path_factory.mktemp("why"), jobs={"isaac": isaac}, repositories=["isaac"])
        yield gather(account.clients, manifest, Path("test.yaml"), ID)[0]


def reported(healthy: Evidence, case: Json, limit: int | None = None) -> Evidence:
    """Return the evidence of a report; ``limit`` cuts its reason."""
    container = dict(healthy.job["container"]) | {"image": "registry.example.org/lab/aligner:1"}
    if case.get("secrets"):
        container["secrets"] = [{"name": "TOKEN", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/token"}]
    if message := case.get("launch"):
        return replace(healthy, job={**healthy.job, "container": container}, launches=(launch("Failed", message),))
    if reason := case.get("environment"):
        invalid = {**healthy.environments[0], "status": "INVALID", "statusReason": reason}
        return replace(healthy, environments=(invalid,))
    if reason := case.get("runnable"):
        return replace(healthy, job={**healthy.job, "statusReason": reason})
    outcome = {"reason": case["reason"][:limit]} if "reason" in case else {}
    outcome |= {"exitCode": case["exit"]} if "exit" in case else {}
    attempt = {"container": outcome, "statusReason": case["status_reason"]}
    ended = {"status": "FAILED", "statusReason": case["status_reason"], "attempts": [attempt]}
    job = {**healthy.job, **ended, "container": {**container, **outcome}}
    findings = tuple(each for each in healthy.findings if each.subject != "container images")
    return replace(healthy, job=job, log=tuple(case.get("log", ())), findings=findings)


def test_there_are_enough_reports_and_each_has_a_source() -> None:
    assert len(FAILING) >= 150
    assert all(case["source"].startswith("https://") for case in FAILING)
    assert len(HARMLESS) >= 300


@pytest.mark.parametrize("case", FAILING, ids=lambda case: f"{case['cause']}-{FAILING.index(case)}")
def test_a_real_failure_has_its_cause_first_even_where_batch_cut_it(healthy: Evidence, case: dict[str, Any]) -> None:
    for limit, cause in ((None, case["cause"]), (CUT, case.get("cut_cause", case["cause"]))):
        found = causes(reported(healthy, case, limit))
        assert [each.name for each in found][:1] == [cause], found
        assert case.get("fix", "") in found[0].fix


@pytest.mark.parametrize("status", STATUSES)
def test_a_harmless_line_is_no_cause_in_any_state(healthy: Evidence, status: str) -> None:
    """Neither in the log of a job that failed by itself, nor in what Batch says of one that waits or runs."""
    attempt: Json = {"container": {"exitCode": 1}, "statusReason": "Essential container in task exited"}
    own = {"exitCode": 1} if status == "FAILED" else {}
    job = {
        **healthy.job,
        "status": status,
        "container": {**healthy.job["container"], **own},
        "attempts": [attempt] if status == "FAILED" else [],
    }
    expected = {"FAILED": ["program-failed"], "STARTING": ["container-starting"]}.get(status, [])
    wrong = {}
    for line in (*HARMLESS, *NEAR):
        for evidence in (replace(healthy, job=job, log=(line,)), replace(healthy, job={**job, "statusReason": line})):
            if (names := [cause.name for cause in causes(evidence)]) != expected:
                wrong[line] = names
    assert wrong == {}


@pytest.mark.parametrize("pattern", [*LOG_PATTERNS, *REASON_PATTERNS], ids=lambda pattern: pattern.pattern[:40])
def test_no_pattern_is_found_in_a_harmless_line(pattern: re.Pattern[str]) -> None:
    only_with_exit_127 = pattern is messages.LOGGED_PROGRAM
    assert [line for line in (*HARMLESS, *NEAR) if pattern.search(line) and not only_with_exit_127] == []


def test_an_action_that_batch_has_cut_is_not_advised(healthy: Evidence) -> None:
    case = next(case for case in FAILING if case["cause"] == "registry-login" and "GetSecretValue" in case["reason"])
    whole = case["reason"]
    for length in range(whole.index("secretsmanager:Get"), len(whole)):
        (cause,) = causes(reported(healthy, {**case, "reason": whole[:length].rjust(CUT, ".")}))
        assert "allow secretsmanager:GetSecretValue " in cause.fix


@pytest.mark.parametrize("call", ["isCancelled", "isTerminated"])
def test_the_words_of_a_caller_who_ended_a_job_are_no_cause(healthy: Evidence, call: str) -> None:
    for case in FAILING:
        for reason in filter(None, (case.get("reason"), case.get("status_reason"), *case.get("log", ()))):
            job = {**healthy.job, "status": "FAILED", "statusReason": reason, call: True}
            if not messages.STATE_LIMIT.search(reason):
                assert [cause.name for cause in causes(replace(healthy, job=job))] == ["cancelled"]
