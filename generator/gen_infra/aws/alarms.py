"""Read the state of CloudWatch alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen_infra.aws.errors import aws_errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gen_infra.aws.session import Clients

_DESCRIBE_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class AlarmState:
    """An alarm now.

    Args:
        name: its name.
        state: ``OK``, ``ALARM`` or ``INSUFFICIENT_DATA``.
        since: when it came into this state; None where CloudWatch does not say.
        about: its description.
    """

    name: str
    state: str
    since: datetime | None
    about: str


@aws_errors()
def alarm_states(clients: Clients, names: Sequence[str]) -> list[AlarmState]:
    """Return the state of these alarms, in their order, without those that do not exist."""
    found: dict[str, AlarmState] = {}
    for start in range(0, len(names), _DESCRIBE_AT_MOST):
        some = list(names[start : start + _DESCRIBE_AT_MOST])
        for each in clients.alarms.describe_alarms(AlarmNames=some)["MetricAlarms"]:
            since = each.get("StateTransitionedTimestamp") or each.get("StateUpdatedTimestamp")
            about = each.get("AlarmDescription", "")
            found[each["AlarmName"]] = AlarmState(each["AlarmName"], each.get("StateValue", ""), since, about)
    return [found[name] for name in names if name in found]
