"""Find out who made a change: from CloudTrail's event history, or from the resource where AWS records it there.

Even without a trail, CloudTrail keeps management events of 90 days for each region and allows two requests per second
(https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html). Events can be 15 minutes late.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gen_infra.aws.errors import AccessDeniedError, aws_errors
from gen_infra.aws.session import clients
from gen_infra.errors import GenInfraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gen_infra.aws.session import Clients
    from gen_infra.drift.cloudtrail_events import CloudTrailEvents
    from gen_infra.drift.drift import Drift
    from gen_infra.tools.process import Progress

NAMELESS = (
    "CloudTrail has no event for the changes without an author: events can be 15 minutes late and are kept for 90 days"
)
MOST_QUESTIONS = 60  # half a minute
_LONG_AGO = datetime.min.replace(tzinfo=UTC)  # for an event without its time
_SECONDS_APART = 0.5
_MOST_PAGES = 2  # of 50 events each
# Where IAM's events are kept: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
_IAM_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
# User agents of an apply; Terraform's provider sends "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 …".
_OWN_AGENTS = ("gen-infra/", "HashiCorp/", "Terraform/")

_Key = Literal["ResourceName", "EventName"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a change (an ARN if there is one) and when, as ``2026-01-31T12:00:00Z``."""

    who: str
    when: str


class _Answer(NamedTuple):
    """Events, newest first, and whether these are all."""

    events: list[dict[str, Any]]
    is_whole: bool


class EventHistory:
    """Search CloudTrail's event history, one resource after the other, until it refuses or the limit is reached.

    Args:
        aws: the clients of the region.
        partition: of that region, such as ``aws``.
        pause: sleeps for a number of seconds.
    """

    def __init__(self, aws: Clients, partition: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._aws = aws
        self._iam_region = _IAM_REGIONS.get(partition, aws.region)
        self._pause = pause
        self._questions = 0
        self._answers: dict[tuple[bool, _Key, str], _Answer] = {}
        self.problem = ""  # why the search was stopped

    def author(self, wanted: CloudTrailEvents) -> Author | None:
        """Return who caused the newest of these events; None if that is unknown, or was an apply.

        An apply reverts what it can revert, so events before the last apply to the resource explain nothing.
        """
        events = [event for event in self._events(wanted) if wanted.reverted or not _is_own(event)]
        if not events or _is_own(events[0]) or events[0].get("EventName") not in wanted.names:
            return None
        return _author(events[0])

    def _events(self, wanted: CloudTrailEvents) -> list[dict[str, Any]]:
        """Find the events, newest first.

        They are looked up by event name: one request then serves all resources of a type, and CloudTrail does not
        record the resources of every service's events. If there are too many, they are looked up by resource too.
        """
        answers = [self._ask("EventName", name, wanted) for name in sorted({*wanted.names, *wanted.create})]
        if not all(answer.is_whole for answer in answers):
            answers += [self._ask("ResourceName", name, wanted) for name in sorted(wanted.mentions[0])]
        found = [event for answer in answers for event in answer.events if _is_of(event, wanted)]
        return sorted(found, key=lambda event: event.get("EventTime", _LONG_AGO), reverse=True)

    def _ask(self, key: _Key, value: str, wanted: CloudTrailEvents) -> _Answer:
        question = (wanted.is_iam, key, value)
        if question not in self._answers:
            self._answers[question] = self._look_up(key, value, is_iam=wanted.is_iam)
        return self._answers[question]

    def _look_up(self, key: _Key, value: str, *, is_iam: bool) -> _Answer:
        elsewhere = is_iam and self._iam_region != self._aws.region
        trail = (clients(self._iam_region) if elsewhere else self._aws).trail
        request: dict[str, Any] = {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]}
        events: list[dict[str, Any]] = []
        for _ in range(_MOST_PAGES):
            page = self._page(trail, request)
            events += page.get("Events", [])
            if not page.get("NextToken"):
                return _Answer(events, is_whole=True)
            request["NextToken"] = page["NextToken"]
        return _Answer(events, is_whole=False)

    def _page(self, trail: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Return one page of events; an empty one after a problem, because an unknown author is no error."""
        if self._questions == MOST_QUESTIONS:
            self.problem = self.problem or f"the search in CloudTrail stopped after {MOST_QUESTIONS} requests"
        if self.problem:
            return {}
        if self._questions:
            self._pause(_SECONDS_APART)
        self._questions += 1
        try:
            with aws_errors():
                answer: dict[str, Any] = trail.lookup_events(**request)
        except AccessDeniedError as error:
            self.problem = f"no permission to search CloudTrail: {error.hint or error.message}"
            return {}
        except GenInfraError as error:
            self.problem = f"cannot search CloudTrail: {error.message}"
            return {}
        return answer


def with_authors(found: tuple[Drift, ...], clients: Clients, partition: str, progress: Progress) -> tuple[Drift, ...]:
    """Add to each drift who made the change and when; besides CloudTrail, only launch templates record it.

    Args:
        found: the drift.
        clients: of the environment's region.
        partition: of that region.
        progress: receives why an author is not named.
    """
    history = EventHistory(clients, partition)

    def named(each: Drift) -> Drift:
        author = history.author(each.events) if each.events else None
        if author is None and each.events and (each.type, each.action) == ("aws_launch_template", "update"):
            [names] = each.events.mentions
            author = launch_template_author(clients, names)
        return replace(each, who=author.who, when=author.when) if author else each

    authored = tuple(map(named, found))
    if any(not each.who for each in authored):
        progress(history.problem or NAMELESS)
    return authored


@aws_errors()
def launch_template_author(clients: Clients, names: Iterable[str]) -> Author:
    """Return who created the newest version of a launch template; Terraform needs the same permission.

    ``names`` has the template's id among its other names.
    """
    [template_id] = [name for name in names if name.startswith("lt-")]
    answer = clients.ec2.describe_launch_template_versions(LaunchTemplateId=template_id, Versions=["$Latest"])
    version: dict[str, Any] = dict(next(iter(answer["LaunchTemplateVersions"]), {}))
    return Author(version.get("CreatedBy", ""), _utc(version["CreateTime"]) if "CreateTime" in version else "")


def _is_of(event: dict[str, Any], wanted: CloudTrailEvents) -> bool:
    """Return whether the event succeeded and mentions the names."""
    record = _record(event)
    named = set(_strings(record.get("requestParameters")))
    named |= {resource.get("ResourceName", "") for resource in event.get("Resources", [])}
    return not record.get("errorCode") and all(names & named for names in wanted.mentions)


def _is_own(event: dict[str, Any]) -> bool:
    return any(agent in (_record(event).get("userAgent") or "") for agent in _OWN_AGENTS)


def _author(event: dict[str, Any]) -> Author:
    """Return the identity's ARN, or the service's name if AWS made the call itself."""
    identity = _record(event).get("userIdentity") or {}
    who = identity.get("arn") or event.get("Username") or identity.get("invokedBy") or ""
    return Author(who, _utc(event["EventTime"]) if "EventTime" in event else "")


def _record(event: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html."""
    record: dict[str, Any] = json.loads(event.get("CloudTrailEvent") or "{}")
    return record


def _strings(value: Any) -> Iterator[str]:
    """Yield every text and number in nested parameters."""
    if isinstance(value, str | int):
        yield str(value)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def _utc(time_: datetime) -> str:
    return time_.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
