"""Read the job definitions of CloudFormation templates in JSON or YAML, as far as the template alone defines them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-batch-jobdefinition.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPE = "AWS::Batch::JobDefinition"
VARIABLE = re.compile(r"\$\{\s*([^}!]+?)\s*\}|\{\{resolve:[^}]*\}\}")
_MAX_DEPTH = 100
_NO_VALUE = "AWS::NoValue"


# Constructs every scalar as text, and no objects; libyaml takes linear time for brackets that are never closed.
_Loader = type("_Loader", (yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader,), {})


def _tagged(loader: yaml.BaseLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """Construct ``!Sub x`` as ``{"Fn::Sub": "x"}``."""
    if isinstance(node, yaml.MappingNode):
        value: Any = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    else:
        raise yaml.YAMLError(f"unknown node {node}")
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {"Ref" if suffix == "Ref" else f"Fn::{suffix}": value}


yaml.add_multi_constructor("!", _tagged, Loader=_Loader)


def documents(text: str) -> list[Any]:
    """Return the YAML documents of a text, with CloudFormation's tags as its functions.

    Raises:
        yaml.YAMLError: the text is not YAML.
        RecursionError: it is nested more than 100 levels deep, which would overflow libyaml's stack.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise RecursionError
    return list(yaml.load_all(text, Loader=_Loader))  # derived from BaseLoader: text, lists and mappings


def is_template(document: object) -> bool:
    """Return whether a document is a CloudFormation template."""
    resources = document.get("Resources") if isinstance(document, dict) else None
    return isinstance(resources, dict) and any(
        isinstance(resource, dict) and "Type" in resource for resource in resources.values()
    )


def definitions(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """Yield name, properties and notes of each job definition; its logical id if its name is not plain text."""
    for logical_id, resource in template["Resources"].items():
        if isinstance(resource, dict) and resource.get("Type") == _TYPE:
            reading = _Reading(template)
            properties = reading.resolved(resource.get("Properties"))
            properties = properties if isinstance(properties, dict) else {}
            name = properties.pop("JobDefinitionName", None)
            plain = isinstance(name, str) and name and not VARIABLE.search(name)
            yield name if plain else logical_id, properties, reading.notes


class _Reading:
    """Evaluate the functions in one resource; a value that only the stack has becomes ``${Name}``."""

    def __init__(self, template: dict[str, Any]) -> None:
        parameters = template.get("Parameters")
        self.values = {
            name: parameter["Default"]
            for name, parameter in (parameters.items() if isinstance(parameters, dict) else ())
            if isinstance(parameter, dict) and isinstance(parameter.get("Default"), str | int | float)
        }
        self.notes: list[str] = []

    def resolved(self, value: Any) -> Any:
        """Return the value without functions; None for ``AWS::NoValue``."""
        if isinstance(value, list):
            return [found for item in value if (found := self.resolved(item)) is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Ref":
                return None if argument == _NO_VALUE else self.values.get(str(argument), f"${{{argument}}}")
            if str(function).startswith("Fn::"):
                return self._evaluated(function.removeprefix("Fn::"), argument)
        return {key: found for key, item in value.items() if (found := self.resolved(item)) is not None}

    def _evaluated(self, function: str, argument: Any) -> Any:
        arguments = argument if isinstance(argument, list) else [argument]
        if function == "If" and len(arguments) == 3:  # condition, then, else
            self.notes.append(f"Fn::If {arguments[0]} is taken to be true")
            return self.resolved(arguments[1])
        arguments = [self.resolved(item) for item in arguments]
        if function == "Sub" and arguments:
            given = arguments[1] if len(arguments) > 1 and isinstance(arguments[1], dict) else {}
            known = {**self.values, **given}
            text = VARIABLE.sub(lambda found: str(known.get(found[1] or "", found[0])), str(arguments[0]))
            return text.replace("${!", "${")
        if function == "Join" and len(arguments) == 2 and isinstance(arguments[1], list):
            return str(arguments[0]).join(map(str, arguments[1]))
        if function == "GetAtt":
            return f"${{{'.'.join(map(str, arguments))}}}"
        return f"${{Fn::{function}}}"
