"""A request to AWS, as policies see it: which action, on which resource, in which context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

RequestContext = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Request:
    """One action on one resource.

    Args:
        action: such as ``s3:GetObject``.
        resource: an ARN, or ``*`` for an action that has no resource.
        account: the account that owns the resource.
        context: the condition keys' values, by the key's name in lower case; a key with several values has them all.
    """

    action: str
    resource: str
    account: str
    context: RequestContext = field(default_factory=dict)
