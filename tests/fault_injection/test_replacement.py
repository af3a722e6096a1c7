"""Stop or kill the replacement of a compute environment, or let AWS fail, with the real terraform; no job is lost.

Each class has its own copy of an applied environment, so that classes can run in parallel. A test changes the
allocation strategy to the other one and ends in a settled environment again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.session import applied_site
from tests.fault_injection.interruption import SMALL, Run, Site, assert_one_error
from tests.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator.session import Session

STRATEGIES = ("SPOT_CAPACITY_OPTIMIZED", "SPOT_PRICE_CAPACITY_OPTIMIZED")  # only the first is updated in place
WAITS = "accepts no more jobs; waits for one"
DONE = "its work is done"


class Replaced(Site):
    """An applied environment, and a job that runs on the compute environment to replace."""

    job = ""
    strategy = 0

    def begin(self) -> None:
        """Start a job and change the manifest."""
        self.strategy = 1 - self.strategy
        self.manifest.write_text(
            SMALL.replace("max_vcpus: 64", f"max_vcpus: 64, allocation_strategy: {STRATEGIES[self.strategy]}")
        )
        self.job = self.batch.submit_job(
            jobName="one",
            jobQueue="second-small",
            jobDefinition="one-small",
            containerOverrides={"command": ["sleep", "3600"]},
        )["jobId"]
        wait_until(lambda: self.described()["status"] == "RUNNING")

    def described(self) -> dict[str, Any]:
        (job,) = self.batch.describe_jobs(jobs=[self.job])["jobs"]
        found: dict[str, Any] = job
        return found

    def assert_readable(self) -> None:
        super().assert_readable()
        if self.job:
            assert (self.described()["status"], self.described()["attempts"]) == ("RUNNING", []), (
                "the job is never lost"
            )

    def drain(self) -> Run:
        """Run the same command again until it waits for the job."""
        run = self.start()
        run.wait_for(WAITS)
        self.assert_readable()
        return run

    def end_job(self) -> None:
        """End the job; nothing else has ended it."""
        self.assert_readable()
        self.batch.terminate_job(jobId=self.job, reason=DONE)
        wait_until(lambda: self.described()["status"] == "FAILED")
        assert self.described()["statusReason"] == DONE
        self.job = ""

    def finish_with_job(self) -> list[dict[str, str]]:
        """Run the same command again, end the job, and wait for the command."""
        run = self.drain()
        self.end_job()
        assert run.end() == 0, run.stderr
        return self.finish()


@pytest.fixture(scope="class")
def applied(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replaced]:
    with applied_site(session, "small", {"small.yaml": SMALL}, tmp_path_factory.mktemp("replaced")) as made:
        yield Replaced(made)


@pytest.fixture
def site(applied: Replaced) -> Iterator[Replaced]:
    applied.begin()
    yield applied
    applied.aws.heal()


class TestCtrlC:
    def test_in_each_phase(self, site: Replaced) -> None:
        stderr = site.interrupt_at("CreateJobQueue")
        assert "stopped between two runs of Terraform" in stderr
        site.interrupt_at("CreateComputeEnvironment")
        site.interrupt_at("UpdateJobQueue", after=1)
        stderr = site.drain().interrupt()
        assert "hint: run the same command again to continue waiting" in stderr

        run = site.drain()
        site.aws.hold("DeleteJobQueue")
        site.end_job()
        site.aws.wait_until_held("DeleteJobQueue")
        run.interrupt()
        site.release("DeleteJobQueue")

        site.interrupt_at("DeleteComputeEnvironment")
        (orphan,) = site.finish()
        site.type(orphan["remove"])
        assert site.finish() == []


class TestKill:
    """Only gen-infra is killed: Terraform finishes its run, which ends when AWS refuses to delete what is held."""

    def test_while_it_makes_the_successor_waits_and_finishes(self, site: Replaced) -> None:
        site.kill_at("CreateComputeEnvironment", "gen-infra")
        site.drain().kill("gen-infra")
        run = site.drain()
        site.aws.hold("DeleteJobQueue")
        site.end_job()
        site.aws.wait_until_held("DeleteJobQueue")
        run.kill("gen-infra")
        site.release("DeleteJobQueue")

        site.kill_at("DeleteComputeEnvironment", "gen-infra")
        site.assert_settled()
        assert site.finish() == []

    def test_while_it_holds_the_old_one_and_switches(self, site: Replaced) -> None:
        site.kill_at("CreateJobQueue", "gen-infra")
        site.kill_at("UpdateJobQueue", "gen-infra", after=1)
        assert site.finish_with_job() == []


class TestPowerLoss:
    def test_in_each_phase(self, site: Replaced) -> None:
        site.kill_at("CreateComputeEnvironment", "everything")
        site.kill_at("UpdateJobQueue", "everything", after=1)
        run = site.drain()
        site.end_job()
        site.aws.hold("DeleteComputeEnvironment")
        site.aws.wait_until_held("DeleteComputeEnvironment")
        run.kill("everything")
        site.release("DeleteComputeEnvironment")
        (orphan,) = site.finish()
        site.type(orphan["remove"])
        assert site.finish() == []


class TestBadAnswers:
    def test_throttled_calls_are_made_again(self, site: Replaced) -> None:
        site.aws.fail("UpdateJobQueue", times=3)
        assert site.finish_with_job() == []

    def test_a_switch_that_fails_or_loses_its_credentials_halfway(self, site: Replaced) -> None:
        before = site.orders()
        site.aws.fail("UpdateJobQueue", after=1, code="ClientException", message="Out of luck", times=1)
        run = site.start()
        assert run.end() == 4
        assert "Out of luck" in assert_one_error(run.stderr)
        assert "pointed back to where they were: " in run.stderr
        assert {queue: order for queue, order in site.orders().items() if queue in before} == before
        site.assert_readable()

        run = site.start_until("UpdateJobQueue", after=1)
        site.expire()
        assert run.end() == 3
        assert "the AWS credentials have expired" in assert_one_error(run.stderr)
        site.aws.heal()
        site.assert_readable()
        assert site.finish_with_job() == []
