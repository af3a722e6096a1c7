"""Each action of each rendered policy is needed: without it, a request that the environment's use makes is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import pytest
from botocore.exceptions import ClientError

from gen_infra.emulator.builder_host import NoBuilderHostError, builder_host
from gen_infra.iam import Request
from gen_infra.manifest import load
from tests.cli import clean_environ, gen_infra
from tests.conftest import missing, require_tool
from tests.permissions.aws_calls import CALLS, ROLE
from tests.permissions.complete import MANIFEST, NAME
from tests.permissions.environments import ALLOWED, central_roles, credentials, roles_of, run, under
from tests.permissions.policies import ACCOUNT_ID, Policies, Recorded, policies_of, recorded, unneeded
from tests.permissions.uses import invoke, use_bucket

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gen_infra.emulator import Emulator
    from gen_infra.manifest import Manifest
    from tests.emulator.session import Session


OTHERS = (f"{ROLE}tested-", f"{ROLE}central/", "arn:aws:kms:")  # what the environment does not render
EVENT = {"jobName": "calls", "jobQueue": f"main-{NAME}", "jobDefinition": f"align-{NAME}"}


class Used(NamedTuple):
    """An environment that was applied under the role `apply` and used in full.

    Args:
        policies: those of its roles and resources.
        requests: what was requested of IAM, all of it allowed.
        of_aws: what AWS itself would request.
        key: the ARN of its key.
        aws: the account, as it was after the first apply.
        path: the manifest.
    """

    policies: Policies
    requests: list[Recorded]
    of_aws: list[Recorded]
    key: str
    aws: Emulator
    path: Path


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
        with under(session, aws, manifest, folder, roles["apply"]) as site:
            run(site, "apply", path, "--yes", *ALLOWED)
        keys["key"] = aws.client("kms").describe_key(KeyId=manifest.key_alias)["KeyMetadata"]["Arn"]
        [project] = aws.client("codebuild").batch_get_projects(names=[f"batchImageRebuild-{NAME}"])["projects"]
        keys["subnet"] = f"arn:aws:ec2:us-east-1:{ACCOUNT_ID}:subnet/{project['vpcConfig']['subnets'][0]}"
        with aws.copy() as copy:
            _use(copy, manifest, path)
            requests = recorded(copy.iam_requests())
        of_aws = [each for call in CALLS for each in call.requests(**keys)]
        yield Used(policies_of(aws), requests, of_aws, keys["key"], aws, path)


def _new_key(aws: Emulator) -> str:
    return str(aws.client("kms").create_key()["KeyMetadata"]["Arn"])


def _use(aws: Emulator, manifest: Manifest, path: Path) -> None:
    for job in ("align", "move", "work"):
        for bucket in manifest.jobs[job].buckets:
            use_bucket(aws, f"{ROLE}{job}-{NAME}-job", manifest.buckets[bucket])
    submitted = invoke(aws, f"batchSubmitJob-{NAME}", EVENT)
    assert invoke(aws, f"batchGetJobStatus-{NAME}", {"jobId": submitted["jobId"]})["jobId"] == submitted["jobId"]
    done = _rebuild(aws, path)
    assert done.returncode == 0, done.stderr


def _rebuild(aws: Emulator, path: Path) -> subprocess.CompletedProcess[str]:
    """Build the image again under the role of the scheduled rebuild, as CodeBuild does."""
    environ = clean_environ(**aws.environ | credentials(aws, f"{ROLE}batchImageRebuild-{NAME}"))
    return gen_infra("image", "rebuild", path, environ=environ, cwd=path.parent)


def use_results(used: Used, aws: Emulator) -> str:
    with pytest.raises(ClientError) as refused:
        use_bucket(aws, f"{ROLE}align-{NAME}-job", load(used.path).buckets["results"])
    return str(refused.value)


def submit_through_the_function(_used: Used, aws: Emulator) -> str:
    with pytest.raises(AssertionError) as refused:
        invoke(aws, f"batchSubmitJob-{NAME}", EVENT)
    return str(refused.value)


def ask_the_status_function(_used: Used, aws: Emulator) -> str:
    with pytest.raises(AssertionError) as refused:
        invoke(aws, f"batchGetJobStatus-{NAME}", {"jobId": "00000000-0000-0000-0000-000000000000"})
    return str(refused.value)


def rebuild_the_image(used: Used, aws: Emulator) -> str:
    done = _rebuild(aws, used.path)
    assert done.returncode == 4, done.stdout
    return done.stderr


def test_what_was_allowed_is_allowed_when_it_is_evaluated_again(used: Used) -> None:
    assert [each for each in used.requests if not used.policies.decide(each).is_allowed] == []


def test_the_policies_are_sufficient_for_what_aws_requests(used: Used) -> None:
    refused = [decision.message for each in used.of_aws if not (decision := used.policies.decide(each)).is_allowed]
    assert refused == []


def test_each_action_is_needed(used: Used) -> None:
    found = unneeded(used.policies, [*used.requests, *used.of_aws])
    assert [each for each in found if used.key in each or not each.startswith(OTHERS)] == []


@pytest.mark.parametrize(
    ("role", "policy", "action", "use"),
    [
        ("align-complete-job", "buckets", "s3:PutObject", use_results),
        ("batchSubmitJob-complete", "batch", "batch:SubmitJob", submit_through_the_function),
        ("batchGetJobStatus-complete", "batch", "batch:DescribeJobs", ask_the_status_function),
        ("batchImageRebuild-complete", "image", "ssm:GetParameter", rebuild_the_image),
    ],
)
def test_without_the_action_its_use_fails(
    used: Used, role: str, policy: str, action: str, use: Callable[[Used, Emulator], str]
) -> None:
    [old] = [each for each in used.policies.all if (each.owner, each.name) == (ROLE + role, policy)]
    [number] = [number for number, each in old.allowed_actions() if each == action]
    new = old.without(number, action)
    with used.aws.copy() as aws:
        iam, named = aws.client("iam"), {"RoleName": role, "PolicyName": policy}
        iam.delete_role_policy(**named)
        if new.statements:
            iam.put_role_policy(**named, PolicyDocument=json.dumps(new.document))
        error = use(used, aws)
    assert action in error
    assert "not authorized" in error or "access denied" in error


BUCKET = "arn:aws:s3:::genomics-results-123456789012"


@pytest.mark.parametrize("job", ["align", "move", "work"])
def test_a_jobs_role_reaches_no_prefix_of_another_job(used: Used, job: str) -> None:
    prefixes = {"align": "results/", "move": "moved/", "work": "work/"}
    reached = {
        (action, prefix)
        for prefix in prefixes.values()
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")
        for resource, context in [
            (BUCKET, {"s3:prefix": (prefix,)}) if action == "s3:ListBucket" else (f"{BUCKET}/{prefix}a", {})
        ]
        if used.policies.decide(
            Recorded(f"{ROLE}{job}-{NAME}-job", Request(action, resource, ACCOUNT_ID, context))
        ).is_allowed
    }
    assert {prefix for _, prefix in reached} == {prefixes[job]}


def test_no_role_of_the_environment_passes_a_role_but_that_of_the_image_builder(used: Used) -> None:
    roles = {each.owner for each in used.policies.all if ":role/" in each.owner and not each.owner.startswith(OTHERS)}
    of_services = {each.owner for each in used.policies.all if not each.is_rendered}  # with policies that AWS writes
    passed = {
        (role, target)
        for role in roles - of_services
        for target in roles
        for service in ("ec2", "ecs-tasks", "lambda", "codebuild", "batch")
        if used.policies.decide(
            Recorded(
                role,
                Request("iam:PassRole", target, ACCOUNT_ID, {"iam:passedtoservice": (f"{service}.amazonaws.com",)}),
            )
        ).is_allowed
    }
    assert passed == {(f"{ROLE}batchImageRebuild-{NAME}", f"{ROLE}batchImageBuilder-{NAME}")}
