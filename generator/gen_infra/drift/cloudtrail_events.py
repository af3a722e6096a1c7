"""Which of AWS's API calls would be behind a drift, and how one knows it by its parameters.

CloudTrail calls an event by its operation; Lambda's carry the API's date
(https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html). What only S3's data events tell, which are
not in CloudTrail's event history, is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.aws.kinds import KINDS, Absent

if TYPE_CHECKING:
    from collections.abc import Mapping

Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class Trace:
    """What to look for.

    Args:
        events: the names of the events that may have done it.
        made: those that make such a thing; what was done before was done to its predecessor.
        mentions: the event's parameters hold one name of each of these sets; the first are those of the thing itself.
        is_iam: whether IAM did it, whose events are kept in one region for all.
        mended: whether `gen-infra apply` would have mended it, so that nothing from before one counts.
    """

    events: tuple[str, ...]
    made: tuple[str, ...]
    mentions: tuple[Names, ...]
    is_iam: bool = False
    mended: bool = True


def trace(type_: str, action: str, values: Mapping[str, Any]) -> Trace | None:
    """The trace of a change to, or the end of, a resource with these attributes; None where none is known."""
    kind = KINDS.get(type_)
    if kind is None or isinstance(kind.events, Absent):
        return None
    events = kind.events.update if action == "update" else kind.events.destroy
    mentions = tuple(_names(values, keys) for keys in kind.names)
    if not events or not all(mentions):
        return None
    return Trace(events, kind.events.create, mentions, is_iam=type_.startswith("aws_iam_"))


def added(event: str, *mentions: str) -> Trace:
    """The trace of what somebody put beside a resource, where an apply leaves it."""
    names = tuple(frozenset({each}) for each in mentions)
    return Trace((event,), (), names, is_iam=event.endswith("RolePolicy"), mended=False)


def _names(values: Mapping[str, Any], keys: tuple[str, ...]) -> Names:
    """All that a call may name the resource by: an event has the name, the ARN or the id, as it was called."""
    names = {str(values[key]) for key in keys if values.get(key)}
    if values.get("revision") and values.get("name"):
        names.add(f"{values['name']}:{values['revision']}")
    return frozenset(names)
