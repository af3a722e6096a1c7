"""Who is named for a change, by what CloudTrail and EC2 answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.aws import session
from gen_infra.drift import authors
from gen_infra.drift.authors import MOST_QUESTIONS, NAMELESS, Author, EventHistory, with_authors
from gen_infra.drift.cloudtrail_events import CloudTrailEvents, events_adding
from gen_infra.drift.drift import Drift, drift
from gen_infra.terraform.plan import PlanContent
from tests.unit.drift.test_drift import entry
from tests.unit.manifests import accept
from tests.unit.recorded import Account, Refusal

if TYPE_CHECKING:
    from pathlib import Path

QUEUE = CloudTrailEvents(("UpdateJobQueue",), ("CreateJobQueue",), (frozenset({"main-test", "arn:main"}),))
ALICE = "arn:aws:sts::123456789012:assumed-role/Admin/alice"
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 (+https://www.terraform.io) terraform-provider-aws/5.100.0"
Event = dict[str, Any]


def event(name: str = "UpdateJobQueue", *, hour: int = 12, agent: str = "aws-cli/2", **more: Any) -> Event:
    record = {
        "userIdentity": {"type": "AssumedRole", "arn": ALICE},
        "userAgent": agent,
        "requestParameters": {"jobQueue": "arn:main", "priority": 9},
    }
    return {
        "EventName": name,
        "EventTime": datetime(2026, 1, 31, hour, tzinfo=UTC),
        "Username": "alice",
        "Resources": [],
        "CloudTrailEvent": json.dumps(record | more),
    }


class Trail:
    """A CloudTrail with these events."""

    def __init__(self, *events: Event) -> None:
        self.events, self.asked, self.pauses, self.per_page = events, [], [], 50
        self.account = Account()
        self.account.answers = {"LookupEvents": self.answer}

    asked: list[tuple[str, str]]
    pauses: list[float]

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        (attribute,) = request["LookupAttributes"]
        key, value, first = attribute["AttributeKey"], attribute["AttributeValue"], int(request.get("NextToken", 0))
        self.asked.append((key, value))
        found = [
            each
            for each in sorted(self.events, key=lambda each: each["EventTime"], reverse=True)
            if value == each["EventName"] or value in [resource["ResourceName"] for resource in each["Resources"]]
        ]
        page: dict[str, Any] = {"Events": found[first : first + self.per_page]}
        return page | ({"NextToken": str(first + self.per_page)} if len(found) > first + self.per_page else {})

    def history(self) -> EventHistory:
        return EventHistory(self.account.clients, "aws", self.pauses.append)

    def author(self, wanted: CloudTrailEvents = QUEUE) -> Author | None:
        return self.history().author(wanted)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.mark.parametrize(
    ("identity", "who"),
    [
        ({"type": "AssumedRole", "arn": ALICE}, ALICE),
        ({"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}, "alice"),
        (None, "alice"),
    ],
)
def test_the_newest_event_names_the_author(identity: Any, who: str) -> None:
    trail = Trail(event(hour=11, userIdentity={"arn": "before"}), event(userIdentity=identity))
    assert trail.author() == Author(who, "2026-01-31T12:00:00Z")


def test_a_service_without_an_arn_is_named_by_its_domain() -> None:
    assert Trail(event(userIdentity={"invokedBy": "batch.amazonaws.com"}) | {"Username": ""}).author() == Author(
        "batch.amazonaws.com", "2026-01-31T12:00:00Z"
    )


@pytest.mark.parametrize(
    "newest",
    [
        event(hour=13, errorCode="AccessDenied"),
        event(hour=13, requestParameters={"jobQueue": "other-test"}),
        event(hour=13, requestParameters=None),
    ],
    ids=["failed", "of another queue", "of nothing"],
)
def test_other_events_do_not_count(newest: Event) -> None:
    assert Trail(event(), newest).author() == Author(ALICE, "2026-01-31T12:00:00Z")


@pytest.mark.parametrize("agent", [TERRAFORM, "Boto3/1.40 md/Botocore gen-infra/0.1.0"])
@pytest.mark.parametrize("name", ["UpdateJobQueue", "CreateJobQueue"])
def test_what_was_done_before_an_apply_explains_nothing(agent: str, name: str) -> None:
    made = event(name, hour=13, agent=agent, requestParameters={"jobQueueName": "main-test"})
    assert Trail(event(), made).author() is None


def test_what_was_done_to_a_predecessor_explains_nothing() -> None:
    assert Trail(event(), event("CreateJobQueue", hour=13)).author() is None


def test_what_an_apply_does_not_revert_keeps_its_author_after_it() -> None:
    def attached(hour: int, agent: str, policy: str) -> Event:
        said = {"roleName": "r", "policyArn": policy}
        return event("AttachRolePolicy", hour=hour, agent=agent, requestParameters=said)

    trail = Trail(attached(12, "console", "arn:m"), attached(13, TERRAFORM, "arn:m"), attached(14, "cli", "arn:other"))
    assert trail.author(events_adding("AttachRolePolicy", "r", "arn:m")) == Author(ALICE, "2026-01-31T12:00:00Z")


def test_parameters_are_searched_to_their_depth() -> None:
    rule = {"ipProtocol": "tcp", "fromPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}
    said = {"groupId": "sg-1", "ipPermissions": {"items": [rule]}}
    trail = Trail(event("AuthorizeSecurityGroupIngress", requestParameters=said))
    assert trail.author(events_adding("AuthorizeSecurityGroupIngress", "sg-1", "0.0.0.0/0", "22")) is not None
    assert trail.author(events_adding("AuthorizeSecurityGroupIngress", "sg-1", "0.0.0.0/0", "443")) is None


def test_each_request_is_sent_once_and_not_too_fast() -> None:
    trail = Trail(event())
    history = trail.history()
    assert history.author(QUEUE) == history.author(QUEUE)
    assert trail.asked == [("EventName", "CreateJobQueue"), ("EventName", "UpdateJobQueue")]
    assert trail.pauses == [0.5]


def test_with_too_many_events_those_of_the_resource_are_searched() -> None:
    noise = [event(hour=20, requestParameters={"jobQueue": f"other-{number}"}) for number in range(5)]
    trail = Trail(*noise, event() | {"Resources": [{"ResourceName": "arn:main"}]})
    trail.per_page = 2
    assert trail.author() == Author(ALICE, "2026-01-31T12:00:00Z")
    assert trail.asked[-2:] == [("ResourceName", "arn:main"), ("ResourceName", "main-test")]
    assert len(trail.asked) == 5


@pytest.mark.parametrize(
    ("region", "partition", "home"),
    [
        ("eu-central-1", "aws", ["us-east-1"]),
        ("us-gov-east-1", "aws-us-gov", ["us-gov-west-1"]),
        ("us-iso-east-1", "aws-iso", []),
        ("us-east-1", "aws", []),
    ],
)
def test_iam_events_are_searched_in_their_region(
    monkeypatch: pytest.MonkeyPatch, region: str, partition: str, home: list[str]
) -> None:
    trail = Trail(event("PutRolePolicy", requestParameters={"roleName": "r", "policyName": "p"}))
    opened: list[str] = []

    def clients(region: str) -> session.Clients:
        opened.append(region)
        return trail.account.clients

    monkeypatch.setattr(authors, "clients", clients)
    trail.account.clients.region = region
    assert EventHistory(trail.account.clients, partition, trail.pauses.append).author(
        events_adding("PutRolePolicy", "r", "p")
    )
    assert opened == home


class TestRefusals:
    def test_the_search_stops_at_the_first_refusal(self) -> None:
        trail = Trail()
        trail.account.answers = {"LookupEvents": Refusal("AccessDeniedException")}
        history = trail.history()
        assert history.author(QUEUE) is None
        assert history.problem == (
            "no permission to search CloudTrail: the credentials need a policy that allows LookupEvents"
        )
        trail.account.answers = {}  # another question would be a KeyError
        assert history.author(events_adding("PutRolePolicy", "r", "p")) is None

    def test_a_throttled_search_is_no_error(self) -> None:
        trail = Trail()
        trail.account.answers = {"LookupEvents": Refusal("ThrottlingException")}
        history = trail.history()
        assert history.author(QUEUE) is None
        assert history.problem == "cannot search CloudTrail: AWS throttles LookupEvents (ThrottlingException)"

    def test_the_search_has_a_limit(self) -> None:
        trail = Trail()
        history = trail.history()
        for number in range(MOST_QUESTIONS + 5):
            history.author(events_adding(f"Event{number}", "main-test"))
        assert len(trail.asked) == MOST_QUESTIONS
        assert f"stopped after {MOST_QUESTIONS} requests" in history.problem


class TestDrift:
    """What a drift is given."""

    @pytest.fixture(autouse=True)
    def _here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.manifest, self.monkeypatch = accept(tmp_path), monkeypatch
        monkeypatch.setattr(authors, "_SECONDS_APART", 0)

    def authored(self, account: Account, *entries: Event) -> tuple[tuple[Drift, ...], list[str]]:
        self.monkeypatch.setattr(session, "clients", lambda _region: account.clients)
        found, notes = drift(PlanContent({"resource_drift": list(entries)})), list[str]()
        return with_authors(found, account.clients, self.manifest.partition, notes.append), notes

    def test_a_launch_template_names_its_author_where_cloudtrail_refuses(self) -> None:
        account, now = Account(), datetime(2026, 1, 31, 12, tzinfo=UTC)
        version = {"CreatedBy": "arn:bob", "CreateTime": now}
        account.answers = {
            "LookupEvents": Refusal("AccessDeniedException"),
            "DescribeLaunchTemplateVersions": lambda request: {
                "LaunchTemplateVersions": [version] if request["LaunchTemplateId"] == "lt-1" else []
            },
        }
        known = {"id": "lt-1", "name": "spot-test-20260131", "name_prefix": "spot-test-"}
        template = entry("aws_launch_template", {**known, "latest_version": 1}, {**known, "latest_version": 2})
        queue = entry("aws_batch_job_queue", {"name": "main-test"}, None)
        (first, second), notes = self.authored(account, template, queue)
        assert (first.who, first.when) == ("arn:bob", "2026-01-31T12:00:00Z")
        assert (second.who, second.when) == ("", "")
        (note,) = notes
        assert note.startswith("no permission to search CloudTrail: ")

    def test_an_event_can_be_late(self) -> None:
        queue = entry("aws_batch_job_queue", {"name": "main-test"}, None)
        (found,), notes = self.authored(Trail().account, queue)
        assert found.who == ""
        assert notes == [NAMELESS]
        assert "15 minutes" in NAMELESS

    def test_no_note_if_every_author_is_known(self) -> None:
        queue = entry("aws_batch_job_queue", {"name": "main-test", "arn": "arn:main"}, None)
        account = Trail(event("DeleteJobQueue")).account
        (found,), notes = self.authored(account, queue)
        assert (found.who, notes) == (ALICE, [])
