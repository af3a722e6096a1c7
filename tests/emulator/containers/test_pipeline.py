"""The original pipeline in miniature: its four jobs do their work for real, in containers, on data in S3."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.tools import container_host
from tests.conftest import missing
from tests.emulator.containers.pipeline.image import TOOLS, make_images
from tests.emulator.containers.pipeline.sample import Variant, make_sample
from tests.emulator.job_helpers import follow
from tests.emulator.probes import Lab
from tests.emulator.skopeo import push
from tests.emulator.stack import Stack, applied
from tests.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.emulator.session import Session

REFERENCE, RESULTS = "aws-batch-genomics-resources", "genomics-results-123456789012"
FAMILY = "genomic-workflow"
PREFIX = f"{FAMILY}/NA12878"


@pytest.fixture(scope="module")
def prod(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Copy the environment, and push the images of its jobs under the tags that its manifest has."""
    lacking, hint = container_host.missing()
    if lacking:
        missing(f"containers need {lacking}", hint)
    folder = tmp_path_factory.mktemp("pipeline")
    make_images(folder / "images")
    with applied(session, "prod", folder / "prod") as made:
        definitions = made.batch().describe_job_definitions(status="ACTIVE")["jobDefinitions"]
        named = {each["jobDefinitionName"]: each["containerProperties"]["image"] for each in definitions}
        for image in named.values():
            repository, _, tag = image.partition("amazonaws.com/")[2].partition(":")
            tool = repository.rpartition("/")[2]
            assert tool in TOOLS
            push(Lab(made.aws.endpoint), f"oci:{folder}/images:{tool}", f"{repository}:{tag}")
        yield made


def submit(prod: Stack, job: str, arguments: dict[str, str], *, after: Sequence[str] = ()) -> str:
    """Submit a job as a user does, after the jobs that it needs, and return its id."""
    needed = [option for each in after for option in ("--depends-on", each)]
    words = [word for name, value in arguments.items() for word in (f"--{name}", value)]
    done = prod.run("submit", job, *needed, "--", "--working_dir", "/scratch", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def put_reads(prod: Stack, name: str, *reads: bytes) -> list[str]:
    """Write the reads of a sample to the bucket, and return the inputs of a run that name them."""
    inputs = []
    for number, content in enumerate(reads, 1):
        key = f"{FAMILY}/{name}/reads_{number}.fq.gz"
        prod.aws.client("s3").put_object(Bucket=RESULTS, Key=key, Body=content)
        inputs.append(f"fastq{number}=s3://{RESULTS}/{key}")
    return inputs


def write_list(path: Path, samples: dict[str, list[str]]) -> Path:
    """Write a list of samples from the inputs of each."""
    rows = [[name, *(each.partition("=")[2] for each in inputs)] for name, inputs in samples.items()]
    path.write_text("\n".join(map(",".join, [["sample", "fastq1", "fastq2"], *rows])))
    return path


def read_variants(vcf: bytes) -> set[Variant]:
    rows = [line.split("\t") for line in vcf.decode().splitlines() if not line.startswith("#")]
    return {Variant(row[0], int(row[1]), row[3], row[4]) for row in rows}


def test_the_planted_variants_are_found(prod: Stack) -> None:
    sample, s3 = make_sample(), prod.aws.client("s3")
    place, reference = f"s3://{RESULTS}/{PREFIX}", f"s3://{REFERENCE}/reference.fa"
    bam, calls = f"{place}/sample.bam", f"{place}/calls.vcf.gz"
    s3.put_object(Bucket=REFERENCE, Key="reference.fa", Body=sample.reference)
    for number, content in enumerate(sample.reads, 1):
        s3.put_object(Bucket=RESULTS, Key=f"{PREFIX}/reads_{number}.fq.gz", Body=content)

    reads = {f"reads_{number}": f"{place}/reads_{number}.fq.gz" for number in (1, 2)}
    isaac = submit(prod, "isaac", {"reference": reference, "bam": bam, **reads})
    strelka = submit(prod, "strelka", {"reference": reference, "bam": bam, "vcf": calls}, after=[isaac])
    stats = submit(prod, "samtoolsStats", {"bam": bam, "stats": f"{place}/stats.txt"}, after=[isaac])
    snpeff = submit(prod, "snpeff", {"vcf": calls, "filtered": f"{place}/filtered.vcf"}, after=[strelka, stats])

    follow(Lab(prod.aws.endpoint), snpeff)
    logs = {job: prod.run("logs", job).stdout for job in (isaac, strelka, stats, snpeff)}
    jobs = {each["jobId"]: each for each in prod.batch().describe_jobs(jobs=list(logs))["jobs"]}
    assert {job: each["status"] for job, each in jobs.items()} == dict.fromkeys(logs, "SUCCEEDED"), logs
    reasons = {each["container"].get("reason") for each in jobs.values()}
    assert reasons == {None}, "the emulator gives a reason if a container leaves files on scratch"
    found = {
        name: s3.get_object(Bucket=RESULTS, Key=f"{PREFIX}/{name}")["Body"].read()
        for name in ("calls.vcf.gz", "filtered.vcf", "stats.txt")
    }
    assert read_variants(found["filtered.vcf"]) == sample.variants
    assert read_variants(gzip.decompress(found["calls.vcf.gz"])) == sample.variants | {sample.shallow}
    assert f"reads mapped:\t{sample.read_count}\n" in found["stats.txt"].decode()
    for job, needed in ((strelka, {isaac}), (stats, {isaac}), (snpeff, {strelka, stats})):
        assert {each["jobId"] for each in jobs[job]["dependsOn"]} == needed
        assert all(jobs[job]["startedAt"] >= jobs[each]["stoppedAt"] for each in needed)
    for log in logs.values():
        assert re.search(r"^.*files on scratch: [1-9]", log, re.MULTILINE)
    keys = {call.parameters["Key"]: call.access_key for call in prod.aws.calls("s3") if call.action == "PutObject"}
    outputs = [keys[f"{PREFIX}/{name}"] for name in ("sample.bam", "calls.vcf.gz", "stats.txt", "filtered.vcf")]
    assert all(key.startswith("ASIA") for key in outputs), "each by a session of the job's role"
    assert len(set(outputs)) == len(outputs)


def test_the_workflow_runs_for_each_sample_and_a_redrive_finishes_it(prod: Stack, tmp_path: Path) -> None:
    """The reads of one sample lack a part: the list fails, and goes on with that sample once they are complete."""
    sample, (forward, reverse) = make_sample(), make_sample().reads
    prod.aws.client("s3").put_object(Bucket=REFERENCE, Key="reference.fa", Body=sample.reference)
    inputs = {
        "mother": put_reads(prod, "mother", forward, reverse),
        "child": put_reads(prod, "child", forward[:1000] + forward[2000:], reverse),
    }
    samples = write_list(tmp_path / "family.csv", inputs)

    arguments = ("germline", "--samples", str(samples), "--name", "family", "--watch")
    first = steps_by_sample(prod.answer("run", *arguments, code=1))
    why = prod.run("why", "family").stdout
    put_reads(prod, "child", forward, reverse)
    second = steps_by_sample(prod.answer("runs", "family", "--resume", "--watch"))

    assert {name: each["status"] for name, each in first["child"].items()} == {"isaac": "FAILED"}
    assert why.startswith("run family, sample child, step isaac: FAILED States.TaskFailed\n")
    assert f"({first['child']['isaac']['job_id']})" in why
    assert second.keys() == {"mother", "child"}
    for name, steps in second.items():
        assert {step: each["status"] for step, each in steps.items()} == dict.fromkeys(
            ("isaac", "strelka", "stats", "snpeff"), "SUCCEEDED"
        )
        assert all(steps[step]["started"] >= steps["isaac"]["stopped"] for step in ("strelka", "stats"))
        assert steps["snpeff"]["started"] >= steps["strelka"]["stopped"]
        assert steps["stats"]["started"] < steps["strelka"]["stopped"], "branches overlap"
        assert filtered_variants(prod, name) == sample.variants
    logged = logged_events(prod, "germline-many-prod")
    assert {"ExecutionStarted", "TaskSubmitted", "MapRunFailed", "ExecutionRedriven", "ExecutionSucceeded"} <= logged


def test_a_list_tolerates_a_failed_sample_and_a_stopped_run_ends_its_container(prod: Stack, tmp_path: Path) -> None:
    """What failed within the tolerance, and what was stopped, is then run again."""
    sample, (forward, reverse) = make_sample(), make_sample().reads
    prod.aws.client("s3").put_object(Bucket=REFERENCE, Key="reference.fa", Body=sample.reference)
    tolerate(prod, percentage=50)
    # The first step of the sample that is stopped takes longer than stopping it.
    places = put_reads(prod, "son", forward * 400, reverse * 400)
    assert prod.run("run", "germline", "sample=son", *places, "--name", "son").returncode == 0
    job = wait_until(lambda: next((step["job_id"] for step in prod.answer("runs", "son")["steps"]), ""))
    follow(Lab(prod.aws.endpoint), job, {"RUNNING"})
    assert prod.run("cancel", "son", "--yes").stdout == "son\n"
    ended, _ = follow(Lab(prod.aws.endpoint), job)
    assert (ended["status"], ended["container"]["exitCode"]) == ("FAILED", 137)
    assert ":execution:germline-prod:son ended" in ended["statusReason"]
    [step] = prod.answer("runs", "son")["steps"]
    assert (step["name"], step["status"]) == ("isaac", "ABORTED"), "no other step has begun"

    put_reads(prod, "son", forward, reverse)
    assert prod.run("runs", "son", "--resume").returncode == 0
    inputs = {
        "aunt": put_reads(prod, "aunt", forward, reverse),
        "uncle": put_reads(prod, "uncle", forward[:1000] + forward[2000:], reverse),
    }
    samples = write_list(tmp_path / "relatives.csv", inputs)
    first = prod.answer("run", "germline", "--samples", str(samples), "--name", "relatives", "--watch")
    assert first["status"] == "SUCCEEDED"
    assert {name: states(steps) for name, steps in steps_by_sample(first).items()} == {
        "aunt": ["SUCCEEDED"] * 4,
        "uncle": ["FAILED"],
    }

    put_reads(prod, "uncle", forward, reverse)
    again = prod.answer("runs", "relatives", "--resume", "--watch")
    assert {name: states(steps) for name, steps in steps_by_sample(again).items()} == {"uncle": ["SUCCEEDED"] * 4}
    assert prod.answer("runs", "son", "--watch")["status"] == "SUCCEEDED"
    for name in ("aunt", "uncle", "son"):
        assert filtered_variants(prod, name) == sample.variants


def tolerate(prod: Stack, *, percentage: int) -> None:
    """Change how many samples of a list may fail, as another value in the manifest would."""
    states = prod.aws.client("stepfunctions")
    [arn] = [
        each["stateMachineArn"]
        for each in states.list_state_machines()["stateMachines"]
        if each["name"] == "germline-many-prod"
    ]
    definition = json.loads(states.describe_state_machine(stateMachineArn=arn)["definition"])
    definition["States"]["Each sample"]["ToleratedFailurePercentage"] = percentage
    states.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))


def filtered_variants(prod: Stack, name: str) -> set[Variant]:
    found = prod.aws.client("s3").get_object(Bucket=RESULTS, Key=f"{FAMILY}/{name}/filtered.vcf")
    return read_variants(found["Body"].read())


def logged_events(prod: Stack, machine: str) -> set[str]:
    """Return the types of events that the log group of a state machine has, encrypted with the environment's key."""
    pages = prod.aws.client("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=f"/aws/vendedlogs/states/{machine}").search("events[].message")
    return {json.loads(message)["type"] for message in found}


def states(steps: dict[str, Any]) -> list[str]:
    return [each["status"] for each in steps.values()]


def steps_by_sample(run: Any) -> dict[str, dict[str, Any]]:
    return {
        json.loads(each["input"])["sample"]: {step["name"]: step for step in each["steps"]} for each in run["samples"]
    }
