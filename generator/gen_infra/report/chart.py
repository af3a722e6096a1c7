"""Compute the coordinates of the time line: when how many vCPUs ran and how many jobs waited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gen_infra.report.data import HistoryJob, LiveData

WIDTH = 1000.0
_BINS = 160
_STEPS = tuple(
    timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)
)
_TICKS = 8
_SHORTEST = timedelta(minutes=1)


class Tick(NamedTuple):
    """A mark of the time axis."""

    x: float
    label: str


class Bar(NamedTuple):
    """A part of a job's life on the axis."""

    x: float
    width: float
    state: str


@dataclass(frozen=True, slots=True)
class Axis:
    """The time axis: from the first job to now."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, live: LiveData) -> Axis:
        """Return the axis of all jobs."""
        start = min((job.created for job in live.jobs), default=live.since)
        return cls(min(start, live.until - _SHORTEST), live.until)

    def x(self, at: datetime) -> float:
        """Return where a time is, from 0 to `WIDTH`."""
        return round(WIDTH * max(0.0, min(1.0, (at - self.start) / (self.end - self.start))), 2)

    @property
    def ticks(self) -> list[Tick]:
        """Return marks at full minutes, hours or days."""
        step = next((each for each in _STEPS if (self.end - self.start) / each <= _TICKS), _STEPS[-1])
        midnight = self.start.replace(hour=0, minute=0, second=0, microsecond=0)
        first = midnight + step * -((midnight - self.start) // step)
        shown = "%H:%M" if step < timedelta(days=1) else "%-d %b"
        count = int((self.end - first) / step) + 1
        return [Tick(self.x(at), f"{at:{shown}}") for at in (first + step * number for number in range(count))]

    def bars(self, job: HistoryJob) -> list[Bar]:
        """Return the parts of a job's life, each wide enough to be seen."""
        found = ((self.x(each.start), self.x(each.end), each.state) for each in job.spans)
        return [Bar(start, max(round(end - start, 2), 2.0), state) for start, end, state in found]


class UsageChart(NamedTuple):
    """The areas of a chart of `WIDTH` by 100, as SVG paths, and the largest value of each."""

    vcpus: str
    most_vcpus: float
    waiting: str
    most_waiting: float


def usage_chart(live: LiveData, axis: Axis) -> UsageChart:
    """Return the vCPUs of running jobs and the number of waiting jobs over time."""
    vcpus, waiting = [0.0] * _BINS, [0.0] * _BINS
    for job in live.jobs:
        ran = [each for each in job.spans if each.state in {"running", "failed"}]
        seconds = sum((each.end - each.start).total_seconds() for each in ran)
        for each in ran:  # an array has several children at a time: its vCPU hours decide
            _add(vcpus, axis, each.start, each.end, job.vcpu_hours * 3600 / seconds if seconds else 0)
        for each in job.spans:
            if each.state in {"waiting", "starting"}:
                _add(waiting, axis, each.start, each.end, 1)
    return UsageChart(_area(vcpus), max(vcpus), _area(waiting), max(waiting))


def _add(bins: list[float], axis: Axis, start: datetime, end: datetime, value: float) -> None:
    """Add a value to the bins between two times, to the first and the last one in part."""
    first, last = axis.x(start) / WIDTH * _BINS, axis.x(end) / WIDTH * _BINS
    for number in range(int(first), min(int(last), _BINS - 1) + 1):
        bins[number] += value * max(0.0, min(last, number + 1) - max(first, number))


def _area(bins: Sequence[float]) -> str:
    most = max(bins) or 1.0
    return "M0,100" + "".join(_steps(bins, most)) + f"L{WIDTH:g},100Z"


def _steps(bins: Iterable[float], most: float) -> Iterator[str]:
    for number, value in enumerate(bins):
        y = round(100 - 96 * value / most, 1)
        yield f"L{number * WIDTH / _BINS:g},{y:g}H{(number + 1) * WIDTH / _BINS:g}"
