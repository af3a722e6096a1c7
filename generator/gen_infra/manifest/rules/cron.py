"""Parse the cron expressions of EventBridge Scheduler strictly, and find those that match no future time.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html (cron-based schedules), and for the wildcards
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import re
from calendar import monthrange
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date


class _Field(NamedTuple):
    """The values that one field of a cron expression accepts."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    special: str = ""
    """A pattern for wildcards that only this field has, such as the last day of the month."""
    has_steps: bool = True

    def values(self, text: str) -> set[int] | None:
        """Return the values of a list of ``*``, values and ranges, each with an optional step; None if invalid."""
        found: set[int] = set()
        for part in text.split(","):
            span, slash, step = part.partition("/")
            ends = self._ends(span)
            if ends is None or (slash and not (self.has_steps and self._is_step(step))):
                return None
            first, last = ends
            if slash and "-" not in span:
                last = self.most  # 5/10 is every tenth from 5
            found.update(range(first, last + 1, int(step) if slash else 1))
        return found

    def _ends(self, span: str) -> tuple[int, int] | None:
        if span == "*":
            return self.least, self.most
        first, _, last = span.partition("-")
        ends = self._number(first), self._number(last if "-" in span else first)
        return (ends[0], ends[1]) if ends[0] is not None and ends[1] is not None and ends[0] <= ends[1] else None

    def _is_step(self, text: str) -> bool:
        return bool(re.fullmatch("[0-9]{1,4}", text)) and 1 <= int(text) <= self.most

    def _number(self, text: str) -> int | None:
        if text in self.names:
            return self.least + self.names.index(text)
        return int(text) if re.fullmatch("[0-9]{1,4}", text) and self.least <= int(text) <= self.most else None


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_DAY_OF_MONTH = _Field("day of the month", 1, 31, special=r"\?|L|LW|(?:[1-9]|[12][0-9]|3[01])W")
_MONTH = _Field("month", 1, 12, _MONTHS)
_DAY_OF_WEEK = _Field(
    "day of the week", 1, 7, _DAYS, special=rf"\?|L|(?:[1-7]|{'|'.join(_DAYS)})(?:L|#[1-5])", has_steps=False
)
_YEAR = _Field("year", 1970, 2199)
_FIELDS = (_Field("minute", 0, 59), _Field("hour", 0, 23), _DAY_OF_MONTH, _MONTH, _DAY_OF_WEEK, _YEAR)


def cron_objections(expression: str, today: date) -> Iterable[str]:
    """Yield what is wrong with the six fields of a cron expression, or that it matches no future time."""
    values = expression.split(" ")
    objections = [
        f'invalid {field.name} "{value}" in a cron expression'
        for field, value in zip(_FIELDS, values, strict=True)
        if not re.fullmatch(field.special or "(?!)", value) and field.values(value) is None
    ]
    if (values[2] == "?") == (values[4] == "?"):
        objections.append("exactly one of day of the month and day of the week must be ?, as in cron(0 3 ? * SUN *)")
    if not objections and not any(day >= (today.year, today.month, today.day) for day in _last_days(values, today)):
        objections.append(f'no day matches "{expression}" from {today} on')
    yield from objections


def _last_days(values: list[str], today: date) -> Iterator[tuple[int, int, int]]:
    """Yield the last matching day of each matching month, from this year on."""
    months = _MONTH.values(values[3]) or ()
    for year in sorted(_YEAR.values(values[5]) or ()):
        for month in sorted(months) if year >= today.year else ():
            if day := _last_day(values[2], values[4], year, month):
                yield year, month, day


def _last_day(day_of_month: str, day_of_week: str, year: int, month: int) -> int:
    """Return the last matching day of a month; 0 if there is none.

    ``L``, ``W`` and the days of the week are in every month: for them the month's last day is near enough.
    """
    length = monthrange(year, month)[1]
    if day_of_month == "?":
        weekday, _, ordinal = day_of_week.partition("#")
        return _nth(weekday, year, month, length) if ordinal == "5" else length
    if day_of_month.endswith("W") and day_of_month != "LW":
        return length if int(day_of_month[:-1]) <= length else 0
    if day_of_month.startswith("L"):
        return length
    return max((day for day in _DAY_OF_MONTH.values(day_of_month) or () if day <= length), default=0)


def _nth(weekday: str, year: int, month: int, length: int) -> int:
    """Return the day of the fifth such weekday of a month; 0 if there are four."""
    numbers = _DAY_OF_WEEK.values(weekday) or {1}
    first_of_month = (monthrange(year, month)[0] + 1) % 7 + 1  # 1 is Sunday, as in the expression
    day = 1 + (min(numbers) - first_of_month) % 7 + 28
    return day if day <= length else 0
