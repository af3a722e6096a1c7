"""Find secrets: a manifest is committed, rendered, uploaded and logged, so it must not contain any."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.manifest.reading.text import ForbiddenText

if TYPE_CHECKING:
    from collections.abc import Iterator

ADVICE = (
    "keep it in AWS Secrets Manager, put its ARN under the job's `secrets`, and rotate it: this copy is compromised"
)


class _CredentialForm(NamedTuple):
    """A form of credential: words of which it contains one (fast to search first), and its pattern."""

    name: str
    words: tuple[str, ...]
    pattern: str


# Formats that their issuers document, so that scanners can find them.
_TOKENS = (
    _CredentialForm(
        "an AWS access key",
        ("AKIA", "ASIA", "ABIA", "ACCA"),
        r"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])",
    ),
    _CredentialForm(
        "an AWS session token", ("FwoGZXIvYXdz", "IQoJb3JpZ2lu"), r"(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9/+=]{20,}"
    ),
    _CredentialForm("a private key", ("-----BEGIN",), r"-----BEGIN\s+(?:[A-Z0-9]+\s+){0,3}PRIVATE\s+KEY"),
    _CredentialForm("a GitHub token", ("gh", "github_pat_"), r"gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22}"),
    _CredentialForm("a GitLab token", ("glpat-",), r"glpat-[A-Za-z0-9_-]{20}"),
    _CredentialForm(
        "a Slack token",
        ("xox", "hooks.slack.com"),
        r"xox[abeoprs]-[A-Za-z0-9-]{10}|hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+",
    ),
    _CredentialForm("a JSON web token", ("eyJ",), r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}"),
    _CredentialForm("a Google API key", ("AIza",), r"AIza[A-Za-z0-9_-]{35}"),
    _CredentialForm("a Stripe key", ("k_live_",), r"[sr]k_live_[A-Za-z0-9]{20}"),
    _CredentialForm("an API key", ("sk-",), r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{32}"),
    _CredentialForm(
        "a package registry's token",
        ("npm_", "pypi-", "dckr_pat_"),
        r"npm_[A-Za-z0-9]{36}|pypi-AgEIcHlwaS5vcmc|dckr_pat_[A-Za-z0-9_-]{20}",
    ),
    _CredentialForm("a password in a URL", ("://",), r"://[^\s/:@'\"]{0,64}:[^\s/:@'\"]{1,256}@"),
    _CredentialForm(
        "a password on a command line",
        ("--",),
        r"(?i:(?<=-)(?:password|passwd|passphrase|secret|token|api-?key)=)"
        r"(?!(?:Ref::|\$|/|arn:|[\"'\s,\]}]))[^\s,\]}]{0,1000}",
    ),
    _CredentialForm(
        "an AWS secret key",
        ("",),
        r"(?<![A-Za-z0-9/+=_.-])(?=[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_.-]))"
        r"(?=[a-z0-9/+]{0,39}[A-Z])(?=[A-Z0-9/+]{0,39}[a-z])(?=[A-Za-z/+]{0,39}[0-9])[^/].{39}",
    ),
)
_KEY = re.compile(
    r"(?:password|passwd|passphrase|secret|secretkey|apikey|accesskey|privatekey|token|(?<!^repository)credentials?|(?<!^)(?<!^old)pwd)$"
)
_REFERENCE = re.compile(r"(?:arn:|Ref::|/|true$|false$).*|", re.DOTALL)
_LINE_WITH_SECRET = re.compile(
    r"(?i:password|passwd|passphrase|pwd|secret|token|(?:api|access|private)[_.-]?key|credential)[\w-]*[\"']?\s*[:=,]"
    r"|[A-Za-z0-9/+=]{60}"
)


def secrets(text: str) -> Iterator[ForbiddenText]:
    """Yield everything in a text that looks like a credential; the messages do not repeat it."""
    for name, found in _tokens(text):
        yield ForbiddenText(found.start(), f"this looks like {name}; {ADVICE}")


@cache
def names_a_secret(key: str) -> bool:
    """Return whether a key (``DB_PASSWORD``, ``--auth-token``, ``apiKey``) is the name of a secret."""
    if len(key) > 200:
        return False
    return bool(_KEY.search(re.sub(r"[^a-z]", "", key.lower())))


def is_reference(value: str) -> bool:
    """Return whether a value only refers to a secret (an ARN, a path, a parameter of the job), or cannot be one."""
    return bool(_REFERENCE.fullmatch(value))


def redact(text: str) -> str:
    """Replace everything in a text that looks like a credential."""
    for _, found in list(_tokens(text)):
        text = text.replace(found.group(), "…")
    return text


def may_be_shown(line: str) -> bool:
    """Return whether a message may repeat a line of a manifest; no in case of doubt."""
    return not (_LINE_WITH_SECRET.search(line) or any(_tokens(line)))


def _tokens(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    for name, words, pattern in _TOKENS:
        if any(word in text for word in words):
            for found in re.finditer(pattern, text):
                yield name, found
