"""Describe the CloudTrail events that can be behind a change, and how to recognise them by their parameters.

CloudTrail calls an event by its operation; Lambda's carry the API's date
(https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html). S3's data events are
not in CloudTrail's event history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.aws.kinds import KINDS, Absent

if TYPE_CHECKING:
    from collections.abc import Mapping

Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class CloudTrailEvents:
    """The events to look for.

    Args:
        names: the names of the events that make such a change.
        create: the names of those that create the resource; earlier events concern its predecessor.
        mentions: an event's parameters contain one name of each set; the first set holds the resource's own names.
        is_iam: whether they are IAM's, which are all kept in one region.
        reverted: whether `gen-infra apply` reverts the change, so that events before an apply do not count.
    """

    names: tuple[str, ...]
    create: tuple[str, ...]
    mentions: tuple[Names, ...]
    is_iam: bool = False
    reverted: bool = True


def events_behind(type_: str, action: str, values: Mapping[str, Any]) -> CloudTrailEvents | None:
    """Return the events behind the update or deletion of a resource with these attributes; None if unknown."""
    kind = KINDS.get(type_)
    if kind is None or isinstance(kind.events, Absent):
        return None
    events = kind.events.update if action == "update" else kind.events.destroy
    mentions = tuple(_names(values, keys) for keys in kind.names)
    if not events or not all(mentions):
        return None
    return CloudTrailEvents(events, kind.events.create, mentions, is_iam=type_.startswith("aws_iam_"))


def events_adding(event: str, *mentions: str) -> CloudTrailEvents:
    """Return the event that added a policy or rule outside Terraform, which an apply does not remove."""
    names = tuple(frozenset({each}) for each in mentions)
    return CloudTrailEvents((event,), (), names, is_iam=event.endswith("RolePolicy"), reverted=False)


def _names(values: Mapping[str, Any], keys: tuple[str, ...]) -> Names:
    """Return every name that a call may use for the resource: its name, ARN or id."""
    names = {str(values[key]) for key in keys if values.get(key)}
    if values.get("revision") and values.get("name"):
        names.add(f"{values['name']}:{values['revision']}")
    return frozenset(names)
