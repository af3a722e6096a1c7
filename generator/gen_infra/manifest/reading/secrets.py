"""Find secrets: a manifest is committed, rendered, uploaded and logged, so it must not contain any."""

from __future__ import annotations

import base64
import re
from contextlib import suppress
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gen_infra.manifest.reading.credentials import (
    ASSIGNMENTS,
    COMMANDS,
    PHRASES,
    SECRET_WORDS,
    SHORTEST_TOKEN,
    STATEMENTS,
    TOKENS,
)
from gen_infra.manifest.reading.text import ForbiddenText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ADVICE = (
    "keep it in AWS Secrets Manager, put its ARN under the job's `secrets`, and rotate it: this copy is compromised"
)

_STRONG = (
    r"password|passwd|passphrase|passcode|passwort|kennwort|motdepasse|contrasena|senha|secret|jwt|token"
    r"|(?:secret|api|app|application|access|account|auth|client|consumer|licen[cs]e|master|private|shared|signing"
    r"|storage|subscription)key|(?<!^repository)credentials?|creds|(?<!^)(?<!^old)pwd"
)
_QUALIFIERS = r"(?:value|string|plain|plaintext|hash|base|b|prod|production|dev|staging|test|old|new|current)?"
_SECRET_KEY = re.compile(rf"(?:{_STRONG}|passwords|passwds|passphrases){_QUALIFIERS}$")
# `first_pass: 2` is no password, so these names count only with a value that may be one.
_WEAK_KEY = re.compile(
    r"(?:(?:^|[_.\-]|(?<=db)|(?<=user)|(?<=smtp)|(?<=mail)|(?<=admin)|(?<=ftp))(?:pass|psw|pswd|pw)"
    r"|[_.\-]auth)(?:[_-]?\d)?$"
)
_PASSES = re.compile(
    r"(?:^|[_.-])(?:first|second|third|one|two|single|dual|multi|qc|filters?|num?|by|low|high|band|all|min|max|is|must|\d)[_.-]?pass$"
)
_ASKS = re.compile(r"(?:^|[_.-])(?:ask|disable|enable|no|prompt|require|skip|without)[_.-]")
_REFERENCE = re.compile(
    r"(?:arn:|Ref::|/|(?:ssm|vault|file|secretsmanager|op):|id=|\{\{resolve:|(?:true|false|yes|no|on|off|[01])$).*"
    r"|\$\w+|\$\{\w+\}|\$\(.*\)|<[^<>]*>|\*+|[a-z][a-z_.-]*(?:/[a-z][a-z_.-]*)+|",
    re.DOTALL,
)
_MAY_BE_A_PASSWORD = re.compile(r"(?=.*[0-9])(?!\d{1,2}$)(?!.*\s).{4,}|\S{6,}:\S+|\S+:\S{6,}")
# Base64 of some length has capital letters.
_ENCODED = re.compile(r"\b(?:[0-9a-f]{20,4000}\b|(?=[a-z0-9+/_-]{0,40}[A-Z])[A-Za-z0-9+/_-]{20,4000}={0,2})")
_QUOTED_IN_URL = re.compile(r"(?<![^\s\"'])[^\s\"']*%(?:3[aA]|40|2[fF])[^\s\"']*")  # a quoted colon, at sign or slash
_LINE_WITH_SECRET = re.compile(
    r"(?i:pass|pwd|pw\b|secret|token|auth|login|(?:api|access|private)[_.-]?key|key[\"']?\s*[:=]|credential|creds)"
    r"[\w-]*[\"']?\s*[:=,]|[A-Za-z0-9/+=]{60}"
)


def secrets(text: str) -> Iterator[ForbiddenText]:
    """Yield everything in a text that looks like a credential; the messages do not repeat it."""
    for name, found in _credentials(text):
        yield ForbiddenText(found.start(), f"this looks like {name}; {ADVICE}")
    quoted = _QUOTED_IN_URL.finditer(text) if "%" in text else ()
    names: dict[str, str] = {}  # of the words: a long manifest repeats them
    for encoded in (*_ENCODED.finditer(text), *quoted):
        word = encoded.group()
        if word not in names:
            names[word] = next((name for name, _ in _credentials(_decoded(word))), "")
        if name := names[word]:
            yield ForbiddenText(encoded.start(), f"this looks like {name}, encoded; {ADVICE}")


def _decoded(word: str) -> str:
    """Return the text that a word encodes in hexadecimal, Base64, twice in Base64, or for a URL; empty if none."""
    if "%" in word:
        return unquote(word)
    for decode in (bytes.fromhex, _from_base64):
        with suppress(ValueError):
            text = decode(word).decode("ascii")
            if text.replace("\n", "").isprintable():
                return _decoded(text) if _ENCODED.fullmatch(text) and _decoded(text) else text
    return ""


def _from_base64(word: str) -> bytes:
    """Decode Base64 of either alphabet, with or without the padding.

    Raises:
        ValueError: it is something else.
    """
    bare = word.rstrip("=").translate(_URL_ALPHABET)
    return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)


_URL_ALPHABET = str.maketrans("-_", "+/")


def secrets_in_value(text: str) -> Iterator[ForbiddenText]:
    """Yield what is a secret in a value or a comment only: ``password: …`` is a key of YAML anywhere else."""
    for found in re.finditer(STATEMENTS.pattern, text, re.IGNORECASE):
        yield ForbiddenText(found.start(), f"this looks like {STATEMENTS.name}; {ADVICE}")


def may_hold_secrets(text: str) -> bool:
    """Return whether `secrets_in_value` may find anything in any value of a long text."""
    lines = _lines_with(SECRET_WORDS, text)
    return bool(lines and re.search(STATEMENTS.pattern, lines))


def may_split_secrets(text: str) -> bool:
    """Return whether a list of a long text may contain a secret over several items."""
    return bool(_lines_with([word for form in COMMANDS for word in form.words], text))


def is_secret(key: str, value: str) -> bool:
    """Return whether a key (``DB_PASSWORD``, ``--auth-token``, ``apiKey``) names a secret that the value may be."""
    strength = _strength(key)
    if not strength or is_reference(value):
        return False
    return strength == "strong" or bool(_MAY_BE_A_PASSWORD.fullmatch(value))


def names_a_secret(key: str) -> bool:
    """Return whether a key may be the name of a secret."""
    return bool(_strength(key))


def takes_a_secret(word: str) -> bool:
    """Return whether the next word of a command is a secret, as after ``--password`` or ``aws_secret_access_key``."""
    return word.startswith(("-", "aws_", "AWS_")) and names_a_secret(word)


@cache
def _strength(key: str) -> str:
    if len(key) > 200:
        return ""
    lower = key.lower()
    if _ASKS.search(lower):
        return ""
    if _SECRET_KEY.search(re.sub(r"[^a-z]", "", lower)):
        return "strong"
    if not (_WEAK_KEY.search(lower) or re.search(r"[a-z]Pass$", key)) or _PASSES.search(lower):
        return ""
    return "weak"


def is_reference(value: str) -> bool:
    """Return whether a value only refers to a secret (an ARN, a path, a parameter of the job), or cannot be one."""
    return bool(_REFERENCE.fullmatch(value))


def redact(text: str) -> str:
    """Replace everything in a text that looks like a credential."""
    for _, found in list(_credentials(text)):
        text = text.replace(found.group(), "…")
    return text


def may_be_shown(line: str) -> bool:
    """Return whether a message may repeat a line of a manifest; no in case of doubt."""
    return not (_LINE_WITH_SECRET.search(line) or any(_credentials(line)))


def _credentials(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    # Each is sought in what may contain it first: most manifests are long, and repeat their words and lines.
    if words := " ".join({word for word in text.split() if len(word) >= SHORTEST_TOKEN}):
        for form in TOKENS:
            if any(word in words for word in form.words) and re.search(form.pattern, words):
                yield from ((form.name, found) for found in re.finditer(form.pattern, text))
    lines = _different_lines(text)
    for form in PHRASES:
        if any(word in lines for word in form.words):
            yield from ((form.name, found) for found in re.finditer(form.pattern, text, re.IGNORECASE))
    if lines := _lines_with(SECRET_WORDS, text):
        for form in ASSIGNMENTS:
            if re.search(form.pattern, lines, re.IGNORECASE):
                yield from ((form.name, found) for found in re.finditer(form.pattern, text, re.IGNORECASE))


def _lines_with(words: Sequence[str], text: str) -> str:
    """Return the different lines of a text that contain one of the words, in lower case."""
    lines = _different_lines(text)
    present = [word for word in words if word in lines]
    return "\n".join(line for line in lines.split("\n") if any(word in line for word in present)) if present else ""


def _different_lines(text: str) -> str:
    return _lines_once(text) if "\n" in text else text.lower()


@lru_cache(maxsize=2)  # the reader asks several times about one text
def _lines_once(text: str) -> str:
    return "\n".join({*text.lower().split("\n")})
