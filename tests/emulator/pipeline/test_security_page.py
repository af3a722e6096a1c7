"""The tables of docs/security.md: who can reach what, by the policies of prod in its account and of its access roles.

And what the roles of b-prod reach of prod, whose names end as prod's do; and who may assume each role.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from gen_infra.emulator import copy_of
from gen_infra.iam import PolicyDocument, Principal, PrincipalKind, Request, evaluate
from gen_infra.manifest import load
from gen_infra.permissions.policies import documents
from gen_infra.permissions.trust import trust_policy
from tests.conftest import ROOT
from tests.permissions.policies import ACCOUNT_ID, Policies, Policy, Recorded, policies_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.emulator.session import Session

ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/"
BOUNDARY = f"arn:aws:iam::{ACCOUNT_ID}:policy/boundary"
SESSION = "AROAEXAMPLE:session"
# The columns, and the role of each: those that prod makes, then those of people and CI.
MADE = {
    "job": "isaac-prod-job",
    "instance": "batchInstance-prod",
    "`submit` function": "batchSubmitJob-prod",
    "status function": "batchGetJobStatus-prod",
    "workflow": "germline-prod-workflow",
    "builder": "batchImageBuilder-prod",
}
ACCESS = {"`submit`": "submit", "`operate`": "operate", "`plan`": "plan", "`apply`": "apply", "`image`": "image"}
WHO = MADE | ACCESS
NEIGHBOUR = "b-prod"
# Who asks for a role: services for this account and for another one, tokens of GitHub, and sessions of other roles.
SERVICES = ("ec2", "ecs-tasks", "lambda", "states", "batch", "codebuild", "scheduler")
SUBJECTS = {
    "pull request": "repo:lab/infra:pull_request",
    "branch `main`": "repo:lab/infra:ref:refs/heads/main",
    "environment `prod`": "repo:lab/infra:environment:prod",
    "another repository": "repo:guest/infra:environment:prod",
}
GITHUB = "token.actions.githubusercontent.com"


class Asked(NamedTuple):
    """An action on some resources, in the context in which a condition most likely lets it through."""

    what: str
    action: str
    resources: tuple[str, ...]
    context: Mapping[str, tuple[str, ...]] = {}


def asked(environment: str, key: str) -> Iterator[Asked]:
    """Yield what is asked of an environment's resources, and of what belongs to none."""

    def arn(service: str, resource: str, *, region: str = "us-east-1", account: str = ACCOUNT_ID) -> tuple[str, ...]:
        return (f"arn:aws:{service}:{region}:{account}:{resource}",)

    def s3(resource: str) -> tuple[str, ...]:
        return arn("s3", resource, region="", account="")

    tags = {"gen-infra:environment": (environment,), "gen-infra:submitted-by": (SESSION,)}
    tagged = {f"aws:resourcetag/{name}": value for name, value in tags.items()}
    state = s3(f"genomics-tfstate-123456789012/gen-infra/{environment}/terraform.tfstate")
    prefix = "genomic-workflow" if environment == "prod" else environment
    queue, definition = arn("batch", f"job-queue/highPriority-{environment}"), f"job-definition/isaac-{environment}"
    revision = arn("batch", f"{definition}:1")
    compute = arn("batch", f"compute-environment/genomicsEnv-{environment}-{'0' * 26}")
    parameter, repository = arn("ssm", f"parameter/gen-infra/{environment}/ami"), f"repository/{environment}/isaac"
    log = arn("logs", f"log-group:/aws/batch/{environment}/isaac:log-stream:a")
    machine = arn("states", f"stateMachine:germline-{environment}")
    role, to_tasks = (f"{ROLE}isaac-{environment}-job",), {"iam:passedtoservice": ("ecs-tasks.amazonaws.com",)}
    image, shared = arn("ec2", "image/ami-0123456789abcdef0", account=""), {"ec2:attribute": ("LaunchPermission",)}
    bounded, mine = {"iam:permissionsboundary": (BOUNDARY,)}, {"ec2:owner": (ACCOUNT_ID,)}
    template = {"aws:resourcetag/name": (f"genomicsEnv-{environment}",)}
    yield Asked("write where `isaac` may write", "s3:PutObject", s3(f"genomics-results-123456789012/{prefix}/a.bam"))
    yield Asked("read a bucket that no entry lists", "s3:GetObject", s3("payroll/a"))
    yield Asked("read Terraform's state", "s3:GetObject", state)
    yield Asked("write Terraform's state", "s3:PutObject", state)
    yield Asked("submit `isaac`", "batch:SubmitJob", (*queue, *revision), tagged)
    yield Asked("submit `isaac` to a queue of `prod`", "batch:SubmitJob", revision, tagged)
    yield Asked("stop a job", "batch:TerminateJob", arn("batch", "job/0f6e3b1a"), tagged)
    yield Asked(
        "register a definition with the name of `isaac`", "batch:RegisterJobDefinition", arn("batch", definition)
    )
    yield Asked("deregister the definition of `isaac`", "batch:DeregisterJobDefinition", revision, tagged)
    yield Asked("change a queue", "batch:UpdateJobQueue", queue, tagged)
    yield Asked("change a compute environment", "batch:UpdateComputeEnvironment", compute, tagged)
    yield Asked("give a queue a compute environment", "batch:UpdateJobQueue", compute, tagged)
    yield Asked(
        "change a launch template", "ec2:ModifyLaunchTemplate", arn("ec2", "launch-template/lt-0"), tagged | template
    )
    yield Asked("read the image's parameter", "ssm:GetParameter", parameter, tagged)
    yield Asked("set the image's parameter", "ssm:PutParameter", parameter, tagged)
    yield Asked("read another parameter", "ssm:GetParameter", arn("ssm", "parameter/lab/password"))
    yield Asked("share a machine image", "ec2:ModifyImageAttribute", image, tagged | shared | mine)
    yield Asked("pull a container image", "ecr:BatchGetImage", arn("ecr", repository), tagged)
    yield Asked("push a container image", "ecr:PutImage", arn("ecr", repository), tagged)
    yield Asked("read the log of `isaac`", "logs:GetLogEvents", log, tagged)
    yield Asked("write the log of `isaac`", "logs:PutLogEvents", log, tagged)
    yield Asked(
        "delete the log of a workflow",
        "logs:DeleteLogGroup",
        arn("logs", f"log-group:/aws/vendedlogs/states/germline-{environment}:*"),
        tagged,
    )
    yield Asked("start a workflow", "states:StartExecution", machine, tagged)
    yield Asked("change a workflow", "states:UpdateStateMachine", machine, tagged)
    yield Asked(
        "change the `submit` function",
        "lambda:UpdateFunctionCode",
        arn("lambda", f"function:batchSubmitJob-{environment}"),
        tagged,
    )
    yield Asked(
        "decrypt with the key", "kms:Decrypt", (key,), tagged | {"aws:resourcetag/name": (f"batch-{environment}",)}
    )
    yield Asked("give the role of `isaac` to a job", "iam:PassRole", role, to_tasks | tagged)
    yield Asked("change the role of `isaac`", "iam:PutRolePolicy", role, bounded | tagged)
    yield Asked("let others assume the role of `isaac`", "iam:UpdateAssumeRolePolicy", role, tagged)
    yield Asked("say that the role of `isaac` is one's own", "iam:TagRole", role, tagged)
    access = (f"{ROLE}batchAccessApply-{environment}",)
    yield Asked("change an access role", "iam:PutRolePolicy", access, bounded | tagged)
    yield Asked("assume another role", "sts:AssumeRole", role)


def cell(reached: list[str]) -> str:
    """Say which of the environments prod, dev and b-prod are reached."""
    words = {"": "no", "prod": "own", "prod b-prod": "own, `*-prod`", "prod dev b-prod": "all"}
    return words[" ".join(reached)]


def reaches(policies: Policies, role: str, caller: str, row: Asked) -> bool:
    """Check whether a role of an environment may do what is asked; what it creates, it tags as its environment's."""
    sent = {"gen-infra:environment": (caller,), "gen-infra:submitted-by": (SESSION,)}
    context = {f"aws:requesttag/{name}": value for name, value in sent.items()} | {**row.context}
    requests = [Request(row.action, each, ACCOUNT_ID, context | {"aws:userid": (SESSION,)}) for each in row.resources]
    return all(policies.decide(Recorded(ROLE + role, request)).is_allowed for request in requests)


def table(policies: Policies, keys: Mapping[str, str]) -> str:
    """Return the table in Markdown; `keys` names the environments, each with the ARN of its key."""
    lines = [f"| may | {' | '.join(WHO)} | any of `{NEIGHBOUR}` |", f"|---|{'---|' * (len(WHO) + 1)}"]
    for rows in zip(*(asked(environment, key) for environment, key in keys.items()), strict=True):
        cells = []
        for role in WHO.values():
            found = [name for name, row in zip(keys, rows, strict=True) if reaches(policies, role, "prod", row)]
            cells.append(cell(found))
        of_neighbour = [
            who for who, role in WHO.items() if reaches(policies, f"{NEIGHBOUR}/{role}", NEIGHBOUR, rows[0])
        ]
        lines.append(f"| {rows[0].what} | {' | '.join(cells)} | {', '.join(of_neighbour) or 'no'} |")
    return "\n".join(lines)


def trusts(policies: Policies) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the name and the trust policy of each role of prod, and of the access roles of the example `access`."""
    for who, role in MADE.items():
        yield who, next(each.document for each in policies.all if each.owner == ROLE + role and not each.name)
    manifest = load(ROOT / "envs/examples/access.yaml")
    for who, name in ACCESS.items():
        if manifest.access and name in manifest.access.roles:
            yield who, trust_policy(manifest, name)


def trust_table(policies: Policies) -> str:
    """Return the table of who may assume which role, in Markdown."""
    lines = [
        f"| role | services | {' | '.join(SUBJECTS)} | a role that `access` names | any other role |",
        f"|---|---|{'---|' * (len(SUBJECTS) + 2)}",
    ]
    allow_all = PolicyDocument.read(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    )
    for who, document in trusts(policies):
        trust = PolicyDocument.read(document)

        def may(
            principal: Principal, action: str, context: Mapping[str, tuple[str, ...]], trust: PolicyDocument = trust
        ) -> bool:
            request = Request(action, f"{ROLE}asked", ACCOUNT_ID, context)
            return evaluate(request, principal, trust).is_allowed

        def service(name: str, account: str) -> bool:
            source = _SOURCES.get(name, f"arn:aws:{name}:us-east-1:{{account}}:any/any").format(account=account)
            context = {"aws:sourceaccount": (account,), "aws:sourcearn": (source,)}
            return may(Principal(PrincipalKind.SERVICE, f"{name}.amazonaws.com", ""), "sts:AssumeRole", context)

        def token(subject: str) -> bool:
            provider = Principal(PrincipalKind.WEB_IDENTITY, f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/{GITHUB}", "")
            context = {f"{GITHUB}:aud": ("sts.amazonaws.com",), f"{GITHUB}:sub": (subject,)}
            return may(provider, "sts:AssumeRoleWithWebIdentity", context)

        def session(role: str) -> bool:
            arn = f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role.rpartition('/')[2]}/session"
            caller = Principal(PrincipalKind.ROLE, arn, ACCOUNT_ID, role_arn=ROLE + role, policies=(allow_all,))
            return may(caller, "sts:AssumeRole", {})

        own = [f"`{name}`" for name in SERVICES if service(name, ACCOUNT_ID)]
        foreign = any(service(name, "210987654321") for name in SERVICES)
        services = f"{', '.join(own)}{' (sends no account)' if foreign else ''}" if own else "no"
        scientist = "aws-reserved/sso.amazonaws.com/AWSReservedSSO_Scientist_0123456789abcdef"
        cells = [services, *("yes" if token(subject) else "no" for subject in SUBJECTS.values())]
        named = [role for role in ("Operator", scientist) if session(role)]
        cells += ["yes" if named else "no", "yes" if any(session(role) for role in _OTHER_ROLES) else "no"]
        lines.append(f"| {who} | {' | '.join(cells)} |")
    return "\n".join(lines)


# The sources that services name: those of prod.
_SOURCES = {
    "ecs-tasks": "arn:aws:ecs:us-east-1:{account}:task/any",
    "states": "arn:aws:states:us-east-1:{account}:stateMachine:germline-prod",
}
_OTHER_ROLES = (
    "Administrator",
    "isaac-prod-job",
    "batchInstance-prod",
    "batchAccessApply-b-prod",
    "batchAccessPlan-prod",
)


@pytest.fixture(scope="module")
def policies(session: Session, tmp_path_factory: pytest.TempPathFactory) -> tuple[Policies, dict[str, str]]:
    """Return the policies of prod, with those of its access roles, and the keys of prod and of other environments."""
    manifests = {path.name: path.read_text() for path in (ROOT / "envs").glob("*.yaml")}
    port, _ = session.applied("prod", manifests)
    with copy_of(port) as aws:
        found = policies_of(aws)
        key = aws.client("kms").describe_key(KeyId="alias/batch-prod")["KeyMetadata"]["Arn"]
    folder = tmp_path_factory.mktemp("access")
    for each in ROOT.glob("envs/*.yaml"):
        shutil.copy(each, folder)
    # The roles of b-prod have these policies, with its name in place of prod's.
    made = [each for each in found.all if each.name and each.owner.removeprefix(ROLE) in MADE.values()]
    found.all.extend(replace(each, owner=_of_neighbour(each.owner), document=_renamed(each.document)) for each in made)
    for name, prefix in (("prod", ""), (NEIGHBOUR, f"{NEIGHBOUR}/")):
        bounded = folder / f"bounded-{name}.yaml"
        bounded.write_text(f"extends: prod.yaml\nname: {name}\niam: {{permissions_boundary: '{BOUNDARY}'}}\n")
        for role in ACCESS.values():
            written = enumerate(documents(load(bounded), role))
            found.all.extend(Policy(ROLE + prefix + role, f"{role}-{number}", document) for number, document in written)
    others = key.rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000"
    to_account = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT_ID}, "Action": "kms:*", "Resource": "*"}
    found.all.append(Policy(others, "", {"Version": "2012-10-17", "Statement": [to_account]}))
    return found, {"prod": key, "dev": others, NEIGHBOUR: others}


def _of_neighbour(owner: str) -> str:
    return owner.replace(ROLE, f"{ROLE}{NEIGHBOUR}/")


def _renamed(document: Mapping[str, object]) -> Mapping[str, object]:
    """Return a policy of prod as b-prod has it: with other names, another prefix and another key."""
    text = re.sub(r"\bprod\b", NEIGHBOUR, json.dumps(document)).replace("genomic-workflow", NEIGHBOUR)
    renamed: Mapping[str, object] = json.loads(
        re.sub(r":key/[0-9a-f-]+", ":key/00000000-0000-0000-0000-000000000000", text)
    )
    return renamed


def test_the_page_has_the_table_of_who_can_reach_what(policies: tuple[Policies, dict[str, str]]) -> None:
    found = table(*policies)
    assert found in (ROOT / "docs/security.md").read_text(), f"the policies say:\n\n{found}\n"


def test_the_page_has_the_table_of_who_may_assume_which_role(policies: tuple[Policies, dict[str, str]]) -> None:
    found = trust_table(policies[0])
    assert found in (ROOT / "docs/security.md").read_text(), f"the policies say:\n\n{found}\n"


def test_a_wider_policy_changes_the_table(policies: tuple[Policies, dict[str, str]]) -> None:
    found, keys = policies
    any_parameter = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}
    wider = Policy(f"{ROLE}isaac-prod-job", "wider", {"Version": "2012-10-17", "Statement": [any_parameter]})
    before, after = table(found, keys), table(Policies([*found.all, wider], {}), keys)
    changed = [line for line in after.splitlines() if line not in before]
    assert [line.split(" | ")[:2] for line in changed] == [
        ["| read the image's parameter", "all"],
        ["| read another parameter", "all"],
    ]
