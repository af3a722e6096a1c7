"""Prepare each of the repository's manifests for an account of its own, and run gen-infra there under a role."""

from __future__ import annotations

import itertools
import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import yaml

from gen_infra.emulator import REGION, seed
from gen_infra.emulator.administrator import CREDENTIALS
from gen_infra.manifest import load
from gen_infra.permissions.calls import ROLES
from gen_infra.permissions.policies import documents
from gen_infra.resources import data_dir
from tests.cli import clean_environ
from tests.emulator import probes
from tests.emulator.provider import running_provider
from tests.emulator.session import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gen_infra.emulator import Emulator
    from gen_infra.manifest import Manifest
    from tests.emulator.session import Session

ACCOUNT_ID = "123456789012"
MANIFESTS = {
    path.stem: path.relative_to(data_dir("envs"))
    for folder in ("", "examples")
    for path in sorted((data_dir("envs") / folder).glob("*.yaml"))
    if path.stem != "base"
}
ALLOWED = ("--allow", "other-roles", "--allow", "root-scripts")  # effects of the manifests' own settings
BOUNDARY = "developer-boundary"
SIGNED_IN = "AWSReservedSSO_Scientist_0123456789abcdef"
CENTRAL = {"batchService": "batch", "batchJob": "ecs-tasks", "batchInstance": "ec2"}  # by whom each is assumed
INSTANCE_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
_NUMBERS = itertools.count(1)


def client(aws: Emulator, service: str, region: str = REGION) -> Any:
    """Make the administrator's client for a region."""
    session: Any = boto3.Session(*CREDENTIALS, region_name=region)
    return session.client(service, endpoint_url=aws.endpoint)


def prepared(aws: Emulator, name: str, folder: Path) -> Path:
    """Copy a manifest with the files that it refers to, and create what it refers to in the account; return its path.

    Ids that differ between accounts are replaced by those of this account.
    """
    shutil.copytree(data_dir("envs"), folder, dirs_exist_ok=True)
    path = folder / MANIFESTS[name]
    manifest = load(path)
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    if manifest.network.ids:
        document["network"] = {"ids": _network(aws, manifest.region)}
    if manifest.partition != "aws":  # where moto has no images of AWS's own
        document["image"]["id"] = seed.machine_image(client(aws, "ec2", manifest.region), manifest.region)
    if manifest.encryption.key != "create":
        document["encryption"] = {"key": _key_for_logs(client(aws, "kms", manifest.region), manifest.region)}
    boundary = f"arn:{manifest.partition}:iam::{ACCOUNT_ID}:policy/{BOUNDARY}"
    document["iam"] = {"permissions_boundary": boundary} | document.get("iam", {})  # which the role `apply` requires
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    central_roles(aws)
    return path


def _network(aws: Emulator, region: str) -> dict[str, list[str]]:
    ec2 = client(aws, "ec2", region)
    seed.network(ec2, region)
    private = [{"Name": "tag:Tier", "Values": ["private"]}]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets(Filters=private)["Subnets"]]
    named = [{"Name": "group-name", "Values": ["genomics-batch"]}]
    groups = [group["GroupId"] for group in ec2.describe_security_groups(Filters=named)["SecurityGroups"]]
    return {"subnets": subnets, "security_groups": groups}


def _key_for_logs(kms: Any, region: str) -> str:
    """Create a key that CloudWatch Logs may use, as its owner has to set it up, and return its ARN."""
    owner = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT_ID}, "Action": "kms:*", "Resource": "*"}
    logs = owner | {"Principal": {"Service": f"logs.{region}.amazonaws.com"}}
    return str(kms.create_key(Policy=policy_document(owner, logs))["KeyMetadata"]["Arn"])


def central_roles(aws: Emulator) -> None:
    """Create what the examples refer to by ARN and do not create."""
    iam = aws.client("iam")
    for role, service in CENTRAL.items():
        trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=role, Path="/central/", AssumeRolePolicyDocument=policy_document(trust))
    iam.attach_role_policy(RoleName="batchService", PolicyArn=probes.BATCH_POLICY)
    iam.attach_role_policy(RoleName="batchInstance", PolicyArn=INSTANCE_POLICY)
    for path, role in (("/", "Operator"), ("/", "Scientist"), ("/aws-reserved/sso.amazonaws.com/", SIGNED_IN)):
        iam.create_role(RoleName=role, Path=path, AssumeRolePolicyDocument=policy_document())
    iam.create_instance_profile(InstanceProfileName="batchInstance", Path="/central/")
    iam.add_role_to_instance_profile(InstanceProfileName="batchInstance", RoleName="batchInstance")
    iam.create_policy(
        PolicyName=BOUNDARY, PolicyDocument=policy_document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    )


def policy_document(*statements: Mapping[str, Any]) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def roles_of(aws: Emulator, manifest: Manifest) -> dict[str, str]:
    """Create a role with the rights that `gen-infra permissions` prints for each; return their ARNs by its name."""
    return {name: role_with(aws, name, *documents(manifest, name)) for name in ROLES}


def role_with(aws: Emulator, name: str, *policies: Mapping[str, Any]) -> str:
    """Create a role with these policies, and return its ARN."""
    iam = aws.client("iam")
    trust = policy_document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT_ID}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName=f"tested-{name}", AssumeRolePolicyDocument=trust)
    for number, policy in enumerate(policies, 1):
        made = iam.create_policy(PolicyName=f"tested-{name}-{number}", PolicyDocument=json.dumps(policy))
        iam.attach_role_policy(RoleName=f"tested-{name}", PolicyArn=made["Policy"]["Arn"])
    return str(iam.get_role(RoleName=f"tested-{name}")["Role"]["Arn"])


def credentials(aws: Emulator, role: str, region: str = REGION) -> dict[str, str]:
    """Return the environment variables of a session of a role; the administrator may assume each."""
    made = client(aws, "sts", region).assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }


@contextmanager
def under(session: Session, aws: Emulator, manifest: Manifest, folder: Path, role: str) -> Iterator[Site]:
    """Yield a folder whose commands, terraform and the provider run under a role; without one, as the administrator."""
    environ = clean_environ(**aws.environ | (credentials(aws, role, manifest.region) if role else {}))
    root = folder / "build" / manifest.name / "terraform"
    with running_provider(session.provider(), folder / f"bin{next(_NUMBERS)}", environ, root=root) as environ:
        yield Site(folder, aws, environ)


def run(site: Site, command: str, path: Path, *arguments: str, code: int = 0) -> str:
    """Run a command for a manifest, and return what it prints."""
    words = command.split()
    done = site.run(words[0], *words[1:], path, *arguments)
    assert done.returncode == code, f"{done.args}\n{done.stdout}{done.stderr}"
    return done.stdout
