"""`gen-infra check` on the manifests of the repository, with the real terraform, checkov and packer.

The examples are scanned together, by one checkov; that they are valid, and what comes of them, is proved where they are
applied.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.check.policy import read_policy
from gen_infra.check.runner import accepted_in, source_verdicts
from gen_infra.manifest import load
from gen_infra.render.files import render
from gen_infra.terraform.adapter import Terraform, find_terraform
from gen_infra.tools.checkov.adapter import find_checkov, scan_hcl_folders
from tests.cli import gen_infra
from tests.conftest import ROOT, require_tool, write_terraform
from tests.golden.renew import manifests

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tools.conftest import Tf

EXAMPLES = [manifest for manifest in manifests() if manifest.parent.name == "examples"]
OTHERS = [manifest for manifest in manifests() if manifest not in EXAMPLES]


def test_no_example_fails(tmp_path: Path) -> None:
    stacks = {example.stem: render(load(example)) for example in EXAMPLES}
    policy = read_policy(ROOT / "policy.yaml")
    accepted = {example.stem: accepted_in(load(example), policy) for example in EXAMPLES}
    for name, files in stacks.items():
        write_terraform(files, tmp_path / name)
    assert Terraform(find_terraform(os.environ), tmp_path, os.environ).fmt_check().files == ()
    scans = scan_hcl_folders(find_checkov(os.environ), [tmp_path / name for name in stacks], os.environ)
    for (name, files), scan in zip(stacks.items(), scans, strict=True):
        checks = source_verdicts(files, scan, accepted[name])
        assert [check.name for check in checks] == ["checkov (source)", "gen-infra (source)"]
        assert not any(check.failed for check in checks), (name, checks)


def _with_a_date_within_a_year(path: Path, folder: Path) -> Path:
    """Return a manifest with suppressions as a copy whose suppressions end soon enough; others as they are."""
    text = path.read_text()
    if "suppressions:" not in text:
        return path
    copy = folder / path.name
    copy.write_text(text.replace("2099-12-31", str(datetime.now(UTC).date() + timedelta(days=300))))
    return copy


@pytest.fixture(scope="module")
def reports(tf: Tf, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return the report of each other manifest, by its environment; one run checks all of them."""
    require_tool("packer")
    folder = tmp_path_factory.mktemp("others")
    for fool in (folder / ".checkov.yaml", folder / "build" / ".checkov.yaml"):
        fool.parent.mkdir(exist_ok=True)
        fool.write_text("skip-check: [CKV_AWS_7]\n")
    environ = tf.environ | {"CKV_SKIP_CHECK": "CKV_AWS_158", "HOME": str(folder)}
    manifest_paths = [_with_a_date_within_a_year(path, folder) for path in OTHERS]
    policy = folder / "policy.yaml"
    policy.write_text("roles: ['arn:aws-us-gov:iam::210987654321:role/batch-service']\n")  # of everything.yaml
    done = gen_infra("check", *manifest_paths, "--policy", policy, "--json", cwd=folder, environ=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return {each["environment"]: each["result"] for each in json.loads(done.stdout)}


@pytest.mark.parametrize("manifest", OTHERS, ids=lambda manifest: manifest.stem)
def test_zero_failed(manifest: Path, reports: dict[str, dict[str, Any]]) -> None:
    report = reports[load(manifest).name]
    results = {check["name"]: check["result"] for check in report["checks"]}
    assert results.pop("suppressions", "passed") == "passed"
    assert results == {
        "terraform fmt": "passed",
        "checkov (source)": "passed",
        "gen-infra (source)": "passed",
        "terraform validate": "passed",
        "checkov (plan)": "not run",
        "gen-infra (plan)": "not run",
        "packer validate": "passed",
        "detect-secrets": "passed",
    }
    findings = [finding for check in report["checks"] for finding in check["findings"]]
    none = "the suppression of GI_NET_1 accepts nothing in the scans that were run"
    accepted = {"CKV2_AWS_5", "CKV_AWS_117", "CKV_AWS_272", none}
    assert {finding["message"].split(":")[0] for finding in findings} <= accepted
    assert all(finding["level"] == "skipped" for finding in findings)
