"""What a folder notes of imports: they are rendered until an apply, and again when the state has lost them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.environment import Environment
from gen_infra.manifest import load_with_warnings
from tests.unit.manifests import changed, write
from tests.unit.recorded import Account, Refusal

if TYPE_CHECKING:
    from pathlib import Path

QUEUE = "aws_batch_job_queue.main"
ROLE = 'aws_iam_role.existing["task"]'
EXISTING = {"queues": {"main": "high"}, "roles": ["task"]}


def state(*names: str) -> dict[str, Any]:
    """Return the state file with the queue, the role, or both."""
    queue = {"mode": "managed", "type": "aws_batch_job_queue", "name": "main", "instances": [{"attributes": {}}]}
    role = {"mode": "managed", "type": "aws_iam_role", "name": "existing", "instances": [{"index_key": "task"}]}
    found = {"queue": queue, "role": role}
    return {"resources": [found[name] for name in names]}


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    made = Environment(load_with_warnings(write(tmp_path, changed(existing=EXISTING))), tmp_path / "build")
    made.terraform_folder.mkdir(parents=True)
    return made


def imports(environment: Environment) -> str:
    return environment.files.get("terraform/imports.tf", b"").decode()


def test_what_was_imported_is_left_out(environment: Environment) -> None:
    assert environment.forget_lost_imports() == (), "there was no apply"
    assert imports(environment).count("import {") == 2
    again = Environment(environment.loaded, environment.root)
    again.note_imported(state("queue", "role"))
    (environment.terraform_folder / "terraform.tfstate").write_text(json.dumps(state("queue", "role")))
    assert again.forget_lost_imports() == ()
    assert imports(again) == ""


@pytest.mark.parametrize(
    ("held", "lost"), [(None, [QUEUE, ROLE]), (["queue"], [ROLE]), ([], [QUEUE, ROLE]), (["queue", "role"], [])]
)
def test_what_the_state_has_lost_is_imported_again(
    environment: Environment, held: list[str] | None, lost: list[str]
) -> None:
    environment.note_imported(state("queue", "role"))
    if held is not None:
        (environment.terraform_folder / "terraform.tfstate").write_text(json.dumps(state(*held)))
    assert imports(environment) == ""
    before = environment.digest
    assert environment.forget_lost_imports() == tuple(lost)
    assert imports(environment).count("import {") == len(lost)
    assert (environment.digest != before) == bool(lost)
    assert {*environment.import_ids} == {*lost}
    assert environment.forget_lost_imports() == ()
    assert imports(Environment(environment.loaded, environment.root)) == imports(environment)


def test_a_state_that_cannot_be_read_is_left_to_terraform(environment: Environment) -> None:
    environment.note_imported(state("queue"))
    (environment.terraform_folder / "terraform.tfstate").write_text("no JSON")
    assert environment.forget_lost_imports() == ()


@pytest.mark.parametrize(("code", "lost"), [("NoSuchKey", (ROLE,)), ("AccessDenied", ()), ("NoSuchBucket", ())])
def test_the_state_of_a_bucket(account: Account, tmp_path: Path, code: str, lost: tuple[str, ...]) -> None:
    document = changed(existing=EXISTING, state={"bucket": "lab-state"})
    environment = Environment(load_with_warnings(write(tmp_path, document)), tmp_path)
    environment.clients = account.clients
    environment.note_imported(state("role"))
    account.answers = {"GetObject": Refusal(code)}
    assert environment.forget_lost_imports() == lost
