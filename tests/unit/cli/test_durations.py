from __future__ import annotations

from datetime import timedelta

import pytest

from gen_infra.cli.durations import duration


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
def test_a_span_of_time(text: str, span: timedelta | None) -> None:
    assert duration(text) == span
