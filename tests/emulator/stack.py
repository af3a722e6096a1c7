"""One of the real manifests, applied to its own account, with ways for a test to inspect and change it."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml

from tests.cli import gen_infra
from tests.conftest import ROOT
from tests.emulator.session import applied_site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.emulator.session import Session, Site

COMPUTE = "module.compute_genomicsEnv.aws_batch_compute_environment.this"


class Stack:
    """One environment in its own account; its manifest is a copy that a test may change."""

    def __init__(self, name: str, site: Site) -> None:
        self.aws = site.aws
        self.environ = site.environ
        self.folder = site.folder
        self.manifest = site.folder / f"{name}.yaml"
        self.out = site.folder / "build"
        self.terraform = self.out / name / "terraform"

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return gen_infra(command, self.manifest, *arguments, environ=self.environ, cwd=self.folder)

    def image(self, verb: str, *arguments: str, code: int = 0) -> Any:
        """Run ``gen-infra image VERB`` in the manifest's folder and return its JSON."""
        words = ("image", verb, self.manifest.name, "--json", *arguments)
        done = gen_infra(*words, environ=self.environ, cwd=self.folder)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def build(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(command, "--out", str(self.out), *arguments)

    def answer(self, command: str, *arguments: str, code: int = 0) -> Any:
        done = self.run(command, "--json", *arguments)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def built(self, command: str, *arguments: str, code: int = 0) -> Any:
        return self.answer(command, "--out", str(self.out), *arguments, code=code)

    def change(self, file: str, *path: str, to: Any) -> None:
        """Set a value in one of the manifest's files."""
        document = yaml.safe_load((self.folder / file).read_text())
        place = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to
        (self.folder / file).write_text(yaml.safe_dump(document, sort_keys=False))

    def plain_terraform(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run terraform without gen-infra, in the rendered folder."""
        return subprocess.run(
            ["terraform", command, "-input=false", "-no-color", *arguments],
            capture_output=True,
            check=False,
            cwd=self.terraform,
            env=self.environ,
            text=True,
        )

    def batch(self) -> Any:
        return self.aws.client("batch")


@contextmanager
def applied(session: Session, name: str, folder: Path) -> Iterator[Stack]:
    """Copy one of the real manifests with the account that it was applied to; it is applied once in a session."""
    manifests = {manifest.name: manifest.read_text() for manifest in (ROOT / "envs").glob("*.yaml")}
    with applied_site(session, name, manifests, folder) as site:
        yield Stack(name, site)


def changes(answer: Any) -> dict[str, tuple[str, bool]]:
    """Map each address to the action, and to whether the new resource is created first."""
    return {change["address"]: (change["action"], change["new_first"]) for change in answer["changes"]}


def details(answer: Any, address: str) -> list[str]:
    (found,) = [change["details"] for change in answer["changes"] if change["address"] == address]
    return list(found)


def assert_settled(made: Stack) -> None:
    done = made.build("plan", "--detailed-exitcode")
    assert (done.returncode, done.stdout) == (0, "nothing to do: the environment matches the manifest\n"), done.stderr


def assert_destroyed(made: Stack, others: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Destroy the environment; nothing is left but the job definitions that were registered by others."""
    done = made.build("destroy", "--yes")
    assert done.returncode == 0, done.stderr
    batch, iam = made.batch(), made.aws.client("iam")
    assert batch.describe_compute_environments()["computeEnvironments"] == []
    assert batch.describe_job_queues()["jobQueues"] == []
    active = batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    assert [definition["jobDefinitionName"] for definition in active] == [*others]
    assert made.aws.client("lambda").list_functions()["Functions"] == []
    assert made.aws.client("ecr").describe_repositories()["repositories"] == []
    assert made.aws.client("logs").describe_log_groups(logGroupNamePrefix="/aws/")["logGroups"] == []
    assert made.aws.client("sqs").list_queues().get("QueueUrls", []) == []
    assert iam.list_instance_profiles()["InstanceProfiles"] == []
    assert [
        role["RoleName"] for role in iam.list_roles()["Roles"] if not role["Path"].startswith("/aws-service-role/")
    ] == []
    return done
