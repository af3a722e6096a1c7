"""A retry with the same invocation id is executed once."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from gen_infra.emulator import Emulator

TRUST = '{"Version":"2012-10-17","Statement":[]}'


def create_role(aws: Emulator, name: str, invocation: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", aws.port, timeout=30)
    form = {"Action": "CreateRole", "Version": "2010-05-08", "RoleName": name, "AssumeRolePolicyDocument": TRUST}
    scope = "testing/20260101/us-east-1/iam/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none",
        "Content-Type": "application/x-www-form-urlencoded",
        "amz-sdk-invocation-id": invocation,
    }
    connection.request("POST", "/", urlencode(form), headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_a_retry_gets_the_same_answer(aws: Emulator) -> None:
    first = create_role(aws, "replayed", "one")
    assert first[0] == 200
    assert create_role(aws, "replayed", "one") == first


def test_another_call_is_executed(aws: Emulator) -> None:
    assert create_role(aws, "made-twice", "two")[0] == 200
    assert create_role(aws, "made-twice", "three")[0] == 409
