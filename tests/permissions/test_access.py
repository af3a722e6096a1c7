"""The roles of the example `access` through their trust: IAM principals, tokens of GitHub Actions and of GitLab CI."""

from __future__ import annotations

import base64
import json
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest
import yaml
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from gen_infra.iam import PolicyDocument, Principal, PrincipalKind, Request, evaluate
from gen_infra.manifest import load
from tests.cli import clean_environ
from tests.emulator.provider import running_provider
from tests.emulator.reach import assert_access_is_true
from tests.emulator.session import Site
from tests.permissions.environments import SIGNED_IN, credentials, policy_document, prepared, run, under
from tests.permissions.policies import ACCOUNT_ID, policies_of, recorded, unneeded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.emulator import Emulator
    from tests.emulator.session import Session

ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/"
OPERATOR = f"{ROLE}Operator"
SCIENTIST = f"{ROLE}aws-reserved/sso.amazonaws.com/{SIGNED_IN}"
GITHUB = {"iss": "https://token.actions.githubusercontent.com", "aud": "sts.amazonaws.com"}
GITLAB = {"iss": "https://gitlab.com", "aud": "https://gitlab.com"}
PULL_REQUEST = GITHUB | {"sub": "repo:lab/infra:pull_request"}
MERGE = GITHUB | {"sub": "repo:lab/infra:ref:refs/heads/main"}
DEPLOYMENT = GITHUB | {"sub": "repo:lab/infra:environment:prod"}
PIPELINE = GITLAB | {"sub": "project_path:lab/infra:ref_type:branch:ref:main"}


def access_role(name: str) -> str:
    return f"{ROLE}genomics/batchAccess{name}-shared"


class Shared(NamedTuple):
    """The example, applied by an administrator."""

    session: Session
    aws: Emulator
    path: Path


@pytest.fixture(scope="module")
def shared(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("access")
    with session.seeded() as aws:
        path = prepared(aws, "access", folder)
        with under(session, aws, load(path), folder, "") as administrator:
            run(administrator, "bootstrap", path)
            run(administrator, "apply", path, "--yes", "--allow", "access")
            yield Shared(session, aws, path)


def token(claims: dict[str, Any]) -> str:
    """Write a token of an OIDC provider; the emulator does not verify its signature."""
    given = {"exp": time.time() + 3600, **claims}
    return ".".join(base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in ({}, given, ""))


def keys_of_token(aws: Emulator, role: str, claims: dict[str, Any]) -> dict[str, str]:
    """Return the environment variables of a session for a token, as aws-actions/configure-aws-credentials sets them."""
    sts = boto3.client(
        "sts", endpoint_url=aws.endpoint, region_name="us-east-1", config=Config(signature_version=UNSIGNED)
    )
    return variables(
        sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="run-7", WebIdentityToken=token(claims))
    )


def keys_of_principal(aws: Emulator, principal: str, role: str) -> dict[str, str]:
    """Return the environment variables of a session of a role that a session of another role assumes."""
    keys = credentials(aws, principal)
    caller = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys["AWS_SESSION_TOKEN"])
    sts = caller.client("sts", endpoint_url=aws.endpoint, region_name="us-east-1")
    return variables(sts.assume_role(RoleArn=role, RoleSessionName="alice"))


def variables(answer: Any) -> dict[str, str]:
    keys = answer["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


REFUSED_TOKENS = [
    ("Apply", PULL_REQUEST),  # of plan alone
    ("Plan", DEPLOYMENT),
    ("Submit", PULL_REQUEST),
    ("Plan", PULL_REQUEST | {"sub": "repo:other/infra:pull_request"}),
    ("Plan", PULL_REQUEST | {"sub": "repo:lab/infra:ref:refs/heads/feature"}),
    ("Plan", PULL_REQUEST | {"aud": "https://gitlab.com"}),
    ("Plan", PULL_REQUEST | {"iss": "https://token.example.com"}),
    ("Plan", PULL_REQUEST | {"iss": GITLAB["iss"], "aud": GITLAB["aud"]}),
    ("Plan", PULL_REQUEST | {"exp": 1}),
    ("Apply", DEPLOYMENT | {"sub": "repo:lab/infra:environment:staging"}),
    ("Apply", PIPELINE | {"sub": "project_path:lab/infra:ref_type:branch:ref:feature"}),
    ("Apply", PIPELINE | {"sub": "project_path:other/infra:ref_type:branch:ref:main"}),
    ("Apply", PIPELINE | {"aud": "sts.amazonaws.com"}),
]


@pytest.mark.parametrize(("role", "claims"), REFUSED_TOKENS, ids=str)
def test_any_other_token_is_refused(shared: Shared, role: str, claims: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        keys_of_token(shared.aws, access_role(role), claims)
    code = refused.value.response["Error"]["Code"]
    assert code in {"AccessDenied", "InvalidIdentityToken", "ExpiredTokenException"}


@pytest.mark.parametrize(
    ("principal", "role"),
    [
        (SCIENTIST, "Operate"),
        (SCIENTIST, "Plan"),
        (OPERATOR, "Submit"),
        (OPERATOR, "Apply"),
        (f"{ROLE}Scientist", "Submit"),
    ],
)
def test_any_other_principal_is_refused(shared: Shared, principal: str, role: str) -> None:
    with pytest.raises(ClientError, match="no role trust policy allows the sts:AssumeRole action"):
        keys_of_principal(shared.aws, principal, access_role(role))


@pytest.mark.parametrize(
    ("external_id", "name", "is_allowed"),
    [
        ("genomics-shared-4711", "PartnerOperator", True),
        ("genomics-shared-4712", "PartnerOperator", False),
        ("", "PartnerOperator", False),
        ("genomics-shared-4711", "Administrator", False),
    ],
)
def test_a_principal_of_another_account_sends_the_external_id(
    shared: Shared, external_id: str, name: str, is_allowed: bool
) -> None:
    trust = shared.aws.client("iam").get_role(RoleName="batchAccessOperate-shared")["Role"]["AssumeRolePolicyDocument"]
    own = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": access_role("Operate")}
    partner = Principal(
        PrincipalKind.ROLE,
        f"arn:aws:sts::210987654321:assumed-role/{name}/bob",
        "210987654321",
        role_arn=f"arn:aws:iam::210987654321:role/{name}",
        policies=(PolicyDocument.read({"Version": "2012-10-17", "Statement": [own]}),),
    )
    context = {"sts:externalid": (external_id,)} if external_id else {}
    request = Request("sts:AssumeRole", access_role("Operate"), ACCOUNT_ID, context)
    assert evaluate(request, partner, PolicyDocument.read(trust)).is_allowed == is_allowed


def site_of(shared: Shared, keys: dict[str, str]) -> Site:
    """Return the folder for commands that start no Terraform, with these environment variables of AWS."""
    environ = {
        name: value for name, value in shared.aws.environ.items() if not name.endswith(("_KEY_ID", "_ACCESS_KEY"))
    }
    return Site(shared.path.parent, shared.aws, clean_environ(**environ | keys))


@contextmanager
def checked_out(shared: Shared, name: str, text: str, keys: dict[str, str]) -> Iterator[tuple[Site, Path]]:
    """Yield a folder of its own for all commands, as a CI job has it, with the manifest that has this text."""
    folder = shared.path.parent / name
    folder.mkdir()
    path = folder / "shared.yaml"
    path.write_text(text)
    root, environ = folder / "build" / "shared" / "terraform", site_of(shared, keys).environ
    with running_provider(shared.session.provider(), folder / "bin", environ, root=root) as environ:
        yield Site(folder, shared.aws, environ), path


def submit(site: Site, path: Path, queue: str) -> str:
    words = ("stats", "--queue", queue, "--json", "--", "sleep", "600")
    return str(json.loads(run(site, "submit", path, *words))["id"])


def refusal(site: Site, command: str, path: Path, *arguments: str) -> str:
    """Run a command that must fail, and return its error."""
    done = site.run(command, path, *arguments)
    assert done.returncode not in (0, 1), done.stdout
    return done.stderr


def test_scientists_submit_and_operators_look_after_all_jobs(shared: Shared) -> None:
    scientist = site_of(shared, keys_of_principal(shared.aws, SCIENTIST, access_role("Submit")))
    operate = keys_of_principal(shared.aws, OPERATOR, access_role("Operate"))
    operator, path = site_of(shared, operate), shared.path
    own, others = submit(scientist, path, "lowPriority"), submit(operator, path, "highPriority")
    run(scientist, "jobs", path)
    run(scientist, "why", path, own)
    assert "batch:SubmitJob" in refusal(scientist, "submit", path, "stats", "--queue", "highPriority")
    assert "access denied: batch:" in refusal(scientist, "cancel", path, others, "--yes")
    run(scientist, "cancel", path, own, "--yes")
    run(operator, "cancel", path, others, "--yes")
    run(operator, "doctor", path)
    run(operator, "image status", path)
    with checked_out(shared, "operator", path.read_text(), operate) as (site, own_path):
        run(site, "drift", own_path)
        assert "not authorized" in refusal(site, "apply", own_path, "--yes")


def test_the_report_shows_what_a_role_may_see_and_names_the_rights_that_are_missing(shared: Shared) -> None:
    def report(keys: dict[str, str]) -> Any:
        return json.loads(run(site_of(shared, keys), "report", shared.path, "--no-check", "--json"))

    scientist = report(keys_of_principal(shared.aws, SCIENTIST, access_role("Submit")))
    assert [each["name"] for each in scientist["live"]["queues"]] == ["highPriority-shared", "lowPriority-shared"]
    assert scientist["live"]["unseen"] == [
        "instance types of jobs: needs ecs:DescribeContainerInstances",
        "machine images: needs ssm:GetParameter",
    ]
    boundary = "the permissions boundary developer-boundary may forbid it, and was not read: needs iam:GetPolicy"
    assert boundary in scientist["access"]["roles"][0]["notes"]

    operator = report(keys_of_principal(shared.aws, OPERATOR, access_role("Operate")))
    assert operator["live"]["unseen"] == []
    assert [each["notes"] for each in operator["access"]["targets"]] == [[]] * len(operator["access"]["targets"])
    assert [role["notes"] for role in operator["access"]["roles"]] == [[]] * len(operator["access"]["roles"])


def test_a_pull_request_is_planned_and_what_is_merged_is_applied(shared: Shared) -> None:
    """It can add a job, and cannot widen the role that applies it: gen-infra refuses that, and so does AWS."""
    aws, document = shared.aws, yaml.safe_load(shared.path.read_text())
    document["jobs"]["more"] = {**document["jobs"]["stats"], "command": ["echo", "more"]}
    proposed = yaml.safe_dump(document, sort_keys=False)
    with checked_out(shared, "pull-request", proposed, keys_of_token(aws, access_role("Plan"), PULL_REQUEST)) as (
        site,
        path,
    ):
        assert "create  job definition more-shared" in run(site, "plan", path)
        assert "not authorized" in refusal(site, "apply", path, "--yes")
    with checked_out(shared, "to-apply", proposed, keys_of_token(aws, access_role("Plan"), MERGE)) as (site, path):
        assert "create  job definition more-shared" in run(site, "plan", path)
    with checked_out(shared, "merged", proposed, keys_of_token(aws, access_role("Apply"), DEPLOYMENT)) as (site, path):
        run(site, "apply", path, "--yes")
    file = shared.path.with_name("token")
    file.write_text(token(PIPELINE))
    pipeline = {"AWS_ROLE_ARN": access_role("Apply"), "AWS_WEB_IDENTITY_TOKEN_FILE": str(file)}
    pipeline["AWS_ROLE_SESSION_NAME"] = "gitlab-7"
    with checked_out(shared, "pipeline", proposed, pipeline) as (site, path):
        run(site, "plan", path, "--detailed-exitcode")
        document["access"]["apply"]["github"].append("repo:other/infra:environment:prod")
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        before = state_of_access(aws)
        for command, *arguments in (("apply", "--allow", "access"), ("destroy",)):
            error = refusal(site, command, path, "--yes", *arguments)
            assert "which the role batchAccessApply-shared may not do" in error
    widen_by_aws(aws, keys_of_token(aws, access_role("Apply"), DEPLOYMENT))
    assert state_of_access(aws) == before


def state_of_access(aws: Emulator) -> list[Any]:
    """Return the trust and the policies of the access roles, and of a job's role."""
    iam = aws.client("iam")
    found = []
    for name in (*(f"batchAccess{role}-shared" for role in ("Submit", "Operate", "Plan", "Apply")), "stats-shared-job"):
        role = iam.get_role(RoleName=name)["Role"]
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        versions = [iam.get_policy(PolicyArn=each["PolicyArn"])["Policy"]["DefaultVersionId"] for each in attached]
        inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
        found.append((role["AssumeRolePolicyDocument"], role.get("PermissionsBoundary"), attached, versions, inline))
    return found


def widen_by_aws(aws: Emulator, keys: dict[str, str]) -> None:
    """Try, with the role's own keys, what would widen it; AWS refuses each."""
    caller = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys["AWS_SESSION_TOKEN"])
    iam: Any = caller.client("iam", endpoint_url=aws.endpoint, region_name="us-east-1")
    everything = policy_document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    own, job = "batchAccessApply-shared", "stats-shared-job"
    [policy, *_] = iam.list_attached_role_policies(RoleName=own)["AttachedPolicies"]
    boundary = iam.get_role(RoleName=own)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
    for method, arguments in (
        ("update_assume_role_policy", {"RoleName": own, "PolicyDocument": everything}),
        ("put_role_policy", {"RoleName": own, "PolicyName": "more", "PolicyDocument": everything}),
        ("attach_role_policy", {"RoleName": own, "PolicyArn": administrator}),
        ("delete_role_permissions_boundary", {"RoleName": own}),
        ("create_policy_version", {"PolicyArn": policy["PolicyArn"], "PolicyDocument": everything}),
        ("create_policy_version", {"PolicyArn": boundary, "PolicyDocument": everything}),
        ("attach_role_policy", {"RoleName": job, "PolicyArn": administrator}),
        ("delete_role_permissions_boundary", {"RoleName": job}),
        ("create_role", {"RoleName": "more-shared-job", "Path": "/genomics/", "AssumeRolePolicyDocument": everything}),
    ):
        with pytest.raises(ClientError) as refused:
            getattr(iam, method)(**arguments)
        assert refused.value.response["Error"]["Code"] == "AccessDenied", method


# The statements about the access roles, which the environment `complete` has not.
OF_ACCESS = r"/batchAccess\S+ \S+ (AccessRoles|AccessPolicies|OidcProviders): "


def test_each_right_on_the_access_roles_is_needed(shared: Shared) -> None:
    policies = policies_of(shared.aws)
    requests = [each for each in recorded(shared.aws.iam_requests()) if ":oidc-provider/" not in each.caller]
    assert [each for each in requests if not policies.decide(each).is_allowed] == []
    every = {each for each in unneeded(policies, []) if re.search(OF_ACCESS, each)}
    assert len(every) > 10
    assert every & set(unneeded(policies, requests)) == set()


def test_each_role_reaches_what_the_report_says(shared: Shared) -> None:
    """Last: what is refused here is no request of gen-infra."""
    administrator = site_of(shared, {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"})
    report = json.loads(run(administrator, "report", shared.path, "--no-check", "--json"))
    assert assert_access_is_true(shared.aws, report["access"]) > 90
