"""Strict YAML: what is refused, where, and with which words."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from gen_infra.manifest import load
from gen_infra.manifest.reading import reader
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.manifest.reading.nodes import Problem, plain
from gen_infra.manifest.reading.reader import MAX_BYTES, MAX_DEPTH, MAX_PROBLEMS, Unreadable, read

if TYPE_CHECKING:
    from pathlib import Path

# text, where in it the secret starts, what it is; put together here so that no scanner finds them in this file
SECRETS = [
    ("AKIA" + "IOSFODNN7EXAMPLE", 0, "an AWS access key"),
    ("ASIA" + "IOSFODNN7EXAMPLE", 0, "an AWS access key"),
    ("wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY", 0, "an AWS secret key"),
    ("FwoGZXIvYXdz" + "EBYaDExampleExampleExample", 0, "an AWS session token"),
    ("IQoJb3JpZ2lu" + "X2VjEExampleExampleExample", 0, "an AWS session token"),
    ("-----BEGIN" + " RSA PRIVATE KEY-----", 0, "a private key"),
    ("-----BEGIN" + " PRIVATE KEY-----", 0, "a private key"),
    ("-----BEGIN" + " OPENSSH PRIVATE KEY-----", 0, "a private key"),
    ("-----BEGIN" + " PGP PRIVATE KEY BLOCK-----", 0, "a private key"),
    ("ghp_" + "a1B2" * 9, 0, "a GitHub token"),
    ("github_pat_" + "a1B2" * 9, 0, "a GitHub token"),
    ("glpat-" + "a1B2" * 5, 0, "a GitLab token"),
    ("xoxb-" + "123456789012-abcdef", 0, "a Slack token"),
    ("https://hooks.slack.com" + "/services/T0001/B0001/xyz", 8, "a Slack token"),
    ("eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", 0, "a JSON web token"),
    ("AIza" + "a1B2c" * 7, 0, "a Google API key"),
    ("sk_live_" + "a1B2" * 5, 0, "a Stripe key"),
    ("sk-ant-" + "a1B2" * 8, 0, "an API key"),
    ("npm_" + "a1B2" * 9, 0, "a package registry's token"),
    ("postgres://admin:" + "hunter2@db.example.com/x", 8, "a password in a URL"),
    ("--password=" + "hunter2", 2, "a password on a command line"),
    ("--db-token=" + "hunter2", 5, "a password on a command line"),
]
SECRET_KEYS = (
    "DB_PASSWORD", "password", "MYSQL_PWD", "dbPassword", "api-key", "API_KEY", "apiKey", "GITHUB_TOKEN", "secret",
    "CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY", "private_key", "passphrase", "Credentials", "auth.token",
)  # fmt: skip

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
    ("a: NO\n", 1, 4, "is ambiguous in YAML"),
    ("a: yes\n", 1, 4, "is ambiguous in YAML"),
    ("a: On\n", 1, 4, "is ambiguous in YAML"),
    ("a: Y\n", 1, 4, "is ambiguous in YAML"),
    ("a: True\n", 1, 4, "is ambiguous in YAML"),
    ("a: FALSE\n", 1, 4, "is ambiguous in YAML"),
    ("a: NULL\n", 1, 4, "is ambiguous in YAML"),
    ("a: ~\n", 1, 4, "is ambiguous in YAML"),
    ("account: 012345670123\n", 1, 10, "is ambiguous in YAML"),
    ("a: 12:30:00\n", 1, 4, "is ambiguous in YAML"),
    ("a: 1_000\n", 1, 4, "is ambiguous in YAML"),
    ("a: 0x1F\n", 1, 4, "is ambiguous in YAML"),
    ("a: 0o17\n", 1, 4, "is ambiguous in YAML"),
    ("a: 0b11\n", 1, 4, "is ambiguous in YAML"),
    ("a: +1\n", 1, 4, "is ambiguous in YAML"),
    ("a: 1e3\n", 1, 4, "is ambiguous in YAML"),
    ("a: 1.\n", 1, 4, "is ambiguous in YAML"),
    ("a: .5\n", 1, 4, "is ambiguous in YAML"),
    ("a: .inf\n", 1, 4, "is ambiguous in YAML"),
    ("a: -.INF\n", 1, 4, "is ambiguous in YAML"),
    ("a: .nan\n", 1, 4, "is ambiguous in YAML"),
    ("a: 2026-11-22\n", 1, 4, "is ambiguous in YAML"),
    ("a: 2026-11-22T10:00:00Z\n", 1, 4, "is ambiguous in YAML"),
    ("on: 1\n", 1, 1, "is ambiguous in YAML"),
    ("1: a\n", 1, 1, "in quotes"),
    ("true: a\n", 1, 1, "in quotes"),
    ("[a, b]: c\n", 1, 1, "a key should be text"),
    ("a: [1, 2\n", 2, 1, "is not YAML"),
    ("a: b: c\n", 1, 5, "is not YAML"),
    ("a: 'open\n", 2, 1, "is not YAML"),
    ("a:\n\t- b\n", 2, 1, "is not YAML"),
    ("a: b\n  c: d\n", 2, 4, "is not YAML"),
    ("a: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1) + "\n", 1, 3 + MAX_DEPTH, "nested deeper"),
    ("a: \x07\n", 1, 4, "U+0007 is a control character"),
    ("a: b\x00c\n", 1, 5, "U+0000 is a control character"),
    ("a: b\x7f\n", 1, 5, "U+007F is a control character"),
    ("a: b\x85c\n", 1, 5, "U+0085 is a control character"),
    ("a: \x1b[2Jb\n", 1, 4, "U+001B is a control character"),
    ("a: b\rc: d\n", 1, 5, "U+000D is a control character"),
    ("a: b\u2028c\n", 1, 5, "U+2028 LINE SEPARATOR is a line break that most editors do not show"),
    ("a: b\u2029c\n", 1, 5, "U+2029 PARAGRAPH SEPARATOR"),
    ("a: pr\u200bod\n", 1, 6, "U+200B ZERO WIDTH SPACE is an invisible character; remove it"),
    ("a: pr\u200cod\n", 1, 6, "U+200C ZERO WIDTH NON-JOINER"),
    ("a: pr\u200dod\n", 1, 6, "U+200D ZERO WIDTH JOINER"),
    ("a: pr\u2060od\n", 1, 6, "U+2060 WORD JOINER"),
    ("a: pr\u00adod\n", 1, 6, "U+00AD SOFT HYPHEN"),
    ("a: pr\ufeffod\n", 1, 6, "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
    ("\ufeff\ufeffa: prod\n", 1, 1, "U+FEFF"),
    ("a: pr\u115fod\n", 1, 6, "HANGUL CHOSEONG FILLER"),
    ("a: pr\u3164od\n", 1, 6, "HANGUL FILLER"),
    ("a: pr\ufe0fod\n", 1, 6, "VARIATION SELECTOR-16"),
    ("a: pr\U000e0041od\n", 1, 6, "U+E0041 TAG LATIN CAPITAL LETTER A"),
    ("a: pr\u2800od\n", 1, 6, "BRAILLE PATTERN BLANK"),
    ("pr\u200bod: a\n", 1, 3, "ZERO WIDTH SPACE"),
    ("a: 1 # a com\u200bment\n", 1, 13, "ZERO WIDTH SPACE"),
    ('a: "pr\\u200bod"\n', 1, 4, "ZERO WIDTH SPACE"),
    ('a: "pr\\x07od"\n', 1, 4, "U+0007"),
    ('a: "pr\\0od"\n', 1, 4, "U+0000"),
    ('a: "pr\\Nod"\n', 1, 4, "U+0085"),
    ('a: "pr\\_od"\n', 1, 4, "U+00A0"),
    ("a: b\u00a0c\n", 1, 5, "U+00A0 NO-BREAK SPACE is a special space character; use a plain space"),
    ("a: b\u3000c\n", 1, 5, "IDEOGRAPHIC SPACE"),
    ("a: b\u2003c\n", 1, 5, "EM SPACE"),
    ("a: \u202eevil\n", 1, 4, "U+202E RIGHT-TO-LEFT OVERRIDE is a character that changes the text direction"),
    ("a: \u2066evil\u2069\n", 1, 4, "LEFT-TO-RIGHT ISOLATE"),
    ("a: b\u200fc\n", 1, 5, "RIGHT-TO-LEFT MARK"),
    ("a: b\u061cc\n", 1, 5, "ARABIC LETTER MARK"),
    ("# \u202e comment\na: 1\n", 1, 3, "RIGHT-TO-LEFT OVERRIDE"),
    ('a: "\\u202eevil"\n', 1, 4, "RIGHT-TO-LEFT OVERRIDE"),
    ("a: b\ufffdc\n", 1, 5, "REPLACEMENT CHARACTER is a character without a defined meaning"),
    ("a: b\ue000c\n", 1, 5, "U+E000 is a character without a defined meaning"),
    ("a: b\uffffc\n", 1, 5, "U+FFFF"),
    ("a: cafe\u0301\n", 1, 4, "not in Unicode's normal form NFC: write U+00E9 instead of U+0065"),
    ("cafe\u0301: 1\n", 1, 1, "not in Unicode's normal form NFC"),
    ('a: "cafe\\u0301"\n', 1, 4, "not in Unicode's normal form NFC"),
    ("a: \u212b\n", 1, 4, "write U+00C5 instead of U+212B"),
    ("a: 1\nb: \u1100\u1161\n", 2, 4, "write U+AC00 instead of U+1100"),
    ("a: checkov:skip=CKV_AWS_1:because\n", 1, 4, "checkov:skip turns off a security scanner"),
    ("a: 'x CHECKOV:SKIP=CKV_AWS_1'\n", 1, 7, "turns off a security scanner; remove it"),
    ("a: bridgecrew:skip=CKV_AWS_1\n", 1, 4, "bridgecrew:skip"),
    ("a: cortex:skip=CKV_AWS_1\n", 1, 4, "cortex:skip"),
    ("a: tfsec:ignore:aws-s3\n", 1, 4, "tfsec:ignore"),
    ("a: trivy:ignore:AVD-AWS-1\n", 1, 4, "trivy:ignore"),
    ("a: tflint-ignore all\n", 1, 4, "tflint-ignore"),
    ("a: kics-scan ignore\n", 1, 4, "kics-scan ignore"),
    ("a: nosemgrep\n", 1, 4, "nosemgrep"),
    ('a: "checkov\\x3askip=CKV_AWS_1"\n', 1, 4, "turns off a security scanner"),
    ('a: "checkov:\\\n  skip=CKV_AWS_1"\n', 1, 4, "turns off a security scanner"),
    ("checkov:skip=CKV_AWS_1: 1\n", 1, 1, "turns off a security scanner"),
    ("# checkov:skip=CKV_AWS_1\na: 1\n", 1, 3, "turns off a security scanner"),
    *(
        (f"a: {text}\n", 1, 4 + offset, f"this looks like {what}; keep it in AWS Secrets")
        for text, offset, what in SECRETS
    ),
    *((f"a: 1 # {text}\n", 1, 8 + offset, f"this looks like {what}; ") for text, offset, what in SECRETS),
    ('a: "AKIAIOSFODNN7\\x45XAMPLE"\n', 1, 4, "this looks like an AWS access key"),
    ("a: |\n  -----BEGIN EC PRIVATE KEY-----\n  MHcCAQEE\n", 2, 3, "this looks like a private key"),
    *(
        (f"a: {{{key}: hunter2}}\n", 1, 7 + len(key), f"{key} contains a secret in plain text; keep it")
        for key in SECRET_KEYS
    ),
    ("DB_PASSWORD: 12345\n", 1, 14, "DB_PASSWORD contains a secret"),
    ("DB_PASSWORD: 012345\n", 1, 14, "DB_PASSWORD contains a secret"),
    ("DB_PASSWORD: |\n  hunter2\n", 1, 14, "DB_PASSWORD contains a secret"),
    ("a: [x, --password, hunter2]\n", 1, 20, "--password contains a secret"),
    ("a: [x, --db-token, 12345]\n", 1, 20, "--db-token contains a secret"),
    ("a: &a [lol]\nb: &b [*a, *a]\nc: [*b, *b]\n", 1, 4, "anchor"),
    ("a: [" * 1000, 1, None, "nested deeper"),
    ("a: {" * 1000, 1, None, "nested deeper"),
    ("{a}: 1\n", 1, 1, "a key should be text"),
    ("? [a]\n: 1\n", 1, 3, "a key should be text"),
    ("a: {{x}}\n", 1, 5, "a key should be text"),
    ('a: "\\ud800"\n', 1, None, "is not YAML"),
    ("a: %x\n", 1, 4, "is not YAML"),
    ("a: @x\n", 1, 4, "is not YAML"),
    ("%YAML 1.1\n%YAML 1.1\n---\na: 1\n", 2, 1, "is not YAML"),
    ("a: 1\n...\n---\nb: 1\n", 3, 1, "second document"),
    ("a: 0777\n", 1, 4, "is ambiguous in YAML"),
    ("a: 190:20:30\n", 1, 4, "is ambiguous in YAML"),
    ("a: off\n", 1, 4, "is ambiguous in YAML"),
    ("a: n\n", 1, 4, "is ambiguous in YAML"),
    ("# " + "x" * MAX_BYTES + "\n", 1, 1, "larger than"),
]


def problems(folder: Path, text: str) -> list[Problem]:
    """Return what is wrong with this text, in the order in which it is found."""
    path = folder / "m.yaml"
    path.write_bytes(text.encode())
    found: list[Problem] = []
    try:
        read(path, "m.yaml", found)
    except Unreadable as unreadable:
        found.append(unreadable.problem)
    return found


@pytest.mark.parametrize(("text", "line", "column", "says"), REFUSED, ids=[repr(case[0][:24]) for case in REFUSED])
def test_refuses(tmp_path: Path, text: str, line: int, column: int | None, says: str) -> None:
    problem = problems(tmp_path, text)[0]
    assert says in problem.message
    assert problem.line == line
    assert column is None or problem.column == column
    assert str(problem).startswith(f"m.yaml:{line}:{problem.column}: ")


def test_refuses_too_many_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reader.MAX_NODES == 1_000_000
    monkeypatch.setattr(reader, "MAX_NODES", 1000)
    text = "a: [" + "1," * 1_000  # the mapping, the key and the list are values too
    (problem,) = problems(tmp_path, text)
    assert problem.message == "more than 1,000 values; no manifest needs that"


def test_refuses_what_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(Unreadable, match=r"m.yaml:2:1: is not UTF-8 text"):
        read(path, "m.yaml", [])


def test_refuses_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="file not found"):
        read(tmp_path / "m.yaml", "m.yaml", [])
    with pytest.raises(Unreadable, match="cannot be read"):
        read(tmp_path, "m.yaml", [])


def test_no_message_and_no_line_repeats_a_secret(tmp_path: Path) -> None:
    texts = [f"on: 1\na: {{no: [{secret!r}], on: 2}}\n" for secret, _, _ in SECRETS]
    texts += [f"{{{key}: hunter2, on: 1}}\n" for key in SECRET_KEYS] + [f"{key}: 'hunter2\n" for key in SECRET_KEYS]
    texts += [f"a: ], {key}: hunter2\n" for key in SECRET_KEYS]  # the parser does not get as far as the secret
    texts += ["a: {DB_PASSWORD:\n hunter2, on: 1}\n", "a: &AKIAIOSFODNN7EXAMPLE 1\n", "DB_PASSWORD: *hunter2x\n"]
    secrets = ["hunter2", "PRIVATE", *(secret for secret, _, _ in SECRETS)]
    for text in texts:
        found = problems(tmp_path, text)
        assert found, text
        for problem in found:
            shown = f"{problem}\n{problem.source_line}".replace("hunter2x", "")
            assert not any(secret in shown for secret in secrets), (text, shown)


def test_every_problem_of_the_text_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, "a: NO\nb: &x 1\nc: *x\nd: \u200b1\na: 2\n<<: {}\n1: 2\ne: !t x\nf: [\n")
    assert sorted({problem.line for problem in found}) == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert len(found) == 9


def test_the_problems_end(tmp_path: Path) -> None:
    found = problems(tmp_path, "a: [" + "no, " * 10_000 + "]\n")
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].message == f"more than {MAX_PROBLEMS} problems; fix those above first"


@pytest.mark.parametrize(
    "text",
    ["-----BEGIN " + "A " * 130_000, "://" * 100_000, "eyJ" * 100_000, "-password=" * 30_000, "--" * 150_000,
     "1_" * 150_000, "1:" * 150_000, "\u200b" * 100_000, "a" * 300_000, "A1a/" * 75_000, "gh" * 150_000,
     "k: " + "[" * 300_000, "k: {a: " * 33_000, "? " * 150_000, "- " * 150_000, "&a " * 100_000, "!!" * 150_000,
     "".join(f"unknown{number}: 1\n" for number in range(15_000)), "a" * 150_000 + ": 1\n"],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_no_text_takes_long(tmp_path: Path, text: str) -> None:
    for candidate in (text, f"a: {text}\n", f'a: "{text}"\n'):
        path = tmp_path / "m.yaml"
        path.write_text(candidate[:MAX_BYTES])
        started = time.process_time()
        with pytest.raises(ManifestError):
            load(path)
        assert time.process_time() - started < 1  # milliseconds where it is written as people write; never a hang


def test_the_place_of_a_secret_passes(tmp_path: Path) -> None:
    text = (
        "DB_PASSWORD: arn:aws:secretsmanager:us-east-1:123456789012:secret:db-a1B2c3\n"
        "PASSWORD: Ref::password\nTOKEN: /run/secrets/token\nSECRET: ''\nREQUIRE_PASSWORD: true\n"
        "TOKEN_FILE: x\nMAX_TOKENS: 4096\nPWD: here\nOLDPWD: here\nPASSWORD_FILE: x\nSECRET_ARN: x\n"
        "commit: 0123456789abcdef0123456789abcdef01234567\ncommand: [--token, 'Ref::token', --password=$FROM_FILE]\n"
        "url: https://example.com:8080/a@b\nencryption: {key: create}\nkeyboard: x\nsecrets: {TOKEN: arn:aws:x}\n"
    )
    assert problems(tmp_path, text) == []


def test_reads_what_all_yaml_readers_read_alike(tmp_path: Path) -> None:
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
        "words of others: [é, ж, 漢字, 'שלום', 'tab\there', \"esc\\t\\u00e9\"]\n"
    )
    assert plain(read(path, "m.yaml", [])) == {
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
        "words of others": ["é", "ж", "漢字", "שלום", "tab\there", "esc\té"],
    }


def test_a_named_pipe_or_a_loop_of_links_is_no_manifest(tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe.yaml", tmp_path / "loop.yaml"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    with pytest.raises(Unreadable, match="is not a file"):
        read(pipe, "pipe.yaml", [])
    with pytest.raises(Unreadable, match="cannot be read: Too many levels of symbolic links"):
        read(loop, "loop.yaml", [])
