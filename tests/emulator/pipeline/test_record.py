"""The record of the manifest that was applied last, where things go wrong: plans still name their causes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.terraform.plan import RECORD
from tests.emulator.session import OUTPUT, applied_site
from tests.emulator.small import MANIFESTS, SMALL

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.emulator.session import Session, Site

SECOND = f"""{SMALL.replace("priority: 1,", "priority: 2,")}\
  more: {{image: "public.ecr.aws/docker/library/busybox:1", vcpus: 2, memory_mib: 2048}}
"""


class Half:
    """One applied environment in an account of its own."""

    def __init__(self, site: Site) -> None:
        self.site, self.aws = site, site.aws
        self.manifest = site.folder / "small.yaml"

    def run(self, command: str, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = self.site.run(command, "small.yaml", *arguments)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def causes(self) -> tuple[dict[str, list[str]], list[str]]:
        """Return what a plan changes, each with the manifest's keys behind it; and the keys behind nothing."""
        answer: dict[str, Any] = json.loads(self.run("plan", "--json").stdout)
        assert answer["has_changes"] == bool(answer["changes"])
        behind = {change["address"]: [cause["key"] for cause in change["causes"]] for change in answer["changes"]}
        return behind, [change["key"] for change in answer["without_effect"]]


@pytest.fixture(scope="class")
def half(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Half]:
    with applied_site(session, "small", MANIFESTS, tmp_path_factory.mktemp("half")) as site:
        assert RECORD not in (site.folder / OUTPUT).read_text()
        yield Half(site)


class TestWithoutEffect:
    def test_a_change_that_aws_refuses_halfway_is_refused_before_anything_changes(self, half: Half) -> None:
        half.manifest.write_text(f"{SMALL}iam: {{path: /genomics/}}\n")
        instance_role = "AWS refuses it (CreateRole: EntityAlreadyExists): what is created first cannot have the name"
        assert instance_role in half.run("plan").stdout
        refused = half.run("apply", "--yes", "--allow", "stop-jobs", code=2)
        assert "this plan cannot be applied; nothing was changed" in refused.stderr
        assert "role batchInstance-small" in refused.stderr
        roles = {role["RoleName"]: role["Path"] for role in half.aws.client("iam").list_roles()["Roles"]}
        assert roles["batchInstance-small"] == roles["tool-small-job"] == "/"

    def test_a_change_that_needs_nothing_in_aws_is_recorded_without_a_message(self, half: Half) -> None:
        half.manifest.write_text(SMALL.replace("2048,", "2048, queue: main,"))
        assert half.causes() == ({}, ["jobs.tool.queue"])
        applied = half.run("apply", "--yes")
        assert RECORD not in applied.stdout + applied.stderr
        assert half.causes() == ({}, [])


class TestHalfApplied:
    """In this order, on one environment."""

    def test_unfinished_changes_have_their_causes_and_finished_ones_are_not_reported_as_without_effect(
        self, half: Half
    ) -> None:
        half.aws.fail("CreateLogGroup", code="InvalidParameterException", message="No luck.", times=None)
        half.manifest.write_text(SECOND)
        assert "/aws/batch/small/more" in half.run("apply", "--yes", code=4).stderr
        (queue,) = half.aws.client("batch").describe_job_queues(jobQueues=["main-small"])["jobQueues"]
        assert queue["priority"] == 2
        behind, without_effect = half.causes()
        assert set(behind) >= {"aws_cloudwatch_log_group.more", "aws_batch_job_definition.more"}
        assert set(map(tuple, behind.values())) == {("jobs.more",)}
        assert without_effect == ["queues.main.priority"]
        said = half.run("plan").stdout
        assert "small.yaml:9 queues.main.priority: 1 -> 2: nothing is left to change for it" in said
        assert RECORD not in said

    def test_when_the_rest_is_applied_nothing_is_left_to_report(self, half: Half) -> None:
        half.aws.heal()
        half.run("apply", "--yes")
        assert half.causes() == ({}, [])
        assert json.loads(half.run("drift", "--json").stdout)["resources"] == []
        destroyed = half.run("destroy", "--yes", "--json")
        assert RECORD not in destroyed.stdout + destroyed.stderr
