"""Read and write objects in S3, and look up which exist: the inputs of runs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from gen_infra.aws.errors import DENIED, aws_errors, error_code
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from gen_infra.aws.session import Clients

# The bucket and the key of an object.
ObjectPlace = TypeVar("ObjectPlace", bound=tuple[str, str])
_AT_A_TIME = 16
# HeadObject has no body, so that its code is the status.
_ABSENT = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound"})


@aws_errors()
def look_up_objects(clients: Clients, objects: Collection[ObjectPlace]) -> tuple[list[ObjectPlace], list[ObjectPlace]]:
    """Return the objects that do not exist, and those that the caller may not look for."""
    from botocore.exceptions import ClientError

    def code(place: ObjectPlace) -> str:
        try:
            clients.s3.head_object(Bucket=place[0], Key=place[1])
        except ClientError as error:
            if error_code(error) in _ABSENT | DENIED:
                return error_code(error)
            raise
        return ""

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        codes = dict(zip(objects, pool.map(code, objects), strict=True))
    return [each for each in objects if codes[each] in _ABSENT], [each for each in objects if codes[each] in DENIED]


@aws_errors()
def read_object(clients: Clients, place: tuple[str, str]) -> bytes:
    """Return the bytes of an object.

    Raises:
        UsageError: it does not exist.
    """
    from botocore.exceptions import ClientError

    try:
        return clients.s3.get_object(Bucket=place[0], Key=place[1])["Body"].read()
    except ClientError as error:
        if error_code(error) in _ABSENT:
            raise UsageError(f"s3://{place[0]}/{place[1]} does not exist") from None
        raise


@aws_errors()
def write_object(clients: Clients, place: tuple[str, str], content: bytes) -> None:
    """Write an object."""
    clients.s3.put_object(Bucket=place[0], Key=place[1], Body=content, ContentType="text/csv")
