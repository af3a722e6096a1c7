"""Find what text must not contain: invisible or misleading characters, and comments that control security scanners.

Characters: Unicode TR36 and TR39, https://trojansource.codes. Scanners find their comments in any string, also in tags.
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

# Most manifests need neither of the long patterns, which `re` compiles when they are used, and keeps.
_FORBIDDEN = (
    rf"(?P<control>[{_CONTROL}]|\r(?!\n))|(?P<bidirectional>[{_BIDIRECTIONAL}])|(?P<line_break>[{_BREAKS}])"
    rf"|(?P<space>[{_SPACES}])|(?P<invisible>[{_INVISIBLE}])|(?P<meaningless>[{_UNASSIGNABLE}])"
)
_CONTROL_ASCII = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SAYS = {
    "control": "a control character; remove it",
    "bidirectional": "a character that changes the text direction and can disguise the text; remove it",
    "line_break": "a line break that most editors do not show; use a plain line break",
    "space": "a special space character; use a plain space",
    "invisible": "an invisible character; remove it",
    "meaningless": "a character without a defined meaning, perhaps from a failed conversion; replace it",
}

# Scanners and their words for a finding that they then do not report, as their documentation spells them; some of them
# accept white space before and after the colon.
_SCANNER_SWITCH = (
    r"\b(?:checkov|bridgecrew|cortex|terrascan|ts|yor|snyk|deepcode|regula|fugue|opa|tfsec|trivy|trufflehog|cloudrail"
    r"|bearer|polaris|kubescape|wiz)\s*:\s*(?:skip|ignore|disable|exempt)"
    r"|\b(?:kics-scan|deepcode|wiz-scan|dockle|hadolint|datree)(?:\s*:\s*|\s+)(?:ignore|disable|skip)"
    r"|\btflint-ignore|\bnosem(?:grep)?\b|\bno(?:sec|sonar|horus)\b|\bskipcq\b"
    r"|\b(?:git|better)leaks\s*:\s*allow|\bggignore\b|\bpragma\s*:\s*(?:allow|white)list"
    r"|\b(?:allow|white)list[ -]nextline[ -]secret|\bshellcheck\s+disable\s*=|\b(?:lgtm|codeql)\s*\["
    r"|\bcfn[_-](?:nag|lint)\s*:|\b(?:cdk[_-]nag|cfn[_-]guard)\b|\bcheckov\.io/skip|\bignore-check\.kube-linter\.io"
    r"|\bsemgrep\s*:\s*ignore"
    # A comment in the form that they have in common, for those that are not named here.
    r"|(?:#|//|/\*)\s*(?:noqa|[a-z][\w.-]*:(?:skip|ignore|disable|exempt|suppress)|[a-z]+-(?:skip|ignore|disable))\b"
)
# Each contains one; fast to search first.
_SWITCH_WORDS = (
    *("skip", "ignore", "disable", "exempt", "nosem", "nosec", "nosonar", "nohorus", "leaks", "lgtm"),
    *("codeql", "cfn", "cdk", "noqa", "suppress", "allowlist", "whitelist"),
)

STAND_IN = "\N{REPLACEMENT CHARACTER}"
"""Replaces each forbidden character before the text is parsed, so that positions stay the same."""


class ForbiddenText(NamedTuple):
    """Something that text must not contain, and its start in the text."""

    position: int
    message: str


def forbidden_characters(text: str) -> Iterator[ForbiddenText]:
    """Yield each character that is invisible or looks like another one."""
    if text.isascii() and not _CONTROL_ASCII.search(text):
        return
    for found in re.finditer(_FORBIDDEN, text):
        yield ForbiddenText(found.start(), _describe(found))


def without_forbidden(text: str) -> str:
    """Replace each forbidden character with a stand-in."""
    return re.sub(_FORBIDDEN, STAND_IN, text)


def scanner_switches(text: str) -> Iterator[ForbiddenText]:
    """Yield each comment that would turn off a security scanner in rendered files."""
    lower = text.lower()
    if not any(word in lower for word in _SWITCH_WORDS):
        return
    for found in re.finditer(_SCANNER_SWITCH, text, re.IGNORECASE):
        switch = found.group().lstrip("#/* \t\n")
        message = f"{' '.join(switch.split())} turns off a security scanner; remove it"
        yield ForbiddenText(found.end() - len(switch), message)


def not_normal(text: str) -> str:
    """Return why the text is not in Unicode's normal form NFC; empty if it is.

    Terraform normalises strings, so that any other form would show a difference in every plan.
    """
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return ""
    normal = unicodedata.normalize("NFC", text)
    first = next((index for index, (was, now) in enumerate(zip(text, normal, strict=False)) if was != now), len(normal))
    became = f"U+{ord(normal[first]):04X}" if first < len(normal) else "its composed form"
    return f"is not in Unicode's normal form NFC: write {became} instead of U+{ord(text[first]):04X}"


def cut(text: str) -> str:
    """Shorten a word for messages."""
    return text if len(text) <= 60 else f"{text[:57]}…"


def _describe(found: re.Match[str]) -> str:
    character = found.group()
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}{f' {name}' if name else ''} is {_SAYS[found.lastgroup or 'control']}"
