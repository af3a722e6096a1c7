"""Wildcards, against a matcher that is written as AWS describes them."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen_infra.iam.matching import is_like


def described(text: str, pattern: str) -> bool:
    """Match with ``*`` for any text and ``?`` for one character, without regular expressions."""

    @cache
    def matches(at: int, of: int) -> bool:
        if of == len(pattern):
            return at == len(text)
        if pattern[of] == "*":
            return matches(at, of + 1) or (at < len(text) and matches(at + 1, of))
        return at < len(text) and pattern[of] in (text[at], "?") and matches(at + 1, of + 1)

    return matches(0, 0)


@given(st.text("ab.", max_size=12), st.text("ab.*?", max_size=10))
def test_any_pattern_matches_as_described(text: str, pattern: str) -> None:
    assert is_like(text, pattern) == described(text, pattern)


@pytest.mark.parametrize(("pattern", "expected"), [("*a" * 60 + "*b", False), ("*a" * 60, True), ("*" * 300, True)])
def test_many_wildcards_take_no_time(pattern: str, expected: bool) -> None:
    assert is_like("a" * 2000, pattern) == expected
