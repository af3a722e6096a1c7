"""Run `gen-infra check`: each tool on its own clean copy of the rendered files.

The copies are made from what was rendered, not from the files on disk, so that no other file, configuration or variable
can disable a check.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from gen_infra.check.access import access_verdicts
from gen_infra.check.host_scripts import script_verdicts
from gen_infra.check.images import image_verdicts
from gen_infra.check.pins import pin_findings
from gen_infra.check.plans import Validated, validate_and_plan
from gen_infra.check.policy import NO_POLICY, Policy
from gen_infra.check.report import Check, CheckReport, Finding, Level, RuleInfo
from gen_infra.check.rules import RULES, Broken, broken_rules
from gen_infra.check.rules.iam_lint import LINTS, ActionReference, IamAction, lint, mentioned_actions
from gen_infra.check.rules.rule import Accepted
from gen_infra.check.secrets import secret_verdicts
from gen_infra.check.suppressions import suppressed
from gen_infra.manifest.lustre import boot_scripts
from gen_infra.manifest.model.image import CURATED_BUILD_IMAGE
from gen_infra.render.files import PACKER_TEMPLATE, packer_folder
from gen_infra.render.writer import lay_out
from gen_infra.terraform.adapter import Terraform
from gen_infra.terraform.source import HclSource, Resource, read_source
from gen_infra.tools.addresses import bare
from gen_infra.tools.checkov.adapter import (
    CheckovSuppression,
    CheckRecord,
    ScannedPlan,
    ScanResult,
    doubts,
    find_checkov,
    reason_of,
)
from gen_infra.tools.checkov.adapter import scan_hcl_folders as checkov_hcl
from gen_infra.tools.checkov.adapter import scan_plans as checkov_plan
from gen_infra.tools.checkov.iam_reference import look_up
from gen_infra.tools.packer import find_packer, validate
from gen_infra.tools.process import forwarding_signals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from gen_infra.check.base import BaseManifest
    from gen_infra.environment import Environment
    from gen_infra.manifest import Manifest
    from gen_infra.terraform.plan import PlanContent
    from gen_infra.tools.packer import Packer
    from gen_infra.tools.process import Progress

Files = Mapping[str, bytes]

_CHECKOV_PLAN = "checkov (plan)"
_OWN_PLAN = "gen-infra (plan)"

SUPPRESSIONS = (
    CheckovSuppression(
        "CKV_AWS_117",
        "module.job_functions.aws_lambda_function.*",
        "The functions call the AWS Batch API and nothing in a VPC; inside a VPC they would need a route to reach it.",
    ),
    CheckovSuppression(
        "CKV_AWS_272",
        "module.job_functions.aws_lambda_function.*",
        "gen-infra builds the package reproducibly, and every plan contains its hash.",
    ),
    CheckovSuppression(
        "CKV_AWS_117",
        "module.environment_alarms.aws_lambda_function.this",
        "The function calls public APIs and nothing in a VPC; inside a VPC it would need a route to reach them.",
    ),
    CheckovSuppression(
        "CKV_AWS_272",
        "module.environment_alarms.aws_lambda_function.this",
        "gen-infra builds the package reproducibly, and every plan contains its hash.",
    ),
    CheckovSuppression(
        "CKV_AWS_117",
        "module.queue_stop.aws_lambda_function.*",
        "The function calls the AWS Batch and Budgets APIs and nothing in a VPC, where it would need a route to them.",
    ),
    CheckovSuppression(
        "CKV_AWS_272",
        "module.queue_stop.aws_lambda_function.*",
        "gen-infra builds the package reproducibly, and every plan contains its hash.",
    ),
    CheckovSuppression(
        "CKV2_AWS_5",
        "module.network.aws_security_group.instances",
        "The compute environments use it; checkov does not follow it through the modules between them.",
    ),
)


def check_environments(
    environments: Sequence[Environment],
    progress: Progress,
    *,
    policy: Policy = NO_POLICY,
    base: BaseManifest | None = None,
    today: date | None = None,
) -> tuple[CheckReport, ...]:
    """Check environments side by side with every tool, and apply the suppressions of their manifests.

    Args:
        environments: what is checked; terraform fmt and checkov start once for all of them.
        progress: receives lines of progress.
        policy: what is accepted beside what the manifests accept.
        base: what the manifests are compared with; None if they are not.
        today: decides which suppressions have expired; by default today in UTC.
    """
    iam_path = base.iam_path if base else None
    accepted = [accepted_in(environment.manifest, policy, iam_path) for environment in environments]
    binary = environments[0].terraform_binary  # a missing terraform is reported before anything starts
    for environment in environments[1:]:
        environment.use_terraform(binary)
    with (
        tempfile.TemporaryDirectory(prefix="gen-infra-check-") as name,
        forwarding_signals(),
        ThreadPoolExecutor(max_workers=4) as pool,
    ):
        scratch = Path(name)
        sections = [
            pool.submit(_scan_sources, environments, accepted, scratch / "source", progress),
            pool.submit(_scan_plans, environments, accepted, scratch / "plan", progress),
            pool.submit(_scan_templates, environments, scratch / "packer", progress),
            pool.submit(_scan_manifests, environments, policy, base),
        ]
        found = [section.result() for section in sections]
    day = today or datetime.now(UTC).date()
    return tuple(
        CheckReport(
            suppressed(
                [check for section in by_section for check in section],
                environment.manifest.suppressions,
                day,
                policy=policy.suppressions,
                base=base.suppressions if base else None,
            )
        )
        for environment, *by_section in zip(environments, *found, strict=True)
    )


def _scan_sources(
    environments: Sequence[Environment], accepted: Sequence[Accepted], folder: Path, progress: Progress
) -> list[list[Check]]:
    """Run checkov on the HCL as it was rendered, and meanwhile terraform fmt and our own checks' preparation."""
    folders = [folder / str(number) for number in range(len(environments))]
    for environment, own in zip(environments, folders, strict=True):
        lay_out(_terraform_folder(environment.files), own)
    progress("checkov scans the source")
    with ThreadPoolExecutor(max_workers=1) as background:
        scan = background.submit(checkov_hcl, find_checkov(os.environ), folders, os.environ)
        unformatted = Terraform(environments[0].terraform_binary, folder, os.environ).fmt_check().files
        sources = [read_source(terraform_sources(environment.files)) for environment in environments]
        _look_up(frozenset().union(*(mentioned_actions(source.resources) for source in sources)))
        results = scan.result()
    return [
        [
            _format_verdict(environment.files, own.name, unformatted),
            *_source_verdicts(environment.files, source, result, each),
        ]
        for environment, own, source, result, each in zip(
            environments, folders, sources, results, accepted, strict=True
        )
    ]


def _format_verdict(files: Files, folder: str, unformatted: Sequence[str]) -> Check:
    own = [file.removeprefix(f"{folder}/") for file in unformatted if file.startswith(f"{folder}/")]
    findings = tuple(Finding("failed", "is not formatted", file, file=f"terraform/{file}") for file in own)
    return Check("terraform fmt", f"{sum(path.endswith('.tf') for path in files)} files", findings)


def accepted_in(manifest: Manifest, policy: Policy = NO_POLICY, iam_path: str | None = None) -> Accepted:
    """Return what our own checks accept in an environment; of existing roles, those below ``iam_path`` if given."""
    return Accepted(
        manifest.job_folders,
        policy.host_paths,
        (*policy.roles, *manifest.own_role_patterns(iam_path)),
        manifest.account,
        manifest.iam.permissions_boundary or "",
        frozenset(
            (
                *(grant.item for grant in (manifest.access.grants() if manifest.access else ())),
                *(arn for engine in manifest.given_engines.values() for arn in engine.principals),
            )
        ),
        {
            f"module.compute_{key}": tuple(script.sha256 for script in boot_scripts(manifest, compute))
            for key, compute in manifest.own_compute.items()
            if not compute.is_fargate
        },
        _objects(manifest),
        any(engine.may_be_privileged for engine in manifest.given_engines.values()),
        manifest.image.rebuild.build_image if manifest.image.rebuild else CURATED_BUILD_IMAGE,
    )


def _objects(manifest: Manifest) -> dict[str, frozenset[str]]:
    """Return the buckets of the manifest, each with its prefixes; an empty one means the whole bucket."""
    used = [*manifest.buckets.values(), *map(manifest.work_bucket, manifest.given_engines)]
    places = [(bucket.name, bucket.prefix or "") for bucket in used]
    if manifest.image.rebuild:
        places.append((manifest.image.rebuild.bucket, manifest.rebuild_source_key))
    objects: dict[str, frozenset[str]] = {}
    for bucket, prefix in places:
        objects[bucket] = objects.get(bucket, frozenset()) | {prefix.rstrip("/")}
    return objects


def source_verdicts(files: Files, result: ScanResult, accepted: Accepted) -> list[Check]:
    """Give the verdicts on the source: of checkov's scan, and of our own checks on the same files."""
    return _source_verdicts(files, read_source(terraform_sources(files)), result, accepted)


def _source_verdicts(files: Files, source: HclSource, result: ScanResult, accepted: Accepted) -> list[Check]:
    return [_verdict("checkov (source)", result, source.declared), _own_source_verdict(files, source, accepted)]


def own_source_verdict(files: Files, accepted: Accepted) -> Check:
    """Give the verdict of our own checks on the source."""
    return _own_source_verdict(files, read_source(terraform_sources(files)), accepted)


def _own_source_verdict(files: Files, source: HclSource, accepted: Accepted) -> Check:
    return _own_verdict("gen-infra (source)", source.resources, source, accepted, [*pin_findings(files)])


def terraform_sources(files: Files) -> dict[str, bytes]:
    """Return the ``*.tf`` files, by their path below the terraform folder."""
    return {path: content for path, content in _terraform_folder(files).items() if path.endswith(".tf")}


def _scan_plans(
    environments: Sequence[Environment], accepted: Sequence[Accepted], folder: Path, progress: Progress
) -> list[list[Check]]:
    """Run terraform validate, and checkov and our own checks on plans of whole environments if AWS can be reached."""
    folders = [folder / str(number) for number in range(len(environments))]
    validated = validate_and_plan(environments, folder, progress)
    planned = [
        ScannedPlan(each.plan.with_stated_unknowns(), own, read_source(terraform_sources(environment.files)).places)
        for each, own, environment in zip(validated, folders, environments, strict=True)
        if each.plan
    ]
    scans: Iterator[ScanResult] = iter(())
    if planned:
        progress("checkov scans the plan")
        scans = iter(checkov_plan(find_checkov(os.environ), planned, os.environ))
    return [
        [*each.verdicts, *_plan_verdicts(each, next(scans) if each.plan else None, environment.files, beyond)]
        for each, environment, beyond in zip(validated, environments, accepted, strict=True)
    ]


def _plan_verdicts(validated: Validated, scan: ScanResult | None, files: Files, accepted: Accepted) -> list[Check]:
    content = validated.plan
    if content is None or scan is None:
        why = f"no plan can be made: {validated.reason}"
        return [Check(name, not_run=why) for name in (_CHECKOV_PLAN, _OWN_PLAN)]
    planned = frozenset(change.address for change in content.changes if change.is_managed)
    return [_verdict(_CHECKOV_PLAN, scan, planned), own_plan_verdict(content, files, accepted)]


def own_plan_verdict(content: PlanContent, files: Files, accepted: Accepted) -> Check:
    """Run gen-infra's own checks on a plan; findings have their places in the source."""
    source = read_source(terraform_sources(files))
    return _own_verdict(_OWN_PLAN, tuple(content.planned_resources), replace(source, errors=()), accepted)


def _scan_templates(environments: Sequence[Environment], folder: Path, progress: Progress) -> list[list[Check]]:
    """Run packer validate for each environment, if there is a packer."""
    packer = find_packer(os.environ)
    return [
        _scan_template(environment.manifest, packer, folder / str(number), progress)
        for number, environment in enumerate(environments)
    ]


def _scan_manifests(
    environments: Sequence[Environment], policy: Policy, base: BaseManifest | None
) -> list[list[Check]]:
    """Look for secrets in each environment's manifest, and at the scripts, images and principals that it names."""
    return [
        [
            secrets,
            *script_verdicts(environment, policy),
            *image_verdicts(environment, policy, base),
            *access_verdicts(environment, policy, base),
        ]
        for secrets, environment in zip(secret_verdicts(environments), environments, strict=True)
    ]


def _scan_template(manifest: Manifest, packer: Packer | None, folder: Path, progress: Progress) -> list[Check]:
    name = "packer validate"
    if not manifest.uses_ec2:
        return [Check(name, not_run="nothing runs on EC2, so there is no image to build")]
    if packer is None:
        return [
            Check(name, not_run="packer is not on PATH; run `apt-get install packer`, or install HashiCorp's package")
        ]
    progress("packer validates")
    lay_out(packer_folder(manifest, modern=packer.is_modern), folder)
    findings = validate(packer, folder, PACKER_TEMPLATE, os.environ)
    where = (
        Finding(
            "failed",
            finding.message,
            f"{finding.file}:{finding.line}",
            file=f"packer/{finding.file}",
            line=finding.line,
        )
        for finding in findings
    )
    return [Check(name, f"{PACKER_TEMPLATE} with packer {packer.version_text}", tuple(where))]


def _terraform_folder(files: Files) -> dict[str, bytes]:
    """Return the files below ``terraform/``, by their path there."""
    return {
        path.removeprefix("terraform/"): content for path, content in files.items() if path.startswith("terraform/")
    }


def _verdict(name: str, result: ScanResult, expected: frozenset[str]) -> Check:
    failed = [_checkov_finding(record, "failed", f"{record.check_id} {record.check_name}") for record in result.failed]
    failed += [Finding("failed", doubt) for doubt in doubts(result, expected=expected, allowed=SUPPRESSIONS)]
    skipped = [
        _checkov_finding(record, "skipped", f"{record.check_id}: {reason}", reason)
        for record in result.skipped
        for reason in [reason_of(record, SUPPRESSIONS) or "not allowed"]
    ]
    counts = f"{len(result.passed)} passed, {len(result.failed)} failed, {len(skipped)} skipped"
    summary = f"{counts}, on {len(expected)} resources"
    return Check(name, summary, (*failed, *skipped))


def _checkov_finding(record: CheckRecord, level: Level, message: str, reason: str = "") -> Finding:
    where = _place(record) if level == "failed" else record.resource
    rule = RuleInfo(record.check_id, record.check_name)
    file = f"terraform/{record.file}" if record.file else ""
    return Finding(level, message, where, rule, record.resource, file, record.lines[0], reason)


def _place(record: CheckRecord) -> str:
    """Return the resource, and the place of its block if that is certain."""
    return f"{record.resource} ({record.file}:{record.lines[0]})" if record.file else record.resource


def _own_verdict(
    name: str, resources: Sequence[Resource], source: HclSource, accepted: Accepted, unpinned: Sequence[Finding] = ()
) -> Check:
    """Return what gen-infra's own checks and the lint of IAM policies say about resources, and what is not pinned."""
    reference = _look_up(mentioned_actions(resources))
    broken = [*broken_rules(resources, accepted), *lint(resources, reference)]
    places = {bare(resource.address): resource for resource in source.resources}
    unread = [Finding("failed", f"{error}, so nothing in it was checked") for error in source.errors]
    failed = [_own_finding(each, places.get(bare(each.resource.address), each.resource)) for each in broken]
    failed += unpinned
    summary = f"{len(RULES) + len(LINTS)} checks, {len(failed)} failed, on {len(resources)} resources"
    return Check(name, summary, (*unread, *failed))


def _look_up(actions: frozenset[str]) -> ActionReference:
    """Return what actions mean; one process looks up all that are not known yet."""
    with _reference_lock:
        if unknown := actions - _reference.keys():
            for action, meant in look_up(find_checkov(os.environ), unknown, os.environ).items():
                _reference[action] = tuple(IamAction(name, tuple(arns)) for name, arns in meant.items())
    return {action: _reference[action] for action in actions}


_reference: dict[str, tuple[IamAction, ...]] = {}
_reference_lock = Lock()


def _own_finding(broken: Broken, place: Resource) -> Finding:
    rule, address = broken.rule, broken.resource.address
    where = f"{address} ({place.file}:{place.line})" if place.file else address
    message = f"{rule.id} {rule.title}: {broken.problem}; {rule.remedy}"
    info = RuleInfo(rule.id, rule.title, rule.remedy, rule.source, rule.severity)
    return Finding("failed", message, where, info, address, f"terraform/{place.file}" if place.file else "", place.line)
