"""What text may hold: nothing that a reader cannot see, and nothing that gives orders to the tools behind gen-infra.

Characters: Unicode TR36 and TR39, https://trojansource.codes. Scanners read their orders in any string, tags included.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTROL = "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f"
_BIDIRECTIONAL = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069"
_BREAKS = "\\u2028\\u2029"
_SPACES = "\\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000"
_INVISIBLE = (
    "\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200d\\u2060-\\u2065\\u206a-\\u206f\\u2800\\u3164"
    "\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff"
)
_UNASSIGNABLE = "\\ud800-\\udfff\\ue000-\\uf8ff\\ufdd0-\\ufdef\\ufffc-\\uffff\\U000f0000-\\U0010ffff"

_FORBIDDEN = re.compile(
    rf"(?P<control>[{_CONTROL}]|\r(?!\n))|(?P<bidirectional>[{_BIDIRECTIONAL}])|(?P<line_break>[{_BREAKS}])"
    rf"|(?P<space>[{_SPACES}])|(?P<invisible>[{_INVISIBLE}])|(?P<meaningless>[{_UNASSIGNABLE}])"
)
_CONTROL_ASCII = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SAYS = {
    "control": "a control character; write the text without it",
    "bidirectional": "a character that changes the direction of the text, so that it reads as another; remove it",
    "line_break": "a line break that most editors do not show; write a plain line break",
    "space": "a space that is not a space; write a plain one",
    "invisible": "an invisible character; remove it",
    "meaningless": "a character without a meaning of its own, perhaps from a broken conversion; write the text again",
}

_SCANNER_SWITCH = re.compile(
    r"(?:checkov|bridgecrew|cortex):skip|(?:tfsec|trivy):ignore|tflint-ignore|kics-scan\s+(?:ignore|disable)|ts:skip"
    r"|nosemgrep",
    re.IGNORECASE,
)

_SWITCH_WORDS = (":skip", ":ignore", "-ignore", "kics-scan", "nosemgrep")  # one is in each; searched first, being fast

STAND_IN = "\N{REPLACEMENT CHARACTER}"
"""What forbidden characters become before the text is parsed, so that everything else keeps its place."""


class Fault(NamedTuple):
    """Something that text may not hold, and where it starts in it."""

    position: int
    message: str


def forbidden_characters(text: str) -> Iterator[Fault]:
    """Each character that nobody can see, or that nobody can see for what it is."""
    if text.isascii() and not _CONTROL_ASCII.search(text):
        return
    for found in _FORBIDDEN.finditer(text):
        yield Fault(found.start(), _describe(found))


def without_forbidden(text: str) -> str:
    """The text with a stand-in for each of them."""
    return _FORBIDDEN.sub(STAND_IN, text)


def scanner_switches(text: str) -> Iterator[Fault]:
    """Each comment that would switch a security scanner off where the text is rendered."""
    lower = text.lower()
    if not any(word in lower for word in _SWITCH_WORDS):
        return
    for found in _SCANNER_SWITCH.finditer(text):
        yield Fault(found.start(), f"{found.group()} switches a security scanner off; write the text without it")


def not_normal(text: str) -> str:
    """Why the text is not in Unicode's normal form NFC; empty when it is.

    Terraform normalises strings, so any other form would come back changed and show a difference for ever.
    """
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return ""
    normal = unicodedata.normalize("NFC", text)
    first = next((index for index, (was, now) in enumerate(zip(text, normal, strict=False)) if was != now), len(normal))
    became = f"U+{ord(normal[first]):04X}" if first < len(normal) else "its composed form"
    return f"is not in Unicode's normal form NFC: write {became} in place of U+{ord(text[first]):04X}"


def cut(text: str) -> str:
    """A word of the author's as messages show it: cut short."""
    return text if len(text) <= 60 else f"{text[:57]}…"


def _describe(found: re.Match[str]) -> str:
    character = found.group()
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}{f' {name}' if name else ''} is {_SAYS[found.lastgroup or 'control']}"
