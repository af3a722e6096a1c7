"""The time that it takes to authorize a call: less than a millisecond of this process, also with large policies."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.emulator import authorization
from gen_infra.emulator.operations import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACE = "us-east-1:123456789012"
_ROUNDS = 200


@pytest.fixture(scope="module")
def access_key() -> Iterator[str]:
    """Yield the access key of a user with policies of nearly 10,240 characters, and a boundary."""
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.iam.models import iam_backends

    iam: Any = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    objects = [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:::lab-{number}/*",
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": f"team-{number}"}},
        }
        for number in range(60)
    ]
    submit = {"Effect": "Allow", "Action": "batch:*", "Resource": f"arn:aws:batch:{_PLACE}:*"}
    upload = {"Effect": "Allow", "Action": "s3:Put*", "Resource": "arn:aws:s3:::results/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [*objects, submit, upload]})
    assert 9_000 < len(document.replace(" ", "")) < 10_240
    iam.create_user("us-east-1", "measured")
    iam.put_user_policy("measured", "large", document)
    yield iam.create_access_key("measured").access_key_id
    iam.delete_user_policy("measured", "large")


CALLS = {
    "SubmitJob": Operation(
        "batch", "SubmitJob", "rest-json",
        {"jobName": "a", "jobQueue": "main", "jobDefinition": "isaac:3", "tags": {"run": "7"}},
    ),
    "PutObject": Operation("s3", "PutObject", "rest-xml", {"Bucket": "results", "Key": "lab/a.bam"}),
    "DescribeJobs": Operation("batch", "DescribeJobs", "rest-json", {"jobs": ["a"]}),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_authorized_within_a_millisecond(access_key: str, name: str) -> None:
    call = CALLS[name]
    operation = Operation(call.service, call.action, call.protocol, call.parameters, "us-east-1", access_key)
    environ: Any = {"REQUEST_METHOD": "POST", "gen_infra.parameters": call.parameters}
    authorization.denial(operation, environ)  # compiles the patterns
    began = time.process_time()
    for _ in range(_ROUNDS):
        authorization.denial(operation, environ)
    milliseconds = (time.process_time() - began) / _ROUNDS * 1000
    print(f"{name}: {milliseconds:.3f} ms")  # noqa: T201 - shown with -s
    assert milliseconds < 1
