"""Evaluate the requests of many environments that share an account, each with the policies of its own environment."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gen_infra.aws.tags import ENVIRONMENT_TAG
from gen_infra.iam import PolicyDocument, Principal, PrincipalKind, evaluate
from gen_infra.permissions.policies import documents
from tests.permissions.policies import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from gen_infra.manifest import Manifest
    from tests.permissions.policies import Recorded

_OWNER = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT_ID}, "Action": "kms:*", "Resource": "*"}
# The policy of each key leaves the decision to the account's policies.
_KEY = PolicyDocument.read({"Version": "2012-10-17", "Statement": [_OWNER]})
_NAMES = ("aws:requesttag/name", "aws:resourcetag/name")


def refused(requests: Iterable[Recorded], manifests: Mapping[str, Manifest], role: str) -> Iterator[str]:
    """Yield AWS's message for each request that a role does not allow.

    A request is about the environment that its resource or the tag `Name` names, and that environment's role must allow
    it; what names none, such as a list, must be allowed by the role of some environment of its region.
    """
    principals = {
        name: Principal(
            PrincipalKind.ROLE,
            f"arn:{manifest.partition}:sts::{ACCOUNT_ID}:assumed-role/{role}/session",
            ACCOUNT_ID,
            role_arn=f"arn:{manifest.partition}:iam::{ACCOUNT_ID}:role/{role}",
            policies=tuple(PolicyDocument.read(each) for each in documents(manifest, role)),
        )
        for name, manifest in manifests.items()
    }
    by_name = {manifest.name: key for key, manifest in manifests.items()}
    longest = "|".join(sorted(map(re.escape, by_name), key=len, reverse=True))
    named = re.compile(rf"[-/]({longest})(?=$|[-/:*])")
    for each in requests:
        request = each.request
        texts = [request.resource, *(value for key in _NAMES for value in request.context.get(key, ()))]
        found = {by_name[name] for text in texts for name in named.findall(text)}
        key = _KEY if ":key/" in request.resource else None
        decisions = [evaluate(request, principals[name], key) for name in found or principals]
        if not any(decision.is_allowed for decision in decisions):
            yield f"{', '.join(sorted(found)) or 'any'}: {decisions[0].message}"


def of_another(requests: Iterable[Recorded], actions: Container[str]) -> Iterator[Recorded]:
    """Yield the requests of these actions as they would be for what carries the tag of another environment."""
    for each in requests:
        context = {
            key: ("another",) if key.endswith(f"tag/{ENVIRONMENT_TAG}") else value
            for key, value in each.request.context.items()
        }
        if each.request.action in actions and context != each.request.context:
            yield replace(each, request=replace(each.request, context=context))
