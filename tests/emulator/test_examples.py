"""All examples side by side in one account: the real terraform and provider against one embedded AWS.

Each rendered folder is a module of one root here, with one provider for all: that shares the provider's fixed waits.
Two examples that called anything by the same name would fail.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gen_infra.aws import session
from gen_infra.aws.leftovers import leftovers
from gen_infra.emulator import Emulator, start
from gen_infra.manifest import Manifest, load
from gen_infra.render import render
from gen_infra.resources import data_dir
from gen_infra.tools.provider import find_provider
from gen_infra.tools.terraform import find_terraform
from tests.cli import clean_environ

REGION = "us-east-1"  # the one that the emulator's account has a network in
ALL = {path.stem: load(path) for path in sorted((data_dir("envs") / "examples").glob("*.yaml"))}
EXAMPLES = {name: manifest for name, manifest in ALL.items() if manifest.region == REGION}
ROOT_MODULE = """
provider "aws" {
  region              = "us-east-1"
  allowed_account_ids = ["123456789012"]
}
"""


class SideBySide:
    """Every example applied in one account."""

    def __init__(self, folder: Path, aws: Emulator) -> None:
        self.aws = aws
        self.folder = folder
        calls = "".join(f'\nmodule "{name}" {{\n  source = "./{name}"\n}}\n' for name in EXAMPLES)
        (folder / "main.tf").write_text(ROOT_MODULE + calls)
        for name, manifest in EXAMPLES.items():
            _write_as_module(render(manifest), folder / name)

    def terraform(self, command: str, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [*find_terraform(os.environ).argv, command, "-input=false", "-no-color", *arguments],
            capture_output=True, check=False, cwd=self.folder, env=clean_environ(**self.aws.environ), text=True,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def definition(self, name: str) -> dict[str, Any]:
        (found,) = self.aws.client("batch").describe_job_definitions(jobDefinitionName=name, status="ACTIVE")[
            "jobDefinitions"
        ]
        return dict(found)


def _write_as_module(files: dict[str, bytes], folder: Path) -> None:
    """A rendered root without what only a root has."""
    for path, content in files.items():
        part, _, name = path.partition("/")
        if part == "terraform" and name not in {"providers.tf", "backend.tf"}:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def _owned_elsewhere(aws: Emulator) -> None:
    """What the examples refer to by ARN and do not make."""
    iam = aws.client("iam")
    nothing = json.dumps({"Version": "2012-10-17", "Statement": []})
    for role in ("batchService", "batchJob", "batchInstance"):
        iam.create_role(RoleName=role, Path="/central/", AssumeRolePolicyDocument=nothing)
    iam.create_instance_profile(InstanceProfileName="batchInstance", Path="/central/")
    iam.add_role_to_instance_profile(InstanceProfileName="batchInstance", RoleName="batchInstance")
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    boundary = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.create_policy(PolicyName="developer-boundary", PolicyDocument=boundary)


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SideBySide]:
    with start() as aws:
        _owned_elsewhere(aws)
        made = SideBySide(tmp_path_factory.mktemp("examples"), aws)
        provider = find_provider(os.environ, flavour=find_terraform(os.environ).flavour).plugin_dir
        made.terraform("init", *([f"-plugin-dir={provider}"] if provider else []))
        made.terraform("apply", "-auto-approve", "-parallelism=40")
        yield made


class TestExamples:
    """In this order, in one account."""

    def test_second_plan_is_empty(self, applied: SideBySide) -> None:
        applied.terraform("plan", "-detailed-exitcode", "-parallelism=40")

    @pytest.mark.parametrize("name", EXAMPLES)
    def test_queues_are_there(self, applied: SideBySide, name: str) -> None:
        manifest = EXAMPLES[name]
        found = applied.aws.client("batch").describe_job_queues(
            jobQueues=[manifest.suffixed(key) for key in manifest.queues]
        )["jobQueues"]
        order = {queue["jobQueueName"]: queue["computeEnvironmentOrder"] for queue in found}
        for key, queue in manifest.queues.items():
            ordered = sorted(order[manifest.suffixed(key)], key=lambda entry: entry["order"])
            names = [entry["computeEnvironment"].rpartition("/")[2] for entry in ordered]
            assert all(
                name.startswith(manifest.suffixed(compute)) for name, compute in zip(names, queue.compute, strict=True)
            )

    def test_existing_roles_are_used_and_none_is_made(self, applied: SideBySide) -> None:
        role = applied.definition("stats-existing")["containerProperties"]["jobRoleArn"]
        assert role == "arn:aws:iam::123456789012:role/central/batchJob"
        roles = {role["RoleName"] for role in applied.aws.client("iam").list_roles(MaxItems=1000)["Roles"]}
        assert {name for name in roles if name.endswith(("-existing", "-existing-job"))} == {
            "batchSubmitJob-existing",
            "batchGetJobStatus-existing",
        }

    def test_an_execution_role_reaches_its_own_secrets_only(self, applied: SideBySide) -> None:
        container = applied.definition("call-secrets")["containerProperties"]
        assert container["executionRoleArn"] == "arn:aws:iam::123456789012:role/call-secrets-execution"
        policy = applied.aws.client("iam").get_role_policy(RoleName="call-secrets-execution", PolicyName="execution")
        here = "us-east-1:123456789012"
        reached = {
            action: statement["Resource"]
            for statement in policy["PolicyDocument"]["Statement"]
            for action in [statement["Action"]]
            if isinstance(action, str)
        }
        assert reached == {
            "ecr:GetAuthorizationToken": "*",
            "kms:Decrypt": f"arn:aws:kms:{here}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "secretsmanager:GetSecretValue": f"arn:aws:secretsmanager:{here}:secret:genomics/database-AbCdEf",
            "ssm:GetParameters": f"arn:aws:ssm:{here}:parameter/genomics/licence",
        }

    def test_fargate_has_no_instances(self, applied: SideBySide) -> None:
        found = applied.aws.client("batch").describe_compute_environments()["computeEnvironments"]
        resources = {
            environment["computeEnvironmentName"].partition("-")[0]: environment["computeResources"]
            for environment in found
            if "-fargate-" in environment["computeEnvironmentName"]
        }
        assert {key: resource["type"] for key, resource in resources.items()} == {
            "fargateSpotEnv": "FARGATE_SPOT",
            "fargateEnv": "FARGATE",
        }
        definition = applied.definition("notify-fargate")
        assert definition["platformCapabilities"] == ["FARGATE"]
        container = definition["containerProperties"]
        assert {"type": "VCPU", "value": "0.25"} in container["resourceRequirements"]
        assert container["executionRoleArn"] == "arn:aws:iam::123456789012:role/notify-fargate-execution"

    def test_a_multi_node_job_has_its_nodes_and_they_reach_each_other(self, applied: SideBySide) -> None:
        definition = applied.definition("assemble-mpi")
        assert definition["type"] == "multinode"
        assert definition["nodeProperties"]["numNodes"] == 4
        (nodes,) = definition["nodeProperties"]["nodeRangeProperties"]
        assert nodes["targetNodes"] == "0:"
        assert nodes["container"]["jobRoleArn"] == "arn:aws:iam::123456789012:role/assemble-mpi-job"
        (group,) = applied.aws.client("ec2").describe_security_groups(
            Filters=[{"Name": "group-name", "Values": ["batch-mpi/instances"]}]
        )["SecurityGroups"]
        own = [pair["GroupId"] for rule in group["IpPermissions"] for pair in rule["UserIdGroupPairs"]]
        assert own == [group["GroupId"]]
        assert not any(rule["IpRanges"] for rule in group["IpPermissions"])

    def test_a_property_that_the_manifest_has_no_key_for_arrives(self, applied: SideBySide) -> None:
        container = applied.definition("report-raw")["containerProperties"]
        assert container["runtimePlatform"]["cpuArchitecture"] == "ARM64"
        private = applied.definition("annotate-raw")["containerProperties"]
        secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lab/registry-AbCdEf"
        assert private["repositoryCredentials"] == {"credentialsParameter": secret}
        policy = applied.aws.client("iam").get_role_policy(RoleName="annotate-raw-execution", PolicyName="execution")
        reached = {statement["Sid"]: statement["Resource"] for statement in policy["PolicyDocument"]["Statement"]}
        assert reached["Secrets"] == secret

    def test_every_role_has_the_boundary_and_the_path(self, applied: SideBySide) -> None:
        iam = applied.aws.client("iam")
        names = ["stats-bounded-job", "batchInstance-bounded", "batchSubmitJob-bounded", "batchGetJobStatus-bounded"]
        for role in (iam.get_role(RoleName=name)["Role"] for name in names):
            assert role["Path"] == "/genomics/"
            boundary = role["PermissionsBoundary"]["PermissionsBoundaryArn"]
            assert boundary == "arn:aws:iam::123456789012:policy/developer-boundary"

    def test_destroy_leaves_nothing(self, applied: SideBySide, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in applied.aws.environ.items():
            monkeypatch.setenv(name, value)
        clients = session.clients("us-east-1")
        assert _left(clients, EXAMPLES["graviton"])
        applied.terraform("destroy", "-auto-approve", "-parallelism=40")
        assert [left for manifest in EXAMPLES.values() for left in _left(clients, manifest)] == []


def _left(clients: session.Clients, manifest: Manifest) -> list[str]:
    keys = [*manifest.compute, *manifest.queues, *manifest.jobs]
    return leftovers(clients, manifest.name, keys, manifest.repositories, own_network=bool(manifest.network.create))
