"""Read the items of a Distributed Map: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from typing import TYPE_CHECKING, Any

from gen_infra.emulator.state_machines.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_infra.emulator.state_machines.execution import StateScope
    from gen_infra.emulator.state_machines.integrations import RoleClients
    from gen_infra.emulator.state_machines.interfaces import StateRun

_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}


async def read(states: StateRun, scope: StateScope, state: Mapping[str, Any]) -> list[Any]:
    """Return the items of the current Map state.

    Raises:
        StateError: the role may not read the list, or it is not in the format that the state says.
    """
    reader = state.get("ItemReader")
    if reader is None:
        items: list[Any] = states.value(scope, state.get("Items", scope.state_input), "Items")
        return items
    config = states.value(scope, reader.get("ReaderConfig", {}), "ItemReader/ReaderConfig")
    where = states.value(scope, reader["Arguments"], "ItemReader/Arguments")
    clients = states.executions.clients(states.execution)
    try:
        if reader["Resource"].endswith(":s3:listObjectsV2"):
            found = await asyncio.to_thread(_listed, clients, where)
        else:
            found = parsed(await asyncio.to_thread(_body, clients, where), config)
    except StateError:
        raise
    except Exception as error:  # what boto3 raises, and a file in another format
        raise StateError("States.ItemReaderFailed", f"Attempting to read the items from S3 failed: {error}") from error
    return found[: config["MaxItems"]] if config.get("MaxItems") else found


def parsed(content: str, config: Mapping[str, Any]) -> list[Any]:
    """Return the items in a file.

    Args:
        content: of the file.
        config: the state's ReaderConfig.

    Raises:
        ValueError: the file has another format.
    """
    kind = config.get("InputType")
    if kind == "CSV":
        rows = [row for row in csv.reader(io.StringIO(content), delimiter=_delimiter(config)) if row]
        header = config.get("CSVHeaders") or (rows.pop(0) if rows else [])
        if any(len(row) > len(header) for row in rows):
            raise ValueError("a line of the CSV file has more values than its header")
        return [dict(zip(header, row + [""] * (len(header) - len(row)), strict=True)) for row in rows]
    if kind == "JSONL":
        return [json.loads(line) for line in content.splitlines() if line.strip()]
    if kind == "JSON":
        items = json.loads(content)
        if not isinstance(items, list):
            raise ValueError("the JSON file is not an array")
        return items
    raise StateError("States.Runtime", f"The emulator cannot read the InputType '{kind}'")


def _delimiter(config: Mapping[str, Any]) -> str:
    return _DELIMITERS[config.get("CSVDelimiter", "COMMA")]


def _body(clients: RoleClients, where: Mapping[str, Any]) -> str:
    content: bytes = clients.client("s3").get_object(**where)["Body"].read()
    return content.decode("utf-8-sig")


def _listed(clients: RoleClients, where: Mapping[str, Any]) -> list[Any]:
    pages = clients.client("s3").get_paginator("list_objects_v2").paginate(**where)
    return [
        {"Etag": each["ETag"], "Key": each["Key"], "LastModified": int(each["LastModified"].timestamp())}
        | {"Size": each["Size"], "StorageClass": each.get("StorageClass", "STANDARD")}
        for page in pages
        for each in page.get("Contents", ())
    ]
