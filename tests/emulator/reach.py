"""Try what a report's matrix says about each role: the real calls, with the role's own credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from gen_infra.emulator import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen_infra.emulator import Emulator

_DENIED = {"AccessDenied", "AccessDeniedException", "403"}


def assert_access_is_true(aws: Emulator, access: Mapping[str, Any]) -> int:
    """Compare each word of each cell with what the account answers; return how many were tried.

    A word without a mark must be allowed. One that needs a condition is denied to a call that does not meet it, and so
    is each word that is not shown.
    """
    wrong, tried = [], 0
    calls = [_calls(aws, target) for target in access["targets"]]
    for role in access["roles"]:
        clients = _assumed(aws, role["name"])
        for target, cell, words in zip(access["targets"], role["cells"], calls, strict=True):
            assert not cell["unknown"], (role["name"], target["title"], cell)
            for word, call in words.items():
                tried += 1
                if _is_allowed(call, clients) != (word in cell["allowed"]):
                    wrong.append((role["name"], target["title"], word, cell))
    assert wrong == []
    return tried


def _assumed(aws: Emulator, role: str) -> Callable[[str], Any]:
    """Return what makes a role's clients; the administrator may assume each role."""
    arn = aws.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    key = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="report")["Credentials"]
    session: Any = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"], region_name=REGION)
    return lambda service: session.client(service, endpoint_url=aws.endpoint)


def _is_allowed(call: Callable[[Callable[[str], Any]], Any], clients: Callable[[str], Any]) -> bool:
    try:
        call(clients)
    except ClientError as error:
        return error.response["Error"]["Code"] not in _DENIED
    return True


def _calls(aws: Emulator, target: Mapping[str, str]) -> dict[str, Callable[[Callable[[str], Any]], Any]]:
    if target["kind"] == "bucket":
        return _bucket(aws, target["detail"].removeprefix("s3://"))
    if target["kind"] == "queue":
        return _queue(aws, target["detail"])
    return _key(aws, target["detail"])


def _bucket(aws: Emulator, place: str) -> dict[str, Callable[[Callable[[str], Any]], Any]]:
    bucket, _, prefix = place.partition("/")
    key, s3 = (f"{prefix}any-object" if not prefix or prefix.endswith("/") else prefix), aws.client("s3")
    if prefix == key:  # Terraform's state, which stays as it is
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    else:
        body = b"any"
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    return {
        "list": lambda clients: clients("s3").list_objects_v2(Bucket=bucket, Prefix=prefix),
        "read": lambda clients: clients("s3").get_object(Bucket=bucket, Key=key),
        "write": lambda clients: clients("s3").put_object(Bucket=bucket, Key=key, Body=body),
        "delete": lambda clients: clients("s3").delete_object(Bucket=bucket, Key=key),
    }


def _queue(aws: Emulator, name: str) -> dict[str, Callable[[Callable[[str], Any]], Any]]:
    batch = aws.client("batch")
    priority = batch.describe_job_queues(jobQueues=[name])["jobQueues"][0]["priority"]
    definition = batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"][0]["jobDefinitionName"]
    return {
        "submit": lambda clients: clients("batch").submit_job(
            jobName="reached", jobQueue=name, jobDefinition=definition
        ),
        "change": lambda clients: clients("batch").update_job_queue(jobQueue=name, priority=priority),
    }


def _key(aws: Emulator, name: str) -> dict[str, Callable[[Callable[[str], Any]], Any]]:
    kms = aws.client("kms")
    key = kms.describe_key(KeyId=name)["KeyMetadata"]["Arn"]
    secret = kms.encrypt(KeyId=key, Plaintext=b"any")["CiphertextBlob"]
    grantee = aws.client("iam").list_roles()["Roles"][0]["Arn"]
    return {
        "decrypt": lambda clients: clients("kms").decrypt(KeyId=key, CiphertextBlob=secret),
        "encrypt": lambda clients: clients("kms").generate_data_key(KeyId=key, KeySpec="AES_256"),
        "grant": lambda clients: clients("kms").create_grant(
            KeyId=key, GranteePrincipal=grantee, Operations=["Decrypt"]
        ),
    }
