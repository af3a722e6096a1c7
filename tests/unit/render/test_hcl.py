"""The interesting cases of the HCL encoder; test_hcl_roundtrip.py has the real terraform."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from gen_infra.render.hcl import Hcl, attributes, encode, label, reference


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("isaac-prod", '"isaac-prod"'),
        ("", '""'),
        ('say "hi" \\ there', r'"say \"hi\" \\ there"'),
        ("a\nb\r\tc", r'"a\nb\r\tc"'),
        ("\0\x08\x0c\x7f", r'"\u0000\u0008\u000c\u007f"'),
        ("/'<>&", '"/\'<>&"'),
        ("${file(1)} %{if}", r'"\u0024{file(1)} \u0025{if}"'),
        ("$${x} %%{x}", r'"\u0024\u0024{x} \u0025\u0025{x}"'),
        ("$HOME is 5 % of $5", '"$HOME is 5 % of $5"'),
        ("50%", r'"50\u0025"'),
        ("$", r'"\u0024"'),
        ("a$$b", r'"a\u0024$b"'),
        ("EOF\n<<EOF", r'"EOF\n<<EOF"'),
        ("Zürich 你好 €", '"Zürich 你好 €"'),
        ("\u202eabc\u200b\u2028\xa0\ufeff", r'"\u202eabc\u200b\u2028\u00a0\ufeff"'),
        ("q\u0301", r'"q\u0301"'),
        ("\U0001f600\U0010ffff", r'"\U0001f600\U0010ffff"'),
    ],
)
def test_strings(text: str, expected: str) -> None:
    assert encode(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-5, "-5"),
        (2**512 - 1, str(2**512 - 1)),
        (0.0001, "0.0001"),
        (1e22, "10000000000000000000000"),
        (-1.5e-7, "-0.00000015"),
        ([], "[]"),
        ((), "[]"),
        ({}, "{}"),
        ([1, "a", None, reference("local.x")], '[1, "a", null, local.x]'),
        ([[1], {}], "[\n  [1],\n  {},\n]"),
        (MappingProxyType({"a": 1}), "{\n  a = 1\n}"),
    ],
)
def test_values(value: object, expected: str) -> None:
    assert encode(value) == expected
    assert type(encode(value)) is Hcl


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("e\u0301", "normal form C"),
        ("\u212b", "normal form C"),
        ("\ud83d", "surrogate"),
        ({"e\u0301": 1}, "normal form C"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (2**512, "512 bits"),
    ],
)
def test_what_terraform_would_change_is_refused(value: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        encode([value])


@pytest.mark.parametrize("value", [b"bytes", {1}, object(), {1: "a"}, {None: 1}, 1j])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        encode([value])


def test_layout_is_that_of_terraform_fmt() -> None:
    value = {
        "name": "isaac",
        "resourceRequirements": [{"type": "VCPU", "value": "32"}, {"type": "MEMORY", "value": "80000"}],
        "command": ["--working_dir", "/scratch"],
        "a.b": {"x": 1, "long_name": {"y": []}},
        "for": [{"nested": [1]}],
        "n": "x" * 100,
        "list": ["x" * 50, "y" * 50],
    }

    assert encode(value, 2) == "\n".join(
        (
            "{",
            '    name = "isaac"',
            "    resourceRequirements = [",
            '      { type = "VCPU", value = "32" },',
            '      { type = "MEMORY", value = "80000" },',
            "    ]",
            '    command = ["--working_dir", "/scratch"]',
            '    "a.b" = {',
            "      x = 1",
            "      long_name = {",
            "        y = []",
            "      }",
            "    }",
            '    "for" = [',
            "      {",
            "        nested = [1]",
            "      },",
            "    ]",
            f'    n = "{"x" * 100}"',
            "    list = [",
            f'      "{"x" * 50}",',
            f'      "{"y" * 50}",',
            "    ]",
            "  }",
        )
    )


def test_equal_signs_line_up_within_a_group_of_single_lines() -> None:
    assert encode({"a": 1, "bbb": 2, "c": {"d": 1}, "ee": 3, "é": 4}) == (
        '{\n  a   = 1\n  bbb = 2\n  c = {\n    d = 1\n  }\n  ee       = 3\n  "\\u00e9" = 4\n}'
    )


@pytest.mark.parametrize("name", ["true", "false", "null", "for", "if", "in", "", "0", "a b", "x:y", "-a", "${a}"])
def test_keys_that_are_no_names_are_quoted(name: str) -> None:
    assert encode({name: 1}) == f"{{\n  {encode(name)} = 1\n}}"


def test_attributes_leave_out_none_and_start_where_they_are_put() -> None:
    fields = {"name": "isaac", "path": None, "type": "container", "tags": {"a": None}}

    assert attributes(fields, 2) == 'name = "isaac"\n  type = "container"\n  tags = {\n    a = null\n  }'
    with pytest.raises(ValueError, match="identifier"):
        attributes({"a b": 1})


@pytest.mark.parametrize("name", ["isaac", "samtoolsStats", "_a", "a-b_C9"])
def test_identifiers_are_labels(name: str) -> None:
    assert label(name) == name
    assert type(label(name)) is Hcl


@pytest.mark.parametrize("name", ["", "9a", "-a", "a b", "a.b", 'a"', "a\n", "é", "a${b}", "٣a"])
def test_anything_else_is_no_label(name: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        label(name)


@pytest.mark.parametrize(
    "text", ["module.encryption.key_arn", "aws_subnet.private[0].id", 'local.arns["a/b:c"]', 'module.compute["x"].arn']
)
def test_references(text: str) -> None:
    assert encode({"a": reference(text)}) == f"{{\n  a = {text}\n}}"


@pytest.mark.parametrize(
    "text",
    ["", "local", "a.", ".a", "a..b", "a.b\n", "a.b + 1", "f(a.b)", 'a["${b}"]', "a[b]", "a.b # x", "a[-1]", "a.1b"],
)
def test_anything_else_is_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match="reference"):
        reference(text)


def test_encoded_text_of_several_lines_is_not_put_on_one() -> None:
    inner = encode({"b": {"c": 1}}, 4)

    assert encode([{"a": inner}]) == f"[\n  {{\n    a = {inner}\n  }},\n]"
    assert encode([inner]) == f"[\n  {inner},\n]"


def test_operations_on_hcl_give_plain_text() -> None:
    one = encode("a")

    for text in (one + one, one + "b", one * 2, one.upper(), one[:], one.strip(), one.replace("a", "b"), f"{one}"):
        assert type(text) is str
