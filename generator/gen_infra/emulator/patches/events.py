"""EventBridge: patterns on arrays of objects, events that AWS's services send, and rules with a schedule.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.events.models import EventPattern, events_backends

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SCHEDULES = "aws.events"


@moto_patch(
    moto="5.2.5 looks for no member of an object in an array, and sends every event to a rule with only a schedule",
    aws="matches a pattern if any object of the array has a matching member, and such a rule by its schedule only",
)
def event_patterns() -> None:
    """Collect the members of objects in arrays too, and let rules without a pattern match their schedule's events.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html
    """

    @around(EventPattern, "matches_event")
    def matches(original: Any, pattern: EventPattern, event: Any) -> Any:
        if not pattern.get_pattern():
            return event["source"] == _SCHEDULES
        return original(pattern, _with_members(event))


def _with_members(value: Any) -> Any:
    """Return the event, with arrays of objects as one object whose members are arrays."""
    if isinstance(value, dict):
        return {key: _with_members(member) for key, member in value.items()}
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        members = dict.fromkeys(key for each in value for key in each)
        return {key: _flat([_with_members(each[key]) for each in value if key in each]) for key in members}
    return value


def _flat(values: list[Any]) -> Any:
    if all(isinstance(each, dict) for each in values):
        return _with_members(values)
    return [item for each in values for item in (each if isinstance(each, list) else [each])]


def send_event(
    region: str,
    account: str,
    *,
    source: str,
    kind: str,
    resources: Sequence[str],
    detail: Mapping[str, Any],
    time: float | None = None,
) -> None:
    """Send an event of one of AWS's services to the rules of the account's default bus.

    Args:
        region: where it happened.
        account: in which account.
        source: the service, such as ``aws.batch``.
        kind: the ``detail-type``.
        resources: the ARNs of what it is about.
        detail: the event's own members.
        time: in seconds since 1970; None is now.
    """
    backend = events_backends[account][region]
    if not backend.event_buses["default"].rules:
        return
    event: dict[str, Any] = {
        "Source": source,
        "DetailType": kind,
        "Resources": [*resources],
        "Detail": json.dumps(detail),
    }
    backend.put_events([event | ({} if time is None else {"Time": time})])


def run_rule(region: str, name: str, time: float) -> None:
    """Send the event of a rule's schedule to its targets, at a time in seconds since 1970.

    Raises:
        ValueError: the rule does not exist, or has no schedule.
    """
    rule = events_backends[ACCOUNT_ID][region].event_buses["default"].rules.get(name)
    if rule is None or not rule.scheduled_expression:
        raise ValueError(f'no rule "{name}" with a schedule exists in {region}')
    event: Any = {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "detail-type": "Scheduled Event",
        "source": _SCHEDULES,
        "account": ACCOUNT_ID,
        "time": time,
        "region": region,
        "resources": [rule.arn],
        "detail": {},
    }
    rule.send_to_targets(event)


PATCHES: tuple[MotoPatch, ...] = (event_patterns,)
