"""What `gen-infra check` runs: each tool on its own clean copy of the rendered files.

The copies are made from what was rendered, not from what lies on disk, so that no file, configuration or variable that
someone left there can switch a check off.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from gen_infra.check.report import Check, Finding, Level, RuleInfo
from gen_infra.check.rules import RULES, Broken, broken_rules
from gen_infra.check.rules.iam_lint import LINTS, Action, Reference, lint, mentioned_actions
from gen_infra.errors import MissingError
from gen_infra.render import PACKER_TEMPLATE, packer_folder
from gen_infra.render.writer import lay_out
from gen_infra.terraform.adapter import Binary, Diagnostic, Terraform
from gen_infra.terraform.planned import read_plan
from gen_infra.terraform.provider import find_provider
from gen_infra.terraform.source import Resource, read_source
from gen_infra.tools.checkov.adapter import Checkov, CheckRecord, ScanResult, Suppression, bare, doubts, find_checkov
from gen_infra.tools.checkov.adapter import scan_hcl as checkov_hcl
from gen_infra.tools.checkov.adapter import scan_plan as checkov_plan
from gen_infra.tools.checkov.iam_reference import look_up
from gen_infra.tools.packer import find_packer, validate

if TYPE_CHECKING:
    from gen_infra.manifest import Manifest

Files = Mapping[str, bytes]
Tell = Callable[[str], None]

_CHECKOV_PLAN = "checkov (plan)"
_OWN_PLAN = "gen-infra (plan)"

SUPPRESSIONS = (
    Suppression(
        "CKV_AWS_117",
        "module.job_functions.aws_lambda_function.*",
        "The functions call the AWS Batch API and nothing in a VPC; inside one they would need a way out to reach it.",
    ),
    Suppression(
        "CKV_AWS_272",
        "module.job_functions.aws_lambda_function.*",
        "The package is made here, byte for byte the same each time, and its hash is in every plan.",
    ),
    Suppression(
        "CKV2_AWS_5",
        "module.network.aws_security_group.instances",
        "The compute environments carry it; checkov does not follow it through the modules between them.",
    ),
)


def scan_source(files: Files, binary: Binary, folder: Path, tell: Tell) -> list[Check]:
    """Run terraform fmt, and checkov on the HCL as it was rendered."""
    lay_out(_terraform_folder(files), folder)
    formatting = Terraform(binary, folder, os.environ).fmt_check()
    unformatted = tuple(
        Finding("failed", "is not formatted", file, file=f"terraform/{file}") for file in formatting.files
    )
    fmt = Check("terraform fmt", f"{sum(path.endswith('.tf') for path in files)} files", unformatted)
    tell("checkov reads the source")
    result = checkov_hcl(find_checkov(os.environ), folder, os.environ)
    return [fmt, *source_verdicts(files, result)]


def source_verdicts(files: Files, result: ScanResult) -> list[Check]:
    """What checkov's scan of the source comes to, and what gen-infra's own checks say about the same files."""
    return [_verdict("checkov (source)", result, expected_source_addresses(files)), own_source_verdict(files)]


def own_source_verdict(files: Files) -> Check:
    """What gen-infra's own checks say about the source."""
    sources = terraform_sources(files)
    source = read_source(sources)
    return _own_verdict("gen-infra (source)", source.resources, sources, source.errors)


def terraform_sources(files: Files) -> dict[str, bytes]:
    """The ``*.tf`` files, by their path below the terraform folder."""
    return {path: content for path, content in _terraform_folder(files).items() if path.endswith(".tf")}


def scan_plan(files: Files, manifest: Manifest, binary: Binary, folder: Path, tell: Tell) -> list[Check]:
    """Run terraform validate, and checkov and the own checks on a plan of the whole environment if AWS can be asked."""
    from gen_infra.aws.session import clients, require_account

    sources = _terraform_folder(files)
    sources.pop("backend.tf", None)  # plans from an empty state
    lay_out(sources, folder)
    terraform = Terraform(binary, folder, os.environ)
    terraform.init(plugin_dir=find_provider(os.environ, flavour=binary.flavour).plugin_dir)
    tell("terraform validates")
    validation = terraform.validate()
    checks = [Check("terraform validate", "the whole configuration", tuple(map(_diagnosed, validation.diagnostics)))]
    if not validation.valid:
        return [*checks, *_without_plan("the configuration is not valid")]
    try:
        require_account(clients(manifest.region), manifest.account)
    except MissingError as missing:
        return [*checks, *_without_plan(f"{missing.message}; {missing.hint}")]
    tell("terraform plans")
    plan_file = folder / "tfplan"
    terraform.plan(plan_file)
    plan = terraform.show_plan(plan_file)
    tell("checkov reads the plan")
    result = checkov_plan(find_checkov(os.environ), with_stated_unknowns(plan), folder, os.environ)
    planned = frozenset(change["address"] for change in plan["resource_changes"] if change["mode"] == "managed")
    return [*checks, _verdict(_CHECKOV_PLAN, result, planned), own_plan_verdict(plan, files)]


def own_plan_verdict(plan: Mapping[str, Any], files: Files) -> Check:
    """What gen-infra's own checks say about a plan, and where in the source that is."""
    return _own_verdict(_OWN_PLAN, tuple(read_plan(plan)), terraform_sources(files))


def _without_plan(why: str) -> list[Check]:
    return [Check(name, not_run=f"no plan can be made: {why}") for name in (_CHECKOV_PLAN, _OWN_PLAN)]


def scan_packer(manifest: Manifest, folder: Path, tell: Tell) -> list[Check]:
    """Run packer validate, where there is a packer."""
    name = "packer validate"
    if not manifest.uses_ec2:
        return [Check(name, not_run="nothing runs on EC2: there is no image to build")]
    packer = find_packer(os.environ)
    if packer is None:
        return [
            Check(name, not_run="there is no packer on PATH; `apt-get install packer` or HashiCorp's package gets one")
        ]
    tell("packer validates")
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


_KNOWN_AFTER_APPLY = "known after apply"
_RESOURCE = re.compile(r'^resource "([^"]+)" "([^"]+)" \{$', re.MULTILINE)
_MODULE = re.compile(r'^module "([^"]+)" \{\n  source += "\./modules/([^"]+)"$', re.MULTILINE)


def expected_source_addresses(files: Files) -> frozenset[str]:
    """The address of every resource block in the rendered HCL, as it is seen through the module blocks."""
    root: set[str] = set()
    in_modules: dict[str, set[str]] = {}
    calls: list[tuple[str, str]] = []
    for path, content in files.items():
        if not path.endswith(".tf"):
            continue
        text = content.decode()
        resources = {f"{kind}.{label}" for kind, label in _RESOURCE.findall(text)}
        folder = PurePosixPath(path).parent
        if folder.name == "terraform":
            root |= resources
            calls += _MODULE.findall(text)
        else:
            in_modules.setdefault(folder.name, set()).update(resources)
    through = {f"module.{name}.{resource}" for name, module in calls for resource in in_modules[module]}
    return frozenset(root | through)


def with_stated_unknowns(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The plan, with a value in place of each attribute that the configuration sets but that is known only after apply.

    The ARN of a key that is made in the same run is such a value; to checkov its absence means "not encrypted". What
    the configuration leaves out stays out.
    """
    stated = dict(_stated_attributes(plan["configuration"]["root_module"], ""))
    unknown: dict[str, list[str]] = {}
    for resource in plan["resource_changes"]:
        attributes = stated.get(bare(resource["address"]), frozenset())
        marks = resource["change"].get("after_unknown") or {}
        unknown[resource["address"]] = [name for name in attributes if marks.get(name) is True]
    filled: dict[str, Any] = json.loads(json.dumps(plan))
    for resource in _planned_resources(filled["planned_values"]["root_module"]):
        resource["values"] |= dict.fromkeys(unknown.get(resource["address"], []), _KNOWN_AFTER_APPLY)
    return filled


def _stated_attributes(module: Mapping[str, Any], path: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Address without indexes -> the attributes that its block sets."""
    for resource in module.get("resources", []):
        yield f"{path}{resource['address']}", frozenset(resource.get("expressions", {}))
    for name, call in module.get("module_calls", {}).items():
        yield from _stated_attributes(call["module"], f"{path}module.{name}.")


def _planned_resources(module: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _planned_resources(child)


def _terraform_folder(files: Files) -> dict[str, bytes]:
    """What is below ``terraform/``, by its path there."""
    return {
        path.removeprefix("terraform/"): content for path, content in files.items() if path.startswith("terraform/")
    }


def _verdict(name: str, result: ScanResult, expected: frozenset[str]) -> Check:
    failed = [_checkov_finding(record, "failed", f"{record.check_id} {record.check_name}") for record in result.failed]
    failed += [Finding("failed", doubt) for doubt in doubts(result, expected=expected, allowed=SUPPRESSIONS)]
    reasons = {suppression.check_id: suppression.reason for suppression in SUPPRESSIONS}
    skipped = [
        _checkov_finding(record, "skipped", f"{record.check_id}: {reason}", reason)
        for record in result.skipped
        for reason in [reasons.get(record.check_id, "not allowed")]
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
    """The resource, and where its block is if that is beyond doubt."""
    return f"{record.resource} ({record.file}:{record.lines[0]})" if record.file else record.resource


def _own_verdict(name: str, resources: Sequence[Resource], sources: Files, errors: Sequence[str] = ()) -> Check:
    """What gen-infra's own checks and the lint of IAM policies say about resources."""
    reference = _reference(find_checkov(os.environ), mentioned_actions(resources))
    broken = [*broken_rules(resources), *lint(resources, reference)]
    places = {bare(resource.address): resource for resource in read_source(sources).resources}
    unread = [Finding("failed", f"{error}, so nothing in it was checked") for error in errors]
    failed = [_own_finding(each, places.get(bare(each.resource.address), each.resource)) for each in broken]
    summary = f"{len(RULES) + len(LINTS)} checks, {len(failed)} failed, on {len(resources)} resources"
    return Check(name, summary, (*unread, *failed))


@lru_cache
def _reference(checkov: Checkov, actions: frozenset[str]) -> Reference:
    meanings = look_up(checkov, actions, os.environ)
    return {
        action: tuple(Action(name, tuple(arns)) for name, arns in meant.items()) for action, meant in meanings.items()
    }


def _own_finding(broken: Broken, place: Resource) -> Finding:
    rule, address = broken.rule, broken.resource.address
    where = f"{address} ({place.file}:{place.line})" if place.file else address
    message = f"{rule.id} {rule.title}: {broken.problem}; {rule.remedy}"
    info = RuleInfo(rule.id, rule.title, rule.remedy, rule.source, rule.severity)
    return Finding("failed", message, where, info, address, f"terraform/{place.file}" if place.file else "", place.line)


def _diagnosed(diagnostic: Diagnostic) -> Finding:
    where = f"{diagnostic.file}:{diagnostic.line}" if diagnostic.file else diagnostic.address
    return Finding(
        "failed" if diagnostic.severity == "error" else "skipped",
        f"{diagnostic.summary}: {diagnostic.detail}",
        where,
        address=diagnostic.address,
        file=f"terraform/{diagnostic.file}" if diagnostic.file else "",
        line=diagnostic.line,
    )
