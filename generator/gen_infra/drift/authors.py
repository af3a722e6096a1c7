"""Who changed something: in CloudTrail's event history, else where AWS keeps that with the thing itself.

Without any trail, AWS keeps 90 days of management events, by region, and answers two questions a second
(https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html). They may come a quarter of an
hour late.
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
    from collections.abc import Callable, Iterator

    from gen_infra.aws.session import Clients
    from gen_infra.drift.cloudtrail_events import Trace
    from gen_infra.drift.drift import Drift
    from gen_infra.tools.process import Progress

NAMELESS = (
    "CloudTrail has no event for what has no name beside it: events may come 15 minutes late, and are kept for 90 days"
)
MOST_QUESTIONS = 60  # half a minute
_SECONDS_APART = 0.5
_MOST_PAGES = 2  # of 50 events each
# Where IAM's events are kept: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
_IAM_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
# What an apply calls itself; its provider says "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 …".
_OWN_AGENTS = ("gen-infra/", "HashiCorp/", "Terraform/")

_Key = Literal["ResourceName", "EventName"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who did something, an ARN where there is one, and when, as ``2026-01-31T12:00:00Z``."""

    who: str
    when: str


class _Answer(NamedTuple):
    """Events, the newest first, and whether those are all."""

    events: list[dict[str, Any]]
    is_whole: bool


class EventHistory:
    """CloudTrail's event history, asked about one thing after the other until it refuses or there were enough.

    Args:
        aws: the clients of the region.
        partition: of that region, such as ``aws``.
        pause: waits for so many seconds.
    """

    def __init__(self, aws: Clients, partition: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._aws = aws
        self._iam_region = _IAM_REGIONS.get(partition, aws.region)
        self._pause = pause
        self._questions = 0
        self._answers: dict[tuple[bool, _Key, str], _Answer] = {}
        self.problem = ""  # why it is asked no more

    def author(self, trace: Trace) -> Author | None:
        """Who is behind the newest event of a trace; None if that is not known, or was an apply.

        What an apply mends it has mended, if it did something to the thing later: an older event explains nothing.
        """
        events = [event for event in self._events(trace) if trace.mended or not _is_own(event)]
        if not events or _is_own(events[0]) or events[0]["EventName"] not in trace.events:
            return None
        return _author(events[0])

    def _events(self, trace: Trace) -> list[dict[str, Any]]:
        """The events of a trace, the newest first.

        They are looked up by their own names: one question then serves every thing of its kind, and CloudTrail does
        not know the resources of every service's events. Only where there are too many, they are looked up by
        resource too.
        """
        answers = [self._ask("EventName", name, trace) for name in sorted({*trace.events, *trace.made})]
        if not all(answer.is_whole for answer in answers):
            answers += [self._ask("ResourceName", name, trace) for name in sorted(trace.mentions[0])]
        found = [event for answer in answers for event in answer.events if _is_of(event, trace)]
        return sorted(found, key=lambda event: event["EventTime"], reverse=True)

    def _ask(self, key: _Key, value: str, trace: Trace) -> _Answer:
        question = (trace.is_iam, key, value)
        if question not in self._answers:
            self._answers[question] = self._look_up(key, value, is_iam=trace.is_iam)
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
        """One answer; an empty one as soon as there is a problem, for it is only about names."""
        if self._questions == MOST_QUESTIONS:
            self.problem = self.problem or f"CloudTrail was asked {MOST_QUESTIONS} times, and no more for the rest"
        if self.problem:
            return {}
        if self._questions:
            self._pause(_SECONDS_APART)
        self._questions += 1
        try:
            with aws_errors():
                answer: dict[str, Any] = trail.lookup_events(**request)
        except AccessDeniedError as error:
            self.problem = f"CloudTrail may not be asked: {error.hint or error.message}"
            return {}
        except GenInfraError as error:
            self.problem = f"CloudTrail does not tell: {error.message}"
            return {}
        return answer


def with_authors(found: tuple[Drift, ...], clients: Clients, partition: str, progress: Progress) -> tuple[Drift, ...]:
    """Add to each drift who did it and when; besides CloudTrail, only launch templates know.

    Args:
        found: the drift.
        clients: of the environment's region.
        partition: of that region.
        progress: receives why an author is not named.
    """
    history = EventHistory(clients, partition)

    def named(each: Drift) -> Drift:
        author = history.author(each.trace) if each.trace else None
        if author is None and (each.type, each.action) == ("aws_launch_template", "update"):
            author = launch_template_author(clients, each.name)
        return replace(each, who=author.who, when=author.when) if author else each

    authored = tuple(map(named, found))
    if any(not each.who for each in authored):
        progress(history.problem or NAMELESS)
    return authored


@aws_errors()
def launch_template_author(clients: Clients, name: str) -> Author:
    """Whoever made the newest version of a launch template; Terraform needs the same permission."""
    answer = clients.ec2.describe_launch_template_versions(LaunchTemplateName=name, Versions=["$Latest"])
    version = answer["LaunchTemplateVersions"][0]
    return Author(version.get("CreatedBy", ""), _utc(version["CreateTime"]) if "CreateTime" in version else "")


def _is_of(event: dict[str, Any], trace: Trace) -> bool:
    """Whether it succeeded, and names all that the trace mentions."""
    said = _said(event)
    named = set(_strings(said.get("requestParameters")))
    named |= {resource.get("ResourceName", "") for resource in event.get("Resources", [])}
    return not said.get("errorCode") and all(names & named for names in trace.mentions)


def _is_own(event: dict[str, Any]) -> bool:
    return any(agent in (_said(event).get("userAgent") or "") for agent in _OWN_AGENTS)


def _author(event: dict[str, Any]) -> Author:
    """The identity's ARN; what AWS does by itself has none, but a service's name."""
    identity = _said(event).get("userIdentity") or {}
    who = identity.get("arn") or event.get("Username") or identity.get("invokedBy") or ""
    return Author(who, _utc(event["EventTime"]))


def _said(event: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html."""
    said: dict[str, Any] = json.loads(event.get("CloudTrailEvent") or "{}")
    return said


def _strings(value: Any) -> Iterator[str]:
    """Every text and number in parameters, however deep."""
    if isinstance(value, str | int):
        yield str(value)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def _utc(time_: datetime) -> str:
    return time_.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
