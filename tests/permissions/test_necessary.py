"""Each action of each rendered policy is needed: without it, a request that the environment's use makes is refused."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest
from botocore.exceptions import ClientError

from gen_infra.emulator.builder_host import NoBuilderHostError, builder_host
from gen_infra.iam import Request, Verdict
from gen_infra.manifest import load
from tests.cli import clean_environ, gen_infra
from tests.conftest import missing, require_tool
from tests.emulator.session import Site
from tests.permissions.aws_calls import CALLS, INSTANCES, ROLE
from tests.permissions.changes import change_outside_terraform, changed
from tests.permissions.commands import keep_busy, start_runs, stop_and_continue, submit_and_cancel
from tests.permissions.complete import MANIFEST, NAME
from tests.permissions.environments import ALLOWED, central_roles, credentials, roles_of, run, under
from tests.permissions.policies import ACCOUNT_ID, Policies, Policy, Recorded, policies_of, recorded, unneeded
from tests.permissions.uses import invoke, use_bucket

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from gen_infra.emulator import Emulator
    from gen_infra.manifest import Manifest
    from tests.emulator.session import Session


OTHERS = (f"{ROLE}central/", "arn:aws:kms:")  # what the environment does not render
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
        _remove_linked_roles(aws)
        keys = {name: _new_key(aws) for name in ("owners_key", "reference_key")}
        path = folder / f"{NAME}.yaml"
        path.write_text(
            MANIFEST.replace("OWNERS_KEY", keys["owners_key"]).replace("REFERENCE_KEY", keys["reference_key"])
        )
        manifest = load(path)
        roles = roles_of(aws, manifest)
        with under(session, aws, manifest, folder, "") as site:
            run(site, "bootstrap", path)
        with under(session, aws, manifest, folder, roles["plan"]) as site:
            run(site, "plan", path)
        with under(session, aws, manifest, folder, roles["apply"]) as site:
            run(site, "plan", path)
            run(site, "apply", path, "--yes", *ALLOWED)
        keys["key"] = aws.client("kms").describe_key(KeyId=manifest.key_alias)["KeyMetadata"]["Arn"]
        [project] = aws.client("codebuild").batch_get_projects(names=[f"batchImageRebuild-{NAME}"])["projects"]
        keys["subnet"] = f"arn:aws:ec2:us-east-1:{ACCOUNT_ID}:subnet/{project['vpcConfig']['subnets'][0]}"
        [point] = aws.client("efs").describe_access_points()["AccessPoints"]
        keys["access_point"] = point["AccessPointArn"]
        keys["file_system"] = point["AccessPointArn"].replace(
            "access-point/" + point["AccessPointId"], "file-system/" + point["FileSystemId"]
        )
        keys["other_key"] = _new_key(aws, Name=f"batch-{NAME}")
        policies = policies_of(aws)
        with aws.copy() as applied, applied.copy() as first, applied.copy() as second, ThreadPoolExecutor() as pool:
            uses = [
                pool.submit(_use, first, manifest, path, roles["image"]),
                pool.submit(_use_roles, session, second, manifest, path, roles),
                pool.submit(_change_and_destroy, session, aws, manifest, path, roles, keys),
            ]
            for each in uses:
                each.result()
            requests = [each for account in (aws, first, second) for each in recorded(account.iam_requests())]
            of_aws = [each for call in CALLS for each in call.requests(**keys)]
            yield Used(policies, requests, of_aws, keys["key"], applied, path)


def _remove_linked_roles(aws: Emulator) -> None:
    """Remove the service-linked roles, so that what needs one creates it."""
    iam = aws.client("iam")
    for role in iam.list_roles(PathPrefix="/aws-service-role/")["Roles"]:
        for policy in iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=role["RoleName"])


def _use_roles(session: Session, aws: Emulator, manifest: Manifest, path: Path, roles: Mapping[str, str]) -> None:
    s3, results = aws.client("s3"), manifest.buckets["results"]
    encrypted = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": results.kms_key}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": encrypted}]}
    s3.put_bucket_encryption(Bucket=results.name, ServerSideEncryptionConfiguration=rules)
    s3.delete_public_access_block(Bucket=manifest.buckets["reference"].name)
    with under(session, aws, manifest, path.parent, roles["submit"]) as submit:
        submit_and_cancel(aws, submit, path, "align")
        given = json.loads(run(submit, "submit", path, "given", "--json"))["id"]
        run(submit, "why", path, given)
        start_runs(aws, submit, path)
    with under(session, aws, manifest, path.parent, roles["operate"]) as operate:
        submit_and_cancel(aws, operate, path, "align")
        run(operate, "why", path, given)
        stop_and_continue(aws, operate, path)
        run(operate, "submit", path, "align", "--via-function")
        run(operate, "doctor", path, code=1)  # the images of jobs are not pushed
        run(operate, "image status", path, code=1)
        run(operate, "report", path, "--no-check", "--json")


def _change_and_destroy(
    session: Session, aws: Emulator, manifest: Manifest, path: Path, roles: Mapping[str, str], keys: Mapping[str, str]
) -> None:
    """Change the environment in its manifest and outside Terraform, look at that, apply it, and destroy all."""
    folder = path.parent / "changed"
    folder.mkdir()
    new = folder / path.name
    new.write_text(changed(path.read_text()))
    keep_busy(aws)
    change_outside_terraform(aws, keys["key"], keys["other_key"])
    with under(session, aws, manifest, folder, roles["operate"]) as operate:
        run(operate, "drift", new, code=1)
    with under(session, aws, manifest, folder, roles["plan"]) as plan:
        run(plan, "plan", new)
        run(plan, "drift", new, code=1)
    with under(session, aws, manifest, folder, roles["apply"]) as apply:
        run(apply, "drift", new, code=1)
        run(apply, "apply", new, "--yes", *ALLOWED, "--allow", "stop-jobs", "--drain-timeout", "5s")
        run(apply, "destroy", new, "--yes", "--allow", "destroy-data")


def _new_key(aws: Emulator, **tags: str) -> str:
    tagged = [{"TagKey": name, "TagValue": value} for name, value in tags.items()]
    return str(aws.client("kms").create_key(Tags=tagged)["KeyMetadata"]["Arn"])


def _use(aws: Emulator, manifest: Manifest, path: Path, role: str) -> None:
    for job in ("align", "move", "work"):
        for bucket in manifest.jobs[job].buckets:
            use_bucket(aws, f"{ROLE}{job}-{NAME}-job", manifest.buckets[bucket])
    submitted = invoke(aws, f"batchSubmitJob-{NAME}", EVENT)
    assert invoke(aws, f"batchGetJobStatus-{NAME}", {"jobId": submitted["jobId"]})["jobId"] == submitted["jobId"]
    done = _rebuild(aws, path)
    assert done.returncode == 0, done.stderr
    site = Site(path.parent, aws, clean_environ(**aws.environ | credentials(aws, role)))
    run(site, "image build", path)
    run(site, "image status", path, code=1)  # the compute environments have the older image
    _use_the_budget_up(aws)
    queues = aws.client("batch").describe_job_queues(jobQueues=[*map(manifest.queue_name, manifest.queues)])[
        "jobQueues"
    ]
    assert {queue["state"] for queue in queues} == {"DISABLED"}


def _use_the_budget_up(aws: Emulator) -> None:
    """Spend more than the budget, whose topic starts the function; invoke that, too, to wait until it has ended."""
    budgets, account = aws.client("budgets"), {"AccountId": ACCOUNT_ID}
    budget = budgets.describe_budget(**account, BudgetName=f"batchBudget-{NAME}")["Budget"]
    spent = {"CalculatedSpend": {"ActualSpend": {"Amount": "2", "Unit": "USD"}}}
    budgets.update_budget(**account, NewBudget={**budget, "BudgetLimit": {"Amount": "1", "Unit": "USD"}, **spent})
    invoke(aws, f"batchQueueStop-{NAME}", {})


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
    """Also of the roles that `gen-infra permissions` prints; only their trust is the test's own."""
    found = unneeded(used.policies, [*used.requests, *used.of_aws])
    ours = [each for each in found if used.key in each or not each.startswith(OTHERS)]
    assert [each for each in ours if not re.match(f"{ROLE}tested-[a-z]+ policy ", each)] == []


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
    [number] = [number for number, each in old.actions() if each == action]
    new = old.without(number, action)
    with used.aws.copy() as aws:
        iam, named = aws.client("iam"), {"RoleName": role, "PolicyName": policy}
        iam.delete_role_policy(**named)
        if new.statements:
            iam.put_role_policy(**named, PolicyDocument=json.dumps(new.document))
        error = use(used, aws)
    assert action in error
    assert "not authorized" in error or "access denied" in error


def test_each_denial_of_a_resources_policy_is_needed(used: Used) -> None:
    """Without one, what a caller may do by its own policies is allowed over plain transport too."""
    caller = f"{ROLE}everything"
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    policies = Policies([*used.policies.all, Policy(caller, "everything", everything)], {})
    denied = [(each, *one) for each in used.policies.all if not each.name for one in each.actions("Deny")]
    assert {(each.owner.split(":")[2], action) for each, _, action in denied} == {
        ("s3", "s3:*"),
        *(("elasticfilesystem", f"elasticfilesystem:Client{what}") for what in ("Mount", "RootAccess", "Write")),
    }
    for policy, number, action in denied:
        context = {"aws:securetransport": ("false",)}
        request = Request(action.replace("*", "ListBucket"), policy.owner, ACCOUNT_ID, context)
        over_tls = replace(request, context={"aws:securetransport": ("true",)})
        assert policies.decide(Recorded(caller, over_tls)).is_allowed
        assert policies.decide(Recorded(caller, request)).verdict is Verdict.DENIED_BY_RESOURCE
        instead = (policy, policy.without(number, action))
        assert policies.decide(Recorded(caller, request), instead=instead).is_allowed


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


CLUSTER = f"arn:aws:ecs:us-east-1:{ACCOUNT_ID}:cluster/AWSBatch-{{}}-0a1b2c3d"
UNIQUE = "2" * 26


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("ecs:CreateCluster", CLUSTER.format(f"spot-complete-{UNIQUE}"), {}),
        ("ecs:RegisterContainerInstance", CLUSTER.format(f"spot-other-{UNIQUE}"), {}),
        ("ecs:RegisterContainerInstance", CLUSTER.format(f"new-spot-complete-{UNIQUE}"), {}),
        ("ecs:SubmitTaskStateChange", f"arn:aws:ecs:us-east-1:{ACCOUNT_ID}:cluster/default", {}),
        (
            "ecs:Poll",
            f"arn:aws:ecs:us-east-1:{ACCOUNT_ID}:container-instance/default/1",
            {"ecs:cluster": (CLUSTER.format(f"spot-other-{UNIQUE}"),)},
        ),
        ("ecs:Poll", f"arn:aws:ecs:us-east-1:{ACCOUNT_ID}:container-instance/default/1", {}),
        ("ecs:TagResource", f"arn:aws:ecs:us-east-1:{ACCOUNT_ID}:container-instance/default/1", {}),
        ("ecr:BatchGetImage", f"arn:aws:ecr:us-east-1:{ACCOUNT_ID}:repository/other/caller", {}),
        ("ecr:PutImage", f"arn:aws:ecr:us-east-1:{ACCOUNT_ID}:repository/complete/caller", {}),
        ("logs:PutLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:/aws/batch/other/a:log-stream:1", {}),
        ("logs:PutLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:/aws/batch/job:log-stream:1", {}),
        ("ssm:GetParameter", f"arn:aws:ssm:us-east-1:{ACCOUNT_ID}:parameter/genomics/licence", {}),
        ("ssm:GetParameters", f"arn:aws:ssm:us-east-1:{ACCOUNT_ID}:parameter/genomics/licence", {}),
        ("ssm:GetParametersByPath", f"arn:aws:ssm:us-east-1:{ACCOUNT_ID}:parameter/", {}),
    ],
)
def test_the_role_of_instances_reaches_nothing_beside_the_environment(
    used: Used, action: str, resource: str, context: Mapping[str, tuple[str, ...]]
) -> None:
    request = Request(action, resource, ACCOUNT_ID, context)
    assert not used.policies.decide(Recorded(f"{ROLE}{INSTANCES}", request)).is_allowed


IMAGE = "arn:aws:ec2:us-east-1::image/ami-0123456789abcdef0"
OWN, OTHER = ({"aws:resourcetag/gen-infra:environment": (name,)} for name in (NAME, "other"))
TAGGED = {"aws:requesttag/gen-infra:environment": (NAME,)}
IMDSV2 = {"ec2:attribute/imdssupport": ("v2.0",)}


@pytest.mark.parametrize("role", [f"batchImageRebuild-{NAME}", "tested-image"])
@pytest.mark.parametrize(
    ("action", "context", "is_allowed"),
    [
        ("ec2:ModifyImageAttribute", OWN | IMDSV2, True),
        ("ec2:ModifyImageAttribute", OTHER | IMDSV2, False),
        ("ec2:ModifyImageAttribute", IMDSV2, False),
        ("ec2:ModifyImageAttribute", OWN, False),  # launch permissions have no key
        ("ec2:ModifyImageAttribute", OWN | {"ec2:add/userid": ("999999999999",)}, False),
        ("ec2:CreateTags", TAGGED, True),
        ("ec2:CreateTags", TAGGED | OWN, True),
        ("ec2:CreateTags", TAGGED | OTHER, False),
        ("ec2:CreateTags", OWN, False),
        ("ec2:DeregisterImage", OWN, False),
    ],
)
def test_a_build_changes_its_own_images_and_shares_none(
    used: Used, role: str, action: str, context: Mapping[str, tuple[str, ...]], *, is_allowed: bool
) -> None:
    request = Request(action, IMAGE, ACCOUNT_ID, context)
    assert used.policies.decide(Recorded(ROLE + role, request)).is_allowed == is_allowed


SERVICES = ("batch", "codebuild", "ec2", "ecs-tasks", "lambda", "scheduler", "spotfleet", "states", "vpc-flow-logs")


def test_each_role_is_passed_to_the_service_that_it_trusts_and_by_few(used: Used) -> None:
    documents = {each.owner: each for each in used.policies.all if ":role/" in each.owner and not each.name}
    roles = {owner for owner in documents if not owner.startswith(OTHERS)}
    of_services = {each.owner for each in used.policies.all if not each.is_rendered}  # with policies that AWS writes
    passed = {
        (role.removeprefix(ROLE), target, service)
        for role in roles - of_services
        for target in roles
        for service in SERVICES
        if used.policies.decide(
            Recorded(
                role,
                Request("iam:PassRole", target, ACCOUNT_ID, {"iam:passedtoservice": (f"{service}.amazonaws.com",)}),
            )
        ).is_allowed
    }
    builder = (f"{ROLE}batchImageBuilder-{NAME}", "ec2")
    of_images = {(name, *builder) for name in (f"batchImageRebuild-{NAME}", "tested-image")}
    own = {owner for owner in roles if f"-{NAME}" in owner}
    trusted = {
        (owner, service)
        for owner in own
        for service in SERVICES
        if f'"{service}.' in json.dumps(documents[owner].document)
    }
    assert len(trusted) == len(own)
    assert passed == of_images | {("tested-apply", *each) for each in trusted}
