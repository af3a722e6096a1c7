from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gen_infra.cli.durations import duration, parse_since
from gen_infra.errors import UsageError

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("3d", timedelta(days=3)),
        ("0", timedelta()),
        ("0m", timedelta()),
        ("30", None),
        ("m", None),
        ("-5m", None),
        ("5m\n", None),
        ("٣d", None),
        ("1.5h", None),
        ("", None),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, span: timedelta | None) -> None:
    assert duration(text) == span


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("10m", "2026-09-30T11:50:00+00:00"),
        ("2h", "2026-09-30T10:00:00+00:00"),
        ("3d", "2026-09-27T12:00:00+00:00"),
        ("99999d", "1752-12-16T12:00:00+00:00"),
        ("2026-09-30T09:30:00Z", "2026-09-30T09:30:00+00:00"),
        ("2026-09-30T09:30:00", "2026-09-30T09:30:00+00:00"),
        ("2026-09-30T09:30:00+02:00", "2026-09-30T09:30:00+02:00"),
    ],
)
def test_since_is_a_duration_before_now_or_a_time(text: str, time: str) -> None:
    assert parse_since(text, NOW).isoformat() == time


@pytest.mark.parametrize("text", ["", "yesterday", "10", "-1h", "999999d"])
def test_anything_else_is_an_invalid_time(text: str) -> None:
    with pytest.raises(UsageError, match="invalid time"):
        parse_since(text, NOW)
