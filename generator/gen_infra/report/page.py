"""Render the data of a report, and nothing else, as one HTML file.

The page loads nothing: style and script are inside, and its Content-Security-Policy names their hashes, so that a
browser runs no other script, whatever a manifest or AWS contains. Jinja2 escapes every value.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gen_infra.cost import shown
from gen_infra.cost.amounts import total
from gen_infra.explain import DANGERS
from gen_infra.report.chart import Axis, usage_chart

if TYPE_CHECKING:
    from gen_infra.check.report import CheckReport
    from gen_infra.cost import UsdRange
    from gen_infra.report.data import AccessMatrix, EnvironmentReport

_WEB = Path(__file__).with_name("web")
_STYLE = re.compile("<style>(.*?)</style>", re.DOTALL)
_ID = re.compile(r"[^A-Za-z0-9._-]+")


def page(report: EnvironmentReport) -> str:
    """Return the HTML of a report."""
    style, script = (_WEB / "page.css").read_text(encoding="utf-8"), (_WEB / "page.js").read_text(encoding="utf-8")
    styles = [style, *_STYLE.findall(report.picture or "")]
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src {' '.join(map(_source, styles))}",
            f"script-src {_source(script)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    live = report.live
    axis = Axis.of(live) if live else None
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            accepted=accepted(report.check) if report.check else [],
            common=common_reasons(report.access),
            missing={each.section: each for each in report.missing},
            axis=axis,
            chart=usage_chart(live, axis) if live and axis else None,
            dangers=DANGERS,
            spent=total((each.name, each.usd.usd) for each in live.spent).usd if live else None,
            policy=policy,
            # All three are made by this package, and the policy admits exactly these bytes.
            picture=Markup(report.picture) if report.picture else None,  # noqa: S704
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
        )
    )


class AcceptedFinding(NamedTuple):
    """A rule that is not kept in some places, for one reason.

    Args:
        rule: its id; may be empty.
        severity: ``high``, ``medium`` or ``low``; may be empty.
        message: what the rule requires.
        source: where it is explained; may be empty.
        reason: why that is accepted.
        where: the places, each once.
    """

    rule: str
    severity: str
    message: str
    source: str
    reason: str
    where: tuple[str, ...]


def accepted(report: CheckReport) -> list[AcceptedFinding]:
    """Return the accepted findings of all checks; several checks find the same in the source and in the plan."""
    places: dict[AcceptedFinding, dict[str, None]] = {}
    for each in (finding for check in report.checks for finding in check.findings if finding.level == "skipped"):
        rule = each.rule
        message = (rule.title if rule else "") or each.message
        found = AcceptedFinding(
            rule.id if rule else "",
            rule.severity if rule else "",
            message,
            rule.source if rule else "",
            each.reason,
            (),
        )
        places.setdefault(found, {})[each.where] = None
    return [found._replace(where=tuple(filter(None, where))) for found, where in places.items()]


def common_reasons(access: AccessMatrix) -> list[str]:
    """Return why access is unknown, where that is so of several roles: the page says it once."""
    reasons = Counter(
        reason for role in access.roles for reason in {why for each in role.cells for why in each.reasons}
    )
    return [reason for reason, roles in reasons.items() if roles > 1]


def _source(text: str) -> str:
    """Return the source of a Content-Security-Policy that admits exactly this text."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_WEB),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "dollars": dollars,
        "id": element_id,
        "breakable": breakable,
        "https": https_only,
        "marked": marked,
        "minute": minute,
        "number": number,
        "span": span,
        "gib": gib,
        "usd": usd,
        "utc": utc,
    }
    return made


def element_id(text: str) -> str:
    """Return a text as the id of an element: without spaces and special characters."""
    return _ID.sub("-", text)


def https_only(url: str) -> str:
    """Return an address that a link may have; empty for any other."""
    return url if url.startswith("https://") else ""


def breakable(text: str) -> Markup:
    """Return a name that a browser breaks after its dots and underscores."""
    return Markup("<wbr>").join(re.split(r"(?<=[._/])", text))


def marked(text: str) -> Markup:
    """Return a message with its commands, which are between backticks, as code; all of it is escaped."""
    words = text.split("`")
    if len(words) % 2 == 0:
        return Markup.escape(text)
    parts = (Markup("<code>{}</code>").format(word) if at % 2 else Markup.escape(word) for at, word in enumerate(words))
    return Markup("").join(parts)


def number(value: float) -> str:
    """Return ``1,234``, ``12.5`` or ``0.03``."""
    digits = 0 if value == int(value) or value >= 100 else 1 if value >= 1 else 2
    return f"{value:,.{digits}f}"


def span(value: timedelta | float) -> str:
    """Return a time span as ``45 s``, ``12 min``, ``3 h 05 min`` or ``2 d 4 h``."""
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    if seconds < 60:
        return f"{seconds}\u2009s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 60:
        return f"{minutes}\u2009min"
    if hours < 48:
        return f"{hours}\u2009h {minutes % 60:02}\u2009min"
    return f"{days}\u2009d {hours % 24}\u2009h"


def gib(mib: float) -> str:
    """Return MiB as GiB, such as ``78.1 GiB``."""
    return f"{number(round(mib / 1024, 1))}\u2009GiB"


def usd(value: UsdRange | None) -> str:
    """Return a price such as ``1.53 USD`` or ``1.20 to 4.10 USD``, which breaks between its ends alone."""
    return shown(value).replace(" USD", "\u00a0USD").replace(" to ", " to\u00a0")


def dollars(value: UsdRange | None) -> str:
    """Return the middle of a price, such as ``2.65``, for a narrow column; a dash where it is unknown."""
    return "\u2013" if value is None else f"{(value.low + value.high) / 2:,.2f}"


def minute(value: datetime) -> str:
    """Return such as ``29 Nov, 15:04``."""
    return f"{value.day} {value:%b, %H:%M}"


def utc(value: datetime) -> str:
    """Return such as ``29 Nov 2026, 15:04``."""
    return f"{value.day} {value:%b %Y, %H:%M}"
