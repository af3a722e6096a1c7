"""The net is proved by what it catches: each way to weaken the rendered files must end in a finding."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gen_infra.check.policy import Policy
from gen_infra.check.runner import accepted_in, own_source_verdict, source_verdicts
from gen_infra.manifest import load
from gen_infra.render.files import render
from gen_infra.tools.checkov.adapter import ScanResult, find_checkov, scan_hcl_folders
from tests.conftest import ROOT, write_terraform
from tests.tools.check.mutants import MUTANTS as FIRST_MUTANTS
from tests.tools.check.mutants import Mutant, apply
from tests.tools.check.mutants_of_conditions import CONDITION_MUTANTS
from tests.tools.check.mutants_of_policies import POLICY_MUTANTS
from tests.tools.check.mutants_of_settings import SETTING_MUTANTS

if TYPE_CHECKING:
    from gen_infra.check.report import Check
    from gen_infra.check.rules.rule import Accepted

MUTANTS = (*FIRST_MUTANTS, *POLICY_MUTANTS, *SETTING_MUTANTS, *CONDITION_MUTANTS)
POLICY = Policy(roles=("arn:aws-us-gov:iam::210987654321:role/batch-service",))  # of everything.yaml
BASES = {
    "prod": ROOT / "envs/prod.yaml",
    "demo": ROOT / "envs/demo.yaml",
    "everything": ROOT / "tests/golden/manifests/everything.yaml",
    "pinned-build": ROOT / "tests/golden/manifests/pinned-build.yaml",
    **{
        name: ROOT / f"envs/examples/{name}.yaml"
        for name in (
            "access",
            "blocked-queues",
            "container-settings",
            "efs",
            "fargate",
            "image-rebuild",
            "multi-node",
            "nextflow",
            "permissions-boundary",
            "secrets",
            "several-containers",
            "step-functions",
        )
    },
}


@pytest.fixture(scope="module")
def rendered() -> dict[str, dict[str, bytes]]:
    return {name: dict(render(load(path))) for name, path in BASES.items()}


@pytest.fixture(scope="module")
def accepted() -> dict[str, Accepted]:
    return {name: accepted_in(load(path), POLICY) for name, path in BASES.items()}


@pytest.fixture(scope="module")
def scanned(rendered: dict[str, dict[str, bytes]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, ScanResult]:
    """Return what checkov reports about each base, and about the mutants that it has to catch; it is started once."""
    stacks = rendered | {
        mutant.name: apply(mutant, rendered[mutant.base]) for mutant in MUTANTS if mutant.needs_checkov
    }
    folders = [tmp_path_factory.mktemp("stack") for _ in stacks]
    for files, folder in zip(stacks.values(), folders, strict=True):
        write_terraform(files, folder)
    return dict(zip(stacks, scan_hcl_folders(find_checkov(os.environ), folders, os.environ), strict=True))


def _failures(checks: list[Check]) -> list[str]:
    return [
        f"{finding.where}: {finding.message}"
        for check in checks
        for finding in check.findings
        if finding.level == "failed"
    ]


@pytest.mark.parametrize("base", BASES)
def test_what_is_rendered_passes(
    rendered: dict[str, dict[str, bytes]],
    scanned: dict[str, ScanResult],
    accepted: dict[str, Accepted],
    base: str,
) -> None:
    assert _failures(source_verdicts(rendered[base], scanned[base], accepted[base])) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_weakness_is_caught(
    rendered: dict[str, dict[str, bytes]],
    accepted: dict[str, Accepted],
    request: pytest.FixtureRequest,
    mutant: Mutant,
) -> None:
    files = apply(mutant, rendered[mutant.base])

    failures = _failures(
        source_verdicts(files, request.getfixturevalue("scanned")[mutant.name], accepted[mutant.base])
        if mutant.needs_checkov
        else [own_source_verdict(files, accepted[mutant.base])]
    )

    assert any(mutant.caught_by in failure for failure in failures), failures


def test_there_are_enough_mutants_and_each_is_its_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 450
