"""How the parameters of a request are read, by its protocol and its length."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.serialize import RpcV2CBORSerializer

from gen_infra.emulator.operations import LONGEST_BODY, read_operation
from gen_infra.emulator.validation import model_problem
from gen_infra.emulator.validation.parameters import parameters

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

SIGNED = "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/{}/aws4_request, SignedHeaders=host"


def request(service: str, body: bytes, **headers: str) -> WSGIEnvironment:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": SIGNED.format(service),
        "wsgi.input": io.BytesIO(body),
        **headers,
    }


def cbor(**values: Any) -> WSGIEnvironment:
    """StartBuild of CodeBuild, as boto3 sends it."""
    model = ServiceModel(create_loader().load_service_model("codebuild", "service-2"), "codebuild")
    sent = RpcV2CBORSerializer().serialize_to_request(values, model.operation_model("StartBuild"))
    path = {"PATH_INFO": str(sent["url_path"]), "HTTP_SMITHY_PROTOCOL": "rpc-v2-cbor"}
    return request("codebuild", sent["body"], **path)


def test_cbor_is_read() -> None:
    environ = cbor(projectName="image-builder", timeoutInMinutesOverride=60)
    assert parameters(read_operation(environ), environ) == {
        "projectName": "image-builder",
        "timeoutInMinutesOverride": 60,
    }
    assert model_problem(read_operation(environ), environ) is None


@pytest.mark.parametrize(
    ("values", "words"),
    [({}, "projectName"), ({"projectName": "x", "timeoutInMinutesOverride": 2}, "timeoutInMinutesOverride")],
)
def test_cbor_is_validated(values: dict[str, Any], words: str) -> None:
    environ = cbor(**values)
    problem = model_problem(read_operation(environ), environ)
    assert problem is not None
    assert problem.code == "InvalidInputException"
    assert words in problem.message


def test_what_is_not_cbor_is_an_error_of_the_request() -> None:
    environ = cbor(projectName="x") | {"wsgi.input": io.BytesIO(b"\xff"), "CONTENT_LENGTH": "1"}
    with pytest.raises(ValueError, match="type"):
        parameters(read_operation(environ), environ)


@pytest.mark.parametrize(("length", "is_read"), [(300 * 1024, True), (LONGEST_BODY, False)])
def test_long_bodies_are_read_up_to_what_no_service_exceeds(length: int, is_read: bool) -> None:
    body = json.dumps({"logGroupName": "x" * length}).encode()
    environ = request("logs", body, HTTP_X_AMZ_TARGET="Logs_20140328.CreateLogGroup")
    problem = model_problem(read_operation(environ), environ)
    assert (problem is not None) == is_read
