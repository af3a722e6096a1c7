"""What AWS bills, from the answers of Cost Explorer."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gen_infra.cost.explorer import BilledGroup, billed
from gen_infra.errors import UsageError
from tests.unit.recorded import Account

DAYS = date(2026, 11, 1), date(2026, 11, 30)


def group(usd: str, *keys: str) -> dict[str, Any]:
    return {"Keys": list(keys), "Metrics": {"UnblendedCost": {"Amount": usd, "Unit": "USD"}}}


def of(environment: str) -> str:
    return f"gen-infra:cost${environment}"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Account:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    return Account()


def answered(*groups: dict[str, Any]) -> dict[str, Any]:
    return {"ResultsByTime": [{"Groups": list(groups)}]}


def test_the_environments_costs_by_service(aws: Account) -> None:
    asked = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        if "NextPageToken" in request:
            return answered(group("1.5", of("prod"), "EC2 - Other"), group("2.5", of("prod"), "EC2"))
        first = answered(group("10.25", of("prod"), "EC2"), group("99", of("dev"), "EC2"), group("7", of(""), "EC2"))
        return first | {"NextPageToken": "more"}

    aws.answers = {"GetCostAndUsage": answer}
    assert billed(aws.clients, "prod", *DAYS) == [BilledGroup("EC2", 12.75), BilledGroup("EC2 - Other", 1.5)]
    assert asked[0]["TimePeriod"] == {"Start": "2026-11-01", "End": "2026-11-30"}


def test_costs_by_a_tag(aws: Account) -> None:
    groups = group("4", of("prod"), "Project$rare"), group("6", of("prod"), "Project$")
    aws.answers = {"GetCostAndUsage": answered(*groups)}
    assert billed(aws.clients, "prod", *DAYS, tag="Project") == [BilledGroup("", 6), BilledGroup("rare", 4)]


def test_a_tag_that_is_not_active_is_an_error_that_says_how_to_activate_it(aws: Account) -> None:
    aws.answers = {"GetCostAndUsage": answered(group("7", of(""), "EC2"))}
    with pytest.raises(UsageError, match="no costs of the environment prod in this time") as refused:
        billed(aws.clients, "prod", *DAYS)
    assert refused.value.hint
    assert "TagKey=gen-infra:cost,Status=Active" in refused.value.hint
    aws.answers = {"GetCostAndUsage": answered(group("7", of("prod"), "Project$"))}
    with pytest.raises(UsageError, match="no costs of the tag Project"):
        billed(aws.clients, "prod", *DAYS, tag="Project")
