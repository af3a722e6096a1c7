"""Stand between terraform and a running provider, and shorten one of its answers, the schema.

Each run of terraform decodes the schema of all 1,500 types of the AWS provider, 5 MB, which takes three quarters of the
CPU time of ``terraform validate``. Here it gets only the types that gen-infra's files and tests name; every other
message passes unchanged, and terraform refuses a type that is left out.

Terraform's plugin protocol 5 over gRPC; its messages need no more decoding than the names of two maps:
https://github.com/hashicorp/terraform/blob/v1.11.4/docs/plugin-protocol/tfplugin5.8.proto
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]

_SERVICE = "/tfplugin5.Provider/"
_SCHEMA = f"{_SERVICE}GetSchema"
_ANY_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
# GetProviderSchema.Response
_OF_TYPES = {2, 3}  # resource_schemas, data_source_schemas
_OF_OTHERS = {5, 6, 7, 8, 9, 10}  # functions, ephemeral and list resources, state stores, actions
_KEY = 1  # of a map's entry
_AT_A_TIME = 64  # calls; an apply waits in many of them


@contextmanager
def served(setting: str, socket: Path) -> Iterator[str]:
    """Serve a running provider with a short schema on a socket.

    Args:
        setting: the value of TF_REATTACH_PROVIDERS with which terraform would use the provider itself.
        socket: created, and removed at the end.

    Yields:
        The value with which terraform uses this server.
    """
    ((source, provider),) = json.loads(setting).items()
    with grpc.insecure_channel(f"unix:{provider['Addr']['String']}", options=_ANY_SIZE) as channel:
        server = grpc.server(ThreadPoolExecutor(_AT_A_TIME), options=_ANY_SIZE)
        server.add_generic_rpc_handlers([_Passing(channel)])
        server.add_insecure_port(f"unix:{socket}")
        server.start()
        try:
            yield json.dumps({source: {**provider, "Addr": {"Network": "unix", "String": str(socket)}}})
        finally:
            server.stop(grace=None).wait()


class _Passing(grpc.GenericRpcHandler):  # type: ignore[misc] # grpc has no types
    """Passes each call on, and the provider's answer or error back; asks for the schema once in a process."""

    schema = b""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        method = str(details.method)
        if not method.startswith(_SERVICE):  # streams of the provider's output, which would keep a thread each
            return None
        call = self._channel.unary_unary(method)

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            if method == _SCHEMA and _Passing.schema:
                return _Passing.schema
            running = call.future(request)
            context.add_callback(running.cancel)  # when terraform is stopped
            try:
                answered: bytes = running.result()
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
            except grpc.FutureCancelledError:
                context.abort(grpc.StatusCode.CANCELLED, "terraform has stopped")
            if method == _SCHEMA:
                answered = _Passing.schema = _shortened(answered)
            return answered

        return grpc.unary_unary_rpc_method_handler(answer)


def _shortened(schema: bytes) -> bytes:
    kept = []
    for number, field, content in _fields(schema):
        if number in _OF_TYPES:
            name = next(value for key, _, value in _fields(content) if key == _KEY)
            if name.decode() not in _named_types():
                continue
        if number not in _OF_OTHERS:
            kept.append(field)
    return b"".join(kept)


@cache
def _named_types() -> frozenset[str]:
    files = (
        file
        for folder in ("generator", "modules", "templates", "tests")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in {".j2", ".py", ".tf", ".hcl"}
    )
    return frozenset(name for file in files for name in re.findall(r"\baws_[a-z0-9_]+", file.read_text()))


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield each field of a message: its number, its bytes, and its content if that is text or a message."""
    position = 0
    while position < len(message):
        start = position
        tag, position = _varint(message, position)
        length, position = _varint(message, position)  # or the value of a number or truth value
        content = b""
        if tag & 7 == 2:  # the wire type of text and messages
            content = message[position : position + length]
            position += length
        yield tag >> 3, message[start:position], content


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
