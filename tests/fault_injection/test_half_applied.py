"""AWS refuses a resource halfway: the next plan names the causes of what is left, and only of that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gen_infra.terraform.plan import RECORD
from tests.emulator.recorded_site import RecordedSite
from tests.emulator.session import applied_site
from tests.emulator.small import MANIFESTS, SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator.session import Session

SECOND = f"""{SMALL.replace("priority: 1,", "priority: 2,")}\
  more: {{image: "public.ecr.aws/docker/library/busybox:1", vcpus: 2, memory_mib: 2048}}
"""


@pytest.fixture(scope="class")
def site(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedSite]:
    with applied_site(session, "small", MANIFESTS, tmp_path_factory.mktemp("half")) as applied:
        yield RecordedSite(applied)


class TestHalfApplied:
    """In this order, on one environment."""

    def test_unfinished_changes_have_their_causes_and_finished_ones_are_not_reported_as_without_effect(
        self, site: RecordedSite
    ) -> None:
        site.aws.fail("CreateLogGroup", code="InvalidParameterException", message="No luck.", times=None)
        site.manifest.write_text(SECOND)
        assert "/aws/batch/small/more" in site.run("apply", "--yes", code=4).stderr
        (queue,) = site.aws.client("batch").describe_job_queues(jobQueues=["main-small"])["jobQueues"]
        assert queue["priority"] == 2
        behind, without_effect = site.causes()
        assert set(behind) >= {"aws_cloudwatch_log_group.more", "aws_batch_job_definition.more"}
        assert set(map(tuple, behind.values())) == {("jobs.more",)}
        assert without_effect == ["queues.main.priority"]
        said = site.run("plan").stdout
        assert "small.yaml:9 queues.main.priority: 1 -> 2: nothing is left to change for it" in said
        assert RECORD not in said

    def test_when_the_rest_is_applied_nothing_is_left_to_report(self, site: RecordedSite) -> None:
        site.aws.heal()
        site.run("apply", "--yes")
        assert site.causes() == ({}, [])
        assert json.loads(site.run("drift", "--json").stdout)["resources"] == []
        destroyed = site.run("destroy", "--yes", "--json")
        assert RECORD not in destroyed.stdout + destroyed.stderr
