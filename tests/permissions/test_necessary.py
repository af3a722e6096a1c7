"""Each action of each rendered policy is needed: without it, a request that the environment's use makes is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import pytest

from gen_infra.emulator.builder_host import NoBuilderHostError, builder_host
from gen_infra.manifest import load
from tests.cli import clean_environ, gen_infra
from tests.conftest import missing, require_tool
from tests.permissions.aws_calls import CALLS, ROLE
from tests.permissions.complete import MANIFEST, NAME, changed
from tests.permissions.environments import ALLOWED, central_roles, credentials, roles_of, run, under
from tests.permissions.policies import Policies, Recorded, policies_of, recorded, unneeded
from tests.permissions.uses import invoke, use_bucket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.emulator import Emulator
    from gen_infra.manifest import Manifest
    from tests.emulator.session import Session


class Used(NamedTuple):
    """An environment that was used in full.

    Args:
        policies: those of its roles and resources.
        requests: what was requested of IAM, all of it allowed.
        of_aws: what AWS itself would request.
    """

    policies: Policies
    requests: list[Recorded]
    of_aws: list[Recorded]


@pytest.fixture(scope="module")
def used(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    require_tool("packer")
    try:
        with builder_host():
            pass
    except NoBuilderHostError as error:
        missing(error.message, error.hint)
    folder = tmp_path_factory.mktemp(NAME)
    with session.seeded() as aws:
        central_roles(aws)
        keys = {name: _new_key(aws) for name in ("owners_key", "reference_key")}
        path = folder / f"{NAME}.yaml"
        path.write_text(
            MANIFEST.replace("OWNERS_KEY", keys["owners_key"]).replace("REFERENCE_KEY", keys["reference_key"])
        )
        manifest = load(path)
        roles = roles_of(aws, manifest)
        with under(session, aws, manifest, folder, "") as site:
            run(site, "bootstrap", path)
        with under(session, aws, manifest, folder, roles["apply"]) as site, ThreadPoolExecutor(1) as pool:
            run(site, "apply", path, "--yes", *ALLOWED)
            policies = policies_of(aws)
            keys["key"] = aws.client("kms").describe_key(KeyId=manifest.key_alias)["KeyMetadata"]["Arn"]
            copy = aws.copy()  # its users and the changes do not meet
            with copy:
                used = pool.submit(_use, copy, manifest, path)
                path.write_text(changed(path.read_text()))
                run(site, "apply", path, "--yes", *ALLOWED, "--allow", "stop-jobs")
                run(site, "destroy", path, "--yes")
                used.result()
                lines = [*aws.iam_requests(), *copy.iam_requests()]
        yield Used(policies, recorded(lines), [each for call in CALLS for each in call.requests(**keys)])


def _new_key(aws: Emulator) -> str:
    return str(aws.client("kms").create_key()["KeyMetadata"]["Arn"])


def _use(aws: Emulator, manifest: Manifest, path: Path) -> None:
    for job in ("align", "move", "work"):
        for bucket in manifest.jobs[job].buckets:
            use_bucket(aws, f"{ROLE}{job}-{NAME}-job", manifest.buckets[bucket])
    event = {"jobName": "calls", "jobQueue": f"main-{NAME}", "jobDefinition": f"align-{NAME}"}
    submitted = invoke(aws, f"batchSubmitJob-{NAME}", event)
    assert invoke(aws, f"batchGetJobStatus-{NAME}", {"jobId": submitted["jobId"]})["jobId"] == submitted["jobId"]
    rebuild = clean_environ(**aws.environ | credentials(aws, f"{ROLE}batchImageRebuild-{NAME}"))
    done = gen_infra("image", "rebuild", path, environ=rebuild, cwd=path.parent)
    assert done.returncode == 0, done.stderr


def test_what_was_allowed_is_allowed_when_it_is_evaluated_again(used: Used) -> None:
    assert [each for each in used.requests if not used.policies.decide(each).is_allowed] == []


def test_the_policies_are_sufficient_for_what_aws_requests(used: Used) -> None:
    refused = [decision.message for each in used.of_aws if not (decision := used.policies.decide(each)).is_allowed]
    assert refused == []


def test_what_aws_alone_requests_is_not_requested_on_the_emulator(used: Used) -> None:
    here = {(each.caller, each.request.action, each.owner) for each in used.requests}
    assert [each for each in used.of_aws if (each.caller, each.request.action, each.owner) in here] == []


def test_each_action_is_needed(used: Used) -> None:
    assert list(unneeded(used.policies, [*used.requests, *used.of_aws])) == []
