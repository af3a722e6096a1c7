"""Stop or kill a first apply, or let AWS fail, with the real terraform; the same command then finishes.

Each test has its own account and is its own class, so that tests can run in parallel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.emulator.session import site_in
from tests.fault_injection.interruption import SMALL, Site, assert_one_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.emulator import Emulator
    from tests.emulator.session import Session
    from tests.emulator.session import Site as PreparedSite


@pytest.fixture
def prepared(session: Session, account: Emulator, tmp_path: Path) -> Iterator[PreparedSite]:
    with site_in(session, tmp_path, account, "small") as made:
        yield made


@pytest.fixture
def site(prepared: PreparedSite) -> Site:
    return Site(prepared)


class TestCtrlC:
    def test_in_each_phase(self, site: Site) -> None:
        """The provider does not wait for an answer then: what AWS carries out is not in the state."""
        assert "hint: run the same command again\n" in site.interrupt_at("DescribeSubnets")
        assert site.state() == {}

        stderr = site.interrupt_at("CreateComputeEnvironment")
        assert "run the same command again to resume; it adopts what AWS has created anyway" in stderr
        (left,) = site.environments()

        site.interrupt_at("CreateJobQueue")
        answer = site.finish_with_answer()
        assert {each["kind"] for each in answer["adopted"]} == {"job queue"}
        assert answer["strays"] == []
        (adopted,) = site.environments()
        assert adopted["computeEnvironmentName"] == left["computeEnvironmentName"]


class TestKill:
    def test_terraform_finishes_the_run_of_a_killed_gen_infra(self, site: Site) -> None:
        site.kill_at("DescribeSubnets", "gen-infra")
        site.kill_at("CreateComputeEnvironment", "gen-infra")
        site.assert_settled()
        assert site.finish() == []


class TestBadAnswers:
    def test_one_after_the_other(self, site: Site) -> None:
        site.aws.fail("CreateLogGroup", times=3)  # throttled: the provider tries again
        run = site.start_until("CreateLaunchTemplate")
        site.expire()
        assert run.end() == 3
        error = assert_one_error(run.stderr)
        assert "error: terraform apply failed: the AWS credentials have expired" in error
        assert "hint: renew them" in error
        site.aws.heal()
        site.assert_readable()

        run = site.start_until("CreateComputeEnvironment")
        site.aws.heal()
        site.aws.lose("*", times=None)  # the provider would try for half an hour
        run.wait_for("… module.compute_spot.aws_batch_compute_environment.this (10 s)")
        assert "run the same command again to resume" in run.interrupt()
        site.aws.heal()
        site.assert_readable()

        site.aws.lose("CreateJobQueue", carried_out=True)  # the SDK asks again
        assert site.finish() == []


class TestStateInABucket:
    BUCKET = "small-tfstate-123456789012"

    @pytest.fixture
    def site(self, prepared: PreparedSite) -> Site:
        site = Site(prepared, SMALL.replace("state: local", f"state: {{bucket: {self.BUCKET}}}"))
        assert site.run("bootstrap").returncode == 0
        return site

    def test_the_lock_that_a_killed_run_left_and_the_state_that_could_not_be_written(self, site: Site) -> None:
        site.kill_at("DescribeSubnets", "everything")
        self.unlock(site)

        run = site.start_until("CreateComputeEnvironment")
        site.expire()
        assert run.end() == 4
        site.aws.heal()
        error = assert_one_error(run.stderr)
        assert "the AWS credentials have expired, and the state could not be saved" in error
        saved = site.state()  # a slow run of terraform saves it every 20 seconds, too
        assert " force-unlock " in error
        assert " state push " in error
        site.type(error.partition("put the state in its place: ")[2])
        assert site.state()["serial"] > saved["serial"]
        assert any(each["mode"] == "managed" for each in site.state()["resources"])
        assert site.finish() == []

    def test_the_next_apply_restores_the_state_that_could_not_be_written(self, site: Site) -> None:
        run = site.start_until("CreateLogGroup")
        site.expire()
        assert run.end() == 4
        site.aws.heal()
        self.unlock(site)
        done = site.run("apply", "--yes")
        assert done.returncode == 0, done.stderr
        assert "restored the state that the last run could not save from " in done.stderr
        assert not (site.terraform / "errored.tfstate").exists()
        assert site.finish() == []

    def unlock(self, site: Site) -> None:
        """Follow the hint of the next run about the lock that is left."""
        done = site.run("apply", "--yes")
        assert done.returncode == 4
        error = assert_one_error(done.stderr)
        assert "holds the state lock since" in error
        site.type(error.partition("if it died, free the lock: ")[2])
