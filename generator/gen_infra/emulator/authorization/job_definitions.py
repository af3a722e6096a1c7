"""The condition keys of a new job definition: what its containers may do, and where they log.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbatch.html#awsbatch-policy-keys
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_infra.aws.definitions import containers_of_definition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen_infra.emulator.authorization.keys import ContextValues

# By condition key: the container's property, or the option of its log driver, that it has the value of.
_PROPERTIES = {"batch:image": "image", "batch:user": "user"}
_LOG_OPTIONS = {
    "batch:awslogscreategroup": "awslogs-create-group",
    "batch:awslogsgroup": "awslogs-group",
    "batch:awslogsregion": "awslogs-region",
    "batch:awslogsstreamprefix": "awslogs-stream-prefix",
}


def definition_context(parameters: Mapping[str, Any]) -> ContextValues:
    """Return the condition keys of a call of RegisterJobDefinition, by their names in lower case.

    A key that no container has a value for is missing. AWS does not document the keys of a definition with several
    containers: here they have the values of all, and one privileged container makes the definition privileged.
    """
    found: dict[str, list[str]] = {}
    privileged = []
    for container in containers_of_definition(parameters):
        logs = container.get("logConfiguration") or {}
        options = logs.get("options") or {}
        values = {key: container.get(name) for key, name in _PROPERTIES.items()}
        values |= {key: options.get(name) for key, name in _LOG_OPTIONS.items()}
        values["batch:logdriver"] = logs.get("logDriver")
        for key, value in values.items():
            if value is not None:
                found.setdefault(key, []).append(str(value))
        if container.get("privileged") is not None:
            privileged.append(bool(container["privileged"]))
    if privileged:
        found["batch:privileged"] = [str(any(privileged)).lower()]
    return {key: tuple(dict.fromkeys(values)) for key, values in found.items()}
