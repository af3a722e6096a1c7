"""List the job definitions of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.aws.session import Clients, Json


def active_definitions(clients: Clients, name: str | None = None) -> Iterator[Json]:
    """Yield every ACTIVE revision of each job definition, or of the one of this name."""
    named: dict[str, Any] = {"jobDefinitionName": name} if name else {}
    for page in clients.batch.get_paginator("describe_job_definitions").paginate(status="ACTIVE", **named):
        yield from page["jobDefinitions"]


def newest_revisions(definitions: Iterable[Json]) -> dict[str, Json]:
    """Return the newest revision of each job definition, by name."""
    newest: dict[str, Json] = {}
    for each in definitions:
        name = each["jobDefinitionName"]
        if name not in newest or newest[name]["revision"] < each["revision"]:
            newest[name] = each
    return newest


def containers_of_definition(definition: Json) -> list[Json]:
    """List the containers of a job definition: its only one, those of its task, or those of its nodes; none of EKS.

    The definition is in the shape of DescribeJobDefinitions, or of a request of RegisterJobDefinition.
    """
    nodes = (definition.get("nodeProperties") or {}).get("nodeRangeProperties") or []
    found: list[Json] = []
    for place in (definition, *nodes):
        found += filter(None, (place.get("containerProperties"), place.get("container")))
        for task in (place.get("ecsProperties") or {}).get("taskProperties") or []:
            found += task.get("containers") or []
    return found
