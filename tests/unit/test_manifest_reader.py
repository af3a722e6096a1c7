"""Strict YAML: what is refused, where, and with which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen_infra.manifest.reader import MAX_BYTES, MAX_DEPTH, Unreadable, plain, read

# text, line, column, a part of the message
REFUSED = [
    ("", 1, 1, "is empty"),
    ("# only a comment\n", 1, 1, "is empty"),
    ("- a\n- b\n", 1, 1, "a mapping"),
    ("just words\n", 1, 1, "a mapping"),
    ("a: 1\na: 2\n", 2, 1, "already on line 1"),
    ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4, 3, "already on line 2"),
    ("a: &anchor 1\n", 1, 4, "anchor"),
    ("a: *alias\n", 1, 4, "alias"),
    ("a: !!python/object:os.system ls\n", 1, 4, "tag"),
    ("a: !custom {b: 1}\n", 1, 4, "tag"),
    ("a:\n  <<: {b: 1}\n", 2, 3, "merge key"),
    ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
    ("a: NO\n", 1, 4, "different things"),
    ("a: yes\n", 1, 4, "different things"),
    ("a: On\n", 1, 4, "different things"),
    ("a: Y\n", 1, 4, "different things"),
    ("a: True\n", 1, 4, "different things"),
    ("a: FALSE\n", 1, 4, "different things"),
    ("a: NULL\n", 1, 4, "different things"),
    ("a: ~\n", 1, 4, "different things"),
    ("account: 012345670123\n", 1, 10, "different things"),
    ("a: 12:30:00\n", 1, 4, "different things"),
    ("a: 1_000\n", 1, 4, "different things"),
    ("a: 0x1F\n", 1, 4, "different things"),
    ("a: 0o17\n", 1, 4, "different things"),
    ("a: 0b11\n", 1, 4, "different things"),
    ("a: +1\n", 1, 4, "different things"),
    ("a: 1e3\n", 1, 4, "different things"),
    ("a: 1.\n", 1, 4, "different things"),
    ("a: .5\n", 1, 4, "different things"),
    ("a: .inf\n", 1, 4, "different things"),
    ("a: -.INF\n", 1, 4, "different things"),
    ("a: .nan\n", 1, 4, "different things"),
    ("a: 2026-11-22\n", 1, 4, "different things"),
    ("a: 2026-11-22T10:00:00Z\n", 1, 4, "different things"),
    ("on: 1\n", 1, 1, "different things"),
    ("1: a\n", 1, 1, "in quotes"),
    ("true: a\n", 1, 1, "in quotes"),
    ("[a, b]: c\n", 1, 1, "a key is a word"),
    ("a: [1, 2\n", 2, 1, "is not YAML"),
    ("a: b: c\n", 1, 5, "is not YAML"),
    ("a: 'open\n", 2, 1, "is not YAML"),
    ("a:\n\t- b\n", 2, 1, "is not YAML"),
    ("a: \x07\n", 1, 1, "YAML forbids"),
    ("a: b\n  c: d\n", 2, 4, "is not YAML"),
    ("a: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1) + "\n", 1, 3 + MAX_DEPTH, "nested deeper"),
    ("a: [" + "1," * 100_001 + "]\n", 1, None, "more than 100,000 values"),
    ("# " + "x" * MAX_BYTES + "\n", 1, 1, "larger than"),
]


@pytest.mark.parametrize(("text", "line", "column", "says"), REFUSED, ids=[repr(case[0][:24]) for case in REFUSED])
def test_refuses(tmp_path: Path, text: str, line: int, column: int | None, says: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(Unreadable) as refusal:
        read(path, "m.yaml")
    problem = refusal.value.problem
    assert says in problem.message
    assert problem.line == line
    assert column is None or problem.column == column
    assert str(problem).startswith(f"m.yaml:{line}:{problem.column}: ")


def test_refuses_what_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(Unreadable, match=r"m.yaml:2:1: is not UTF-8 text"):
        read(path, "m.yaml")


def test_refuses_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no such file"):
        read(tmp_path / "m.yaml", "m.yaml")
    with pytest.raises(Unreadable, match="cannot be read"):
        read(tmp_path, "m.yaml")


def test_reads_what_everybody_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "\N{BYTE ORDER MARK}# a comment\n"
        "text: plain words\n"
        "number: 32\n"
        "negative: -5\n"
        "fraction: 0.25\n"
        "yes_or_no: true\n"
        'account: "012345678901"\n'
        "quoted: 'NO'\n"
        "words: [yesterday, nothing, onward, 10Gi, v1.2.3, 1.2.3]\n"
        "nothing:\n"
        "block: |\n  two\n  lines\n"
    )
    assert plain(read(path, "m.yaml")) == {
        "text": "plain words",
        "number": 32,
        "negative": -5,
        "fraction": 0.25,
        "yes_or_no": True,
        "account": "012345678901",
        "quoted": "NO",
        "words": ["yesterday", "nothing", "onward", "10Gi", "v1.2.3", "1.2.3"],
        "nothing": None,
        "block": "two\nlines\n",
    }
