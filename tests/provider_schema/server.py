"""A provider that knows nothing but its schema, for ``terraform validate``: Terraform's plugin protocol 5 over gRPC.

Terraform uses a provider that runs already if TF_REATTACH_PROVIDERS names it. The few messages are encoded here, so
that no Protocol Buffers compiler is needed:
https://github.com/hashicorp/terraform/blob/v1.11.4/docs/plugin-protocol/tfplugin5.8.proto
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_NESTINGS = {"single": 1, "list": 2, "set": 3, "map": 4}
# The arguments of the provider's own block that are rendered. They are the same in 5 and 6.
_PROVIDER = {
    "attributes": {
        "region": ["optional", "string"],
        "allowed_account_ids": ["optional", ["set", "string"]],
    },
    "blocks": {
        "default_tags": {"nesting": "list", "several": True, "attributes": {"tags": ["optional", ["map", "string"]]}}
    },
}


@contextmanager
def served(schema: Mapping[str, Any], source: str, folder: Path) -> Iterator[dict[str, str]]:
    """Serve a schema, of the form of `tasks.provider_schema`; yield environment variables for terraform.

    Args:
        schema: its ``resource`` and ``data``.
        source: such as ``registry.terraform.io/hashicorp/aws``.
        folder: gets the socket.
    """
    socket = folder / "provider.sock"
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(
        [
            _service(
                "tfplugin5.Provider",
                GetSchema=lambda _: _schemas(schema),
                PrepareProviderConfig=lambda request: request,  # the configuration, unchanged
                ValidateResourceTypeConfig=lambda _: b"",
                ValidateDataSourceConfig=lambda _: b"",
                Stop=lambda _: b"",
            )
        ]
    )
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    address = {"Network": "unix", "String": str(socket)}
    provider = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Test": True, "Addr": address}
    try:
        yield {"TF_REATTACH_PROVIDERS": json.dumps({source: provider})}
    finally:
        server.stop(grace=None).wait()


def _service(name: str, **methods: Callable[[bytes], bytes]) -> grpc.GenericRpcHandler:
    def handler(method: Callable[[bytes], bytes]) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(lambda request, _: method(request))

    return grpc.method_handlers_generic_handler(name, {each: handler(method) for each, method in methods.items()})


def _schemas(schema: Mapping[str, Any]) -> bytes:
    """Encode ``GetProviderSchema.Response``."""
    return _field(1, _schema(_PROVIDER)) + b"".join(
        _field(number, _field(1, name.encode()) + _field(2, _schema(block)))
        for number, kind in ((2, "resource"), (3, "data"))
        for name, block in schema[kind].items()
    )


def _schema(block: Mapping[str, Any]) -> bytes:
    return _field(2, _block(block))


def _block(block: Mapping[str, Any]) -> bytes:
    attributes, blocks = block.get("attributes", {}), block.get("blocks", {})
    return b"".join(_field(2, _attribute(name, *attribute)) for name, attribute in attributes.items()) + b"".join(
        _field(3, _nested_block(name, nested)) for name, nested in blocks.items()
    )


def _attribute(name: str, how: str, type_: Any) -> bytes:
    marks = {"required": 4, "optional": 5, "computed": 6, "deprecated": 9}
    return (
        _field(1, name.encode())
        + _field(2, json.dumps(type_).encode())
        + b"".join(_number(marks[mark], 1) for mark in how.split())
    )


def _nested_block(name: str, block: Mapping[str, Any]) -> bytes:
    counts = block["nesting"] in {"list", "set"}
    return (
        _field(1, name.encode())
        + _field(2, _block(block))
        + _number(3, _NESTINGS[block["nesting"]])
        + _number(4, int(counts and block.get("required", False)))
        + _number(5, int(counts and not block.get("several", False)))
    )


def _field(number: int, content: bytes) -> bytes:
    """Encode a field of bytes, a text or a message: https://protobuf.dev/programming-guides/encoding."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value) if value else b""


def _varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(high) if high else bytes([low])
