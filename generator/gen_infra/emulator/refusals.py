"""Write an error as AWS does, in each protocol: https://smithy.io/2.0/aws/protocols/index.html."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from gen_infra.emulator.distribution.codes import registry_code

if TYPE_CHECKING:
    from collections.abc import Callable

REQUEST_ID = "00000000-0000-0000-0000-000000000000"


class ErrorResponse(NamedTuple):
    """The headers and the body of an error answer."""

    headers: list[tuple[str, str]]
    body: bytes


def refusal(protocol: str, code: str, message: str) -> ErrorResponse:
    """Write the error in the protocol of the request."""
    return _WRITERS[protocol](code, message)


def _json(code: str, message: str) -> ErrorResponse:
    headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)]
    return ErrorResponse(headers, json.dumps({"__type": code, "message": message}).encode())


def _rest_json(code: str, message: str) -> ErrorResponse:
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", code)]
    return ErrorResponse(headers, json.dumps({"message": message}).encode())


def _cbor(code: str, message: str) -> ErrorResponse:
    pairs = ("__type", code, "message", message)
    headers = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
    return ErrorResponse(headers, b"\xa2" + b"".join(map(_cbor_text, pairs)))


def _cbor_text(text: str) -> bytes:
    """Encode a text string with its length in two bytes: https://www.rfc-editor.org/rfc/rfc8949.html#section-3.1."""
    encoded = text.encode()
    return b"\x79" + len(encoded).to_bytes(2, "big") + encoded


def _query(code: str, message: str) -> ErrorResponse:
    return _xml(
        f"<ErrorResponse><Error><Type>Sender</Type>{_error(code, message)}</Error>"
        f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
    )


def _ec2(code: str, message: str) -> ErrorResponse:
    return _xml(
        f"<Response><Errors><Error>{_error(code, message)}</Error></Errors>"
        f"<RequestID>{REQUEST_ID}</RequestID></Response>"
    )


def _rest_xml(code: str, message: str) -> ErrorResponse:
    """Write the error as S3 does, the only service with this protocol that is used here."""
    return _xml(f"<Error>{_error(code, message)}<RequestId>{REQUEST_ID}</RequestId></Error>")


def _registry(code: str, message: str) -> ErrorResponse:
    """https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes."""
    errors = {"errors": [{"code": registry_code(code), "message": message}]}
    return ErrorResponse([("Content-Type", "application/json")], json.dumps(errors).encode())


def _error(code: str, message: str) -> str:
    return f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"


def _xml(document: str) -> ErrorResponse:
    return ErrorResponse([("Content-Type", "text/xml")], f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode())


_WRITERS: dict[str, Callable[[str, str], ErrorResponse]] = {
    "cbor": _cbor,
    "ec2": _ec2,
    "json": _json,
    "query": _query,
    "registry": _registry,
    "rest-json": _rest_json,
    "rest-xml": _rest_xml,
}
