"""A plan is applied only as it was shown; the pipeline's own functions, with the real terraform.

One plan of each kind is made for the whole file. A test gets a copy of the folder, so that it can swap what it likes.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest

from gen_infra import pipeline
from gen_infra.errors import UsageError
from gen_infra.terraform.adapter import TerraformError
from gen_infra.terraform.provider import find_provider
from tests.cli import clean_environ
from tests.emulator.pushed import put_image
from tests.emulator.session import site_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.emulator import Emulator
    from gen_infra.environment import Environment
    from gen_infra.terraform.saved_plan import Plan
    from tests.emulator.session import Session

MANIFEST = """\
name: {name}
account: "123456789012"
region: us-east-1
state: local
network:
  lookup: {{vpc: {{Name: genomics}}, subnets: {{Tier: private}}, security_groups: {{Name: genomics-batch}}}}
image: {{parameter: /gen-infra/{name}/ami}}
compute: {{spot: {{max_vcpus: 64}}}}
queues: {{main: {{priority: 1, compute: [spot]}}}}
repositories: [tool]
"""
NAME = "planned"


class Shell:
    """What a shell does in the folder of the manifests: load, write, plan."""

    def __init__(self, folder: Path, aws: Emulator) -> None:
        self.folder, self.aws = folder, aws
        self.progress: list[str] = []

    def manifest(self, name: str = NAME) -> Path:
        path = self.folder / f"{name}.yaml"
        if not path.exists():
            path.write_text(MANIFEST.format(name=name))
        return path

    def load(self, name: str = NAME) -> Environment:
        environment = pipeline.load(self.manifest(name), self.folder / "build")
        pipeline.write(environment)
        return environment

    def plan(self, environment: Environment, *, destroy: bool = False) -> Plan:
        return pipeline.make_plan(environment, lambda _: None, self.progress.append, adopt=True, destroy=destroy)

    def find(self, environment: Environment) -> Plan:
        return pipeline.saved_or_new_plan(environment, lambda _: None, self.progress.append, adopt=True)

    def apply(self, environment: Environment, plan: Plan) -> pipeline.Applied:
        return pipeline.apply(environment, plan, lambda _: None, self.progress.append)

    def destroy(self, environment: Environment, plan: Plan) -> list[str]:
        return pipeline.destroy(environment, plan, lambda _: None, self.progress.append)

    # --- the account ---

    def push_image(self) -> None:
        """Put an image into the environment's repository, which a destroy deletes first of all."""
        ecr = self.aws.client("ecr")
        ecr.create_repository(repositoryName=f"{NAME}/tool")
        put_image(ecr, f"{NAME}/tool", "1.0")

    def assert_untouched(self) -> None:
        """Nothing was created, and the image is still there."""
        assert self.aws.client("batch").describe_compute_environments()["computeEnvironments"] == []
        assert self.aws.client("logs").describe_log_groups(logGroupNamePrefix="/aws/batch")["logGroups"] == []
        assert len(self.aws.client("ecr").list_images(repositoryName=f"{NAME}/tool")["imageIds"]) == 1


class Made(NamedTuple):
    """A folder with plans that are made and not applied."""

    shell: Shell
    apply: Plan
    destroy: Plan
    files: dict[str, bytes]  # of each plan


@pytest.fixture(scope="module", autouse=True)
def _environ() -> Iterator[pytest.MonkeyPatch]:
    """Nothing of this machine's own settings, and the emulator's instead."""
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(clean_environ()):
            patch.delenv(name)
        for name, value in clean_environ().items():
            patch.setenv(name, value)
        yield patch


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the one environment that is applied."""
    return tmp_path_factory.mktemp("first")


@pytest.fixture(scope="module")
def account(session: Session, first: Path, _environ: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An account, and a terraform on PATH that finds its provider running."""
    with session.seeded() as aws, site_in(session, first, aws, "first") as site:
        for name, value in site.environ.items():
            _environ.setenv(name, value)
        (image, *_) = aws.client("ec2").describe_images(Owners=["amazon"])["Images"]
        for name in (NAME, "other", "first"):
            parameter = {"Name": f"/gen-infra/{name}/ami", "Type": "String", "DataType": "aws:ec2:image"}
            aws.client("ssm").put_parameter(**parameter, Value=image["ImageId"])
        yield aws


@pytest.fixture(scope="module")
def made(account: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Made:
    shell = Shell(tmp_path_factory.mktemp("plans"), account)
    environment = shell.load()
    plans, files = {}, {}
    for intent in ("destroy", "apply"):
        plans[intent] = plan = shell.plan(environment, destroy=intent == "destroy")
        files[intent] = plan.path.read_bytes()
    shell.push_image()
    return Made(shell, plans["apply"], plans["destroy"], files)


@pytest.fixture
def shell(made: Made) -> Iterator[Shell]:
    """Yield the shell in the folder, with the plan to apply as it was saved; nothing may have happened afterwards."""
    kept = made.shell.folder / "kept"
    shutil.copytree(made.shell.folder / "build", kept, symlinks=True)
    made.shell.progress.clear()
    yield made.shell
    made.shell.assert_untouched()
    shutil.rmtree(made.shell.folder / "build")
    kept.rename(made.shell.folder / "build")
    made.shell.manifest().write_text(MANIFEST.format(name=NAME))


class TestAnotherParameter:
    """`image.parameter` names a parameter that is for something else."""

    SECRET = "correct horse battery staple"

    def test_its_value_reaches_no_plan_no_message_and_no_file(self, shell: Shell, account: Emulator) -> None:
        account.client("ssm").put_parameter(Name="/gen-infra/stolen/ami", Type="String", Value=self.SECRET)
        environment = shell.load("stolen")
        with pytest.raises(UsageError, match='"/gen-infra/stolen/ami" has type String and data type text, not ') as no:
            shell.plan(environment)

        terraform = environment.terraform(lambda _: None)  # on its own, as the rendered files can be used
        terraform.init(plugin_dir=find_provider(os.environ, flavour=terraform.binary.flavour).plugin_dir)
        with pytest.raises(TerraformError, match="must contain the id of an AMI") as failed:
            terraform.plan(shell.folder / "stolen.tfplan")

        assert self.SECRET not in f"{no.value} {no.value.hint} {failed.value} {failed.value.hint}"
        written = [path.read_bytes() for path in (shell.folder / "build" / "stolen").rglob("*.tfstate*")]
        assert not any(self.SECRET.encode() in content for content in written)


class TestRefused:
    """Before anything is changed, with exit code 2."""

    def test_an_ordinary_plan_does_not_destroy(self, shell: Shell, made: Made) -> None:
        with pytest.raises(UsageError, match="made to apply the manifest, not to destroy the environment"):
            shell.destroy(shell.load(), made.apply)

    def test_a_plan_to_destroy_is_not_applied(self, shell: Shell, made: Made) -> None:
        with pytest.raises(UsageError, match="made to destroy the environment, not to apply the manifest"):
            shell.apply(shell.load(), made.destroy)

    def test_an_intent_that_was_swapped_does_not_help(self, shell: Shell, made: Made) -> None:
        """The file of a plan to apply, under the name of a plan to destroy that was shown."""
        with pytest.raises(UsageError, match="is not the one that was shown"):
            shell.destroy(shell.load(), made.destroy)

    def test_a_plan_in_another_shell_during_the_prompt(self, shell: Shell) -> None:
        environment = shell.load()
        shown = shell.plan(environment, destroy=True)
        shell.plan(shell.load())
        with pytest.raises(UsageError, match="something else planned or applied meanwhile; nothing was changed") as no:
            shell.destroy(environment, shown)
        assert no.value.exit_code == 2
        assert no.value.hint == "run the same command again, and read the new plan"

    def test_a_second_plan_of_the_same_files_is_not_the_one_that_was_shown(self, shell: Shell, made: Made) -> None:
        environment = shell.load()
        made.apply.path.write_bytes(made.files["destroy"])
        with pytest.raises(UsageError, match="is not the one that was shown"):
            shell.apply(environment, made.apply)

    def test_a_plan_of_another_environment(self, shell: Shell, made: Made) -> None:
        other = shell.load("other")
        with pytest.raises(UsageError, match=r"it is for name planned, .*, not for name other, "):
            shell.apply(other, made.apply)

    def test_a_plan_of_another_folder(self, shell: Shell, made: Made) -> None:
        elsewhere = pipeline.load(shell.manifest(), shell.folder / "elsewhere")
        pipeline.write(elsewhere)
        with pytest.raises(UsageError, match=r"folder .*/build/planned, not for .*/elsewhere/planned"):
            shell.apply(elsewhere, made.apply)

    def test_files_that_another_shell_rendered_during_the_prompt(self, shell: Shell, made: Made) -> None:
        environment = shell.load()
        shell.manifest().write_text(MANIFEST.format(name=NAME).replace("priority: 1", "priority: 2"))
        shell.load()
        with pytest.raises(UsageError, match=r"another run has rendered other files into .*; nothing was changed"):
            shell.apply(environment, made.apply)


class TestDiscarded:
    """With one line that says so; then there is a new plan."""

    def replaced(self, shell: Shell, environment: Environment, made: Made) -> str:
        plan = shell.find(environment)
        assert plan.sha256 != made.apply.sha256
        assert plan.origin == environment.plan_origin("apply")
        adopted = "found what an interrupted run left: repository planned/tool; terraform plans again …"
        (line,) = [each for each in shell.progress if each not in {adopted, "reading the saved plan …"}]
        assert line.startswith("discarded the saved plan (")
        assert line.endswith("); planning again")
        return line

    def test_one_that_can_be_used_is_not(self, shell: Shell, made: Made) -> None:
        assert shell.find(shell.load()).sha256 == made.apply.sha256
        assert shell.progress == ["reading the saved plan …"]

    def test_a_damaged_one(self, shell: Shell, made: Made) -> None:
        made.apply.path.write_bytes(made.files["apply"][:-100])
        assert "its file is damaged or was replaced" in self.replaced(shell, shell.load(), made)

    def test_one_of_another_folder_that_was_copied_here(self, shell: Shell, made: Made) -> None:
        other = shell.load("other")
        shutil.copytree(made.apply.path.parent, other.saved_plan.folder)
        assert "it is for name planned" in self.replaced(shell, other, made)


def test_the_first_apply_opens_one_session_and_looks_terraform_up_once(
    account: Emulator, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It also applies what was shown if the manifest is edited meanwhile, and names the lines as they were."""
    terraform = shutil.which("terraform")
    assert terraform
    calls, wrapper = tmp_path / "calls", tmp_path / "terraform"
    wrapper.write_text(f'#!/bin/sh\necho "$1" >>{calls}\nexec {terraform} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("GEN_INFRA_TERRAFORM", str(wrapper))
    sessions: list[boto3.Session] = []

    class Session(boto3.Session):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            sessions.append(self)

    monkeypatch.setattr(boto3, "Session", Session)

    shell = Shell(first, account)
    environment = shell.load("first")
    shown = shell.find(environment)
    applied = shell.apply(environment, shown)
    assert applied.outputs["job_queues"] == {"main": "main-first"}
    assert applied.orphans == ()
    assert len(sessions) == 1
    assert calls.read_text().split().count("version") == 1
    assert not environment.saved_plan.exists, "it is spent once"
    with pytest.raises(UsageError, match="is gone"):
        shell.apply(environment, shown)

    manifest = shell.manifest("first")
    planned = manifest.read_text().replace("priority: 1", "priority: 2")
    manifest.write_text(planned)
    environment = shell.load("first")
    shown = shell.plan(environment)
    manifest.write_text("# a new first line\n" + planned.replace("priority: 2", "priority: 3"))
    (change,) = pipeline.explain(environment, shown).changes
    assert [str(cause) for cause in change.causes] == [f"{manifest}:9 queues.main.priority: 1 -> 2"]
    shell.apply(environment, replace(shown))
    (queue,) = environment.clients.batch.describe_job_queues(jobQueues=["main-first"])["jobQueues"]
    assert queue["priority"] == 2
