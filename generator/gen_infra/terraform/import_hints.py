"""The commands that import what exists in AWS and is not in the state.

What ``terraform import`` takes differs by type: https://registry.terraform.io/providers/hashicorp/aws/latest/docs.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from gen_infra.aws.inventory import AwsResource
from gen_infra.aws.kinds import KINDS
from gen_infra.terraform.messages import EXISTS
from gen_infra.tools.addresses import bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.tools.diagnostics import Diagnostic

_DOCUMENTATION = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/{}#import"


def import_hint(diagnostics: Iterable[Diagnostic], terraform: str, place: Mapping[str, str]) -> str:
    """Give the commands, on one line.

    Args:
        diagnostics: what terraform reported; only those about what exists already count.
        terraform: how a command line for the folder begins.
        place: ``partition``, ``domain``, ``region`` and ``account``, for ARNs and URLs.
    """
    found = {each.address: name for each in diagnostics if each.address for name in _existing(each)}
    kinds = {address: bare(address).split(".")[-2] for address in found}
    commands = [
        f"{terraform} import {shlex.quote(address)} {(_id(kinds[address]) or 'ID').format(name=name, **place)}"
        for address, name in found.items()
    ]
    pages = [_DOCUMENTATION.format(kind.removeprefix("aws_")) for kind in kinds.values() if not _id(kind)]
    return " && ".join(commands) + (f" (which ID: {', '.join(dict.fromkeys(pages))})" if pages else "")


def existing(diagnostics: Iterable[Diagnostic]) -> list[AwsResource]:
    """List what terraform could not create because it exists."""
    return [
        AwsResource(KINDS[type_].label, name, type_)
        for each in diagnostics
        if each.address and (type_ := bare(each.address).split(".")[-2]) in KINDS
        for name in _existing(each)
    ]


def _id(type_: str) -> str:
    """Return what ``terraform import`` takes for a type; empty where only its documentation says."""
    id_ = KINDS[type_].import_id if type_ in KINDS else ""
    return id_ if isinstance(id_, str) else ""


def _existing(diagnostic: Diagnostic) -> Iterator[str]:
    """Yield the name that is reported to exist already."""
    if found := re.search(EXISTS, f"{diagnostic.summary}\n{diagnostic.detail}", flags=re.DOTALL):
        yield found["name"]
