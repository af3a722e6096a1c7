"""Look up actions and resource types in AWS's service authorization reference.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DATA_FILE = Path(__file__).with_name("service_reference.json")
_VARIABLE = re.compile(r"\$\{[^}]+\}")


class Location(NamedTuple):
    """Where a resource is."""

    partition: str
    region: str
    account: str


@cache
def _services() -> Mapping[str, Any]:
    services: Mapping[str, Any] = json.loads(_DATA_FILE.read_text())
    return services


def is_action(action: str) -> bool:
    """Return whether IAM has an action such as ``batch:SubmitJob``."""
    service, _, name = action.partition(":")
    return name in _services().get(service, {}).get("actions", {})


def resource_types(action: str) -> Mapping[str, bool]:
    """Return the types of the resources of an action, and whether the action requires one of each."""
    service, _, name = action.partition(":")
    kinds: Sequence[str] = _services()[service]["actions"][name]
    return {kind.removesuffix("?"): not kind.endswith("?") for kind in kinds}


def arn(service: str, kind: str, place: Location, *names: str) -> str:
    """Return the ARN of a resource; ``names`` are the parts that are not the place, in the ARN's order."""
    text: str = _services()[service]["resources"][kind]
    for variable, value in zip(("${Partition}", "${Region}", "${Account}"), place, strict=True):
        text = text.replace(variable, value)
    given = iter(names)
    return _VARIABLE.sub(lambda _: next(given, "*"), text)
