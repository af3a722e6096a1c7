"""The table of docs/security.md: who can reach what, by the policies of prod in its account and of its access roles."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest

from gen_infra.emulator import copy_of
from gen_infra.iam import Request
from gen_infra.manifest import load
from gen_infra.permissions.policies import documents
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
    new = {f"aws:requesttag/{name}": value for name, value in tags.items()}
    state = s3(f"genomics-tfstate-123456789012/gen-infra/{environment}/terraform.tfstate")
    prefix = "genomic-workflow" if environment == "prod" else environment
    queue, definition = arn("batch", f"job-queue/highPriority-{environment}"), f"job-definition/isaac-{environment}"
    parameter, repository = arn("ssm", f"parameter/gen-infra/{environment}/ami"), f"repository/{environment}/isaac"
    log = arn("logs", f"log-group:/aws/batch/{environment}/isaac:log-stream:a")
    role, to_tasks = (f"{ROLE}isaac-{environment}-job",), {"iam:passedtoservice": ("ecs-tasks.amazonaws.com",)}
    image, shared = arn("ec2", "image/ami-0123456789abcdef0", account=""), {"ec2:attribute": ("LaunchPermission",)}
    bounded, mine = {"iam:permissionsboundary": (BOUNDARY,)}, {"ec2:owner": (ACCOUNT_ID,)}
    yield Asked("write where `isaac` may write", "s3:PutObject", s3(f"genomics-results-123456789012/{prefix}/a.bam"))
    yield Asked("read a bucket that no entry lists", "s3:GetObject", s3("payroll/a"))
    yield Asked("read Terraform's state", "s3:GetObject", state)
    yield Asked("write Terraform's state", "s3:PutObject", state)
    yield Asked("submit `isaac`", "batch:SubmitJob", (*queue, *arn("batch", f"{definition}:1")), new)
    yield Asked("stop a job", "batch:TerminateJob", arn("batch", "job/0f6e3b1a"), tagged)
    yield Asked("register a definition", "batch:RegisterJobDefinition", arn("batch", definition), new)
    yield Asked("change a queue", "batch:UpdateJobQueue", queue, tagged)
    yield Asked("read the image's parameter", "ssm:GetParameter", parameter, tagged)
    yield Asked("set the image's parameter", "ssm:PutParameter", parameter, tagged)
    yield Asked("read another parameter", "ssm:GetParameter", arn("ssm", "parameter/lab/password"))
    yield Asked("share a machine image", "ec2:ModifyImageAttribute", image, tagged | shared | mine)
    yield Asked("pull a container image", "ecr:BatchGetImage", arn("ecr", repository), tagged)
    yield Asked("push a container image", "ecr:PutImage", arn("ecr", repository), tagged)
    yield Asked("read the log of `isaac`", "logs:GetLogEvents", log, tagged)
    yield Asked("write the log of `isaac`", "logs:PutLogEvents", log, tagged)
    yield Asked("decrypt with the key", "kms:Decrypt", (key,), tagged)
    yield Asked("give the role of `isaac` to a job", "iam:PassRole", role, to_tasks)
    yield Asked("change the role of `isaac`", "iam:PutRolePolicy", role, bounded)
    yield Asked("change an access role", "iam:PutRolePolicy", (f"{ROLE}batchAccessApply-{environment}",), bounded)


def cell(reached: list[str]) -> str:
    """Say which of the environments prod, dev and b-prod are reached."""
    words = {"": "no", "prod": "own", "prod b-prod": "own, `*-prod`", "prod dev b-prod": "all"}
    return words[" ".join(reached)]


def table(policies: Policies, keys: Mapping[str, str]) -> str:
    """Return the table in Markdown; `keys` names the environments, each with the ARN of its key."""
    lines = [f"| may | {' | '.join(WHO)} |", f"|---|{'---|' * len(WHO)}"]
    for rows in zip(*(asked(environment, key) for environment, key in keys.items()), strict=True):
        reached: dict[str, list[str]] = {who: [] for who in WHO}
        for environment, row in zip(keys, rows, strict=True):
            context = {**row.context, "aws:userid": (SESSION,)}
            requests = [Request(row.action, resource, ACCOUNT_ID, context) for resource in row.resources]
            for who, role in WHO.items():
                if all(policies.decide(Recorded(ROLE + role, request)).is_allowed for request in requests):
                    reached[who].append(environment)
        lines.append(f"| {rows[0].what} | {' | '.join(map(cell, reached.values()))} |")
    return "\n".join(lines)


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
    bounded = folder / "bounded.yaml"
    bounded.write_text(f"extends: prod.yaml\nname: prod\niam: {{permissions_boundary: '{BOUNDARY}'}}\n")
    for role in ACCESS.values():
        written = enumerate(documents(load(bounded), role))
        found.all.extend(Policy(ROLE + role, f"{role}-{number}", document) for number, document in written)
    others = key.rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000"
    to_account = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT_ID}, "Action": "kms:*", "Resource": "*"}
    found.all.append(Policy(others, "", {"Version": "2012-10-17", "Statement": [to_account]}))
    return found, {"prod": key, "dev": others, "b-prod": others}


def test_the_page_has_the_table_of_who_can_reach_what(policies: tuple[Policies, dict[str, str]]) -> None:
    found = table(*policies)
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
