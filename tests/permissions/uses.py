"""Use what a job's role may do, as the programs in its container do: with its credentials, through boto3."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from tests.permissions.environments import credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_infra.emulator import Emulator
    from gen_infra.manifest.model.settings import Bucket

_REGION = "us-east-1"
_TAGS = {"TagSet": [{"Key": "sample", "Value": "NA12878"}]}


def client_of(aws: Emulator, role: str, service: str) -> Any:
    """Make a client with the credentials of a role."""
    keys = credentials(aws, role)
    session: Any = boto3.Session(
        keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys["AWS_SESSION_TOKEN"], region_name=_REGION
    )
    return session.client(service, endpoint_url=aws.endpoint, config=Config(retries={"total_max_attempts": 1}))


def use_bucket(aws: Emulator, role: str, bucket: Bucket) -> None:
    """Make every call that the access to a bucket is for."""
    s3, name, prefix = client_of(aws, role, "s3"), bucket.name, bucket.prefix or ""
    owned = {"Bucket": name, "Key": f"{prefix}reads"}
    aws.client("s3").put_object(**owned, Body=b"ACGT", Tagging="sample=NA12878")
    s3.get_bucket_location(Bucket=name)
    s3.head_bucket(Bucket=name)
    s3.list_objects_v2(Bucket=name, Prefix=prefix)
    s3.get_object(**owned)
    s3.get_object_tagging(**owned)
    if prefix:
        _look_for_folder(s3, name, prefix)
    if bucket.access == "read":
        return
    made = {"Bucket": name, "Key": f"{prefix}calls"}
    s3.put_object(**made, Body=b"chr1", Tagging="sample=NA12878")
    s3.copy_object(**{**made, "Key": f"{prefix}copy"}, CopySource=made, Tagging="a=b", TaggingDirective="REPLACE")
    upload = made | {"UploadId": s3.create_multipart_upload(**made)["UploadId"]}
    s3.upload_part(**upload, PartNumber=1, Body=b"chr2")
    if not prefix:
        s3.list_multipart_uploads(Bucket=name)
    s3.list_parts(**upload)
    s3.abort_multipart_upload(**upload)
    if bucket.access in {"delete", "work"}:
        s3.delete_object(**{**made, "Key": f"{prefix}copy"})
    if bucket.access == "work":
        _use_versions(aws, s3, name, prefix)


def _look_for_folder(s3: Any, name: str, prefix: str) -> None:
    """Ask for an object with the name of the prefix, as s3fs, S3A and PyArrow do: S3 has to say that there is none."""
    found = s3.list_objects_v2(Bucket=name, Prefix=prefix.rstrip("/"))["Contents"]
    assert prefix.rstrip("/") not in {each["Key"] for each in found}
    with suppress(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=name, Key=prefix.rstrip("/"))


def _use_versions(aws: Emulator, s3: Any, name: str, prefix: str) -> None:
    aws.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    made = {"Bucket": name, "Key": f"{prefix}versions"}
    version = made | {"VersionId": s3.put_object(**made, Body=b"chr1")["VersionId"]}
    s3.put_object_tagging(**made, Tagging=_TAGS)
    s3.list_object_versions(Bucket=name, Prefix=prefix)
    s3.get_object(**version)
    s3.get_object_tagging(**version)
    s3.delete_object_tagging(**made)
    s3.delete_object(**version)


def invoke(aws: Emulator, function: str, event: Mapping[str, str]) -> dict[str, Any]:
    """Invoke a function, which has the credentials of its role, and return its answer."""
    answer = aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload
