"""Whatever fails in a run ends in one error, a hint and an exit code, and the next run finishes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli import clean_environ, gen_infra
from tests.conftest import ROOT
from tests.emulator.session import applied_site
from tests.emulator.small import MANIFESTS, SMALL

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.emulator import Emulator
    from tests.emulator.session import Session


@pytest.fixture
def small(tmp_path: Path) -> Path:
    manifest = tmp_path / "small.yaml"
    manifest.write_text(SMALL)
    return manifest


def assert_error(done: subprocess.CompletedProcess[str], code: int, *says: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error: ") == 1
    for text in says:
        assert text in done.stderr


def test_a_second_run_names_the_holder_of_the_lock(tmp_path: Path, account: Emulator) -> None:
    for name in ("base.yaml", "prod.yaml"):
        shutil.copy(ROOT / "envs" / name, tmp_path)
    environ = clean_environ(**account.environ)
    assert gen_infra("bootstrap", "prod.yaml", environ=environ, cwd=tmp_path).returncode == 0
    lock = {
        "ID": "3f0c1c8e-0000-4000-8000-000000000001",
        "Operation": "OperationTypeApply",
        "Who": "alice@laboratory",
        "Version": "1.11.4",
        "Created": "2026-11-22T10:00:00Z",
        "Path": "genomics-tfstate-123456789012/gen-infra/prod/terraform.tfstate",
        "Info": "",
    }
    s3 = account.client("s3")
    s3.put_object(
        Bucket="genomics-tfstate-123456789012", Key="gen-infra/prod/terraform.tfstate.tflock", Body=json.dumps(lock)
    )
    done = gen_infra("plan", "prod.yaml", environ=environ, cwd=tmp_path)
    assert_error(done, 4, "alice@laboratory", "3f0c1c8e-0000-4000-8000-000000000001")


def test_the_state_bucket_must_exist_first(tmp_path: Path, account: Emulator) -> None:
    for name in ("base.yaml", "prod.yaml"):
        shutil.copy(ROOT / "envs" / name, tmp_path)
    done = gen_infra("plan", "prod.yaml", environ=clean_environ(**account.environ), cwd=tmp_path)
    assert_error(done, 3, "genomics-tfstate-123456789012", "gen-infra bootstrap")


def test_another_account_is_never_touched(small: Path, environ: dict[str, str]) -> None:
    small.write_text(SMALL.replace("123456789012", "999999999999"))
    for arguments in (("plan",), ("apply", "--yes"), ("destroy", "--yes")):
        done = gen_infra(arguments[0], small, *arguments[1:], environ=environ, cwd=small.parent)
        assert_error(done, 2, "999999999999", "123456789012")


def test_no_credentials(small: Path) -> None:
    for name in ("plan", "submit", "jobs", "bootstrap"):
        arguments = ["tool"] if name == "submit" else []
        small.write_text(SMALL.replace("state: local", "state: {bucket: some-bucket}"))
        assert_error(gen_infra(name, small, *arguments, cwd=small.parent), 3, "credentials")


def test_no_way_to_aws(small: Path, aws: Emulator) -> None:
    environ = clean_environ(**aws.environ) | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    assert_error(gen_infra("plan", small, environ=environ, cwd=small.parent), 4, "127.0.0.1:9", "emulator")


def test_without_credentials_check_reports_that_there_is_no_plan(small: Path) -> None:
    done = gen_infra("check", small, "--json", cwd=small.parent)
    assert done.returncode == 0, done.stderr
    results = {check["name"]: check["result"] for check in json.loads(done.stdout)["checks"]}
    assert results["checkov (plan)"] == "not run"
    assert results["checkov (source)"] == "passed"


@pytest.mark.parametrize("variable", ["GEN_INFRA_TERRAFORM", "GEN_INFRA_CHECKOV"])
def test_a_missing_tool_is_named_with_the_line_that_installs_it(small: Path, variable: str) -> None:
    done = gen_infra("check", small, environ=clean_environ(**{variable: "/nowhere/tool"}), cwd=small.parent)
    assert_error(done, 3, "/nowhere/tool")
    assert "hint: " in done.stderr


def test_foreign_variables_change_nothing(small: Path, environ: dict[str, str]) -> None:
    foreign = {
        "TF_CLI_ARGS_plan": "-destroy",
        "TF_CLI_ARGS": "-no-such-option",
        "TF_DATA_DIR": str(small.parent / "elsewhere"),
        "TF_WORKSPACE": "other",
        "CKV_SKIP_CHECK": "CKV_AWS_7",
    }
    done = gen_infra("plan", small, "--json", environ=environ | foreign, cwd=small.parent)
    assert done.returncode == 0, done.stderr
    assert {change["action"] for change in json.loads(done.stdout)["changes"]} == {"create"}
    assert not (small.parent / "elsewhere").exists()


def test_secrets_of_the_environment_are_never_printed(small: Path) -> None:
    secret = "wJalrXUtnFEMI-not-a-key"
    environ = clean_environ(
        AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY=secret, AWS_SESSION_TOKEN=secret
    )
    environ |= {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    done = gen_infra("plan", small, environ=environ, cwd=small.parent)
    assert secret not in done.stdout + done.stderr


def test_a_stale_record_of_a_plan_counts_for_nothing(session: Session, tmp_path: Path) -> None:
    with applied_site(session, "small", MANIFESTS, tmp_path) as site:
        (site.folder / "small.yaml").write_text(SMALL.replace("max_vcpus: 64", "max_vcpus: 48"))
        planned = site.run("plan", "small.yaml")
        assert planned.returncode == 0, planned.stderr
        folder = site.folder / "build/small/plan"
        assert oct(folder.stat().st_mode & 0o777) == "0o700"
        (site.folder / "small.yaml").write_text(SMALL.replace("max_vcpus: 64", "max_vcpus: 32"))
        applied = site.run("apply", "small.yaml", "--yes", "--json")
        assert applied.returncode == 0, applied.stderr
        (environment,) = site.aws.client("batch").describe_compute_environments()["computeEnvironments"]
        assert environment["computeResources"]["maxvCpus"] == 32
        assert not folder.exists(), "a plan is applied once"


def test_python_m_works_too(small: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gen_infra", "render", small, "-q"],
        capture_output=True, check=False, cwd=small.parent, env=os.environ, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "build/small\n")
