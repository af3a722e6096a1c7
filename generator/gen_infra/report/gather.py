"""Gather the data of a report; what cannot be looked up is named, with the reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from gen_infra import __version__, pipeline
from gen_infra.aws.policies import ExistingPolicies, existing_policies
from gen_infra.check.runner import terraform_sources
from gen_infra.cost import estimate
from gen_infra.errors import GenInfraError, UsageError
from gen_infra.graph import graph, svg
from gen_infra.manifest.reading.loader import shown_path
from gen_infra.report.access import access_matrix, computed_arn, policy_owners
from gen_infra.report.data import EnvironmentReport, MissingSection
from gen_infra.report.live import live_data
from gen_infra.report.parts import report_parts
from gen_infra.report.placements import reported_jobs
from gen_infra.terraform.saved_plan import Unusable
from gen_infra.terraform.source import read_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gen_infra.check.report import CheckReport
    from gen_infra.environment import Environment
    from gen_infra.report.data import LiveData, Section
    from gen_infra.terraform.saved_plan import Plan
    from gen_infra.terraform.source import HclSource
    from gen_infra.tools.process import Progress

Made = TypeVar("Made")


class _Sections:
    """Make sections, and note those that cannot be made."""

    def __init__(self) -> None:
        self.missing: list[MissingSection] = []

    def make(self, section: Section, make: Callable[[], Made]) -> Made | None:
        """Make one; None where that fails, which is noted."""
        try:
            return make()
        except GenInfraError as error:
            self.leave_out(section, error.message, error.hint)
            return None

    def leave_out(self, section: Section, why: str, hint: str = "") -> None:
        """Note why there is no such section."""
        self.missing.append(MissingSection(section, why, hint))


def gather(
    environment: Environment,
    manifest_path: Path,
    progress: Progress,
    *,
    since: timedelta,
    checks: bool = True,
    now: datetime | None = None,
) -> EnvironmentReport:
    """Make the report of an environment; nothing is written or changed.

    Args:
        environment: what the report is about.
        manifest_path: its manifest, for commands to type.
        progress: receives lines of progress.
        since: how far back its jobs are looked up.
        checks: whether the checks run, which take most of the time.
        now: when the report is made; by default now.
    """
    manifest, made = environment.manifest, now or datetime.now(UTC)
    sections = _Sections()
    kms = f"arn:{manifest.partition}:kms:{manifest.region}:{manifest.account}"
    source = read_source(terraform_sources(environment.files), partial(computed_arn, kms))
    progress("reading queues and jobs")
    live = sections.make("live", lambda: _live(environment, manifest_path, made - since, made))
    plan = sections.make("plan", lambda: _plan(environment, manifest_path))
    check = None
    if checks:
        check = sections.make("check", lambda: _check(environment, progress))
    else:
        sections.leave_out("check", "the report was made without it", "leave out --no-check")
    cost = estimate(manifest, pipeline.usual_hours(environment) if live else {})
    access = access_matrix(manifest, source, _policies(environment, source))
    drawn = graph(environment.loaded, plan.content if plan else None)
    links = {node.id: f"#part-{node.id}" for node in drawn.nodes}
    picture = sections.make("picture", lambda: svg(drawn, links=links))
    return EnvironmentReport(
        name=manifest.name,
        account=manifest.account,
        region=manifest.region,
        manifest_path=shown_path(manifest_path),
        version=__version__,
        made=made,
        picture=picture,
        parts=tuple(report_parts(environment, drawn, source, access)),
        jobs=tuple(reported_jobs(manifest, cost.instances)),
        access=access,
        check=check,
        cost=cost,
        plan=pipeline.explain(environment, plan) if plan else None,
        live=live,
        missing=tuple(sections.missing),
    )


def _check(environment: Environment, progress: Progress) -> CheckReport:
    (report,) = pipeline.check([environment], progress)
    return report


def _live(environment: Environment, manifest_path: Path, since: datetime, until: datetime) -> LiveData:
    environment.require_account()
    return live_data(environment.clients, environment.manifest, manifest_path, since, until)


def _policies(environment: Environment, source: HclSource) -> ExistingPolicies:
    """Read the policies that are not rendered; without credentials they are unknown."""
    owners = policy_owners(environment.manifest, source)
    try:
        environment.require_account()
        return existing_policies(environment.clients, owners)
    except GenInfraError as error:
        return ExistingPolicies(why=error.message)


def _plan(environment: Environment, manifest_path: Path) -> Plan:
    """Read the saved plan, which stays as it is.

    Raises:
        UsageError: there is none, or it cannot be used any more.
    """
    saved, wanted = environment.saved_plan, environment.plan_origin("apply")
    hint = f"run gen-infra plan {manifest_path}"
    if not saved.exists:
        raise UsageError("there is no saved plan", hint=hint)
    if not saved.is_for(wanted):  # terraform need not start to find that out
        raise UsageError("the saved plan was made from other files, or for something else", hint=hint)
    found = saved.find(wanted, environment.terraform().show_plan)
    if isinstance(found, Unusable):
        raise UsageError(f"the saved plan cannot be used: {found.reason}", hint=hint)
    return found
