"""The doctor on what jobs refer to: secrets and file systems. Only what describes them is asked for, never a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.doctor.account import check
from gen_infra.doctor.diagnosis import ok, warning, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_ssm.type_defs import ParameterStringFilterTypeDef

    from gen_infra.aws.session import Clients
    from gen_infra.doctor.diagnosis import Diagnosis

_NAME_KEY = "name it as `kms_key`"


@check("secrets", "secretsmanager")
def registry_secret(clients: Clients, arn: str) -> Iterator[Diagnosis]:
    """Check whether a registry's credentials exist, with a key that the execution role may use."""
    advice = "encrypt it with aws/secretsmanager, or allow kms:Decrypt for the execution role in the key's policy"
    yield from _secret(clients, arn, None, advice)


@check("secrets", "secretsmanager")
def secret(clients: Clients, arn: str, kms_key: str | None) -> Iterator[Diagnosis]:
    """Check whether a secret is there, and its key is the one that the manifest names.

    ``arn`` is the secret's own, with no JSON key or version behind it.
    """
    yield from _secret(clients, arn, kms_key, _NAME_KEY)


def _secret(clients: Clients, arn: str, kms_key: str | None, advice: str) -> Iterator[Diagnosis]:
    try:
        found = clients.secrets.describe_secret(SecretId=arn)
    except clients.secrets.exceptions.ResourceNotFoundException:
        yield wrong("secrets", f"{arn} does not exist", "correct the ARN, or create the secret")
        return
    if found.get("DeletedDate") is not None:
        yield wrong(
            "secrets", f"{arn} is scheduled for deletion", f"aws secretsmanager restore-secret --secret-id {arn}"
        )
    else:
        yield _with_key(arn, found.get("KmsKeyId"), kms_key, advice)


@check("secrets", "ssm")
def parameter(clients: Clients, arn: str, kms_key: str | None) -> Iterator[Diagnosis]:
    """Check whether an SSM parameter is there, encrypted, and with the key that the manifest names."""
    name = arn.partition(":parameter")[2]
    # one at the root may be named without its slash
    names = [name, *([name[1:]] if name.count("/") == 1 else [])]
    by_name: ParameterStringFilterTypeDef = {"Key": "Name", "Option": "Equals", "Values": names}
    found = clients.ssm.describe_parameters(ParameterFilters=[by_name])["Parameters"]
    if not found:
        yield wrong("secrets", f"{arn} does not exist", "correct the ARN, or create the parameter")
    elif found[0].get("Type") != "SecureString":
        advice = "create it again as a SecureString, with another value"
        yield warning("secrets", f"{arn} is not encrypted: everyone who may read parameters can read it", advice)
    else:
        yield _with_key(arn, found[0].get("KeyId"), kms_key, _NAME_KEY)


def _with_key(arn: str, key: str | None, kms_key: str | None, advice: str) -> Diagnosis:
    """Check whether the execution role, which may use ``kms_key``, can open what is encrypted with ``key``."""
    is_awss_own = not key or ":alias/aws/" in f":{key}"
    if not is_awss_own and kms_key is None:
        return wrong("secrets", f"{arn} is encrypted with {key}, which its jobs have no access to", advice)
    return ok("secrets", arn)


@check("file systems", "elasticfilesystem")
def file_system(clients: Clients, file_system_id: str, access_point: str | None) -> Iterator[Diagnosis]:
    """Check whether an EFS file system is there and encrypted, and the access point is one of its own."""
    try:
        systems = clients.efs.describe_file_systems(FileSystemId=file_system_id)["FileSystems"]
        points = clients.efs.describe_access_points(AccessPointId=access_point)["AccessPoints"] if access_point else []
    except clients.efs.exceptions.FileSystemNotFound:
        advice = "correct its id, or create the file system"
        yield wrong("file systems", f"{file_system_id} does not exist in {clients.region}", advice)
        return
    except clients.efs.exceptions.AccessPointNotFound:
        advice = "correct its id, or create the access point"
        yield wrong("file systems", f"{file_system_id}: {access_point} does not exist", advice)
        return
    found = next(iter(systems), None)
    elsewhere = {point.get("FileSystemId", "another file system") for point in points} - {file_system_id}
    if elsewhere:
        message = f"{access_point} belongs to {', '.join(elsewhere)}, not to {file_system_id}"
        yield wrong("file systems", message, "name an access point of this file system")
    elif found is None:
        yield wrong("file systems", f"{file_system_id} does not exist in {clients.region}", "correct its id")
    elif found["LifeCycleState"] != "available":
        yield wrong(
            "file systems", f"{file_system_id} is {found['LifeCycleState']}", "wait for it, or name another one"
        )
    elif not found.get("Encrypted"):
        advice = "EFS encrypts new file systems only: create one, and copy the files"
        yield warning("file systems", f"{file_system_id} is not encrypted at rest", advice)
    else:
        yield ok("file systems", f"{file_system_id}{f' through {access_point}' if access_point else ''}")
