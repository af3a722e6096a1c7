"""The SSM parameters that name images: no other parameter's value is returned or printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.aws import images
from gen_infra.doctor.image import image_of_parameter
from gen_infra.errors import UsageError
from gen_infra.image import status
from tests.unit.manifests import accept
from tests.unit.recorded import Account

if TYPE_CHECKING:
    from gen_infra.manifest import Manifest

SECRET = "correct horse battery staple"
AMI = "ami-0123456789abcdef0"
OWN = {"Name": "/lab/ami", "Type": "String", "DataType": "aws:ec2:image", "Value": AMI}
PUBLIC = {"Name": "/aws/service/ecs/image_id", "Type": "String", "DataType": "text", "Value": AMI}
WRONG_TYPE = "has type {} and data type {}, not String and aws:ec2:image"


def named(parameter: dict[str, Any]) -> str | None:
    account = Account()
    account.answers = {"GetParameter": {"Parameter": parameter}}
    return images.named_image(account.clients, parameter["Name"])


@pytest.mark.parametrize("parameter", [OWN, PUBLIC, {**OWN, "Value": "ami-01234567"}])
def test_a_parameter_that_names_an_image(parameter: dict[str, Any]) -> None:
    assert named(parameter) == parameter["Value"]


@pytest.mark.parametrize(
    ("parameter", "problem"),
    [
        ({**OWN, "DataType": "text"}, WRONG_TYPE.format("String", "text")),
        ({**OWN, "DataType": "text", "Value": SECRET}, WRONG_TYPE.format("String", "text")),
        ({**OWN, "Type": "SecureString", "DataType": "text"}, WRONG_TYPE.format("SecureString", "text")),
        ({**OWN, "Type": "StringList", "Value": f"{AMI},x"}, WRONG_TYPE.format("StringList", "aws:ec2:image")),
        ({**OWN, "DataType": "aws:ssm:integration"}, WRONG_TYPE.format("String", "aws:ssm:integration")),
        ({**OWN, "Value": SECRET}, "has a value of 28 characters, which is not an AMI id"),
        ({**OWN, "Value": f"{AMI}\n"}, "has a value of 22 characters, which is not an AMI id"),
        ({**PUBLIC, "Value": SECRET}, "has a value of 28 characters, which is not an AMI id"),
        ({**PUBLIC, "Name": "/aws/services/x"}, WRONG_TYPE.format("String", "text")),
    ],
)
def test_another_parameter_is_refused_without_its_value(parameter: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError) as raised:
        named(parameter)
    assert raised.value.message == f'SSM parameter "{parameter["Name"]}" {problem}'
    assert raised.value.hint == "name a parameter of data type aws:ec2:image, such as `gen-infra image build` creates"

    account = Account()
    account.answers = {"GetParameter": {"Parameter": parameter}}
    [diagnosis] = image_of_parameter(account.clients, parameter["Name"], "x86_64", {})
    assert (diagnosis.level, diagnosis.message) == ("wrong", f"parameter {parameter['Name']} {problem}")


@pytest.fixture
def manifest(tmp_path: Any) -> Manifest:
    return accept(tmp_path, image__parameter="/prod/db/password", image__source=AMI)


def test_image_status_refuses_another_parameter(manifest: Manifest) -> None:
    account = Account()
    account.answers = {"GetParameter": {"Parameter": {**OWN, "Name": "/prod/db/password", "Value": SECRET}}}
    with pytest.raises(UsageError, match="a value of 28 characters"):
        status(manifest, account.clients)


def test_the_version_of_a_base_is_read_from_awss_own_parameters_alone() -> None:
    account = Account()
    account.answers = {"GetParameter": lambda request: {"Parameter": {**OWN, "Name": request["Name"]}}}
    assert images.base_image(account.clients, "/prod/secrets/image_id") == images.Base(AMI)
    public = images.base_image(account.clients, "/aws/service/ecs/optimized-ami/image_id")
    assert public.version == AMI, "what the account above answers to any name"
