"""The form of schedule expressions.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import re

_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_DAYS = "SUN|MON|TUE|WED|THU|FRI|SAT"
# The lowest and highest number of each field of a cron expression, and the names that stand for numbers.
_FIELDS = ((0, 59, ""), (0, 23, ""), (1, 31, ""), (1, 12, _MONTHS), (1, 7, _DAYS), (1970, 2199, ""))


def is_schedule(expression: str) -> bool:
    """Return whether an expression is a rate or a cron schedule."""
    if found := re.fullmatch(r"rate\(([1-9][0-9]*) (minute|hour|day)(s?)\)", expression):
        return (found[1] == "1") != bool(found[3])
    if not (found := re.fullmatch(r"cron\(([^()]*)\)", expression)):
        return False
    fields = found[1].split()
    if len(fields) != 6 or [fields[2], fields[4]].count("?") != 1:
        return False
    return all(_is_field(field, *limits) for field, limits in zip(fields, _FIELDS, strict=True))


def is_scheduler_expression(expression: str) -> bool:
    """Return whether an expression is a schedule of EventBridge Scheduler, which may also be one point in time."""
    at = r"at\([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\)"
    return is_schedule(expression) or re.fullmatch(at, expression) is not None


def _is_field(field: str, low: int, high: int, names: str) -> bool:
    value = rf"(?:[0-9]{{1,4}}|{names})" if names else "[0-9]{1,4}"
    form = rf"(?:\*|\?|L|LW|{value}[LW]|{value}#[1-5]|{value}(?:-{value})?(?:/[0-9]+)?|\*/[0-9]+)"
    if not re.fullmatch(f"{form}(?:,{form})*", field, re.IGNORECASE | re.ASCII):
        return False
    numbers = re.findall(r"(?<![/#0-9])[0-9]+", field)
    ranges = re.findall(r"([0-9]+)-([0-9]+)", field)
    return all(low <= int(each) <= high for each in numbers) and all(int(first) <= int(last) for first, last in ranges)
