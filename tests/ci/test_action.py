"""The steps of action.yml, run with real tools on the embedded AWS, in a job with nothing but Python and terraform."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.ci.runner import ActionRunner
from tests.conftest import ROOT, require_tool
from tests.emulator.session import applied_site
from tests.emulator.small import MANIFESTS
from tests.sarif import problems
from tests.tools.ci.test_lint import block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.emulator.session import Session, Site

GITHUB = {
    "repository": "lab/infra",
    "server_url": "https://github.com",
    "run_id": "42",
    "event_name": "pull_request",
    "event": {"pull_request": {"number": 7}},
    "token": "made-up",
}
CHECKOV = str(Path(sys.prefix) / "bin" / "checkov")


@pytest.fixture(scope="module")
def site(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with applied_site(session, "small", MANIFESTS, tmp_path_factory.mktemp("small")) as found:
        yield found


@pytest.fixture(scope="module")
def installed(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run the installing step once; return the job's environment variables after it."""
    require_tool("jq")
    environ = {**site.environ, "PIP_NO_COMPILE": "1"}  # to compile all of boto3 takes longer than the commands
    job = ActionRunner(ROOT, tmp_path_factory.mktemp("install"), site.folder, environ, {}, GITHUB)
    assert job.run_step("install") == 0, job.log
    return job.environ


@pytest.fixture
def job(site: Site, installed: dict[str, str], tmp_path: Path) -> Callable[..., ActionRunner]:
    def make(command: str, manifest: str = "small.yaml", **inputs: str) -> ActionRunner:
        given = {"command": command, "manifest": manifest, **{name.replace("_", "-"): inputs[name] for name in inputs}}
        environ = {**installed, "GEN_INFRA_CHECKOV": CHECKOV}
        return ActionRunner(ROOT, tmp_path, site.folder, environ, given, GITHUB)

    return make


def run(job: ActionRunner) -> int:
    return job.run(without=("install", "install-checkov"))


def priority(site: Site, new: int | None = None) -> Any:
    """Return the queue's priority in the account, or change it there."""
    batch = site.aws.client("batch")
    if new is not None:
        batch.update_job_queue(jobQueue="main-small", priority=new)
    return batch.describe_job_queues(jobQueues=["main-small"])["jobQueues"][0]["priority"]


def test_check_fails_with_findings_for_code_scanning(job: Callable[..., ActionRunner], site: Site) -> None:
    text = (site.folder / "small.yaml").read_text()
    (site.folder / "foreign.yaml").write_text(f"{text}image: {{id: ami-0123456789abcdef0}}\n")
    role = {"role_to_assume": "arn:aws:iam::123456789012:role/x", "aws_region": "us-east-1"}
    checked = job("check", "\nforeign.yaml\n", against="main/foreign.yaml", **role)
    assert run(checked) == 1, checked.log
    assert (checked.output("result"), checked.log.startswith("::error::")) == ("failed", True)
    assert problems(Path(checked.output("report")).read_text()) == []
    assert "### gen-infra check: failed" in checked.summary.read_text()
    assert "ami-0123456789abcdef0" in checked.summary.read_text()
    assert checked.used["github/codeql-action/upload-sarif"]["sarif_file"] == checked.output("report")
    assumed = checked.used["aws-actions/configure-aws-credentials"]
    assert (assumed["role-to-assume"], assumed["aws-region"]) == ("arn:aws:iam::123456789012:role/x", "us-east-1")


def test_a_broken_manifest_is_no_finding(job: Callable[..., ActionRunner]) -> None:
    checked = job("check", "missing.yaml")
    assert run(checked) == 2
    assert "file not found" in checked.log
    assert checked.output("result") == ""


def test_plan_comments_once_and_apply_does_it(job: Callable[..., ActionRunner], site: Site) -> None:
    manifest = site.folder / "small.yaml"
    manifest.write_text(manifest.read_text().replace("memory_mib: 2048", "memory_mib: 3072"))
    planned = job("plan")
    assert run(planned) == 0, planned.log
    assert planned.output("result") == "changes"
    digest = planned.output("digest")
    assert f"Digest: {digest}\n" in planned.summary.read_text()
    shutil.copy(planned.output("report"), site.folder / "plan.md")
    of_gitlab = yaml.safe_load(block(".gitlab-ci.yml"))["plan"]["script"][-1]
    subprocess.run(["sh", "-c", of_gitlab], check=True, cwd=site.folder)
    assert (site.folder / "plan.env").read_text() == f"DIGEST={digest}\n"
    (comment,) = planned.kept
    assert comment["list"] == "repos/lab/infra/issues/7/comments"
    assert comment["body"].startswith("<!-- gen-infra plan: small.yaml -->\n### Plan for small")
    assert "2048 -\\> 3072" in comment["body"]
    assert planned.summary.read_text() in comment["body"]

    Path(planned.output("report")).write_text("### Plan\n" + "| a row |\n" * 20_000)
    assert planned.run_step("comment") == 0, planned.log
    (comment,) = planned.kept
    assert comment["changes"] == 1, "the same comment"
    assert len(comment["body"]) < 65_536
    assert comment["body"].endswith("| a row |\n\nThe job summary has the rest.\n")

    refused = job("apply", reviewed="0" * 64)
    assert run(refused) == 1
    assert f'this plan has the digest "{digest}"' in refused.log
    applied = job("apply", allow="\nstop-jobs\n", reviewed=digest)
    assert run(applied) == 0, applied.log
    assert applied.output("result") == "applied"
    definitions = site.aws.client("batch").describe_job_definitions(jobDefinitionName="tool-small", status="ACTIVE")
    newest = max(definitions["jobDefinitions"], key=lambda each: each["revision"])["containerProperties"]
    assert {"type": "MEMORY", "value": "3072"} in newest["resourceRequirements"]
    assert "update aws_batch_job_definition.tool" in applied.summary.read_text()
    assert json.loads(Path(applied.output("report")).read_text())["changes"]


def test_drift_opens_an_issue_updates_it_and_closes_it(job: Callable[..., ActionRunner], site: Site) -> None:
    before = priority(site)
    priority(site, 77)
    drifted = job("drift")
    assert run(drifted) == 0, drifted.log
    assert drifted.output("result") == "drift"
    (issue,) = drifted.kept
    assert (issue["list"], issue["title"]) == ("repos/lab/infra/issues", "Drift: small.yaml")
    assert "77" in issue["body"]
    assert "https://github.com/lab/infra/actions/runs/42" in issue["body"]
    assert drifted.run_step("issue") == 0, drifted.log
    (issue,) = drifted.kept
    assert issue["changes"] == 1, "the same issue"

    priority(site, before)
    assert run(drifted) == 0, drifted.log
    (issue,) = drifted.kept
    assert (drifted.output("result"), issue["state"]) == ("none", "closed")
    assert "### gen-infra drift: none" in drifted.summary.read_text()
