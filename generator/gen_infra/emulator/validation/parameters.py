"""Read the parameters of a request as the nested members of its input shape."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from gen_infra.emulator.operations import LONGEST_BODY, body_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from wsgiref.types import WSGIEnvironment

    from gen_infra.emulator.operations import Operation

KEY = "gen_infra.parameters"  # in the WSGI environment


def parameters(operation: Operation, environ: WSGIEnvironment) -> Mapping[str, Any] | None:
    """Return the nested parameters; None if the body is too long or has another format.

    JSON is returned as it was sent. Forms and XML are converted by moto's parsers, CBOR by botocore's.

    Raises:
        ValueError: a value does not have its type.
    """
    if KEY not in environ:
        environ[KEY] = _read(operation, environ)
    found: Mapping[str, Any] | None = environ[KEY]
    return found


def _read(operation: Operation, environ: WSGIEnvironment) -> Mapping[str, Any] | None:
    if int(environ.get("CONTENT_LENGTH") or 0) > LONGEST_BODY:
        return None
    if operation.protocol in ("json", "rest-json"):
        return operation.parameters
    if operation.protocol in ("query", "ec2", "rest-xml"):
        return _parsed(operation, environ)
    return _from_cbor(body_of(environ)) if operation.protocol == "cbor" else None


def _from_cbor(body: bytes) -> Mapping[str, Any]:
    """Decode CBOR, with which boto3 calls CodeBuild and CloudWatch."""
    from botocore.parsers import ResponseParserError, RpcV2CBORParser

    try:
        found = RpcV2CBORParser().parse_data_item(io.BufferedReader(io.BytesIO(body))) if body else {}
    except ResponseParserError as error:
        raise ValueError(str(error)) from error
    return found if isinstance(found, dict) else {}


def _parsed(operation: Operation, environ: WSGIEnvironment) -> Mapping[str, Any] | None:
    from moto.core.parse import PROTOCOL_PARSERS
    from moto.core.utils import get_service_model
    from werkzeug.datastructures import EnvironHeaders, MultiDict

    service = get_service_model(operation.service)
    if operation.action not in service.operation_names:
        return None
    model = service.operation_model(operation.action)
    if operation.protocol == "rest-xml" and (payload := _plain_payload(model)):
        name, kind = payload
        text = body_of(environ).decode(errors="replace")
        return {**operation.parameters, name: text} if kind == "string" else None
    in_query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    values = MultiDict(in_query if operation.protocol == "rest-xml" else operation.parameters)
    found: Mapping[str, Any] = PROTOCOL_PARSERS[operation.protocol](model).parse(
        {
            "method": environ["REQUEST_METHOD"],
            "values": values,
            "headers": EnvironHeaders(environ),
            "body": body_of(environ) if operation.protocol == "rest-xml" else b"",
            "url_path": environ["PATH_INFO"],
            "url_params": dict(operation.parameters),
        }
    )
    return found


def _plain_payload(model: Any) -> tuple[str, str] | None:
    """Return the member that the whole body is, if that is an object's content or a text such as a bucket policy."""
    shape = model.input_shape
    payload = str(shape.serialization.get("payload", "")) if shape else ""
    kind = str(shape.members[payload].type_name) if payload else ""
    return (payload, kind) if kind in ("blob", "string") else None
