"""Check that the files contain only what gen-infra is known to render: an allow list, in `rendered_arguments`.

These rules read the source only: a plan has every argument, with the provider's defaults.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gen_infra.check.rules.rendered_arguments import (
    ANY_KIND,
    ARGUMENTS,
    KEEPERS,
    NOTIFIED_BY_RULES,
    REFERENCES,
    VALUES,
)
from gen_infra.check.rules.rule import Rule, existed_before, rule, rule_beyond
from gen_infra.manifest.model.image import CURATED_BUILD_IMAGE
from gen_infra.terraform.source import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gen_infra.check.rules.rule import Accepted
    from gen_infra.terraform.source import Resource

_REVIEW = "https://developer.hashicorp.com/terraform/language/resources"
_IGNORE = "lifecycle.ignore_changes"


def _is_from_source(resource: Resource) -> bool:
    return resource.line > 0


@rule(
    "GI_TF_5",
    "*",
    severity="high",
    title="The files have the types of resources that gen-infra renders",
    remedy="remove it; gen-infra never renders this type",
    source=_REVIEW,
    privilege=True,
)
def kinds_are_known(resource: Resource) -> Iterator[str]:
    """Refuse all other types: users, access keys, policies of other services and much more."""
    if _is_from_source(resource) and resource.kind not in ARGUMENTS:
        yield f"{resource.kind} is not one of the known types"


@rule(
    "GI_TF_6",
    "*",
    severity="high",
    title="Resources have the arguments that gen-infra renders",
    remedy="remove the argument; gen-infra never renders it here",
    source=_REVIEW,
    privilege=True,
)
def arguments_are_known(resource: Resource) -> Iterator[str]:
    """Refuse all other arguments: inline policies, images, profiles, providers, layers and much more."""
    if not _is_from_source(resource) or resource.kind not in ARGUMENTS:
        return
    known = ARGUMENTS[resource.kind] | ANY_KIND | ({_IGNORE} if resource.file in KEEPERS else frozenset())
    for path in sorted(set(_paths(resource.values)) - known):
        yield f"it sets {path}"


@rule_beyond(
    "GI_TF_7",
    *VALUES,
    severity="high",
    title="Arguments that protect have the values that gen-infra renders",
    remedy="set the argument as gen-infra's own templates and modules do",
    source=_REVIEW,
    privilege=True,
)
def values_are_known(resource: Resource, accepted: Accepted) -> Iterator[str]:
    """Require a known value wherever another one, or none, takes the protection away.

    Builds run in the image that the manifest names, by its digest if it has one.
    """
    if not _is_from_source(resource) or existed_before(resource) or resource.file in NOTIFIED_BY_RULES:
        return
    patterns = VALUES[resource.kind]
    if resource.kind == "aws_codebuild_project":
        patterns = patterns | _build_image(accepted.build_image)
    for path, pattern in patterns.items():
        for value in _values(resource.values, path.split(".")):
            if not isinstance(value, Unknown) and not re.fullmatch(pattern, _text(value), re.ASCII):
                yield f"its {path} is {_text(value) or 'not set'}"


@rule(
    "GI_TF_8",
    *REFERENCES,
    severity="high",
    title="Resources refer to what the files make or look up",
    remedy="refer to the resource or the variable instead of writing its name",
    source="https://developer.hashicorp.com/terraform/language/expressions/references",
    privilege=True,
)
def references_are_no_literals(resource: Resource) -> Iterator[str]:
    """Refuse literals where they stand for a role, a template, a gateway or a log of something else."""
    if not _is_from_source(resource):
        return
    for path in REFERENCES[resource.kind]:
        for value in _values(resource.values, path.split(".")):
            if value is not None and not isinstance(value, Unknown):
                yield f"its {path} is {_text(value)}"


def _build_image(image: str) -> dict[str, str]:
    """Return the values that make CodeBuild run an image: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectEnvironment.html."""
    credentials = "(?:CODEBUILD)?" if image == CURATED_BUILD_IMAGE else "SERVICE_ROLE"
    return {"environment.image": re.escape(image), "environment.image_pull_credentials_type": credentials}


def _paths(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Yield the path of each argument; blocks are lists of maps, and maps alone are values."""
    for name, value in values.items():
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            for block in value:
                yield from _paths(block, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def _values(values: Any, path: list[str]) -> Iterator[Any]:
    """Yield what stands at a path in each of its blocks; None where there is nothing."""
    if not path:
        yield values
    elif isinstance(values, list) and values and all(isinstance(each, dict) for each in values):
        for block in values:
            yield from _values(block, path)
    elif isinstance(values, dict):
        yield from _values(values.get(path[0]), path[1:])
    else:
        yield values if isinstance(values, Unknown) else None


def _text(value: Any) -> str:
    if value is None or value == []:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


RULES: tuple[Rule, ...] = (
    kinds_are_known,
    arguments_are_known,
    values_are_known,
    references_are_no_literals,
)
