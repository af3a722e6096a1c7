"""Apply all examples in one account: the real terraform and provider against one embedded AWS.

Each rendered folder is a module in one of a few roots, so that many examples share a provider and its fixed waits; the
roots run in parallel. Two examples that use the same name for a resource would fail.

Terraform runs under a role that may do everything, because a root has one provider for its examples. Afterwards every
request is evaluated with the policies that `gen-infra permissions` prints for the example that it is about.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
import pytest

from gen_infra.aws import session
from gen_infra.aws.leftovers import leftovers, leftovers_named
from gen_infra.emulator import seed
from gen_infra.emulator.administrator import CREDENTIALS
from gen_infra.explain import explain
from gen_infra.manifest import Manifest, load
from gen_infra.manifest.engine_configuration import job_tags
from gen_infra.manifest.model.base_images import BASE_IMAGES
from gen_infra.manifest.model.network import Network, NetworkIds
from gen_infra.render.files import render
from gen_infra.resources import data_dir
from gen_infra.terraform.plan import PlanContent
from gen_infra.tools import container_host
from tests.cli import clean_environ, gen_infra
from tests.conftest import missing
from tests.emulator.pipeline.alarms import HOUR, Alarms
from tests.emulator.pipeline.default_tags import with_default_tags
from tests.emulator.pipeline.head_job import stand_in, submit_heads
from tests.emulator.pipeline.nextflow_calls import (
    assert_beside_cannot_reach,
    assert_cannot_reach,
    head_beside,
    place_of,
    run_pipeline,
)
from tests.emulator.provider import running_provider
from tests.permissions.environments import BOUNDARY, central_roles, credentials, policy_document, role_with
from tests.permissions.examples import of_another, refused
from tests.permissions.policies import recorded
from tests.permissions.uses import client_of
from tests.polling import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gen_infra.aws.inventory import AwsResource
    from gen_infra.emulator import Emulator
    from gen_infra.explain import Change
    from tests.emulator.session import Session

HOME = "us-east-1"  # the region that the emulator's account has a network in
EXAMPLES = {path.stem: load(path) for path in sorted((data_dir("envs") / "examples").glob("*.yaml"))}
NOTIFIED = "batchQueueBlocked-told"
EVERYTHING = policy_document({"Effect": "Allow", "Action": "*", "Resource": "*"})
ROOTS_AT_HOME = 3  # the provider makes one function at a time
STATES = "examples-states"
OWNED = frozenset(  # allowed only with the environment's tag
    {
        "batch:CreateJobQueue",
        "batch:DeleteJobQueue",
        "ec2:CreateLaunchTemplate",
        "elasticfilesystem:DeleteFileSystem",
        "iam:CreateRole",
        "iam:DeleteRole",
    }
)
# A state on this machine is copied and written after each change of each resource: half of terraform's CPU time.
SETTINGS = """
provider "aws" {{
  region              = "{region}"
  allowed_account_ids = ["123456789012"]
}}

terraform {{
  backend "s3" {{
    bucket         = "{states}"
    key            = "{key}"
    region         = "us-east-1"
    access_key     = "testing"
    secret_key     = "testing"
    use_path_style = true
  }}
}}
"""


@dataclass(frozen=True)
class Root:
    """Some examples of one region, as modules of one configuration."""

    region: str
    names: list[str]


AT_HOME = [name for name, manifest in EXAMPLES.items() if manifest.region == HOME]
ROOTS = [Root(HOME, AT_HOME[number::ROOTS_AT_HOME]) for number in range(ROOTS_AT_HOME)] + [
    Root(manifest.region, [name]) for name, manifest in EXAMPLES.items() if manifest.region != HOME
]


class SideBySide:
    """Every example applied in one account.

    Args:
        aws: the account.
        folders: each root and its folder, with the environment that terraform has there.
    """

    def __init__(self, aws: Emulator, folders: Mapping[Path, tuple[Root, dict[str, str]]]) -> None:
        self.aws = aws
        self.folders = folders
        self.manifests: dict[str, Manifest] = {}
        for place, (root, _) in folders.items():
            calls = "".join(f'\nmodule "{name}" {{\n  source = "./{name}"\n}}\n' for name in root.names)
            (place / "main.tf").write_text(SETTINGS.format(region=root.region, states=STATES, key=place.name) + calls)
            for name in root.names:
                self.manifests[name] = self.findable(EXAMPLES[name])
                _write_as_module(self.manifests[name], place / name)

    def findable(self, manifest: Manifest) -> Manifest:
        """Return the manifest with ids that exist, an image where moto has none of AWS's own, and a boundary."""
        ec2 = self.client("ec2", manifest.region)
        boundary = f"arn:{manifest.partition}:iam::123456789012:policy/{BOUNDARY}"  # which the role `apply` requires
        manifest = msgspec.structs.replace(
            manifest, iam=msgspec.structs.replace(manifest.iam, permissions_boundary=boundary)
        )
        if manifest.partition != "aws":
            iam = self.client("iam", manifest.region)
            iam.create_policy(PolicyName=BOUNDARY, PolicyDocument=EVERYTHING)
            image = seed.machine_image(ec2, manifest.region)
            manifest = msgspec.structs.replace(manifest, image=msgspec.structs.replace(manifest.image, id=image))
        if manifest.encryption.key != "create":
            key = _key_for_logs(self.client("kms", manifest.region), manifest.region)
            manifest = msgspec.structs.replace(
                manifest, encryption=msgspec.structs.replace(manifest.encryption, key=key)
            )
        if not manifest.network.ids:
            return manifest
        seed.network(ec2, manifest.region)
        private = [{"Name": "tag:Tier", "Values": ["private"]}]
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets(Filters=private)["Subnets"]]
        named = [{"Name": "group-name", "Values": ["genomics-batch"]}]
        groups = [group["GroupId"] for group in ec2.describe_security_groups(Filters=named)["SecurityGroups"]]
        ids = NetworkIds(subnets=tuple(subnets), security_groups=tuple(groups))
        return msgspec.structs.replace(manifest, network=Network(ids=ids))

    def client(self, service: str, region: str = HOME) -> Any:
        here: Any = boto3.Session(*CREDENTIALS, region_name=region)
        return here.client(service, endpoint_url=self.aws.endpoint)

    def terraform(self, command: str, *arguments: str) -> None:
        """Return the same command in every root, at the same time."""

        def run(folder: Path) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                ["terraform", command, "-input=false", "-no-color", *arguments],
                capture_output=True, check=False, cwd=folder, env=self.folders[folder][1], text=True,
            )  # fmt: skip

        with ThreadPoolExecutor(len(self.folders)) as pool:
            for folder, done in zip(self.folders, pool.map(run, self.folders), strict=True):
                assert done.returncode == 0, f"{self.folders[folder][0]}\n{done.stdout}{done.stderr}"

    def explained(self, name: str, address: str) -> Change:
        """Plan one resource of an example, and return what that means."""
        (place,) = [place for place, (root, _) in self.folders.items() if name in root.names]

        def run(*arguments: str) -> str:
            return subprocess.run(
                ["terraform", *arguments],
                capture_output=True, check=True, cwd=place, env=self.folders[place][1], text=True,
            ).stdout  # fmt: skip

        run("plan", "-input=false", f"-target=module.{name}.{address}", "-out=one.tfplan")
        content = PlanContent(json.loads(run("show", "-json", "one.tfplan")))
        (change,) = [each for each in explain(content).changes if each.address.endswith(address)]
        return change

    def counted(self) -> dict[str, Any]:
        """Map each request of Terraform to itself with the number of times that it was made."""
        lines = [line for line in self.aws.iam_requests() if line["caller"].endswith("/tested-everything")]
        return {json.dumps({**line, "count": 0}): line for line in lines}

    def definition(self, name: str, region: str = HOME) -> dict[str, Any]:
        batch = self.client("batch", region)
        (found,) = batch.describe_job_definitions(jobDefinitionName=name, status="ACTIVE")["jobDefinitions"]
        return dict(found)

    def container(self, name: str) -> dict[str, Any]:
        return dict(self.definition(name)["containerProperties"])


def _key_for_logs(kms: Any, region: str) -> str:
    """Return the ARN of a key that CloudWatch Logs may use, as its owner has to set it up."""
    owner = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    logs = owner | {"Principal": {"Service": f"logs.{region}.amazonaws.com"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [owner, logs]})
    return str(kms.create_key(Policy=policy)["KeyMetadata"]["Arn"])


def _write_as_module(manifest: Manifest, folder: Path) -> None:
    """Write a rendered root without what only a root has; its provider's tags are on each resource instead."""
    for path, content in render(manifest).items():
        part, _, name = path.partition("/")
        if part == "terraform" and name not in {"providers.tf", "backend.tf"}:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            is_code = target.suffix == ".tf"
            target.write_bytes(
                with_default_tags(content.decode(), manifest.resource_tags).encode() if is_code else content
            )


@pytest.fixture(scope="module")
def applied(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SideBySide]:
    folder = tmp_path_factory.mktemp("examples")
    with ExitStack() as stack:
        aws = stack.enter_context(session.seeded())
        central_roles(aws)
        role = role_with(aws, "everything", json.loads(EVERYTHING))
        folders = {}
        for number, root in enumerate(ROOTS):
            place, environ = folder / str(number), clean_environ(**aws.environ | credentials(aws, role))
            provider = running_provider(session.provider(), folder / f"bin{number}", environ, root=place)
            folders[place] = (root, stack.enter_context(provider))
        made = SideBySide(aws, folders)
        made.client("s3").create_bucket(Bucket=STATES)
        made.terraform("init")
        made.terraform("apply", "-auto-approve", "-parallelism=40")
        yield made


@pytest.fixture(scope="module")
def told(applied: SideBySide) -> Alarms:
    return Alarms(applied.aws, applied.manifests["blocked-queues"])


class TestExamples:
    """In this order, in one account."""

    def test_second_plan_is_empty_and_the_role_plan_allows_its_requests(self, applied: SideBySide) -> None:
        before = applied.counted()
        applied.terraform("plan", "-detailed-exitcode", "-parallelism=40")
        planned = recorded(line for text, line in applied.counted().items() if line != before.get(text))
        assert len(planned) > 500
        assert list(refused(planned, applied.manifests, "plan")) == []

    @pytest.mark.parametrize("name", EXAMPLES)
    def test_queues_are_there(self, applied: SideBySide, name: str) -> None:
        manifest = EXAMPLES[name]
        batch = applied.client("batch", manifest.region)
        found = batch.describe_job_queues(jobQueues=[manifest.suffixed(key) for key in manifest.queues])["jobQueues"]
        order = {queue["jobQueueName"]: queue["computeEnvironmentOrder"] for queue in found}
        for key, queue in manifest.queues.items():
            ordered = sorted(order[manifest.suffixed(key)], key=lambda entry: entry["order"])
            names = [entry["computeEnvironment"].rpartition("/")[2] for entry in ordered]
            assert all(
                name.startswith(manifest.suffixed(compute)) for name, compute in zip(names, queue.compute, strict=True)
            )

    def test_existing_roles_are_used_and_none_is_made(self, applied: SideBySide) -> None:
        role = applied.container("stats-existing")["jobRoleArn"]
        assert role == "arn:aws:iam::123456789012:role/central/batchJob"
        roles = {role["RoleName"] for role in applied.client("iam").list_roles(MaxItems=1000)["Roles"]}
        assert {name for name in roles if name.endswith(("-existing", "-existing-job"))} == {
            "batchSubmitJob-existing",
            "batchGetJobStatus-existing",
        }

    def test_nextflow_runs_with_its_roles_and_reaches_no_other_environment(self, applied: SideBySide) -> None:
        manifest, other = EXAMPLES["nextflow"], EXAMPLES["snakemake"]
        head, labels = manifest.engine_role_arn("nextflow", "head"), job_tags(manifest, "nextflow")
        own = place_of(manifest, "nextflow")
        job = run_pipeline(applied.aws, head, own, labels)
        assert_beside_cannot_reach(applied.aws, head_beside(applied.aws, manifest), own, job)
        assert_cannot_reach(applied.aws, head, own, place_of(other, "snakemake"), labels)
        client_of(applied.aws, head, "batch").terminate_job(jobId=job["jobId"], reason="Job killed by NF")

    def test_a_head_job_runs_a_pipeline_and_its_log_is_followed(self, applied: SideBySide, tmp_path: Path) -> None:
        lacking, hint = container_host.missing()
        if lacking:
            missing(f"containers need {lacking}", hint)
        manifest = EXAMPLES["nextflow"]
        with stand_in(applied.aws, manifest, tmp_path):
            done, failed = submit_heads(applied.aws, manifest, "--ok", "--broken")

        printed = ["configuration: process.queue = 'tasks-nextflow'"]
        printed += [f"argument: {each}" for each in ("run", "nf-core/demo", "-r", "1.0.2", "--input=a b")]
        for answer, last in ((done, "--ok"), (failed, "--broken")):
            log = [line for line in answer.lines if not line.startswith("curl: ")]
            assert log == [*printed, f"argument: {last}", "wrote to the work prefix", "refused elsewhere"], answer.said
        assert (done.code, done.said.splitlines()[-1]) == (0, "SUCCEEDED")
        assert (failed.code, failed.said.splitlines()[-2]) == (1, "FAILED")
        assert failed.said.splitlines()[-1].startswith("next: gen-infra why ")

    def test_an_execution_role_reaches_its_own_secrets_only(self, applied: SideBySide) -> None:
        container = applied.container("call-secrets")
        assert container["executionRoleArn"] == "arn:aws:iam::123456789012:role/call-secrets-execution"
        policy = applied.client("iam").get_role_policy(RoleName="call-secrets-execution", PolicyName="execution")
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

    def test_a_schedule_starts_the_build_of_the_source_in_the_bucket(self, applied: SideBySide) -> None:
        name, arn = (
            "batchImageRebuild-fresh",
            "arn:aws:codebuild:us-east-1:123456789012:project/batchImageRebuild-fresh",
        )
        schedule = applied.aws.client("scheduler").get_schedule(Name=name, GroupName=name)
        assert (schedule["ScheduleExpression"], schedule["Target"]["Arn"]) == ("cron(0 3 ? * SUN *)", arn)
        [project] = applied.aws.client("codebuild").batch_get_projects(names=[name])["projects"]
        bucket, _, key = project["source"]["location"].partition("/")
        source = applied.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        assert source == render(applied.manifests["image-rebuild"])["terraform/image-rebuild.zip"]
        alarms = applied.aws.client("cloudwatch").describe_alarms(AlarmNamePrefix="batchImageRebuild")["MetricAlarms"]
        notified = [alarm["AlarmActions"] for alarm in alarms if alarm["AlarmName"].endswith("-fresh")]
        assert notified == [["arn:aws:sns:us-east-1:123456789012:batchImageRebuild-fresh"]] * 2

    def test_fargate_has_no_instances(self, applied: SideBySide) -> None:
        found = applied.client("batch").describe_compute_environments()["computeEnvironments"]
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
        (group,) = applied.client("ec2").describe_security_groups(
            Filters=[{"Name": "group-name", "Values": ["batch-mpi/instances"]}]
        )["SecurityGroups"]
        own = [pair["GroupId"] for rule in group["IpPermissions"] for pair in rule["UserIdGroupPairs"]]
        assert own == [group["GroupId"]]
        assert not any(rule["IpRanges"] for rule in group["IpPermissions"])

    def test_instances_start_with_their_adapters_reservation_and_user_data(self, applied: SideBySide) -> None:
        (environment,) = self.environments(applied, "efaEnv-mpi-")
        resources = environment["computeResources"]
        template = resources["launchTemplate"]
        (version,) = applied.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=template["launchTemplateId"], Versions=[template["version"]]
        )["LaunchTemplateVersions"]
        data = version["LaunchTemplateData"]
        (interface,) = data["NetworkInterfaces"]
        (group,) = interface["Groups"]

        assert (interface["InterfaceType"], interface["NetworkCardIndex"]) == ("efa", 0)
        assert (resources["placementGroup"], resources.get("securityGroupIds", [])) == ("mpi", [])
        found = applied.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
        assert [each["GroupName"] for each in found] == ["batch-mpi/instances"]
        assert data["CapacityReservationSpecification"]["CapacityReservationTarget"] == {
            "CapacityReservationId": "cr-0123456789abcdef0"
        }
        user_data = base64.b64decode(data["UserData"]).decode()
        assert user_data.startswith("MIME-Version: 1.0")
        assert "vm.nr_hugepages" in user_data

    def test_a_property_that_the_manifest_has_no_key_for_arrives(self, applied: SideBySide) -> None:
        container = applied.container("report-raw")
        assert container["runtimePlatform"]["cpuArchitecture"] == "ARM64"
        private = applied.container("annotate-raw")
        secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lab/registry-AbCdEf"
        assert private["repositoryCredentials"] == {"credentialsParameter": secret}
        policy = applied.client("iam").get_role_policy(RoleName="annotate-raw-execution", PolicyName="execution")
        reached = {statement["Sid"]: statement["Resource"] for statement in policy["PolicyDocument"]["Statement"]}
        assert reached["Secrets"] == secret

    def test_a_gpu_is_requested_and_the_image_has_its_driver(self, applied: SideBySide) -> None:
        assert {"type": "GPU", "value": "1"} in applied.container("basecall-gpu")["resourceRequirements"]
        (environment,) = self.environments(applied, "gpuEnv-gpu-")
        (image,) = environment["computeResources"]["ec2Configuration"]
        assert image["imageType"] == "ECS_AL2023_NVIDIA"

    def test_a_compute_environment_has_its_own_image(self, applied: SideBySide) -> None:
        (environment,) = self.environments(applied, "alignEnv-gpu-")
        (image,) = environment["computeResources"]["ec2Configuration"]
        newest = BASE_IMAGES["ecs-al2023-x86_64"].parameter
        assert image == {
            "imageType": "ECS_AL2023",
            "imageIdOverride": applied.client("ssm").get_parameter(Name=newest)["Parameter"]["Value"],
        }

    def test_file_systems_are_reached_through_tls_and_with_the_role(self, applied: SideBySide) -> None:
        volumes = {volume["name"]: volume for volume in applied.container("align-efs")["volumes"]}
        reference = volumes["efs-reference"]["efsVolumeConfiguration"]
        assert reference["transitEncryption"] == "ENABLED"
        assert reference["authorizationConfig"] == {"accessPointId": "fsap-0123456789abcdef0", "iam": "ENABLED"}
        assert volumes["efs-results"]["efsVolumeConfiguration"]["authorizationConfig"] == {"iam": "ENABLED"}

    @pytest.mark.parametrize("name", ["efs", "shared-files"])
    def test_created_file_systems_are_mounted_through_their_access_points(self, applied: SideBySide, name: str) -> None:
        efs, manifest = applied.client("efs"), EXAMPLES[name]
        for key in manifest.created_file_systems:
            (system,) = [
                each for each in efs.describe_file_systems(MaxItems=100)["FileSystems"]
                if each["CreationToken"] == manifest.suffixed(key)
            ]  # fmt: skip
            system_id = system["FileSystemId"]
            (point,) = efs.describe_access_points(FileSystemId=system_id)["AccessPoints"]
            zones = [
                each["AvailabilityZoneName"]
                for each in efs.describe_mount_targets(FileSystemId=system_id)["MountTargets"]
            ]
            assert len(set(zones)) == len(zones) == 2
            assert system["Encrypted"]
            assert efs.describe_backup_policy(FileSystemId=system_id)["BackupPolicy"] == {"Status": "ENABLED"}
            for job, may_write in manifest.job_mounts(key).items():
                mounted = [
                    each["efsVolumeConfiguration"] for each in applied.container(manifest.suffixed(job))["volumes"]
                    if each.get("efsVolumeConfiguration", {}).get("fileSystemId") == system_id
                ]  # fmt: skip
                assert [each["authorizationConfig"]["accessPointId"] for each in mounted] == [point["AccessPointId"]]
                policy = applied.client("iam").get_role_policy(
                    RoleName=manifest.job_role_name(job), PolicyName=f"file-system-{manifest.suffixed(key)}"
                )["PolicyDocument"]["Statement"][0]
                assert policy["Resource"] == system["FileSystemArn"]
                assert ("elasticfilesystem:ClientWrite" in policy["Action"]) == may_write
                assert policy["Condition"] == {
                    "StringEquals": {"elasticfilesystem:AccessPointArn": point["AccessPointArn"]}
                }
            for engine, role in itertools.product(manifest.engine_mounts(key), ("head", "worker")):
                policy = applied.client("iam").get_role_policy(
                    RoleName=f"{engine}-{name}-{role}", PolicyName=f"file-system-{manifest.suffixed(key)}"
                )["PolicyDocument"]["Statement"][0]
                assert (policy["Resource"], "elasticfilesystem:ClientWrite" in policy["Action"]) == (
                    system["FileSystemArn"], False
                )  # fmt: skip

    def test_secrets_are_references(self, applied: SideBySide) -> None:
        named = {secret["name"]: secret["valueFrom"] for secret in applied.container("call-secrets")["secrets"]}
        assert set(named) == {"DATABASE_PASSWORD", "LICENCE"}
        assert all(value.startswith("arn:aws:") for value in named.values())

    def test_shares_are_fair(self, applied: SideBySide) -> None:
        batch = applied.client("batch")
        queues = {
            queue["jobQueueName"]: queue.get("schedulingPolicyArn")
            for queue in batch.describe_job_queues(jobQueues=["groups-fair", "urgent-fair"])["jobQueues"]
        }
        assert not queues["urgent-fair"]
        (policy,) = batch.describe_scheduling_policies(arns=[queues["groups-fair"]])["schedulingPolicies"]
        shares = {
            share["shareIdentifier"]: share["weightFactor"] for share in policy["fairsharePolicy"]["shareDistribution"]
        }
        assert shares == {"clinic": 0.5, "research*": 1.0}

    def test_the_container_is_set_up_as_requested(self, applied: SideBySide) -> None:
        container = applied.container("sort-settings")
        linux = container["linuxParameters"]
        assert (container["user"], container["readonlyRootFilesystem"]) == ("1000:1000", True)
        assert {"name": "nofile", "softLimit": 65536, "hardLimit": 65536} in container["ulimits"]
        assert (linux["sharedMemorySize"], linux["maxSwap"], linux["swappiness"]) == (1024, 2048, 10)
        assert linux["initProcessEnabled"]
        assert [tmpfs["containerPath"] for tmpfs in linux["tmpfs"]] == ["/tmp"]  # noqa: S108 - in the container
        assert [device["hostPath"] for device in linux["devices"]] == ["/dev/fuse"]

    def test_an_array_follows_its_parameters(self, applied: SideBySide) -> None:
        batch = applied.client("batch")
        request = {"jobQueue": "main-arrays", "jobDefinition": "align-arrays", "parameters": {"cohort": "spring"}}
        array = batch.submit_job(jobName="samples", arrayProperties={"size": 3}, **request)["jobId"]
        merged = batch.submit_job(jobName="merge", dependsOn=[{"jobId": array}], **request)["jobId"]
        first, second = batch.describe_jobs(jobs=[f"{array}:1", merged])["jobs"]
        assert first["arrayProperties"]["index"] == 1
        assert first["container"]["command"] == ["align-one.sh", "--cohort", "spring", "--threads", "8"]
        assert second["dependsOn"] == [{"jobId": array}]

    @pytest.mark.parametrize(
        ("job", "region", "partition"),
        [
            ("align-govcloud", "us-gov-west-1", "aws-us-gov"),
            ("isaac-china", "cn-northwest-1", "aws-cn"),
        ],
    )
    def test_arns_are_of_the_partition(self, applied: SideBySide, job: str, region: str, partition: str) -> None:
        definition = applied.definition(job, region)
        suffix = ".cn" if partition == "aws-cn" else ""
        assert definition["jobDefinitionArn"].startswith(f"arn:{partition}:batch:{region}:123456789012:")
        container = definition["containerProperties"]
        assert container["jobRoleArn"].startswith(f"arn:{partition}:iam::123456789012:role/")
        assert container["image"].startswith(f"123456789012.dkr.ecr.{region}.amazonaws.com{suffix}/")

    @staticmethod
    def environments(applied: SideBySide, prefix: str) -> list[dict[str, Any]]:
        found = applied.client("batch").describe_compute_environments()["computeEnvironments"]
        return [dict(each) for each in found if each["computeEnvironmentName"].startswith(prefix)]

    def test_blocked_queues_are_notified_by_e_mail(self, applied: SideBySide) -> None:
        events, sns = applied.client("events"), applied.client("sns")
        rule = events.describe_rule(Name=NOTIFIED)
        assert json.loads(rule["EventPattern"]) == {
            "source": ["aws.batch"],
            "detail-type": ["Batch Job Queue Blocked"],
            "detail": {"jobQueue": ["arn:aws:batch:us-east-1:123456789012:job-queue/main-told"]},
        }
        [target] = events.list_targets_by_rule(Rule=NOTIFIED)["Targets"]
        topic = target["Arn"]
        assert topic.endswith(f":{NOTIFIED}")
        attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
        assert rule["Arn"] in attributes["Policy"]
        [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "genomics-ops@example.com")
        policy = applied.client("kms").get_key_policy(KeyId=attributes["KmsMasterKeyId"], PolicyName="default")
        [encrypting] = [
            each for each in json.loads(policy["Policy"])["Statement"] if each.get("Sid") == "EncryptEvents"
        ]
        alarms = [topic.replace(NOTIFIED, f"batchAlarms{each}-told") for each in ("Critical", "Warning")]
        assert encrypting["Condition"] == {"ArnEquals": {"kms:EncryptionContext:aws:sns:topicArn": [*alarms, topic]}}

    def test_an_environment_without_failures_sends_nothing(self, told: Alarms) -> None:
        """In its first hour, whose alarms have no data yet, and in two hours in which the function does not run."""
        changed: list[str] = []
        for step in range(12):
            hours = -3 + step / 12
            told.measured(hours)
            told.count(hours, FailedJobs=0, SucceededJobs=1)
            changed += told.evaluated(hours + 1 / 60)
        assert {*told.states().values()} == {"OK"}
        assert len(changed) == len({*changed})  # from INSUFFICIENT_DATA to OK, and no more
        assert [told.evaluated(-2 + step / 12) for step in range(25)] == [set()] * 25
        assert [told.received(topic) for topic in ("batchAlarmsCritical", "batchAlarmsWarning")] == [[], []]
        assert told.received("batchQueueBlocked") == []

    def test_an_image_that_is_not_built_is_notified_of(self, applied: SideBySide, told: Alarms) -> None:
        iam, sns, warning = applied.client("iam"), applied.client("sns"), told.arn("sns", "batchAlarmsWarning-told")
        policies = [("batchImageSchedule-told", "schedule"), ("batchImageRebuild-told", "runtime")]
        removed = {}
        for role, policy in policies:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            removed[role] = {"RoleName": role, "PolicyName": policy, "PolicyDocument": json.dumps(document)}
            iam.delete_role_policy(RoleName=role, PolicyName=policy)
        allowed = sns.get_topic_attributes(TopicArn=warning)["Attributes"]["Policy"]
        for_another_rule = allowed.replace("rule/batchAlarmsWarning", "rule/another")
        sns.set_topic_attributes(TopicArn=warning, AttributeName="Policy", AttributeValue=for_another_rule)

        # The message that the build was not started is lost, which the other severity's topic says.
        assert "not authorized" in told.rebuild()
        [lost] = told.received("batchAlarmsCritical", 1)
        assert lost.startswith(
            "ALARM: The event rule batchAlarmsWarning-told of told could not deliver an event to its target, so a "
            "message or a measurement was lost. Restore the target, its policy and the key's policy: gen-infra drift "
            "MANIFEST, then gen-infra apply MANIFEST. The alarm is "
            "batchRuleFailed-batchAlarmsWarning-told; CloudWatch says: "
        )
        assert told.states()["batchImageRebuildNotStarted"] == "ALARM"
        assert told.received("batchAlarmsWarning") == []
        sns.set_topic_attributes(TopicArn=warning, AttributeName="Policy", AttributeValue=allowed)

        iam.put_role_policy(**removed["batchImageSchedule-told"])
        assert told.rebuild() == ""
        [failed] = told.received("batchAlarmsWarning", 1)
        assert failed.startswith(
            "ALARM: The AMI of told could not be built; its parameter still has the previous image's id, which jobs go "
            "on to use. Why: the log group /aws/codebuild/batchImageRebuild-told. Then build again: gen-infra image "
            "rebuild MANIFEST. The alarm is batchImageRebuildFailed-told; CloudWatch says: "
        )
        iam.put_role_policy(**removed["batchImageRebuild-told"])

        told.evaluated(0.5)
        cleared = sorted(told.received("batchAlarmsWarning", 2))
        starts = [
            f"OK again: batchImageRebuild{each}-told. There is nothing to do" for each in ("Failed", "NotStarted")
        ]
        assert [each.partition(";")[0] for each in cleared] == starts
        assert told.received("batchAlarmsCritical") == []
        assert {*told.states().values()} == {"OK"}

    def test_each_alarm_fires_once_and_clears(self, applied: SideBySide, told: Alarms) -> None:
        alarms = told

        # Instances are lost: three jobs fail, and one is tried again.
        failed = [alarms.submit(f"fails-{number}") for number in range(3)]
        retried = alarms.submit("goes-on", retryStrategy={"attempts": 2})
        alarms.wait_for("RUNNING", *failed, retried)
        alarms.end_hosts()
        [causes] = alarms.received("batchAlarmsCritical", 1)
        what, _, reason, _, alarm = causes.splitlines()
        assert what.startswith(
            "ALARM: 20 % or more of the jobs of told that ended within 60 minutes failed, and at least 3."
        )
        assert reason.startswith("3 x its instance was terminated; for example fails-")
        assert reason.partition(" in main-told: ")[2].startswith("gen-infra why MANIFEST ")
        assert alarm == "The alarm is batchFailedJobs-told."
        [spot] = alarms.received("batchAlarmsWarning", 1)
        assert spot.startswith(
            "ALARM: Spot interruptions ended 4 attempts or more of jobs of told within 60 minutes. Which jobs: "
            "gen-infra jobs MANIFEST. "
        )
        assert alarms.evaluated(2) >= {"batchFailedJobs-told", "batchSpotInterruptions-told"}
        assert alarms.received("batchAlarmsCritical")[0].startswith(
            "OK again: batchFailedJobs-told. There is nothing to do; it had said: 20 % or more of the jobs of told"
        )
        assert alarms.received("batchAlarmsWarning")[0].startswith("OK again: batchSpotInterruptions-told.")

        # A job that asks for too much blocks its queue, and waits.
        most = {"containerOverrides": {"resourceRequirements": [{"type": "VCPU", "value": "65"}]}}
        waits = alarms.submit("asks-too-much", **most)
        [blocked] = alarms.received("batchQueueBlocked", 1)
        assert f"main-told is blocked by asks-too-much ({waits}): MISCONFIGURATION:" in blocked
        alarms.measured(3)
        [waiting] = alarms.received("batchAlarmsWarning", 1)
        assert waiting.startswith("ALARM: A job of told is RUNNABLE for longer than 120 minutes. ")
        assert "\n\nasks-too-much in main-told waits for 1" in waiting
        assert f" minutes: gen-infra why MANIFEST {waits}\n" in waiting

        # While the compute environment is INVALID, nothing more is said of the job.
        cluster = alarms.compute_environment()["ecsClusterArn"].rpartition("/")[2]
        applied.client("ecs").delete_cluster(cluster=cluster)
        alarms.measured(4)
        [invalid] = alarms.received("batchAlarmsCritical", 1)
        assert invalid.startswith(
            "ALARM: A compute environment of told is INVALID, and starts no jobs until it is repaired. What to repair: "
            "gen-infra why MANIFEST JOB_ID, for a job that waits.\n\ntoldEnv-told-"
        )
        assert ": CLIENT_ERROR - Clusters can not be blank.\n" in invalid
        assert alarms.received("batchAlarmsWarning") == []
        assert alarms.states()["batchJobsWait"] == "ALARM"
        applied.client("ecs").create_cluster(clusterName=cluster)
        for job in (waits, retried):
            applied.client("batch").terminate_job(jobId=job, reason="a test")
        alarms.measured(5)
        assert alarms.received("batchAlarmsCritical", 1)[0].startswith(
            "OK again: batchInvalidComputeEnvironments-told."
        )
        assert alarms.received("batchAlarmsWarning", 1)[0].startswith("OK again: batchJobsWait-told.")

        alarms.measured(24 * 60)
        [old] = alarms.received("batchAlarmsWarning", 1)
        assert old.startswith(
            "ALARM: A compute environment of told runs a machine image of 45 days or more, without AWS's security "
            "updates since. Which image: gen-infra image status MANIFEST."
        )
        image = alarms.compute_environment()["computeResources"]["ec2Configuration"][0]["imageIdOverride"]
        assert f" runs {image}, which is 6" in old
        alarms.measured(6)
        assert alarms.evaluated(6) == {"batchImageAge-told"}
        assert alarms.received("batchAlarmsWarning", 1)[0].startswith("OK again: batchImageAge-told.")

        # An event that the function gave up, and one that a rule could not deliver.
        sqs, letters = (
            applied.client("sqs"),
            applied.client("sqs").get_queue_url(QueueName="batchMeasure-told")["QueueUrl"],
        )
        sqs.send_message(QueueUrl=letters, MessageBody="{}")
        assert alarms.evaluated(7) == {"batchDeadLetters-batchMeasure-told"}
        sqs.purge_queue(QueueUrl=letters)
        lost = {"MetricName": "FailedInvocations", "Dimensions": [{"Name": "RuleName", "Value": NOTIFIED}], "Value": 1}
        at = datetime.fromtimestamp(alarms.began + 8 * HOUR, UTC)
        applied.client("cloudwatch").put_metric_data(Namespace="AWS/Events", MetricData=[lost | {"Timestamp": at}])
        assert alarms.evaluated(8) == {"batchDeadLetters-batchMeasure-told"}
        assert alarms.evaluated(9) == {f"batchRuleFailed-{NOTIFIED}"}
        fired, failing, *cleared = alarms.received("batchAlarmsCritical", 4)
        assert fired.startswith("ALARM: The dead-letter queue batchMeasure-told of told has messages")
        assert failing.startswith(f"ALARM: The event rule {NOTIFIED} of told could not deliver an event to its target,")
        assert [each[:9] for each in cleared] == ["OK again:", "OK again:"]
        assert {*alarms.states().values()} == {"OK"}
        assert alarms.received("batchAlarmsWarning") == []

    def test_alarms_are_received_in_another_partition(self, applied: SideBySide) -> None:
        """The rules, the topics, the function, and the key that is used for all of them."""
        alarms = Alarms(applied.aws, applied.manifests["china"])
        alarms.evaluated(0)
        most = {"containerOverrides": {"resourceRequirements": [{"type": "VCPU", "value": "129"}]}}
        waits = alarms.submit("asks-too-much", **most)
        alarms.wait_for("RUNNABLE", waits)
        alarms.measured(5)
        [waiting] = alarms.received("batchAlarmsWarning", 1)
        assert waiting.startswith("ALARM: A job of china is RUNNABLE for longer than 240 minutes.")
        assert f"minutes: gen-infra why MANIFEST {waits}\n" in waiting
        sqs = alarms.client("sqs")
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="batchMeasure-china")["QueueUrl"], MessageBody="{}")
        assert alarms.evaluated(6) == {"batchDeadLetters-batchMeasure-china"}
        [dead] = alarms.received("batchAlarmsCritical", 1)
        assert dead.startswith("ALARM: The dead-letter queue batchMeasure-china of china has messages")
        alarms.client("batch").terminate_job(jobId=waits, reason="a test")
        alarms.remove()

    def test_the_dashboard_shows_metrics_that_exist(self, applied: SideBySide) -> None:
        cloudwatch = applied.client("cloudwatch")
        body = json.loads(cloudwatch.get_dashboard(DashboardName="batch-told")["DashboardBody"])
        shown = [tuple(row[:-1]) for each in body["widgets"] for row in each["properties"].get("metrics", ())]
        known = {
            (
                metric["Namespace"],
                metric["MetricName"],
                *(text for one in metric["Dimensions"] for text in one.values()),
            )
            for metric in cloudwatch.list_metrics(Namespace="gen-infra")["Metrics"]
        }
        assert len(shown) > 10
        assert {*shown} <= known

    def test_a_budget_that_is_used_up_disables_the_queue_and_ends_no_job(self, applied: SideBySide) -> None:
        budgets, batch, account = applied.client("budgets"), applied.client("batch"), {"AccountId": "123456789012"}
        budget = budgets.describe_budget(**account, BudgetName="batchBudget-told")["Budget"]
        assert budget["CostFilters"] == {"TagKeyValue": ["user:gen-infra:cost$told"]}
        (environment,) = self.environments(applied, "toldEnv-told-")
        template = environment["computeResources"]["launchTemplate"]
        (version,) = applied.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=template["launchTemplateId"], Versions=[template["version"]]
        )["LaunchTemplateVersions"]
        tagged = version["LaunchTemplateData"]["TagSpecifications"]
        assert {"instance", "volume"} <= {each["ResourceType"] for each in tagged}
        assert all({"Key": "gen-infra:cost", "Value": "told"} in each["Tags"] for each in tagged)
        request = {"jobQueue": "main-told", "jobDefinition": "align-arrays", "parameters": {"cohort": "spring"}}
        job = batch.submit_job(jobName="before", **request)["jobId"]

        def queue() -> dict[str, Any]:
            return dict(batch.describe_job_queues(jobQueues=["main-told"])["jobQueues"][0])

        def spend(dollars: str) -> None:
            spent = {"ActualSpend": {"Amount": dollars, "Unit": "USD"}}
            budgets.update_budget(**account, NewBudget={**budget, "CalculatedSpend": spent})

        spend("5999")  # of 5000; it stops at 120 %
        invoked = applied.client("lambda").invoke(FunctionName="batchQueueStop-told")
        assert json.loads(invoked["Payload"].read()) == {"percent": "119.98", "disabled": []}
        assert queue()["state"] == "ENABLED"

        spend("6001")
        wait_until(lambda: queue()["state"] == "DISABLED")
        stopped = queue()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stopped["tags"]["gen-infra:stopped-by-budget"])
        requests = [line for line in applied.aws.iam_requests() if line["caller"].endswith("/batchQueueStop-told")]
        acted = {line["action"] for line in requests}
        assert {each for each in acted if each.startswith(("batch:", "budgets:"))} == {
            "budgets:ViewBudget", "batch:DescribeJobQueues", "batch:TagResource", "batch:UpdateJobQueue"
        }  # fmt: skip
        assert batch.describe_jobs(jobs=[job])["jobs"]

        change = applied.explained("blocked-queues", "aws_batch_job_queue.main")
        assert (change.action, change.dangers) == ("update", ("enable-queues",))
        assert any(stopped["tags"]["gen-infra:stopped-by-budget"] in effect.text for effect in change.effects)

    def test_a_workflow_runs_for_each_sample_of_a_list(self, applied: SideBySide, tmp_path: Path) -> None:
        def run_workflow(*arguments: str) -> subprocess.CompletedProcess[str]:
            return gen_infra(*arguments, environ=applied.aws.environ)

        s3, manifest = applied.client("s3"), str(data_dir("envs") / "examples" / "step-functions.yaml")
        for bucket in ("fastq-of-the-lab", "genomics-results-123456789012"):
            s3.create_bucket(Bucket=bucket)
        for key in ("a_1.fq", "a_2.fq", "b_1.fq", "b_2.fq"):
            s3.put_object(Bucket="fastq-of-the-lab", Key=key, Body=b"reads")
        row = "{0},s3://fastq-of-the-lab/{0}_1.fq,s3://fastq-of-the-lab/{0}_{1}.fq"
        samples = tmp_path / "batch.csv"
        samples.write_text("\n".join(["sample,fastq1,fastq2", row.format("a", 2), row.format("b", 3)]))
        refused = run_workflow("run", manifest, "germline", "--samples", str(samples))
        assert (refused.returncode, refused.stdout) == (2, "")
        assert f"1 of 4 objects do not exist: s3://fastq-of-the-lab/b_3.fq ({samples}:3)" in refused.stderr

        samples.write_text("\n".join(["sample,fastq1,fastq2", row.format("a", 2), row.format("b", 2)]))
        done = run_workflow(
            "run", manifest, "germline", "--samples", str(samples), "--name", "batch", "--watch", "--json"
        )
        assert done.returncode == 0, done.stderr
        run = json.loads(done.stdout)
        assert run["status"] == "SUCCEEDED"
        names = ["align", "annotate", "call", "stats"]
        for sample in run["samples"]:
            assert sorted(step["name"] for step in sample["steps"]) == names
            first, *others = sample["steps"]
            assert first["name"] == "align"
            assert all(step["started"] >= first["stopped"] for step in others)
        batch = applied.client("batch")
        ids = [step["job_id"] for sample in run["samples"] for step in sample["steps"]]
        described = batch.describe_jobs(jobs=ids)["jobs"]
        assert len(described) == 8
        assert {job["tags"]["gen-infra:workflow"] for job in described} == {"germline-steps"}
        listed = run_workflow("runs", manifest, "--json")
        assert [(each["name"], each["status"]) for each in json.loads(listed.stdout)] == [("batch", "SUCCEEDED")]

        recalled = run_workflow("run", manifest, "recall", "sample=a", "priority=urgent", "--watch", "--json")
        [step] = json.loads(recalled.stdout)["steps"]
        [job] = batch.describe_jobs(jobs=[step["job_id"]])["jobs"]
        assert (step["name"], job["jobQueue"].rpartition("/")[2]) == ("Call now", "urgent-steps")

        inputs = dict(zip(("sample", "fastq1", "fastq2"), row.format("a", 2).split(","), strict=True))
        words = [f"{name}={value}" for name, value in inputs.items()]
        assert run_workflow("run", manifest, "germline", *words, "--name", "stopped").returncode == 0
        assert run_workflow("cancel", manifest, "stopped", "--yes").stdout == "stopped\n"
        answer = run_workflow("why", manifest, "stopped").stdout
        assert answer.startswith("run stopped, step align: ABORTED\n")
        assert "cause: the run was stopped\n  - Stopped gen-infra cancel, by arn:aws:" in answer

    def test_every_role_has_the_boundary_and_the_path(self, applied: SideBySide) -> None:
        iam = applied.client("iam")
        names = ["stats-bounded-job", "batchInstance-bounded", "batchSubmitJob-bounded", "batchGetJobStatus-bounded"]
        for role in (iam.get_role(RoleName=name)["Role"] for name in names):
            assert role["Path"] == "/genomics/"
            boundary = role["PermissionsBoundary"]["PermissionsBoundaryArn"]
            assert boundary == "arn:aws:iam::123456789012:policy/developer-boundary"

    def test_destroy_leaves_nothing(self, applied: SideBySide, told: Alarms, monkeypatch: pytest.MonkeyPatch) -> None:
        told.remove()
        for name, value in applied.aws.environ.items():
            monkeypatch.setenv(name, value)
        assert _left(EXAMPLES["graviton"])
        left = leftovers_named(session.clients(HOME), "notifications", [NOTIFIED])
        assert [str(each).partition(" arn:")[0] for each in left] == [f"event rule {NOTIFIED}", "topic"]
        applied.terraform("destroy", "-auto-approve", "-parallelism=40", "-refresh=false")
        assert [left for manifest in EXAMPLES.values() for left in _left(manifest)] == []
        assert leftovers_named(session.clients(HOME), "notifications", [NOTIFIED]) == []

    def test_the_role_apply_allows_what_each_example_needs(self, applied: SideBySide) -> None:
        requests = recorded(applied.counted().values())
        assert len(requests) > 2000
        found = sorted(refused(requests, applied.manifests, "apply"))
        # An administrator applies `access` first.
        of_administrator = [each for each in found if ":iam:" in each and ("batchAccess" in each or "oidc-" in each)]
        assert "\n".join(each for each in found if each not in of_administrator) == ""
        assert len(of_administrator) > 10
        foreign = list(of_another(requests, OWNED))
        assert {each.request.action for each in foreign} == OWNED
        assert len(list(refused(foreign, applied.manifests, "apply"))) == len(foreign)


def _left(manifest: Manifest) -> list[AwsResource]:
    keys = manifest.resource_keys
    own_network, rebuilds = bool(manifest.network.create), bool(manifest.image.rebuild)
    clients = session.clients(manifest.region)
    return leftovers(clients, manifest.name, keys, manifest.repositories, own_network=own_network, rebuilds=rebuilds)
