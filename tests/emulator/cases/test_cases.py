"""Public reports that need an account: one environment on the embedded AWS for all of them.

``tests/unit/cases/README.md`` lists every report, with its source and its test.
"""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.session import applied_site
from tests.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator.session import Session, Site

NAME = "cases"
FILE = f"{NAME}.yaml"
MANIFEST = f"""\
name: {NAME}
account: "123456789012"
region: us-east-1
state: local
network:
  lookup: {{vpc: {{Name: genomics}}, subnets: {{Tier: private}}, security_groups: {{Name: genomics-batch}}}}
image: {{scratch: {{size_gib: 1000}}}}
compute:
  spot: {{max_vcpus: 1024}}
queues:
  main: {{priority: 10, compute: [spot]}}
  small: {{priority: 1, compute: [spot]}}
jobs:
  call: {{image: quay.io/biocontainers/bcftools:1.21, vcpus: 1, memory_mib: 1024, command: [sleep, "1"]}}
"""


@pytest.fixture(scope="module")
def site(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with applied_site(session, NAME, {FILE: MANIFEST}, tmp_path_factory.mktemp(NAME)) as made:
        yield made


class TestCases:
    def answer(self, site: Site, command: str, *arguments: str) -> str:
        done = site.run(command, FILE, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def submit(self, site: Site, *arguments: str) -> str:
        return self.answer(site, "submit", "call", "--quiet", *arguments).strip()

    def test_children_of_arrays_wait_for_children(self, site: Site) -> None:
        """30: `submit` takes both kinds of array dependencies, and `why` names the child that one waits for."""
        batch = site.aws.client("batch")
        command = ("--", "sleep", "3600")
        in_order = self.submit(site, "--array-size", "3", "--depends-on", "SEQUENTIAL", *command)
        first = self.submit(site, "--array-size", "2", *command)
        second = self.submit(site, "--array-size", "2", "--depends-on", f"{first}:N_TO_N", *command)
        wait_until(lambda: self.statuses(batch, f"{in_order}:0", f"{first}:0", f"{first}:1") == {"RUNNING"})
        waiting = f"{in_order}:1", f"{in_order}:2", f"{second}:0", f"{second}:1"
        wait_until(lambda: self.statuses(batch, *waiting) == {"PENDING"})
        for child, awaited in (
            (f"{in_order}:1", f"{in_order}:0"),
            (f"{in_order}:2", f"{in_order}:1"),
            (f"{second}:1", f"{first}:1"),
        ):
            said = self.answer(site, "why", child)
            assert "cause: it waits for other jobs to succeed" in said
            assert f"gen-infra why {FILE} {awaited}" in said
        for each in (in_order, first, second):
            batch.terminate_job(jobId=each, reason="done")

    def statuses(self, batch: Any, *jobs: str) -> set[str]:
        return {each["status"] for each in batch.describe_jobs(jobs=[*jobs])["jobs"]}

    def test_overrides_that_batch_would_refuse_are_not_sent(self, site: Site) -> None:
        """42: AWS Batch fails such a job later, with "Container Overrides length must be at most 8192"."""
        done = site.run("submit", FILE, "call", "--quiet", "--", "sh", "-c", "a" * 9000)
        assert done.returncode == 2
        assert "AWS Batch accepts 8192 at most" in done.stderr

    def test_the_storage_quota_is_compared_by_doctor_and_plan(self, site: Site) -> None:
        """44: 1024 instances of 1100 GiB each need 1100 TiB, and the account may have 50."""
        words = "gp3 storage is 50 TiB, at max_vcpus 1024 instances of 1100 GiB each need 1100 TiB"
        plan = site.run("plan", FILE)
        assert plan.returncode == 0, plan.stderr
        assert f"warning: EBS quotas: {words}" in plan.stderr
        assert "--quota-code L-7A658B76 --desired-value 1100" in plan.stderr
        assert words in site.run("doctor", FILE).stdout

    def test_a_renamed_queue_stops_its_jobs(self, site: Site) -> None:
        """46: the plan names the danger, and the change of the manifest that causes it."""
        (site.folder / FILE).write_text(MANIFEST.replace("  small:", "  tiny:"))
        try:
            said = self.answer(site, "plan")
        finally:
            (site.folder / FILE).write_text(MANIFEST)
        assert "destroy job queue small-cases" in said
        assert "removed queues.small" in said
        assert "\nstop-jobs: job queue small-cases\n" in said

    def test_an_environment_whose_cluster_is_gone_is_replaced_as_advised(self, site: Site) -> None:
        """33: what `why` advises works as it is typed, and the job runs."""
        batch, ecs = site.aws.client("batch"), site.aws.client("ecs")
        [before] = batch.describe_compute_environments()["computeEnvironments"]
        wait_until(lambda: not self.running(batch))
        ecs.delete_cluster(cluster=before["ecsClusterArn"])
        job_id = self.submit(site)
        wait_until(lambda: self.statuses(batch, job_id) == {"RUNNABLE"})
        said = self.answer(site, "why", job_id)
        assert "Clusters can not be blank" in said
        assert site.run("plan", FILE, "--detailed-exitcode").returncode == 0, "apply alone changes nothing"
        advice = said.partition("apply alone changes nothing: ")[2].splitlines()[0]
        taint, _, rest = advice.partition("; then ")
        self.type(site, taint)
        assert rest == f"gen-infra plan {FILE}; gen-infra apply {FILE}"
        assert site.run("plan", FILE).returncode == 0
        done = site.run("apply", FILE, "--yes")
        assert done.returncode == 0, done.stderr
        [after] = batch.describe_compute_environments()["computeEnvironments"]
        assert after["computeEnvironmentName"] != before["computeEnvironmentName"]
        assert after["status"] == "VALID"
        wait_until(lambda: self.statuses(batch, job_id) == {"SUCCEEDED"})

    def running(self, batch: Any) -> list[Any]:
        return [
            job
            for status in ("STARTING", "RUNNING")
            for job in batch.list_jobs(jobQueue=f"main-{NAME}", jobStatus=status)["jobSummaryList"]
        ]

    def type(self, site: Site, command: str) -> None:
        """Run a command as it is printed, in the folder of the manifest."""
        done = subprocess.run(
            shlex.split(command), capture_output=True, check=False, cwd=site.folder, env=site.environ, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def test_a_local_state_moves_to_a_bucket(self, site: Site) -> None:
        """45: the error names the command that moves the state, and the next plan is empty."""
        bucket = "cases-tfstate-123456789012"
        (site.folder / FILE).write_text(MANIFEST.replace("state: local", f"state: {{bucket: {bucket}}}"))
        self.answer(site, "bootstrap")
        refused = site.run("plan", FILE)
        assert refused.returncode == 4
        command = refused.stderr.partition("the state is elsewhere now; move it: ")[2].strip()
        assert command.endswith("init -migrate-state"), refused.stderr
        self.type(site, f"{command} -force-copy")
        assert site.run("plan", FILE, "--detailed-exitcode").returncode == 0
