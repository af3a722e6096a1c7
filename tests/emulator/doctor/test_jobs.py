"""The doctor on what jobs refer to, and on the instance profile: on an account that has it, and that has it not."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.aws import session
from gen_infra.doctor import jobs as doctor_jobs
from gen_infra.doctor import roles as doctor_roles
from tests.cli import gen_infra
from tests.emulator.aws.test_leftovers import TRUST
from tests.emulator.doctor.test_account import ACCOUNT, levels, only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.aws.session import Clients
    from gen_infra.emulator import Emulator

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def clients(aws: Emulator) -> Iterator[Clients]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environ.items():
            patch.setenv(name, value)
        yield session.clients("us-east-1")


class TestSecrets:
    def secret(self, clients: Clients, **more: Any) -> str:
        name = f"doctor/{next(NUMBERS)}"
        return str(clients.secrets.create_secret(Name=name, SecretString="x", **more)["ARN"])

    def parameter(self, clients: Clients, name: str = "", **more: Any) -> str:
        name = name or f"/doctor/{next(NUMBERS)}"
        clients.ssm.put_parameter(Name=name, Value="x", **more)
        return f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/{name.removeprefix('/')}"

    def key(self, clients: Clients) -> str:
        return clients.kms.create_key()["KeyMetadata"]["Arn"]

    def test_a_secret_that_is_there(self, clients: Clients) -> None:
        assert levels(doctor_jobs.secret(clients, self.secret(clients), None)) == ["ok"]

    def test_a_secret_that_is_not(self, clients: Clients) -> None:
        arn = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:nowhere-AbCdEf"
        line = only(doctor_jobs.secret(clients, arn, None), "wrong")
        assert line.message == f"{arn} does not exist"

    def test_a_secret_that_is_about_to_go(self, clients: Clients) -> None:
        arn = self.secret(clients)
        clients.secrets.delete_secret(SecretId=arn)
        line = only(doctor_jobs.secret(clients, arn, None), "wrong")
        assert line.advice == f"aws secretsmanager restore-secret --secret-id {arn}"

    def test_a_secret_with_a_key_that_the_manifest_does_not_name(self, clients: Clients) -> None:
        key = self.key(clients)
        arn = self.secret(clients, KmsKeyId=key)
        assert f"encrypted with {key}" in only(doctor_jobs.secret(clients, arn, None), "wrong").message
        assert levels(doctor_jobs.secret(clients, arn, key)) == ["ok"]

    @pytest.mark.parametrize("name", ["", "at-the-root"])
    def test_a_parameter_that_is_there(self, clients: Clients, name: str) -> None:
        arn = self.parameter(clients, name, Type="SecureString")
        assert levels(doctor_jobs.parameter(clients, arn, None)) == ["ok"]

    def test_a_parameter_that_is_not(self, clients: Clients) -> None:
        arn = f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/doctor/nowhere"
        assert "does not exist" in only(doctor_jobs.parameter(clients, arn, None), "wrong").message

    def test_a_parameter_in_plain_text_is_a_warning(self, clients: Clients) -> None:
        arn = self.parameter(clients, Type="String")
        assert "is not encrypted" in only(doctor_jobs.parameter(clients, arn, None), "warning").message

    def test_a_parameter_with_a_key_that_the_manifest_does_not_name(self, clients: Clients) -> None:
        key = self.key(clients)
        arn = self.parameter(clients, Type="SecureString", KeyId=key)
        assert f"encrypted with {key}" in only(doctor_jobs.parameter(clients, arn, None), "wrong").message
        assert levels(doctor_jobs.parameter(clients, arn, key)) == ["ok"]


class TestFileSystems:
    def file_system(self, clients: Clients, *, encrypted: bool = True) -> str:
        made = clients.efs.create_file_system(CreationToken=f"doctor-{next(NUMBERS)}", Encrypted=encrypted)
        return str(made["FileSystemId"])

    def point(self, clients: Clients, file_system: str) -> str:
        made = clients.efs.create_access_point(ClientToken=f"doctor-{next(NUMBERS)}", FileSystemId=file_system)
        return str(made["AccessPointId"])

    def test_one_that_is_there(self, clients: Clients) -> None:
        file_system = self.file_system(clients)
        point = self.point(clients, file_system)
        assert levels(doctor_jobs.file_system(clients, file_system, None)) == ["ok"]
        assert point in only(doctor_jobs.file_system(clients, file_system, point), "ok").message

    def test_one_that_is_not(self, clients: Clients) -> None:
        line = only(doctor_jobs.file_system(clients, "fs-0123456789abcdef0", None), "wrong")
        assert line.message == "fs-0123456789abcdef0 does not exist in us-east-1"

    def test_access_points_that_are_not_there_or_anothers(self, clients: Clients) -> None:
        one, other = self.file_system(clients), self.file_system(clients)
        gone = "fsap-0123456789abcdef0"
        assert f"{gone} does not exist" in only(doctor_jobs.file_system(clients, one, gone), "wrong").message
        line = only(doctor_jobs.file_system(clients, one, self.point(clients, other)), "wrong")
        assert f"belongs to {other}, not to {one}" in line.message

    def test_one_that_is_not_encrypted_is_a_warning(self, clients: Clients) -> None:
        file_system = self.file_system(clients, encrypted=False)
        assert "at rest" in only(doctor_jobs.file_system(clients, file_system, None), "warning").message


class TestInstanceProfile:
    def profile(self, clients: Clients) -> tuple[str, str]:
        name = f"doctor-{next(NUMBERS)}"
        made = clients.iam.create_instance_profile(InstanceProfileName=name, Path="/lab/")
        return name, made["InstanceProfile"]["Arn"]

    def test_one_that_holds_a_role(self, clients: Clients) -> None:
        name, arn = self.profile(clients)
        assert "has no role" in only(doctor_roles.instance_profile(clients, arn), "wrong").message
        clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        clients.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        assert levels(doctor_roles.instance_profile(clients, arn)) == ["ok"]

    def test_one_that_is_not_there(self, clients: Clients) -> None:
        arn = f"arn:aws:iam::{ACCOUNT}:instance-profile/nobody"
        line = only(doctor_roles.instance_profile(clients, arn), "wrong")
        assert line.message == f"{arn} does not exist"


@pytest.mark.parametrize(
    ("example", "missing"),
    [
        ("secrets", ["secret:genomics/database-AbCdEf does not exist", "parameter/genomics/licence does not exist"]),
        ("efs", ["fs-0123456789abcdef0 does not exist", "fs-0123456789abcdef1 does not exist"]),
        ("existing-roles", ["role/central/batchJob does not exist", "instance-profile/central/batchInstance does not"]),
    ],
)
def test_the_command_looks_at_all_of_it(aws: Emulator, envs: Path, example: str, missing: list[str]) -> None:
    done = gen_infra("doctor", envs / f"examples/{example}.yaml", environ=aws.environ)
    assert done.returncode == 1
    for words in missing:
        assert words in done.stdout, done.stdout
