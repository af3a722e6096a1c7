"""The story of an environment: load, write, check, plan, explain, apply and recover, destroy.

Each stage is one function that takes what the stage before it made. Nothing here prints: progress goes to the
callables that the caller passes in, results are returned, failures are raised.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.environment import Environment
from gen_infra.errors import GenInfraError, UsageError
from gen_infra.manifest import load_with_warnings
from gen_infra.render.writer import digest, read_back
from gen_infra.render.writer import write as write_folder
from gen_infra.tools.versions import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from gen_infra.apply.orphans import Orphan
    from gen_infra.apply.replacement import Draining
    from gen_infra.check.report import CheckReport
    from gen_infra.cost import CostChange
    from gen_infra.drift.drift import Drift
    from gen_infra.explain import Summary
    from gen_infra.manifest import Manifest
    from gen_infra.render.writer import Written
    from gen_infra.terraform.adapter import Event, Terraform
    from gen_infra.terraform.lock_file import LockFile
    from gen_infra.terraform.plan import PlanContent
    from gen_infra.terraform.saved_plan import Intent, Plan
    from gen_infra.tools.process import Progress
    from gen_infra.tools.versions import AwsProvider

    OnEvent = Callable[[Event], None]


def load(manifest_path: Path, out: Path, *, strict: bool = False, image_tags: Sequence[str] = ()) -> Environment:
    """Read a manifest, once; nothing is rendered or called yet.

    Args:
        manifest_path: the manifest.
        out: where the environments' folders are.
        strict: treat the manifest's warnings as errors.
        image_tags: ``repository=tag`` of the command line, which replace those of the manifest.
    """
    loaded = load_with_warnings(manifest_path, strict=strict, image_tags=image_tags)
    return Environment(loaded, out / loaded.manifest.name)


def write(environment: Environment, *, force: bool = False) -> Written:
    """Write the rendered files; those that were changed since are refused, or overwritten with ``force``."""
    from gen_infra.apply.import_blocks import remove_import_blocks

    remove_import_blocks(environment.terraform_folder)  # a killed run may have left them
    return write_folder(environment.files, environment.root, force=force)


def import_again(environment: Environment, lost: Sequence[str]) -> str:
    """Say that the files import again what the state has lost."""
    return (
        f"{environment.state_place} no longer has {len(lost)} of the resources that were imported: "
        "terraform/imports.tf imports them again"
    )


def lock(
    manifest_paths: Sequence[Path], progress: Progress, *, platforms: Sequence[str] = (), upgrade: bool = False
) -> dict[LockFile, str]:
    """Lock the AWS provider for the manifests of each folder; return each lock file, and the release that it chooses.

    Args:
        manifest_paths: the manifests; those of one folder share a lock file.
        progress: receives lines of progress.
        platforms: those that get a checksum, such as ``linux_amd64``; empty: this machine's.
        upgrade: choose the newest release, not the one that is locked.
    """
    from gen_infra.check.formats import write_atomically
    from gen_infra.environment import find_terraform_for
    from gen_infra.terraform.lock_file import LockFile, lock_file_beside, make_lock_file

    locked = {}
    manifests = {path: load_with_warnings(path).manifest for path in manifest_paths}
    binaries = {path.parent: find_terraform_for(manifest) for path, manifest in manifests.items()}
    for folder, manifest_path in {path.parent: path for path in manifest_paths}.items():
        provider = _one_provider(folder, [each for path, each in manifests.items() if path.parent == folder])
        binary, before = binaries[folder], None if upgrade else lock_file_beside(manifest_path)
        progress(f"{binary.flavour} locks the AWS provider")
        content = make_lock_file(binary, os.environ, provider, platforms, before)
        write_atomically(folder / LOCK_FILE, content.decode())
        made = LockFile(folder / LOCK_FILE, content)
        locked[made] = made.version(binary.flavour, provider)
    return locked


def _one_provider(folder: Path, manifests: Iterable[Manifest]) -> AwsProvider:
    """Return the version of the AWS provider that the manifests of a folder name; its lock file chooses one release."""
    provider, *others = {each.provider.major: each.provider for each in manifests}.values()
    if others:
        raise UsageError(
            f"the manifests in {folder} name versions {provider.major} and {others[0].major} of the AWS provider, and "
            "share a lock file",
            hint="keep them in two folders",
        )
    return provider


def check(
    environments: Sequence[Environment],
    progress: Progress,
    *,
    policy_path: Path | None = None,
    base_path: Path | None = None,
    today: date | None = None,
) -> tuple[CheckReport, ...]:
    """Validate and scan the rendered files of environments, in clean copies that nothing else can influence.

    Args:
        environments: what is checked; checkov starts once for all of them.
        progress: receives lines of progress.
        policy_path: the policy file: what is accepted beside what the manifests accept.
        base_path: the manifest before a change, see :class:`.check.base.BaseManifest`; the file may not exist.
        today: decides which suppressions have expired; by default today in UTC.

    Returns:
        A report for each environment, in their order.
    """
    from gen_infra.check.base import BaseManifest
    from gen_infra.check.policy import NO_POLICY, read_policy
    from gen_infra.check.runner import check_environments

    policy = read_policy(policy_path) if policy_path else NO_POLICY
    base = None
    if base_path:
        base = BaseManifest.of(load_with_warnings(base_path).manifest) if base_path.exists() else BaseManifest()
    return check_environments(environments, progress, policy=policy, base=base, today=today)


def make_plan(
    environment: Environment, on_event: OnEvent, progress: Progress, *, destroy: bool = False, adopt: bool = False
) -> Plan:
    """Plan against the account that the manifest names, and save the plan beside the rendered files.

    The plan imports what interrupted runs left, see :mod:`.apply.adoption`, and again what was imported before and the
    state has lost.

    Args:
        environment: what is planned; its files are written.
        on_event: receives terraform's steps.
        progress: receives what is restored, and what cannot be adopted.
        destroy: plan to remove everything.
        adopt: whether what exists may be imported into an empty state, whichever run created it.

    Raises:
        UsageError: the state is another environment's, or empty although the environment's resources exist.
    """
    from gen_infra.apply.recovery import require_own_place, require_own_resources, require_own_tags
    from gen_infra.apply.rescued_state import restore_state
    from gen_infra.image import require_room

    environment.require_account()
    require_own_place(environment)
    restore_state(environment, progress)
    if destroy:
        with _planned(environment, on_event, "destroy") as (file, content):
            require_own_resources(environment, content)
            require_own_tags(environment, content)
            return environment.saved_plan.save(file, environment.plan_origin("destroy"), content)
    if lost := environment.forget_lost_imports():
        write(environment)
        progress(import_again(environment, lost))
    environment.require_image_parameters()
    require_room(environment.manifest, environment.clients)
    return _plan_with_adoption(environment, on_event, progress, adopt=adopt)


def account_warnings(environment: Environment) -> list[str]:
    """Return which quotas of EBS storage the environment may exceed, and whether its rebuilds' source is not pinned.

    What the caller may not read gives no warning.
    """
    from gen_infra.doctor.runner import source_problems, storage_shortages

    clients, manifest = environment.clients, environment.manifest
    found = [*storage_shortages(clients, manifest), *source_problems(clients, manifest)]
    return [f"{line.subject}: {line.message}; {line.advice}" for line in found]


def saved_or_new_plan(environment: Environment, on_event: OnEvent, progress: Progress, *, adopt: bool = False) -> Plan:
    """Give the saved plan if it was made for this environment and from these files, else make a new one.

    A saved plan that cannot be used is discarded; one line of progress says why. ``adopt`` is that of `make_plan`.
    """
    from gen_infra.apply.rescued_state import restore_state
    from gen_infra.terraform.saved_plan import Unusable

    saved = environment.saved_plan
    if not saved.exists:
        progress("terraform plans …")
        return make_plan(environment, on_event, progress, adopt=adopt)
    progress("reading the saved plan …")
    environment.require_account()
    restore_state(environment, progress)
    found = saved.find(environment.plan_origin("apply"), environment.terraform(on_event).show_plan)
    if not isinstance(found, Unusable):
        return found
    saved.discard()
    progress(f"discarded the saved plan ({found.reason}); planning again")
    return make_plan(environment, on_event, progress, adopt=adopt)


def explain(environment: Environment, plan: Plan) -> Summary:
    """Explain a plan, next to what was changed in the manifest since it was last applied."""
    from gen_infra.explain import explain as explain_content
    from gen_infra.explain.causes import manifest_changes
    from gen_infra.explain.powers import Known
    from gen_infra.manifest.lustre import own_scripts

    if plan.origin.intent == "destroy":
        return explain_content(plan.content)
    manifest = environment.manifest
    scripts = (script for compute in manifest.compute.values() for script in own_scripts(manifest, compute))
    known = Known(manifest.job_folders, own_scripts=frozenset(script.sha256 for script in scripts))
    return explain_content(
        plan.content, manifest_changes(plan.content, environment.origin), known, environment.import_ids
    )


def usual_hours(environment: Environment) -> dict[str, float]:
    """Return how long each job usually takes, from the newest jobs that AWS Batch has; empty where it does not say."""
    from gen_infra.aws.job_history import succeeded_jobs
    from gen_infra.cost.history import usual_hours as usual_hours_of

    manifest = environment.manifest
    try:
        environment.require_account()
        found = succeeded_jobs(environment.clients, map(manifest.queue_name, manifest.queues), most=100)
    except GenInfraError:  # before the first apply there are no queues
        return {}
    return usual_hours_of(manifest, found)


def estimate_change(environment: Environment, plan: Plan, usual: Mapping[str, float]) -> CostChange:
    """Estimate what the environment costs after a plan, next to what it costs as it was applied last.

    Args:
        environment: the environment.
        plan: has the manifest that was applied last.
        usual: how long each job usually takes.
    """
    from gen_infra.cost import compare

    before, _ = plan.content.manifests
    return compare(before, environment.manifest, usual)


class Applied(NamedTuple):
    """What an apply resulted in.

    Args:
        outputs: terraform's outputs, by name.
        orphans: what interrupted runs left, and the state does not have.
    """

    outputs: dict[str, Any]
    orphans: tuple[Orphan, ...]


def apply(
    environment: Environment,
    plan: Plan,
    on_event: OnEvent,
    progress: Progress,
    draining: Draining | None = None,
) -> Applied:
    """Apply exactly this plan, once.

    No job is lost where compute environments are replaced, see :mod:`.apply.replacement`. Terraform deregisters only
    the newest revision of a job definition that the manifest no longer has; the others are deregistered here. If
    something exists already that the plan does not adopt, the error says how to import it.

    Raises:
        UsageError: the plan is not for this; it, its file or the rendered files changed; or AWS would refuse a part of
            it, also because only an administrator may change access. Nothing was changed.
    """
    from gen_infra.apply.access_changes import require_administrator
    from gen_infra.apply.adoption import revoke_default_egress
    from gen_infra.apply.recovery import Lock, marked_as_started, note_lineage, orphans, with_recovery_hints
    from gen_infra.apply.replacement import Draining, Replacement
    from gen_infra.apply.role_policies import put_new_policies
    from gen_infra.aws.leftovers import deregister_definitions

    manifest, clients, saved = environment.manifest, environment.clients, environment.saved_plan
    require_administrator(environment.require_account(), manifest, plan.content)
    _require_rendered(environment)
    _require_possible(plan)
    with plan.verified_copy(environment.plan_origin("apply")) as file:
        lock = Lock(environment, on_event)
        steps = _Steps(environment, lock.on_event, plan, file)
        queues = [*map(manifest.queue_name, manifest.queues)]
        replacement = Replacement(
            plan, steps, clients, manifest.name, manifest.resource_tags, draining or Draining(), progress, queues=queues
        )
        try:
            with marked_as_started(environment), with_recovery_hints(environment, lock):
                revoke_default_egress(clients, plan.content)
                put_new_policies(clients, plan.content.managed_changes, progress)
                replacement.carry_out()
        finally:
            saved.discard()  # a plan is applied once, whole or in part
    if deleted := plan.content.deleted_job_definitions:
        deregister_definitions(clients, deleted, manifest.name)
    state = environment.terraform().state_pull()
    note_lineage(environment, state)
    environment.note_imported(state)
    return Applied(environment.terraform().output(), orphans(environment, state))


def _require_possible(plan: Plan) -> None:
    """Refuse what AWS would refuse halfway, after running jobs have lost what they need."""
    from gen_infra.explain import explain as explain_content

    if impossible := explain_content(plan.content).impossible:
        raise UsageError(
            "this plan cannot be applied; nothing was changed:"
            + "".join(f"\n  {change.title}: {change.impossible}" for change in impossible),
            hint="undo that change of the manifest, or make it under a new name of the environment",
        )


@dataclass(frozen=True)
class _Steps:
    """Terraform for a replacement.

    Args:
        environment: what it runs for.
        on_event: receives its steps.
        shown: the plan that the user has seen.
        file: the verified copy of that plan's file.
    """

    environment: Environment
    on_event: OnEvent
    shown: Plan
    file: Path

    def apply(self, plan: Plan, /) -> None:
        self.environment.saved_plan.spend()
        if plan is self.shown:
            self._terraform.apply(self.file)
            return
        _require_rendered(self.environment)
        with plan.verified_copy(self.environment.plan_origin("partial")) as file:
            self._terraform.apply(file)

    def plan_again(self, only: tuple[str, ...], /) -> Plan:
        _require_rendered(self.environment)
        return _plan(self.environment, self.on_event, "partial", only, self.shown.content.imports)

    @property
    def _terraform(self) -> Terraform:
        from gen_infra.apply.replacement import without_expected_failures

        expected = self.shown.content.deleted_environments.values()
        return self.environment.terraform(without_expected_failures(self.on_event, expected))


def definitions_with_deleted_roles(environment: Environment, plan: Plan) -> dict[str, str]:
    """Map the active job definitions outside the environment to the role of theirs that the plan deletes."""
    from gen_infra.aws.leftovers import definitions_with_roles

    roles = plan.content.deleted_roles
    own = {*map(environment.manifest.definition_name, environment.manifest.jobs)} | set(
        plan.content.deleted_job_definitions
    )
    return definitions_with_roles(environment.clients, roles, own) if roles else {}


def destroy(environment: Environment, plan: Plan, on_event: OnEvent, progress: Progress) -> list[str]:
    """Apply exactly this destroy plan, and remove what terraform cannot.

    Returns:
        What is still there: each with its id, its price, and the command that removes it.

    Raises:
        UsageError: the plan is not for this, or it, its file or the rendered files changed; nothing was changed.
    """
    from gen_infra.apply.access_changes import require_administrator
    from gen_infra.apply.orphans import as_orphan
    from gen_infra.apply.recovery import Lock, with_recovery_hints
    from gen_infra.aws.compute_environments import release_all
    from gen_infra.aws.leftovers import (
        deregister_definitions,
        empty_repositories,
        leftovers,
        leftovers_named,
    )

    manifest, clients, saved = environment.manifest, environment.clients, environment.saved_plan
    require_administrator(environment.require_account(), manifest, plan.content)
    _require_rendered(environment)
    with plan.verified_copy(environment.plan_origin("destroy")) as file:
        if images := empty_repositories(clients, map(manifest.repository_name, manifest.repositories)):
            progress(f"deleted {images} container images")
        release_all(clients, manifest.name, manifest.adopted.compute.values())
        saved.spend()
        lock = Lock(environment, on_event)
        try:
            with with_recovery_hints(environment, lock):
                environment.terraform(lock.on_event).apply(file, destroys=True)
        finally:
            saved.discard()
    deregister_definitions(clients, map(manifest.definition_name, manifest.jobs), manifest.name)
    keys = manifest.resource_keys
    own_network, rebuilds = manifest.network.create is not None, manifest.image.rebuild is not None
    left = leftovers(clients, manifest.name, keys, manifest.repositories, own_network=own_network, rebuilds=rebuilds)
    if manifest.event_rules or manifest.budget_topics:
        names = [*manifest.event_rules, *manifest.alarms, *manifest.dashboards, *manifest.budget_topics]
        left += leftovers_named(clients, "notifications", names)
    if manifest.workflows:
        left += leftovers_named(clients, "workflows", manifest.state_machines)
    if manifest.created_file_systems:
        names = [manifest.suffixed(key) for key in manifest.created_file_systems]
        names += map(manifest.file_system_security_group, manifest.created_file_systems)
        left += leftovers_named(clients, "file_systems", names)
    return [as_orphan(each, clients.region).still_there for each in left]


def drift(environment: Environment, on_event: OnEvent, progress: Progress) -> tuple[Drift, ...]:
    """Find what was changed outside Terraform since the last apply, and by whom; then discard a saved plan.

    Args:
        environment: what is looked at; its files are written.
        on_event: receives terraform's steps.
        progress: receives why an author is not named.

    Raises:
        UsageError: the state is empty, or another environment's.
    """
    from gen_infra.apply.recovery import require_own_place
    from gen_infra.apply.rescued_state import restore_state
    from gen_infra.drift.authors import with_authors
    from gen_infra.drift.drift import drift as found_in
    from gen_infra.drift.drift import is_empty

    environment.require_account()
    require_own_place(environment)
    restore_state(environment, progress)
    terraform = environment.terraform(on_event)
    with tempfile.TemporaryDirectory(prefix="gen-infra-drift-") as scratch:
        file = Path(scratch) / "tfplan"
        terraform.plan(file, refresh_only=True, lock_timeout="2m")  # waits for an apply that is running
        content = terraform.show_plan(file)
    if is_empty(content):
        raise UsageError(
            f"nothing of {environment.manifest.name} is in Terraform's state",
            hint="run gen-infra apply first; if it was applied, its state is lost or elsewhere",
        )
    found = found_in(content)
    if found:
        environment.saved_plan.discard()
    return with_authors(found, environment.clients, environment.manifest.partition, progress)


def _plan_with_adoption(environment: Environment, on_event: OnEvent, progress: Progress, *, adopt: bool) -> Plan:
    """Plan, and plan again with imports of what exists already, until no more is found; save the last plan."""
    from gen_infra.apply.adoption import find, named
    from gen_infra.apply.recovery import require_own_state, require_own_tags
    from gen_infra.terraform.saved_plan import lineage

    imports: dict[str, str] = {}
    while True:
        with _planned(environment, on_event, "apply", imports=imports) as (file, content):
            found = find(content, environment.clients, environment.manifest)
            require_own_tags(environment, content)
            if not imports:
                require_own_state(environment, content, lineage(file), found, adopt=adopt)
            if not found.imports:
                if found.ambiguous:
                    progress(f"not adopted, because there are several: {named(found.ambiguous, at_most=50)}")
                return environment.saved_plan.save(file, environment.plan_origin("apply"), content)
        imports |= found.imports
        progress(f"found what an interrupted run left: {named(found.resources)}; terraform plans again …")


def _plan(
    environment: Environment,
    on_event: OnEvent,
    intent: Intent,
    only: tuple[str, ...] = (),
    imports: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Plan for a purpose, and save the plan; only at these addresses, if there are any."""
    with _planned(environment, on_event, intent, only, imports) as (file, content):
        return environment.saved_plan.save(file, environment.plan_origin(intent), content)


@contextmanager
def _planned(
    environment: Environment,
    on_event: OnEvent,
    intent: Intent,
    only: tuple[str, ...] = (),
    imports: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[tuple[Path, PlanContent]]:
    """Plan for a purpose, with imports (address to id); give the plan's temporary file and what it says."""
    from gen_infra.apply.import_blocks import import_blocks

    terraform = environment.terraform(on_event)
    with tempfile.TemporaryDirectory(prefix="gen-infra-plan-") as scratch:
        file = Path(scratch) / "tfplan"
        more = {address: id_ for address, id_ in imports.items() if address not in environment.import_ids}
        with import_blocks(environment.terraform_folder, more):
            terraform.plan(file, destroy=intent == "destroy", targets=only)
        yield file, terraform.show_plan(file)


def _require_rendered(environment: Environment) -> None:
    """Refuse to go on with files that are not the rendered ones: terraform reads some of them while it applies.

    Raises:
        UsageError: files were changed since, or another run rendered others.
    """
    if digest(read_back(environment.root)) != environment.digest:
        raise UsageError(
            f"another run has rendered other files into {environment.root}; nothing was changed",
            hint="run the same command again, and read the new plan",
        )
