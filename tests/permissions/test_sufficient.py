"""Real environments, created, used and destroyed under the roles that `gen-infra permissions` prints."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gen_infra.manifest import load
from tests.permissions.aws_calls import ROLE
from tests.permissions.commands import start_runs, stop_and_continue
from tests.permissions.environments import ALLOWED, client, prepared, roles_of, run, under
from tests.permissions.policies import Policies, Recorded, policies_of, recorded, unneeded

if TYPE_CHECKING:
    from pathlib import Path

    from tests.emulator.session import Session


# The statements of the roles `submit` and `operate` for runs of workflows.
_OF_RUNS = r" (Started\w+|StateMachines|Executions|MapRuns|SampleLists|KeyThroughStates): "


class Life:
    """One environment, from its first apply to its end."""

    name: str
    image_status = 0  # its exit code
    runs_germline = False  # for lists of samples with reads

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
                policies = policies_of(aws)
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
                    if self.runs_germline:
                        start_runs(aws, submit, path)
                with under(session, aws, manifest, tmp_path, roles["operate"]) as operate:
                    run(operate, "jobs", path)
                    run(operate, "cancel", path, other, "--yes")
                    run(operate, "submit", path, first, "--via-function")
                    if self.runs_germline:
                        stop_and_continue(aws, operate, path)
                    run(operate, "drift", path)
                    run(operate, "doctor", path, code=1)  # the images of jobs are not pushed
                    run(operate, "image status", path, code=self.image_status)
                run(apply, "destroy", path, "--yes")
            assert client(aws, "batch", manifest.region).describe_job_queues()["jobQueues"] == []
            self.check(policies, recorded(aws.iam_requests()))

    def check(self, policies: Policies, requests: list[Recorded]) -> None:
        """Check what was requested: `policies` are those after the first apply."""
        assert [each for each in requests if not policies.decide(each).is_allowed] == []


class TestDemo(Life):
    name = "demo"


class TestProd(Life):
    name = "prod"
    image_status = 1  # it runs an image that gen-infra did not build
    runs_germline = True

    def check(self, policies: Policies, requests: list[Recorded]) -> None:
        """Check that each right for runs is needed, and that none reaches the workflow of another environment."""
        super().check(policies, requests)
        callers = tuple(f"{ROLE}tested-{role}" for role in ("submit", "operate"))
        ours = [each for each in requests if each.caller in callers]
        of_runs = {each for each in unneeded(policies, []) if each.startswith(callers) and re.search(_OF_RUNS, each)}
        assert len(of_runs) == 24
        assert of_runs & set(unneeded(policies, ours)) == set()
        ours = [
            each for each in ours if each.request.action.startswith("states:") or "/lists/" in each.request.resource
        ]
        assert {each.request.action.partition(":")[0] for each in ours} == {"s3", "states"}
        for each in ours:
            resource = each.request.resource.replace("-prod", "-dev").replace("/prod/", "/dev/")
            other = replace(each.request, resource=resource)
            assert resource != each.request.resource
            assert not policies.decide(replace(each, request=other)).is_allowed, resource


class TestSideBySide(Life):
    """Two environments in one account: what a role may do in its own, it may not do in the one beside it."""

    name = "side-by-side"

    def check(self, policies: Policies, requests: list[Recorded]) -> None:
        super().check(policies, requests)
        ours = [each for each in requests if ":role/tested-" in each.caller]  # not AWS's own services
        others = [other for each in ours if (other := of_neighbour(each)) != each]
        assert len(others) > 200
        allowed = {
            (each.request.action, "ec2:createaction" in each.request.context)
            for each in others
            if policies.decide(each).is_allowed
        }
        # Tags on what a call creates that is refused itself, and the list of repositories.
        assert allowed <= {("ec2:CreateTags", True), ("ecr:DescribeRepositories", False)}


def of_neighbour(recorded: Recorded) -> Recorded:
    """Return the same request for the environment `experimental`."""

    def renamed(text: str) -> str:
        return text.replace("stable", "experimental")

    request = recorded.request
    context = {key: tuple(map(renamed, values)) for key, values in request.context.items()}
    return Recorded(recorded.caller, replace(request, resource=renamed(request.resource), context=context))
