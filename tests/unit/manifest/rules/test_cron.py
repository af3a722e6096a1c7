"""Cron expressions of EventBridge Scheduler: valid, invalid, and valid but without a day to come."""

from __future__ import annotations

from datetime import date

import pytest

from gen_infra.manifest.rules.cron import cron_objections

TODAY = date(2026, 6, 15)


# From https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html, and similar ones.
@pytest.mark.parametrize(
    "expression",
    [
        "15 10 * * ? *",
        "0 18 ? * MON-FRI *",
        "0 8 1 * ? *",
        "0/10 * ? * MON-FRI *",
        "0,30 20-23 ? JAN,JUL 2#1 2026-2030",
        "0 3 L * ? *",
        "0 3 LW 2 ? *",
        "0 3 15W * ? *",
        "0 3 ? * 6L *",
        "0 3 ? * L *",
        "0 3 29 2 ? *",
        "0 3 29 2 ? 2028",
        "0 3 31 2,3 ? *",
        "0 3 31W 3 ? *",
        "0 3 15 6 ? 2026",
        "0 3 1/10 * ? *",
        "0 3 1-10/3 * ? *",
        "*/15 0-23/2 ? * * 2026/4",
        "0 3 ? 2 SUN#5 *",
        "0 3 ? 6 TUE#5 2026",
        "0 3 ? * SUN,WED-FRI *",
    ],
)
def test_valid(expression: str) -> None:
    assert list(cron_objections(expression, TODAY)) == []


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("60 3 ? * SUN *", 'invalid minute "60"'),
        ("30-10 3 ? * SUN *", 'invalid minute "30-10"'),
        ("0 20-4 ? * SUN *", 'invalid hour "20-4"'),
        ("0 3 20-10 * ? *", 'invalid day of the month "20-10"'),
        ("0 3 ? DEC-FEB SUN *", 'invalid month "DEC-FEB"'),
        ("0 3 ? * SAT-SUN *", 'invalid day of the week "SAT-SUN"'),
        ("0 3 ? * SUN 2030-2027", 'invalid year "2030-2027"'),
        ("0 3 0 * ? *", 'invalid day of the month "0"'),
        ("0 3 32W * ? *", 'invalid day of the month "32W"'),
        ("0 3 1,15W * ? *", 'invalid day of the month "1,15W"'),
        ("0 3 L-3 * ? *", 'invalid day of the month "L-3"'),
        ("0 3 ? 13 SUN *", 'invalid month "13"'),
        ("0 3 ? FOO SUN *", 'invalid month "FOO"'),
        ("0 3 ? L SUN *", 'invalid month "L"'),
        ("0 3 ? * 0 *", 'invalid day of the week "0"'),
        ("0 3 ? * SUN#6 *", 'invalid day of the week "SUN#6"'),
        ("0 3 ? * 3#1,6#3 *", 'invalid day of the week "3#1,6#3"'),
        ("0 3 ? * 1/2 *", 'invalid day of the week "1/2"'),
        ("0 3 ? * SUN 1969", 'invalid year "1969"'),
        ("0 3 ? * SUN 2200", 'invalid year "2200"'),
        ("0/0 3 ? * SUN *", 'invalid minute "0/0"'),
        ("0/ 3 ? * SUN *", 'invalid minute "0/"'),
        ("/5 3 ? * SUN *", 'invalid minute "/5"'),
        ("1-2-3 3 ? * SUN *", 'invalid minute "1-2-3"'),
        ("5- 3 ? * SUN *", 'invalid minute "5-"'),
        ("1, 3 ? * SUN *", 'invalid minute "1,"'),
        ("? 3 ? * SUN *", 'invalid minute "?"'),
        ("0 3 * * * *", "exactly one of day of the month and day of the week must be ?"),
        ("0 3 ? * ? *", "exactly one of day of the month and day of the week must be ?"),
    ],
)
def test_invalid(expression: str, says: str) -> None:
    (objection,) = cron_objections(expression, TODAY)
    assert objection.startswith(says)


@pytest.mark.parametrize(
    "expression",
    [
        "0 3 31 2 ? *",
        "0 3 30 2 ? *",
        "0 3 31 4,6,9,11 ? *",
        "0 3 31W 2 ? *",
        "0 3 29 2 ? 2027",
        "0 3 1 1 ? 2025",
        "0 3 ? * SUN 1970-2025",
        "0 3 ? JAN-MAY SUN 2026",
        "0 3 14 6 ? 2026",
        "0 3 ? 2 SUN#5 2027",
        "0 3 ? 6 SUN#5 2026",
    ],
)
def test_never_comes(expression: str) -> None:
    assert list(cron_objections(expression, TODAY)) == [f'no day matches "{expression}" from 2026-06-15 on']
