"""Real environments, created, used and destroyed under the roles that `gen-infra permissions` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gen_infra.manifest import load
from tests.permissions.environments import ALLOWED, client, prepared, roles_of, run, under

if TYPE_CHECKING:
    from pathlib import Path

    from tests.emulator.session import Session


class Life:
    """One environment, from its first apply to its end."""

    name: str
    image_status = 0  # its exit code

    def test_each_role_may_run_its_commands(self, session: Session, tmp_path: Path) -> None:
        with session.seeded() as aws:
            path = prepared(aws, self.name, tmp_path)
            manifest = load(path)
            roles = roles_of(aws, manifest)
            if manifest.state != "local":
                with under(session, aws, manifest, tmp_path, "") as site:
                    run(site, "bootstrap", path)
            with under(session, aws, manifest, tmp_path, roles["apply"]) as apply:
                run(apply, "apply", path, "--yes", *ALLOWED)
                run(apply, "plan", path, "--detailed-exitcode")
                run(apply, "check", path)
                with under(session, aws, manifest, tmp_path, roles["plan"]) as plan:
                    run(plan, "plan", path, "--detailed-exitcode")
                    run(plan, "drift", path)
                with under(session, aws, manifest, tmp_path, roles["submit"]) as submit:
                    first, *_ = manifest.jobs
                    job = json.loads(run(submit, "submit", path, first, "--json"))["id"]
                    run(submit, "jobs", path)
                    run(submit, "jobs", path, job)
                    run(submit, "why", path, job)
                    run(submit, "cancel", path, job, "--yes")
                    ended = json.loads(run(submit, "submit", path, first, "--watch", "--json"))["id"]
                    run(submit, "logs", path, ended)
                    other = json.loads(run(submit, "submit", path, first, "--json"))["id"]
                with under(session, aws, manifest, tmp_path, roles["operate"]) as operate:
                    run(operate, "jobs", path)
                    run(operate, "cancel", path, other, "--yes")
                    run(operate, "submit", path, first, "--via-function")
                    run(operate, "drift", path)
                    run(operate, "doctor", path, code=1)  # the images of jobs are not pushed
                    run(operate, "image status", path, code=self.image_status)
                run(apply, "destroy", path, "--yes")
            assert client(aws, "batch", manifest.region).describe_job_queues()["jobQueues"] == []


class TestDemo(Life):
    name = "demo"


class TestProd(Life):
    name = "prod"
    image_status = 1  # it runs an image that gen-infra did not build


class TestSideBySide(Life):
    name = "side-by-side"
