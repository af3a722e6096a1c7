"""The story of an environment: load, render, write, check, plan, apply, destroy.

Each stage is one function that takes what the stage before it made. Nothing here prints: progress goes to the
callables that the caller hands in, results are returned, failures are raised.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_infra.errors import MissingError, UsageError
from gen_infra.explain.causes import RECORD
from gen_infra.manifest import Manifest, load_with_warnings
from gen_infra.render import render
from gen_infra.render.writer import Written, digest, write
from gen_infra.terraform.plan import Plan, SavedPlan

if TYPE_CHECKING:
    from gen_infra.apply.replacement import Draining
    from gen_infra.check.report import CheckReport
    from gen_infra.drift.drift import Drift
    from gen_infra.explain import Summary
    from gen_infra.manifest.reading.reader import Problem
    from gen_infra.terraform.adapter import Binary, Event, Terraform

Tell = Callable[[str], None]

NAMELESS = (
    "CloudTrail names nobody for what has no name beside it: events may come 15 minutes late, and are kept for 90 days"
)


@dataclass(frozen=True)
class Environment:
    """A manifest and the files that it renders to; nothing is on disk yet."""

    manifest: Manifest
    files: Mapping[str, bytes]
    root: Path
    warnings: tuple[Problem, ...] = ()

    @property
    def terraform_folder(self) -> Path:
        """Where terraform runs."""
        return self.root / "terraform"

    @property
    def saved_plan(self) -> SavedPlan:
        """The plan kept with the environment."""
        return SavedPlan(self.root / "plan")

    @cached_property
    def digest(self) -> str:
        """A hash of every rendered file."""
        return digest(self.files)


def prepare(manifest_path: Path, out: Path, *, strict: bool = False) -> Environment:
    """Load a manifest and render it, in memory; with ``strict`` its warnings are errors."""
    manifest, warnings = load_with_warnings(manifest_path, strict=strict)
    return Environment(manifest, render(manifest), out / manifest.name, warnings)


def write_files(environment: Environment, *, force: bool = False) -> Written:
    """Bring the environment's folder up to its manifest."""
    return write(environment.files, environment.root, force=force)


def check(environment: Environment, tell: Tell, *, today: date | None = None) -> CheckReport:
    """Hold the rendered files to terraform, checkov and packer, in clean copies that nothing else can influence.

    Args:
        environment: what is checked.
        tell: hears of progress.
        today: decides which of the manifest's suppressions have expired; by default the day it is in UTC.
    """
    from gen_infra.check.report import CheckReport
    from gen_infra.check.runner import scan_packer, scan_plan, scan_source
    from gen_infra.check.suppressions import suppressed
    from gen_infra.tools.process import forwarding_signals

    files, manifest = environment.files, environment.manifest
    binary = terraform_binary(manifest)
    with tempfile.TemporaryDirectory(prefix="gen-infra-check-") as name, forwarding_signals():
        scratch = Path(name)
        with ThreadPoolExecutor(max_workers=3) as pool:
            sections = [
                pool.submit(scan_source, files, binary, scratch / "source", tell),
                pool.submit(scan_plan, files, manifest, binary, scratch / "plan", tell),
                pool.submit(scan_packer, manifest, scratch / "packer", tell),
            ]
        checks = [check for section in sections for check in section.result()]
    return CheckReport(suppressed(checks, manifest.suppressions, today or datetime.now(UTC).date()))


def plan(
    environment: Environment, on_event: Callable[[Event], None], *, destroy: bool = False, only: tuple[str, ...] = ()
) -> Plan:
    """Plan against the account that the manifest names, and save the plan beside the rendered files.

    Args:
        environment: what is planned.
        on_event: hears of terraform's steps.
        destroy: plan to remove everything.
        only: addresses; without any, everything is planned.
    """
    _require_account(environment)
    if not destroy:
        _require_room_for_image(environment.manifest)
    terraform = open_terraform(environment, on_event)
    saved = environment.saved_plan
    saved.prepare()
    terraform.plan(saved.path, destroy=destroy, targets=only)
    content = terraform.show_plan(saved.path)
    if not only:
        saved.record(environment.digest, destroy=destroy)  # a part of a plan is for whoever asked for it alone
    return Plan(content)


def current_plan(environment: Environment, on_event: Callable[[Event], None]) -> Plan:
    """The saved plan if it was made from these files, else a new one."""
    saved = environment.saved_plan
    if not saved.is_current(environment.digest):
        return plan(environment, on_event)
    _require_account(environment)
    return Plan(open_terraform(environment, on_event).show_plan(saved.path))


def explanation(manifest_path: Path, plan: Plan) -> Summary:
    """What a plan means, next to what was changed in the manifest since it was last applied."""
    from gen_infra.explain import explain
    from gen_infra.explain.causes import manifest_changes
    from gen_infra.manifest.reading.loader import load_with_nodes
    from gen_infra.manifest.reading.reader import origin

    _, nodes = load_with_nodes(manifest_path)
    return explain(plan.content, manifest_changes(plan.content, lambda path: origin(nodes, path)))


def apply(
    environment: Environment, plan: Plan, on_event: Callable[[Event], None], tell: Tell, draining: Draining
) -> dict[str, Any]:
    """Apply exactly the saved plan, and return terraform's outputs.

    No job is lost where compute environments give way to others, see :mod:`.replacement`. Terraform deregisters only
    the newest revision of a job definition that is gone from the manifest; the others are deregistered here.

    Raises:
        UsageError: the rendered files are not those that the plan was made from.
    """
    from gen_infra.apply.replacement import Replacement, without_refusals
    from gen_infra.aws.leftovers import deregister_definitions
    from gen_infra.aws.session import clients

    saved = environment.saved_plan
    if not saved.is_current(environment.digest):
        raise UsageError("the rendered files changed after the plan was made", hint="plan again, and read the new plan")
    manifest = environment.manifest
    aws = clients(manifest.region)
    steps = _Steps(environment, without_refusals(on_event, plan.going_environments.values()))
    try:
        Replacement(plan, steps, aws, manifest.name, manifest.tags, draining, tell).carry_out()
    finally:
        saved.discard()  # a plan is applied once, whole or in part
    if gone := plan.destroyed_job_definitions:
        deregister_definitions(aws, gone)
    return steps.terraform.output()


@dataclass(frozen=True)
class _Steps:
    """Terraform, as a replacement asks it."""

    environment: Environment
    on_event: Callable[[Event], None]

    @cached_property
    def terraform(self) -> Terraform:
        return open_terraform(self.environment, self.on_event, init=False)

    def apply(self) -> None:
        self.environment.saved_plan.spend()
        self.terraform.apply(self.environment.saved_plan.path)

    def plan_again(self, only: tuple[str, ...], /) -> Plan:
        return plan(self.environment, self.on_event, only=only)


def drift(environment: Environment, on_event: Callable[[Event], None], tell: Tell) -> tuple[Drift, ...]:
    """What other hands changed since the last apply, and whose; a saved plan that knew nothing of it is discarded.

    Args:
        environment: what is looked at.
        on_event: hears what terraform does.
        tell: hears why somebody is not named.

    Raises:
        UsageError: nothing is in the state.
    """
    from gen_infra.drift.drift import drift as found_in
    from gen_infra.drift.drift import is_empty

    _require_account(environment)
    terraform = open_terraform(environment, on_event)
    with tempfile.TemporaryDirectory(prefix="gen-infra-drift-") as scratch:
        path = Path(scratch) / "tfplan"
        terraform.plan(path, refresh_only=True, lock_timeout="2m")  # an apply under way is waited for
        content = terraform.show_plan(path)
    if is_empty(content):
        raise UsageError(
            f"nothing of {environment.manifest.name} is in Terraform's state",
            hint="apply it first; if it was applied, the state is lost or elsewhere",
        )
    found = found_in(content)
    if found:
        environment.saved_plan.discard()
    return _with_authors(environment.manifest, found, tell)


def _with_authors(manifest: Manifest, found: tuple[Drift, ...], tell: Tell) -> tuple[Drift, ...]:
    """Each with who did it; of all that an environment is made of, only launch templates know that themselves."""
    from gen_infra.aws.session import clients
    from gen_infra.drift.authors import EventHistory, launch_template_author

    aws = clients(manifest.region)
    history = EventHistory(aws, manifest.partition)

    def named(each: Drift) -> Drift:
        author = history.author(each.trace) if each.trace else None
        if author is None and (each.type, each.action) == ("aws_launch_template", "update"):
            author = launch_template_author(aws, each.name)
        return replace(each, who=author.who, when=author.when) if author else each

    authored = tuple(map(named, found))
    if any(not each.who for each in authored):
        tell(history.problem or NAMELESS)
    return authored


def destroy(environment: Environment, on_event: Callable[[Event], None], tell: Tell) -> list[str]:
    """Apply the saved destroy plan and clear away what terraform cannot; returns what is still there."""
    from gen_infra.aws.compute_environments import release_all
    from gen_infra.aws.leftovers import (
        deregister_definitions,
        empty_repositories,
        leftovers,
        notification_leftovers,
    )
    from gen_infra.aws.session import clients

    manifest = environment.manifest
    aws = clients(manifest.region)
    if images := empty_repositories(aws, map(manifest.repository_name, manifest.repositories)):
        tell(f"deleted {images} container images")
    release_all(aws, manifest.name)
    terraform = open_terraform(environment, on_event, init=False)
    try:
        terraform.apply(environment.saved_plan.path)
    finally:
        environment.saved_plan.discard()
    deregister_definitions(aws, map(manifest.suffixed, manifest.jobs))
    keys = [*manifest.compute, *manifest.queues, *manifest.jobs]
    own_network, rebuilds = manifest.network.create is not None, manifest.image.rebuild is not None
    left = leftovers(aws, manifest.name, keys, manifest.repositories, own_network=own_network, rebuilds=rebuilds)
    return [*left, *notification_leftovers(aws, manifest.event_topics)] if manifest.event_topics else left


def open_terraform(environment: Environment, on_event: Callable[[Event], None], *, init: bool = True) -> Terraform:
    """The environment's terraform, initialised."""
    from gen_infra.terraform.adapter import Terraform
    from gen_infra.terraform.provider import find_provider

    binary = terraform_binary(environment.manifest)
    terraform = Terraform(binary, environment.terraform_folder, os.environ, on_event=_without_record(on_event))
    if init:
        terraform.init(plugin_dir=find_provider(os.environ, flavour=binary.flavour).plugin_dir)
    return terraform


def _without_record(on_event: Callable[[Event], None]) -> Callable[[Event], None]:
    def heard(event: Event) -> None:
        if event.address != RECORD:
            on_event(event)

    return heard


def terraform_binary(manifest: Manifest) -> Binary:
    """The terraform to use, new enough for this manifest."""
    from gen_infra.terraform.adapter import find_terraform

    binary = find_terraform(os.environ)
    if manifest.state != "local" and tuple(map(int, binary.version.split(".")[:2])) < (1, 10):
        raise MissingError(
            f"{binary.flavour} {binary.version} cannot lock a state bucket by itself; 1.10 or later can",
            hint="install a newer terraform, or use `state: local`",
        )
    return binary


def _require_account(environment: Environment) -> None:
    from gen_infra.aws.session import clients, require_account

    require_account(clients(environment.manifest.region), environment.manifest.account)


def _require_room_for_image(manifest: Manifest) -> None:
    """Refuse volumes that are smaller than the image's snapshots: EC2 would, at every launch, long after the apply.

    Raises:
        UsageError: each of them, with both sizes.
    """
    from gen_infra.aws import images
    from gen_infra.aws.session import clients

    if not manifest.uses_ec2 or not (manifest.image.id or manifest.image.parameter):
        return
    aws = clients(manifest.region)
    image_id = manifest.image.id or images.parameter(aws, manifest.image_parameter)
    image = images.find(aws, image_id) if image_id else None
    least = images.least_sizes(aws, image) if image else {}
    if problems := images.too_small(least, manifest.image.launch_volumes_gib):
        raise UsageError(
            f"no instance of {image_id} could start: {'; '.join(problems)}",
            hint="ask for as much or more, or build a new image",
        )
