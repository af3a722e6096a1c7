"""Rules for ``image.rebuild``: the image built again on a schedule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

_PATH = ("image", "rebuild")


def rebuilds_go_to_a_parameter(manifest: Manifest) -> Iterable[ManifestFinding]:
    """A rebuild writes the new image's id to the parameter, and the next apply rolls it out; an id stays what it is."""
    if manifest.image.rebuild and not manifest.image.parameter:
        yield _PATH, "needs image.parameter, for the new image's id"


def rebuilds_are_for_instances(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Fargate brings its own image."""
    if manifest.image.rebuild and not manifest.uses_ec2:
        yield _PATH, "no compute environment has instances, so there is no image to build"


def rebuilds_have_a_way_out(manifest: Manifest) -> Iterable[ManifestFinding]:
    """CodeBuild fetches packer, its plugin and Python packages, which no VPC endpoint leads to."""
    create = manifest.network.create
    if manifest.image.rebuild and create and create.nat == "none":
        yield _PATH, "fetches from releases.hashicorp.com, GitHub and PyPI; choose network.create.nat: one or per-zone"


def rebuilds_have_a_schedule_that_comes(manifest: Manifest) -> Iterable[ManifestFinding]:
    """https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html (cron-based schedules)."""
    rebuild = manifest.image.rebuild
    if rebuild and rebuild.schedule.startswith("cron("):
        for objection in cron_objections(rebuild.schedule[len("cron(") : -1]):
            yield (*_PATH, "schedule"), objection


class _Field(NamedTuple):
    """What one field of a cron expression takes."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    special: str = ""
    """A pattern for what only this field knows, such as the last day of the month."""

    def takes(self, value: str) -> bool:
        """Whether ``value`` is a list of ``*``, values and ranges, each perhaps with a step."""
        if self.special and re.fullmatch(self.special, value):
            return True
        return all(self._takes_part(*part.partition("/")[::2]) for part in value.split(","))

    def _takes_part(self, span: str, step: str) -> bool:
        if step and not (step.isdecimal() and 1 <= int(step) <= self.most):
            return False
        ends = [self._number(end) for end in span.split("-")]
        return span == "*" or (len(ends) <= 2 and None not in ends)

    def _number(self, text: str) -> int | None:
        if text in self.names:
            return self.least + self.names.index(text)
        return int(text) if text.isdecimal() and self.least <= int(text) <= self.most else None


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of the month", 1, 31, special=r"\?|L|LW|(?:[1-9]|[12][0-9]|3[01])W"),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 1, 7, _DAYS, special=rf"\?|L|(?:[1-7]|{'|'.join(_DAYS)})(?:L|#[1-5])"),
    _Field("year", 1970, 2199),
)


def cron_objections(expression: str) -> Iterable[str]:
    """What EventBridge Scheduler has against the six fields of a cron expression."""
    values = expression.split(" ")
    for field, value in zip(_FIELDS, values, strict=True):
        if not field.takes(value):
            yield f"{value} is no {field.name} of a cron expression"
    if (values[2] == "?") == (values[4] == "?"):
        yield "exactly one of day of the month and day of the week is ?, as in cron(0 3 ? * SUN *)"


ERRORS: tuple[ManifestRule, ...] = (
    rebuilds_go_to_a_parameter,
    rebuilds_are_for_instances,
    rebuilds_have_a_way_out,
    rebuilds_have_a_schedule_that_comes,
)
