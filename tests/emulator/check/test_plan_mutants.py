"""The own checks on a plan are proved by what they catch: a real plan passes, each weakened one ends in a finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from gen_infra.check.runner import accepted_in, own_plan_verdict
from gen_infra.manifest import Manifest, load
from gen_infra.render.files import render
from gen_infra.terraform.adapter import Terraform, find_terraform
from gen_infra.terraform.plan import PlanContent
from tests.conftest import ROOT, write_terraform
from tests.emulator.check.plan_mutants import PLAN_MUTANTS, PlanMutant, apply


@dataclass(frozen=True)
class Planned:
    """A manifest's rendered files, and the plan that terraform makes of them."""

    manifest: Manifest
    files: dict[str, bytes]
    plan: dict[str, Any]

    def failures(self, plan: dict[str, Any]) -> list[tuple[str, str]]:
        """Return the ids and addresses of what the own checks object to in a plan of these files."""
        findings = own_plan_verdict(PlanContent(plan), self.files, accepted_in(self.manifest)).findings
        return [(finding.rule.id if finding.rule else finding.message, finding.address) for finding in findings]


@pytest.fixture(scope="module")
def prod(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Planned:
    manifest = load(ROOT / "envs/prod.yaml")
    files = dict(render(manifest))
    folder = tmp_path_factory.mktemp("prod")
    write_terraform(files, folder)
    (folder / "backend.tf").unlink()  # plans from an empty state
    terraform = Terraform(find_terraform(environ), folder, environ)
    terraform.init()
    terraform.plan(folder / "tfplan")
    return Planned(manifest, files, dict(terraform.show_plan(folder / "tfplan").raw))


def test_what_is_planned_passes(prod: Planned) -> None:
    assert prod.failures(prod.plan) == []


@pytest.mark.parametrize("mutant", PLAN_MUTANTS, ids=lambda mutant: mutant.name)
def test_a_weakness_is_caught_where_it_is(prod: Planned, mutant: PlanMutant) -> None:
    assert (mutant.caught_by, mutant.address) in prod.failures(apply(mutant, prod.plan))
