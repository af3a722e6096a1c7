"""The record of the manifest that was applied last, where things go wrong: plans still name their causes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen_infra.terraform.plan import RECORD
from tests.emulator.recorded_site import RecordedSite
from tests.emulator.session import OUTPUT, applied_site
from tests.emulator.small import MANIFESTS, SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator.session import Session


@pytest.fixture(scope="class")
def site(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedSite]:
    with applied_site(session, "small", MANIFESTS, tmp_path_factory.mktemp("record")) as applied:
        assert RECORD not in (applied.folder / OUTPUT).read_text()
        yield RecordedSite(applied)


class TestWithoutEffect:
    def test_a_change_that_aws_refuses_halfway_is_refused_before_anything_changes(self, site: RecordedSite) -> None:
        site.manifest.write_text(f"{SMALL}iam: {{path: /genomics/}}\n")
        instance_role = "AWS refuses it (CreateRole: EntityAlreadyExists): what is created first cannot have the name"
        planned = site.run("plan")
        assert instance_role in planned.stdout
        assert "next: undo that change of the manifest" in planned.stderr
        refused = site.run("apply", "--yes", "--allow", "stop-jobs", code=2)
        assert "this plan cannot be applied; nothing was changed" in refused.stderr
        assert "role batchInstance-small" in refused.stderr
        roles = {role["RoleName"]: role["Path"] for role in site.aws.client("iam").list_roles()["Roles"]}
        assert roles["batchInstance-small"] == roles["tool-small-job"] == "/"

    def test_a_change_that_needs_nothing_in_aws_is_recorded_without_a_message(self, site: RecordedSite) -> None:
        site.manifest.write_text(SMALL.replace("2048,", "2048, queue: main,"))
        assert site.causes() == ({}, ["jobs.tool.queue"])
        assert site.cost["before"]["worst_day"]["usd"]["high"] > 0
        assert site.cost["difference"]["worst_day"] == {"low": 0, "high": 0}
        applied = site.run("apply", "--yes")
        assert RECORD not in applied.stdout + applied.stderr
        assert site.causes() == ({}, [])
