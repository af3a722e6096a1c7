"""YAML that is read back as what it was, by YAML 1.1 as PyYAML reads it and by a reader of YAML 1.2."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gen_infra.render.yaml import to_yaml

LOOKALIKES = [
    *(
        "NO",
        "y",
        "null",
        "~",
        "012345670123",
        "12:30:00",
        "1e3",
        "0o14",
        "0x1f",
        "1_000",
        ".5",
        ".inf",
        "2001-01-01",
        "=",
    ),
    *(
        "<<",
        "---",
        "...",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#",
        "&a",
        "*a",
        "!a",
        "|",
        "%",
        "@",
        "`",
        "{",
        "[",
        "a\nb",
        " a",
        "a ",
    ),
]
texts = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(LOOKALIKES)
scalars = st.one_of(texts, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4))


@given(values)
def test_values_come_back_equal(value: object) -> None:
    assert yaml.safe_load(to_yaml(value)) == value


def test_a_manifest_reads_well() -> None:
    value = {
        "name": "prod",
        "account": "123456789012",
        "tags": {"CostCenter": "4711", "Owner": "Zürich"},
        "ratio": 1e22,
        "command": ["--working_dir", "/scratch"],
        "long": ["x" * 50, "y" * 50],
        "empty": {"list": [], "map": {}, "nothing": None},
        "rules": [{"a": 1, "b": [True, {"c": "yes"}]}, [[]]],
    }

    assert to_yaml(value) == "\n".join(
        (
            "name: prod",
            'account: "123456789012"',
            "tags:",
            '  CostCenter: "4711"',
            '  Owner: "Zürich"',
            "ratio: 1.0e+22",
            'command: ["--working_dir", /scratch]',
            "long:",
            f"  - {'x' * 50}",
            f"  - {'y' * 50}",
            "empty:",
            "  list: []",
            "  map: {}",
            "  nothing: null",
            "rules:",
            "  - a: 1",
            "    b:",
            "      - true",
            '      - c: "yes"',
            "  - - []",
            "",
        )
    )


@pytest.mark.parametrize(
    "text", ["1e3", "0o14", "0b1", ".5", "012", "1_0", "Yes", "off", "~", "", "null", "-1", "a:", "é"]
)
def test_what_some_reader_may_misread_is_quoted(text: str) -> None:
    assert to_yaml(text) == f'"{text}"\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"x", {1, 2}, object()])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError), match="cannot be written as YAML"):
        to_yaml([value])


def test_keys_may_be_long() -> None:
    value = {"k" * 1200: {"x": 1, "a b" * 500: [{"z" * 1100: 2}, 3]}, "short": {"é" * 400: "text"}}
    assert yaml.safe_load(to_yaml(value)) == value
