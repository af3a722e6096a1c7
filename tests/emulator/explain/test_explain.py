"""How changes are explained, on real plans: each row of the table, and the manifest's lines behind a change."""

from __future__ import annotations

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.aws.updates import REFUSALS, Refusal, refusals
from gen_infra.explain import Change, explain
from gen_infra.explain.differences import differences, within
from gen_infra.explain.powers import Known
from gen_infra.explain.rules import RULES
from gen_infra.manifest import load
from gen_infra.manifest.lustre import own_scripts
from gen_infra.render.files import render
from gen_infra.render.yaml import to_yaml
from gen_infra.terraform.plan import PlanContent
from tests.cli import clean_environ
from tests.conftest import write_terraform
from tests.emulator.explain.edits import (
    EDITS,
    MANIFEST,
    OVERRIDES,
    OVERRIDES_IN_NETWORK,
    REFUSED,
    REPLACED_ADDRESSES,
    ROLE,
    Edit,
    changed,
    override,
)
from tests.emulator.probes import BATCH_POLICY, TRUST
from tests.emulator.provider import running_provider

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.explain.rule import Action
    from tests.emulator.session import Session


class Folder:
    """A rendered folder, and terraform in it."""

    def __init__(self, path: Path, environ: dict[str, str]) -> None:
        self.path = path
        self.environ = environ

    def render(self, manifest: dict[str, Any]) -> None:
        source = self.path.parent / f"{self.path.name}.yaml"
        source.write_text(to_yaml(manifest))
        write_terraform(render(load(source)), self.path)

    def terraform(self, *arguments: str) -> str:
        done = subprocess.run(
            ["terraform", *arguments],
            capture_output=True, check=False, cwd=self.path, env=self.environ, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def copy(self, name: str) -> Folder:
        """Return the same folder and state under another name."""
        return Folder(shutil.copytree(self.path, self.path.parent / name, symlinks=True), self.environ)

    def plan(self, *options: str) -> PlanContent:
        """Return a plan of what the files and the state say; the state is fresh, so nothing else is read."""
        self.terraform("plan", "-refresh=false", "-input=false", "-out=plan", *options)
        return PlanContent(json.loads(self.terraform("show", "-json", "plan")))


@dataclass(frozen=True)
class Plans:
    """Plans against one applied environment, and the SHA-256 of gen-infra's own scripts on its instances."""

    own_scripts: frozenset[str]
    first: PlanContent
    edited: PlanContent
    fixed: PlanContent
    older: PlanContent
    replaced: PlanContent
    destroyed: PlanContent

    def change(self, plan: PlanContent, address: str) -> Change:
        (found,) = [change for change in explain(plan).changes if change.address == address]
        return found


@pytest.fixture(scope="module")
def plans(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plans]:
    folder = tmp_path_factory.mktemp("rows")
    path = folder / "applied"
    with (
        session.seeded() as aws,
        running_provider(session.provider(), folder, clean_environ(**aws.environ), root=path) as environ,
    ):
        iam = aws.client("iam")
        statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}  # Lambda checks the role within its boundary
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        for name in ("first", "second"):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
            iam.attach_role_policy(RoleName=name, PolicyArn=BATCH_POLICY)  # a compute environment's service role
            iam.create_policy(PolicyName=name, PolicyDocument=policy)
        applied = Folder(path, environ)
        applied.render(MANIFEST)
        manifest = load(folder / "applied.yaml")
        scripts = frozenset(
            script.sha256 for compute in manifest.compute.values() for script in own_scripts(manifest, compute)
        )
        applied.terraform("init", "-input=false")
        first = applied.plan()
        applied.terraform("apply", "-input=false", "-parallelism=40", "plan")
        names = ("edited", "fixed", "older", "replaced", "destroyed")
        edited, fixed, older, replaced, destroyed = (applied.copy(name) for name in names)
        edited.render(changed())
        for edit in EDITS:
            edit.apply(edited.path)
        edited.terraform("get")  # one compute environment moved to another module
        override(edited.path, OVERRIDES_IN_NETWORK)
        override(fixed.path, OVERRIDES)
        older.terraform("state", "rm", "terraform_data.scheduling", "module.compute_custom.terraform_data.type")
        with ThreadPoolExecutor() as pool:
            made = [
                pool.submit(edited.plan),
                pool.submit(fixed.plan),
                pool.submit(older.plan),
                pool.submit(replaced.plan, *(f"-replace={address}" for address in REPLACED_ADDRESSES)),
                pool.submit(destroyed.plan, "-destroy"),
            ]
            yield Plans(scripts, first, *(each.result() for each in made))


def test_the_first_plan_endangers_nothing_but_by_the_role_of_others_and_by_access(plans: Plans) -> None:
    summary = explain(plans.first, known=Known(own_scripts=plans.own_scripts))
    assert {change.action for change in summary.changes} == {"create"}
    marked = {effect.text for change in summary.changes for effect in change.effects if effect.danger}
    assert summary.dangers.keys() == {"access", "other-roles"}
    assert f"its service role is {ROLE}, which this environment does not create" in marked
    assert len(marked) == 2, marked


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit.address}: {edit.says[:20]}")
def test_a_change_is_explained(plans: Plans, edit: Edit) -> None:
    change = plans.change(plans.edited, edit.address)
    assert change.action == edit.action
    said = [effect for effect in change.effects if edit.says in effect.text]
    assert [effect.danger for effect in said] == [edit.danger], change.effects
    assert all(effect.reason for effect in said)


UPDATED = [refusal for refusal in REFUSALS if refusal.provider == "updates"]
REPLACED = [refusal for refusal in REFUSALS if refusal.provider == "replaces"]


@pytest.mark.parametrize("refusal", UPDATED, ids=lambda refusal: refusal.message[:40])
def test_what_aws_never_updates_is_replaced(plans: Plans, refusal: Refusal) -> None:
    for address in REFUSED[refusal]:
        change = plans.change(plans.edited, address)
        assert change.action == "replace"
        assert change.new_first == (refusal.type == "aws_batch_compute_environment")
        assert any(refusal.message in effect.reason for effect in change.effects), change.effects
        assert change.dangers == (() if change.new_first else ("stop-jobs",))


@pytest.mark.parametrize("refusal", REPLACED, ids=lambda refusal: f"{refusal.type}.{refusal.attribute}")
def test_what_the_provider_replaces_is_explained_in_the_words_of_aws(plans: Plans, refusal: Refusal) -> None:
    found = [
        (plan, resource.address)
        for plan in (plans.edited, plans.fixed)
        for resource in plan.managed_changes
        if resource.before
        and refusal in refusals(resource.type, resource.before, resource.planned)
        and any(each.forces and within(each.attribute, refusal.attribute) for each in differences(resource))
    ]
    assert found, "no plan shows that the provider replaces it"
    for plan, address in found:
        change = plans.change(plan, address)
        assert change.action == "replace"
        assert any(refusal.message in effect.reason for effect in change.effects), change.effects
        assert any("with a new name" in effect.text for effect in change.effects) == refusal.needs_new_name


def test_a_state_of_an_older_version_replaces_nothing(plans: Plans) -> None:
    assert {change.action for change in explain(plans.older).changes} <= {"create"}


@pytest.mark.parametrize(
    ("address", "danger"),
    [
        ("module.compute_gone.aws_batch_compute_environment.this", None),
        ("aws_batch_job_queue.gone", "stop-jobs"),
        ("aws_batch_job_definition.gone", None),
        ("aws_cloudwatch_log_group.gone", "destroy-data"),
        ("aws_iam_role.gone", "stop-jobs"),
    ],
)
def test_what_is_removed_from_the_manifest_is_marked(plans: Plans, address: str, danger: str | None) -> None:
    change = plans.change(plans.edited, address)
    assert change.action == "destroy"
    assert change.dangers == ((danger,) if danger else ())


def test_every_row_matches_a_real_plan(plans: Plans) -> None:
    met = set()
    for plan in (plans.edited, plans.replaced, plans.destroyed):
        actions: dict[str, Action] = {change.address: change.action for change in explain(plan).changes}
        for resource in plan.changes:
            if action := actions.get(resource.address):
                changed = list(differences(resource))
                met |= {rule for rule in RULES if rule.meets(resource.type, action, changed)}
    assert [(rule.kind, rule.action, rule.attribute) for rule in RULES if rule not in met] == []
