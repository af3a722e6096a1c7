"""redun, Snakemake and miniwdl, unchanged from PyPI, run workflows of two steps with the roles that gen-infra makes."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from gen_infra import emulator
from gen_infra.tools import container_host
from tests.cli import clean_environ, gen_infra
from tests.conftest import ROOT, missing
from tests.emulator.job_helpers import follow
from tests.emulator.probes import Lab
from tests.engines.image import make_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.emulator import Emulator

HERE = Path(__file__).parent
VENV = ROOT / ".venv-engines"
IMAGE = "quay.io/lab/engines:1"
REFERENCE, RESULTS = "aws-batch-genomics-resources", "genomics-results-123456789012"
FASTA = b">one\nACGTACGT\n>two\nACG\n"
TOTAL = b"11\n"


@dataclass(frozen=True)
class Engines:
    """An environment with the roles of the engines."""

    aws: Emulator
    folder: Path
    environ: dict[str, str]

    def run(self, *words: str | Path) -> str:
        """Run gen-infra, and return what it prints."""
        done = gen_infra(words[0], self.folder / "environment.yaml", *words[1:], environ=self.environ, cwd=self.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def session(self, role: str) -> dict[str, str]:
        """Return the environment variables of a scientist who has assumed a role."""
        keys: dict[str, str] = {}
        for each in ("Scientist", role):
            sts: Any = boto3.Session(
                keys.get("AWS_ACCESS_KEY_ID", "testing"),
                keys.get("AWS_SECRET_ACCESS_KEY", "testing"),
                keys.get("AWS_SESSION_TOKEN"),
                region_name="us-east-1",
            )
            arn = f"arn:aws:iam::123456789012:role/{each}"
            client = sts.client("sts", endpoint_url=self.aws.endpoint)
            made = client.assume_role(RoleArn=arn, RoleSessionName="run")["Credentials"]
            keys = {
                "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
                "AWS_SESSION_TOKEN": made["SessionToken"],
            }
        return keys

    def engine(self, name: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run an engine with its head role."""
        environ = clean_environ(
            **{key: value for key, value in self.environ.items() if key in ("AWS_ENDPOINT_URL", "AWS_REGION")},
            **self.session(f"{name}-engines-head"),
            AWS_DEFAULT_REGION="us-east-1",
            PATH=f"{VENV}/bin:/usr/bin:/bin",
            HOME=str(cwd),
        )
        return subprocess.run(
            [VENV / "bin" / name, *words],
            cwd=cwd,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    def object(self, key: str) -> bytes:
        content: bytes = self.aws.client("s3").get_object(Bucket=RESULTS, Key=key)["Body"].read()
        return content

    def why(self, job: str) -> str:
        return self.run("why", job)

    def failed(self, prefix: str) -> str:
        """Return the id of the only failed job whose name begins so."""
        batch = self.aws.client("batch")
        found = batch.list_jobs(jobQueue="tasks-engines", jobStatus="FAILED")["jobSummaryList"]
        (job,) = [each["jobId"] for each in found if each["jobName"].startswith(prefix)]
        return str(job)


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    lacking, hint = container_host.missing()
    if lacking:
        missing(f"containers need {lacking}", hint)
    folder = tmp_path_factory.mktemp("engines")
    make_root(folder / "images" / IMAGE, VENV, VENV / "wheels")
    shutil.copy(HERE / "environment.yaml", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_INFRA_EMULATOR_JOB_SECONDS", "0.1")
        with emulator.start(images=folder / "images") as aws:
            made = Engines(aws, folder, dict(aws.environ))
            _scientist(aws)
            _file_system(aws, folder / "environment.yaml")
            aws.client("s3").put_object(Bucket=REFERENCE, Key="reference.fa", Body=FASTA)
            made.run("apply", "--yes", "--allow", "access")
            yield made


def _file_system(aws: Emulator, manifest: Path) -> None:
    """Create a file system and its access point, and write their ids into the manifest."""
    efs = aws.client("efs")
    system = efs.create_file_system(CreationToken="wdl", Encrypted=True)["FileSystemId"]
    point = efs.create_access_point(ClientToken="wdl", FileSystemId=system)["AccessPointId"]
    text = manifest.read_text().replace("FILE_SYSTEM", system).replace("ACCESS_POINT", point)
    manifest.write_text(text)


def _scientist(aws: Emulator) -> None:
    """Make a role that may assume others, as a scientist's has to be allowed to."""
    iam = aws.client("iam")
    account = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    heads = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::123456789012:role/*-head"}
    policies = [json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (account, heads)]
    iam.create_role(RoleName="Scientist", AssumeRolePolicyDocument=policies[0])
    iam.put_role_policy(RoleName="Scientist", PolicyName="heads", PolicyDocument=policies[1])


def test_redun(engines: Engines, tmp_path: Path) -> None:
    configuration = engines.run("engine", "redun").replace("image = …", f"image = {IMAGE}\nmemory = 1")
    fast = "\njob_monitor_interval = 0.5\njob_stale_time = 0\n"
    (tmp_path / "redun.ini").write_text(f"[backend]\ndb_uri = sqlite:///redun.db\n{configuration}{fast}")
    shutil.copy(HERE / "workflows/workflow.py", tmp_path)
    place = f"s3://{RESULTS}/redun/out"
    given = ("--reference", f"s3://{REFERENCE}/reference.fa", "--place", place)

    done = engines.engine("redun", "-c", ".", "run", "workflow.py", "main", *given, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert engines.object("redun/out/total.txt") == TOTAL

    done = engines.engine("redun", "-c", ".", "run", "workflow.py", "broken", cwd=tmp_path)
    assert done.returncode != 0
    assert "/missing.fa" in engines.why(engines.failed("redun-job-"))


def test_snakemake(engines: Engines, tmp_path: Path) -> None:
    engines.aws.client("s3").put_object(Bucket=RESULTS, Key="snakemake/reference.fa", Body=FASTA)
    (tmp_path / "config.yaml").write_text(engines.run("engine", "snakemake"))
    shutil.copy(HERE / "workflows/Snakefile", tmp_path)
    words = ("--profile", ".", "--container-image", IMAGE, "--jobs", "2", "--seconds-between-status-checks", "1")

    done = engines.engine("snakemake", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert engines.object("snakemake/total.txt") == TOTAL

    done = engines.engine("snakemake", "broken", *words, cwd=tmp_path)
    assert done.returncode != 0
    assert "/missing.fa" in engines.why(engines.failed("snakejob-broken-"))


def test_miniwdl(engines: Engines) -> None:
    """The head runs as a job that shares an EFS folder with its tasks, as miniwdl-aws asks for."""
    s3 = engines.aws.client("s3")
    s3.put_object(Bucket=RESULTS, Key="miniwdl/lengths.wdl", Body=(HERE / "workflows/lengths.wdl").read_bytes())
    given = f"image={IMAGE} --cfg miniwdl.cfg --error-json --dir /mnt/efs"
    lengths = "miniwdl run lengths.wdl reference=/mnt/efs/reference.fa"
    script = f"""
        cd /mnt/efs
        python -c "{_COPY_IN}"
        printf %s "$GEN_INFRA_ENGINE_CONFIG" >miniwdl.cfg
        {lengths} {given}/run/.
        python -c "{_COPY_OUT}"
        {lengths} fail=true {given}/broken/.
    """
    job = engines.aws.client("batch").submit_job(
        jobName="wdl",
        jobQueue="tasks-engines",
        jobDefinition="miniwdl-head-engines",
        containerOverrides={"command": ["bash", "-ec", script]},
    )
    follow(Lab(engines.aws.endpoint), job["jobId"])

    assert engines.object("miniwdl/total.txt") == TOTAL, engines.run("logs", job["jobId"])
    assert "/missing.fa" in engines.why(engines.failed("broken-"))


_COPY_IN = f"""
import boto3
s3 = boto3.client('s3')
s3.download_file('{REFERENCE}', 'reference.fa', 'reference.fa')
s3.download_file('{RESULTS}', 'miniwdl/lengths.wdl', 'lengths.wdl')
"""
_COPY_OUT = f"""
import boto3
boto3.client('s3').upload_file('run/out/result/total.txt', '{RESULTS}', 'miniwdl/total.txt')
"""
