"""The doctor on an account's own things, each as it must be and broken: roles, quotas, image, key, containers."""

from __future__ import annotations

import contextlib
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.aws import session
from gen_infra.doctor import account as doctor
from gen_infra.doctor import containers as doctor_containers
from gen_infra.doctor import image as doctor_image
from gen_infra.doctor import key as doctor_key
from gen_infra.doctor import quotas as doctor_quotas
from gen_infra.doctor import roles as doctor_roles
from gen_infra.doctor.image import Volume
from tests.emulator.aws.test_leftovers import TRUST
from tests.emulator.pushed import put_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_ec2 import EC2Client

    from gen_infra.aws.session import Clients
    from gen_infra.doctor.diagnosis import Diagnosis
    from gen_infra.emulator import Emulator

ACCOUNT = "123456789012"
NUMBERS = itertools.count()
LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role"
AUTOSCALING = f"{LINKED}/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
LOGS = "logs.us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def clients(aws: Emulator) -> Iterator[Clients]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environ.items():
            patch.setenv(name, value)
        yield session.clients("us-east-1")


def levels(lines: Iterable[Diagnosis]) -> list[str]:
    return [line.level for line in lines]


def only(lines: Iterable[Diagnosis], level: str) -> Diagnosis:
    """Return the one line of that level."""
    [found] = [line for line in lines if line.level == level]
    return found


class TestCredentialsAndRegion:
    def test_the_caller_and_its_account_are_named(self, clients: Clients) -> None:
        caller, account = doctor.credentials(clients, ACCOUNT)
        assert (caller.level, account.level) == ("ok", "ok")
        assert caller.message.startswith("arn:aws:")

    def test_another_account_is_wrong(self, clients: Clients) -> None:
        line = only(doctor.credentials(clients, "999999999999"), "wrong")
        assert "999999999999" in line.message
        assert ACCOUNT in line.message
        assert "AWS_PROFILE" in line.advice

    @pytest.mark.usefixtures("clients")
    def test_no_answer_is_wrong(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        line = only(doctor.credentials(session.clients("us-east-1"), ACCOUNT), "wrong")
        assert "no answer from http://127.0.0.1:1" in line.message

    def test_the_region_of_the_manifest(self, clients: Clients) -> None:
        assert levels(doctor.region(clients, "us-east-1")) == ["ok"]
        assert levels(doctor.region(clients, None)) == ["ok"]

    def test_other_tools_going_elsewhere_are_a_warning(self, clients: Clients) -> None:
        line = only(doctor.region(clients, "eu-west-1"), "warning")
        assert "eu-west-1" in line.message
        assert line.advice.startswith("export AWS_REGION=us-east-1")

    @pytest.mark.usefixtures("clients")
    def test_a_region_that_is_not_enabled_is_wrong(self) -> None:
        line = only(doctor.region(session.clients("me-south-1"), None), "wrong")
        assert line.advice == "aws account enable-region --region-name me-south-1"


class TestRoles:
    def test_service_linked_roles_that_exist(self, clients: Clients) -> None:
        assert levels(doctor_roles.service_linked_roles(clients, ["batch", "autoscaling", "spot"])) == ["ok"] * 3

    def test_one_that_does_not_comes_with_the_line_that_makes_it(self, clients: Clients) -> None:
        with contextlib.suppress(clients.iam.exceptions.NoSuchEntityException):  # another test may have made it
            clients.iam.delete_service_linked_role(RoleName="AWSServiceRoleForEC2SpotFleet")
        line = only(doctor_roles.service_linked_roles(clients, ["batch", "spotfleet"]), "warning")
        assert "AWSServiceRoleForEC2SpotFleet" in line.message
        assert line.advice == "aws iam create-service-linked-role --aws-service-name spotfleet.amazonaws.com"

    def test_roles_by_arn(self, clients: Clients) -> None:
        made = clients.iam.create_role(RoleName="doctor-batch", Path="/lab/", AssumeRolePolicyDocument=TRUST)
        arns = [made["Role"]["Arn"], f"arn:aws:iam::{ACCOUNT}:role/nobody", "arn:aws:iam::999999999999:role/x"]
        lines = doctor_roles.roles(clients, ACCOUNT, arns)
        assert levels(lines) == ["ok", "wrong", "wrong"]
        assert "does not exist" in lines[1].message
        assert "999999999999" in lines[2].message

    def test_permissions_boundary(self, clients: Clients) -> None:
        there, gone = "arn:aws:iam::aws:policy/PowerUserAccess", f"arn:aws:iam::{ACCOUNT}:policy/nowhere"
        assert levels(doctor_roles.permissions_boundary(clients, there)) == ["ok"]
        assert "does not exist" in only(doctor_roles.permissions_boundary(clients, gone), "wrong").message


class TestQuotas:
    def ask(self, clients: Clients, *types: str, vcpus: int, purchase: Any = "SPOT", job: int = 1) -> list[Diagnosis]:
        return doctor_quotas.vcpu_quotas(clients, [doctor_quotas.Ask(purchase, types, vcpus, job)])

    def test_enough(self, clients: Clients) -> None:
        [line] = self.ask(clients, "optimal", "m7i.large", "r7i", vcpus=1024)
        assert (line.level, line.message) == ("ok", "Standard Spot: 1024 of 2048 vCPUs")

    def test_less_than_max_vcpus_is_a_warning_with_the_line_that_raises_it(self, clients: Clients) -> None:
        line = only(self.ask(clients, "optimal", vcpus=1153, purchase="EC2"), "warning")
        assert "--quota-code L-1216C47A --desired-value 1153 --region us-east-1" in line.advice

    def test_less_than_one_job_is_wrong(self, clients: Clients) -> None:
        assert "a job of 96 cannot start" in only(self.ask(clients, "g6", vcpus=192, job=96), "wrong").message
        assert "a job of 1 cannot start" in only(self.ask(clients, "p5.48xlarge", vcpus=192), "wrong").message

    def test_environments_share_a_quota(self, clients: Clients) -> None:
        asks = [doctor_quotas.Ask("SPOT", ["optimal"], 1024, 1), doctor_quotas.Ask("SPOT", ["c7i"], 1025, 1)]
        assert "2049 in all" in only(doctor_quotas.vcpu_quotas(clients, asks), "warning").message

    def test_a_family_without_a_known_quota_is_reported(self, clients: Clients) -> None:
        assert "u-6tb1" in only(self.ask(clients, "u-6tb1.metal", vcpus=448), "warning").message

    def test_the_volumes_of_all_instances_count_against_the_quota_of_their_type(self, clients: Clients) -> None:
        lines = doctor_quotas.storage_quotas(clients, {"gp2": 100, "gp3": 1000}, 51)
        assert [(line.level, line.message) for line in lines] == [
            ("ok", "gp2 storage is 50 TiB; at max_vcpus 51 instances of 100 GiB each need 5 TiB"),
            ("ok", "gp3 storage is 50 TiB; at max_vcpus 51 instances of 1000 GiB each need 50 TiB"),
        ]
        line = only(doctor_quotas.storage_quotas(clients, {"gp3": 1100}, 1024), "warning")
        assert "1024 instances of 1100 GiB each need 1100 TiB" in line.message
        assert "--service-code ebs --quota-code L-7A658B76 --desired-value 1100 --region us-east-1" in line.advice
        assert levels(doctor_quotas.storage_quotas(clients, {"gp3": 60_000}, 1)) == ["wrong"]

    def test_a_quota_that_the_region_does_not_have_is_no_crash(self, clients: Clients) -> None:
        assert "cannot check" in only(self.ask(clients, "trn1", vcpus=32), "warning").message


def machine_image(
    ec2: EC2Client, architecture: Any = "x86_64", snapshot_gib: int = 30, size_gib: int = 0, **disks: bool
) -> str:
    """Return an image of snapshots, each encrypted or not, that makes disks of their size or of ``size_gib``."""
    mappings: list[Any] = []
    for name, encrypted in disks.items():
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=snapshot_gib, Encrypted=encrypted)["VolumeId"]
        snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        mappings.append(
            {"DeviceName": f"/dev/{name}", "Ebs": {"SnapshotId": snapshot, "VolumeSize": size_gib or snapshot_gib}}
        )
    name, settings = f"doctor-{next(NUMBERS)}", {"Architecture": architecture, "RootDeviceName": "/dev/xvda"}
    image: str = ec2.register_image(Name=name, BlockDeviceMappings=mappings, **settings)["ImageId"]
    return image


class TestImage:
    volumes = {  # noqa: RUF012 - never changed
        "/dev/xvda": Volume(100, "image.root.size_gib"),
        "/dev/sdb": Volume(1000, "image.scratch.size_gib"),
    }

    def test_an_encrypted_image_of_the_right_architecture(self, clients: Clients) -> None:
        image = machine_image(clients.ec2, xvda=True)
        assert levels(doctor_image.image(clients, image, "x86_64", self.volumes)) == ["ok", "ok"]

    def test_an_image_that_is_not_there(self, clients: Clients) -> None:
        line = only(doctor_image.image(clients, "ami-0123456789abcdef0", "x86_64", self.volumes), "wrong")
        assert "does not exist" in line.message

    def test_an_image_of_another_architecture(self, clients: Clients) -> None:
        image = machine_image(clients.ec2, "arm64", xvda=True)
        line = only(doctor_image.image(clients, image, "x86_64", self.volumes), "wrong")
        assert "is for arm64, the manifest for x86_64" in line.message

    def test_a_plain_disk_that_the_launch_template_encrypts_is_a_warning(self, clients: Clients) -> None:
        image = machine_image(clients.ec2, xvda=False)
        assert "/dev/xvda" in only(doctor_image.image(clients, image, "x86_64", self.volumes), "warning").message

    def test_a_plain_disk_that_nothing_encrypts_is_wrong(self, clients: Clients) -> None:
        image = machine_image(clients.ec2, xvda=True, sdb=False)
        line = only(doctor_image.image(clients, image, "x86_64", {"/dev/xvda": self.volumes["/dev/xvda"]}), "wrong")
        assert (line.subject, "/dev/sdb" in line.message) == ("image encryption", True)

    @pytest.mark.parametrize(
        ("device", "volume", "effect"),
        [
            ("/dev/xvda", Volume(29, "image.root.size_gib"), "no instance can start"),
            ("/dev/sdb", Volume(29, "image.scratch.size_gib"), "no instance can start"),
            ("/dev/sdb", Volume(29, "image.scratch.size_gib", in_template=False), "instances have 30 GiB"),
        ],
        ids=["root", "scratch of the launch template", "baked scratch"],
    )
    def test_a_volume_smaller_than_its_snapshot_is_wrong(
        self, clients: Clients, device: str, volume: Volume, effect: str
    ) -> None:
        image = machine_image(clients.ec2, xvda=True, sdb=True)

        line = only(doctor_image.image(clients, image, "x86_64", {**self.volumes, device: volume}), "wrong")

        assert line.message == f"{device} is 29 GiB in the manifest, its snapshot 30 GiB: {effect}"
        assert line.advice.startswith(f"set `{volume.key}` to 30 or more")

    def test_a_volume_of_exactly_its_snapshot_is_right(self, clients: Clients) -> None:
        image = machine_image(clients.ec2, xvda=True, sdb=True)
        exact = {"/dev/xvda": Volume(30, "root"), "/dev/sdb": Volume(30, "scratch", in_template=False)}
        assert levels(doctor_image.image(clients, image, "x86_64", exact)) == ["ok", "ok"]

    def test_the_snapshot_decides_and_not_what_the_image_makes_of_it(self, clients: Clients) -> None:
        image = machine_image(clients.ec2, size_gib=50, xvda=True)
        volumes = {"/dev/xvda": Volume(40, "image.root.size_gib")}
        assert levels(doctor_image.image(clients, image, "x86_64", volumes)) == ["ok", "ok"]

    def test_the_image_decides_where_the_snapshot_is_not_shown(self, clients: Clients) -> None:
        image = machine_image(clients.ec2, size_gib=50, xvda=True)
        [disk] = clients.ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"]
        clients.ec2.delete_snapshot(SnapshotId=disk["Ebs"]["SnapshotId"])
        volumes = {"/dev/xvda": Volume(40, "image.root.size_gib")}
        assert "its snapshot 50 GiB" in only(doctor_image.image(clients, image, "x86_64", volumes), "wrong").message

    def test_parameters(self, clients: Clients) -> None:
        public = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
        for name in (public, "/gen-infra/prod/ami"):
            lines = doctor_image.image_of_parameter(clients, name, "x86_64", self.volumes)
            assert levels(lines) == ["ok", "ok"]
            assert name in lines[0].message
        line = only(doctor_image.image_of_parameter(clients, "/nowhere", "x86_64", self.volumes), "wrong")
        assert line.advice == "gen-infra image build MANIFEST"


def statement(principal: object, *actions: str, **condition: object) -> dict[str, Any]:
    found = {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}
    return found | ({"Condition": condition} if condition else {})


ROOT = statement({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "kms:*")
USE = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")
BY_NAME = [
    statement({"AWS": AUTOSCALING}, *USE),
    statement({"AWS": AUTOSCALING}, "kms:CreateGrant", Bool={"kms:GrantIsForAWSResource": "true"}),
]
BY_CONDITION = [statement({"AWS": "*"}, *USE, "kms:CreateGrant", ArnEquals={"aws:PrincipalArn": [AUTOSCALING]})]
FOR_LOGS = statement({"Service": LOGS}, *USE)
SERVICES = {LOGS: doctor_key.USE}
ALARMS = "cloudwatch.amazonaws.com"


class TestKey:
    def key(self, clients: Clients, *statements: dict[str, Any]) -> str:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [ROOT, *statements]})
        return clients.kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]

    def look(self, clients: Clients, arn: str) -> list[Diagnosis]:
        return doctor_key.given_key(clients, arn, [AUTOSCALING], SERVICES)

    @pytest.mark.parametrize("statements", [BY_NAME, BY_CONDITION], ids=["by name", "by condition"])
    def test_a_policy_that_lets_the_roles_and_the_logs_use_it(
        self, clients: Clients, statements: list[dict[str, Any]]
    ) -> None:
        assert levels(self.look(clients, self.key(clients, *statements, FOR_LOGS))) == ["ok"] * 3

    def test_a_policy_that_leaves_it_to_iam_is_wrong_for_both(self, clients: Clients) -> None:
        enabled, role, logs = self.look(clients, self.key(clients))
        assert levels([enabled, role, logs]) == ["ok", "wrong", "wrong"]
        assert "AWSServiceRoleForAutoScaling: kms:Encrypt" in role.message
        assert LOGS in logs.message

    def test_a_policy_without_grants_is_wrong(self, clients: Clients) -> None:
        line = only(self.look(clients, self.key(clients, BY_NAME[0], FOR_LOGS)), "wrong")
        assert line.message == "does not allow AWSServiceRoleForAutoScaling: kms:CreateGrant"

    def test_a_condition_on_another_role_does_not_count(self, clients: Clients) -> None:
        other = [statement({"AWS": "*"}, "kms:*", ArnEquals={"aws:PrincipalArn": f"{LINKED}/spot.amazonaws.com/x"})]
        assert "kms:CreateGrant" in only(self.look(clients, self.key(clients, *other, FOR_LOGS)), "wrong").message

    def test_a_key_of_alarms_has_to_allow_cloudwatch_to_publish(self, clients: Clients) -> None:
        services = {ALARMS: doctor_key.PUBLISH}
        without = doctor_key.given_key(clients, self.key(clients, *BY_NAME, FOR_LOGS), [], services)
        assert only(without, "wrong").message == f"does not allow {ALARMS}: kms:Decrypt, kms:GenerateDataKey"
        for_alarms = statement({"Service": ALARMS}, "kms:Decrypt", "kms:GenerateDataKey*")
        assert levels(doctor_key.given_key(clients, self.key(clients, for_alarms), [], services)) == ["ok", "ok"]

    def test_a_grant_works_too(self, clients: Clients) -> None:
        arn = self.key(clients, FOR_LOGS)
        clients.kms.create_grant(KeyId=arn, GranteePrincipal=AUTOSCALING, Operations=["CreateGrant", "Decrypt"])
        assert levels(self.look(clients, arn)) == ["ok"] * 3

    def test_disabled_keys_and_keys_pending_deletion_are_wrong(self, clients: Clients) -> None:
        arn = self.key(clients, *BY_NAME, FOR_LOGS)
        key_id = arn.rpartition("/")[2]
        clients.kms.disable_key(KeyId=key_id)
        assert "aws kms enable-key" in only(self.look(clients, arn), "wrong").advice
        clients.kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
        assert "scheduled for deletion" in only(self.look(clients, arn), "wrong").message

    def test_keys_that_are_not_there_or_elsewhere_are_wrong(self, clients: Clients) -> None:
        nowhere = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        assert "does not exist" in only(self.look(clients, nowhere), "wrong").message
        elsewhere = nowhere.replace("us-east-1", "eu-west-1")
        assert "is in eu-west-1" in only(self.look(clients, elsewhere), "wrong").message

    def test_the_key_that_apply_makes(self, clients: Clients) -> None:
        alias = "alias/batch-doctor"
        assert "apply makes one" in only(doctor_key.made_key(clients, alias, [AUTOSCALING], SERVICES), "ok").message
        clients.kms.create_alias(AliasName=alias, TargetKeyId=self.key(clients, *BY_NAME))
        assert levels(doctor_key.made_key(clients, alias, [AUTOSCALING], SERVICES)) == ["ok", "ok", "wrong"]


class TestContainers:
    registry = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"

    def look(self, clients: Clients, uri: str) -> Diagnosis:
        [line] = doctor_containers.container_image(clients, ACCOUNT, uri)
        return line

    def test_an_image_that_is_there_by_tag_and_by_digest(self, clients: Clients) -> None:
        clients.ecr.create_repository(repositoryName="doctor/isaac")
        put_image(clients.ecr, "doctor/isaac", "1.0")
        [pushed] = clients.ecr.describe_images(repositoryName="doctor/isaac")["imageDetails"]
        assert self.look(clients, f"{self.registry}/doctor/isaac:1.0").level == "ok"
        assert self.look(clients, f"{self.registry}/doctor/isaac@{pushed['imageDigest']}").level == "ok"

    def test_an_image_that_is_not(self, clients: Clients) -> None:
        clients.ecr.create_repository(repositoryName="doctor/strelka")
        put_image(clients.ecr, "doctor/strelka", "1.0")
        for uri in (f"{self.registry}/doctor/strelka:2.0", f"{self.registry}/doctor/strelka"):
            line = self.look(clients, uri)
            here = uri.replace(self.registry, clients.ecr.meta.endpoint_url.removeprefix("http://"))
            assert (line.level, line.advice) == ("wrong", f"docker push {here}"), "the emulator's own address"

    def test_a_repository_that_apply_makes_first(self, clients: Clients) -> None:
        line = self.look(clients, f"{self.registry}/doctor/none:1.0")
        assert (line.level, "after apply" in line.advice) == ("warning", True)

    def test_other_registries_are_named_and_not_called(self, clients: Clients) -> None:
        for uri in ("quay.io/biocontainers/samtools:1.21", f"{self.registry.replace('east', 'west')}/isaac:1"):
            line = self.look(clients, uri)
            assert (line.level, "not looked up" in line.message) == ("ok", True)
