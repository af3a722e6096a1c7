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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.emulator.session import Session

REFERENCE, RESULTS = "aws-batch-genomics-resources", "genomics-results-123456789012"
PREFIX = "genomic-workflow/NA12878"


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
    sample, s3 = make_sample(), prod.aws.client("s3")
    folder = PREFIX.rpartition("/")[0]
    s3.put_object(Bucket=REFERENCE, Key="reference.fa", Body=sample.reference)
    rows = ["sample,fastq1,fastq2"]
    for name in ("mother", "child"):
        for number, content in enumerate(sample.reads, 1):
            body = content[:1000] + content[2000:] if (name, number) == ("child", 1) else content
            s3.put_object(Bucket=RESULTS, Key=f"{folder}/{name}/reads_{number}.fq.gz", Body=body)
        rows.append(",".join([name, *(f"s3://{RESULTS}/{folder}/{name}/reads_{number}.fq.gz" for number in (1, 2))]))
    samples = tmp_path / "family.csv"
    samples.write_text("\n".join(rows))

    arguments = ("germline", "--samples", str(samples), "--name", "family", "--watch")
    first = steps_by_sample(prod.answer("run", *arguments, code=1))
    why = prod.run("why", "family").stdout
    s3.put_object(Bucket=RESULTS, Key=f"{folder}/child/reads_1.fq.gz", Body=sample.reads[0])
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
        filtered = s3.get_object(Bucket=RESULTS, Key=f"{folder}/{name}/filtered.vcf")["Body"].read()
        assert read_variants(filtered) == sample.variants


def steps_by_sample(run: Any) -> dict[str, dict[str, Any]]:
    return {
        json.loads(each["input"])["sample"]: {step["name"]: step for step in each["steps"]} for each in run["samples"]
    }
