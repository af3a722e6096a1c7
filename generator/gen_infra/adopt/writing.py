"""Writes the manifest of what is adopted. It is valid: what a manifest refuses is left out, with the rule's words."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import ValidationError, convert

from gen_infra.adopt.acceptance import policy_entries, suppressions
from gen_infra.adopt.account import compute_arns
from gen_infra.errors import UsageError
from gen_infra.manifest.importing.job import import_jobs
from gen_infra.manifest.instances import named
from gen_infra.manifest.model.base import OwnTags
from gen_infra.manifest.model.scheduling import TIME_LIMIT_KEYS, FairShare
from gen_infra.manifest.reading.loader import ManifestError, load
from gen_infra.render.imports import import_ids
from gen_infra.render.yaml import to_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from gen_infra.adopt.account import AccountContents
    from gen_infra.adopt.choice import Choice
    from gen_infra.aws.session import Json

_MOST_SUBNETS, _MOST_GROUPS = 16, 5
_OF_COMPUTE = re.compile(r"compute\.([A-Za-z0-9_-]+)\.(\w+)")
_OF_JOB = re.compile(r"jobs\.([A-Za-z0-9_-]+)\b")


@dataclass
class AdoptedManifest:
    """A valid manifest.

    Attributes:
        document: its values.
        notes: what needs a look before and after the first apply.
        imports: what the next apply imports: address to id.
        policy: what only the policy file of the account's owners may accept; empty if there is nothing.
    """

    document: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    imports: dict[str, str] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)

    def text(self, choice: Choice, command: str) -> str:
        """Return the YAML text, with comments on what needs a look and on what is not adopted."""
        sections = [
            _comment(
                f"Written by `{command}`. The first apply takes over what `existing` lists, unchanged but for tags."
            ),
            *_comments("What needs a look", self.notes),
            *_comments("Not adopted", [*map(str, choice.left_out)]),
            *_entries(self.policy),
        ]
        return "\n".join([*sections, to_yaml(self.document)])


def _comments(title: str, lines: list[str]) -> list[str]:
    return ["#", f"# {title}:", *(_comment(line, "  ") for line in lines)] if lines else []


def _entries(policy: dict[str, Any]) -> list[str]:
    """Return the policy file's entries as comments, from which they can be copied."""
    title = (
        "# For the policy file, if the account's owners accept it (no manifest may); without it, gen-infra check fails:"
    )
    return ["#", title, *(f"#   {line}".rstrip() for line in to_yaml(policy).splitlines())] if policy else []


def _comment(text: str, indent: str = "") -> str:
    """Return a text as a comment: one of an account may have line breaks, and characters that YAML does not accept."""
    line = " ".join(text.split())
    return f"# {indent}{''.join(each if each.isprintable() else '?' for each in line)}"


def write_manifest(account: AccountContents, choice: Choice, name: str, today: date) -> AdoptedManifest:
    """Write the manifest of an environment of this name; suppressions expire some time after ``today``.

    Raises:
        UsageError: a manifest cannot express what is adopted, or the name is invalid.
    """
    manifest = AdoptedManifest({})
    jobs, host_paths = _jobs(account, choice, manifest)
    queues = {key: _queue(account, choice, key, manifest) for key in choice.queues}
    manifest.document = {
        "name": name,
        "account": account.id,
        "region": account.region,
        "state": "local",
        "network": _network(choice, manifest),
        **_encryption(account, choice, manifest),
        **({"hosts": {"allow_paths": host_paths}} if host_paths else {}),
        "existing": {},
        **({"repositories": choice.repositories} if choice.repositories else {}),
        "compute": {key: _compute(key, each, manifest) for key, each in choice.compute.items()},
        "queues": queues,
        **({"jobs": jobs} if jobs else {}),
    }
    manifest.policy = policy_entries(account, choice, today)
    if manifest.policy:
        manifest.notes.append(
            "gen-infra check reports roles that gen-infra did not create, their trust and their policies (GI_IAM_*): "
            "fix what you can, and let the account's owners add the rest to the policy file: see the comments"
        )
    if accepted := suppressions(choice, today):
        manifest.document["suppressions"] = accepted
    manifest.notes.insert(0, "state is local: use `state: {bucket: NAME}` and gen-infra bootstrap for several people")
    while problem := _first_problem(manifest.document, choice, account):
        _leave_out_refused(problem, manifest, choice)
    manifest.document["existing"] = _existing(account, choice, manifest.document)
    manifest.imports = imports_of(manifest.document)
    return manifest


def _existing(account: AccountContents, choice: Choice, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section: AWS's names, by the manifest's keys."""
    policies = {
        key: account.policies[queue["schedulingPolicyArn"]]["name"]
        for key, queue in choice.queues.items()
        if document["queues"][key].get("fair_share")
    }
    sections: dict[str, Any] = {
        "compute": {key: each["computeEnvironmentName"] for key, each in choice.compute.items()},
        "queues": {key: each["jobQueueName"] for key, each in choice.queues.items()},
        "scheduling_policies": policies,
        "jobs": {key: f"{each['jobDefinitionName']}:{each['revision']}" for key, each in choice.jobs.items()},
        "repositories": {each: each for each in choice.repositories},
        "log_groups": choice.log_groups,
        "roles": choice.roles,
        "instance_profiles": choice.profiles,
    }
    return {key: value for key, value in sections.items() if value}


def _first_problem(document: dict[str, Any], choice: Choice, account: AccountContents) -> tuple[str, str] | None:
    """Return path and message of the first problem that the manifest's rules find."""
    whole = {**document, "existing": _existing(account, choice, document)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.yaml"
        path.write_text(to_yaml(whole), encoding="utf-8")
        try:
            load(path)
        except ManifestError as error:
            problem = error.problems[0]
            return problem.path, problem.message
    return None


def _leave_out_refused(problem: tuple[str, str], manifest: AdoptedManifest, choice: Choice) -> None:
    """Leave out what the manifest refuses.

    Raises:
        UsageError: what is refused cannot be left out.
    """
    path, message = problem
    document = manifest.document
    if found := _OF_JOB.match(path):
        key = found[1]
        if key in document.get("jobs", {}):
            del document["jobs"][key]
            if not document["jobs"]:
                del document["jobs"]
            choice.leave_out("job definition", choice.jobs.pop(key)["jobDefinitionName"], f"{path}: {message}")
            return
    if (found := _OF_COMPUTE.match(path)) and document["compute"].get(found[1], {}).pop(found[2], None) is not None:
        manifest.notes.append(f"{path}: {message}: left out, so that its successor has the default")
        return
    raise UsageError(f"a manifest cannot express this: {path}: {message}", hint="adopt other queues with --queue")


# --- sections ---------------------------------------------------------------------------------------------------------


def _network(choice: Choice, manifest: AdoptedManifest) -> dict[str, Any]:
    """Return the network of the first compute environment, by ids."""
    found = [each.get("computeResources", {}) for each in choice.compute.values()]
    networks = [(tuple(each.get("subnets", ())), tuple(each.get("securityGroupIds", ()))) for each in found]
    subnets, groups = networks[0]
    if len({*networks}) > 1:
        manifest.notes.append(
            "the compute environments use different networks; successors use the one below: "
            + ", ".join(choice.compute)
        )
    if not groups:
        manifest.notes.append(
            "network.ids.security_groups: replace it; the launch template has the security groups now"
        )
    return {
        "ids": {
            "subnets": list(subnets[:_MOST_SUBNETS]),
            "security_groups": list(groups[:_MOST_GROUPS]) or ["sg-00000000000000000"],
        }
    }


def _encryption(account: AccountContents, choice: Choice, manifest: AdoptedManifest) -> dict[str, Any]:
    """Return the customer managed key of log groups and repositories, if they have one."""
    keys = [
        *(account.log_groups[name].get("kmsKeyId", "") for name in choice.log_groups),
        *(
            account.repositories[name].get("encryptionConfiguration", {}).get("kmsKey", "")
            for name in choice.repositories
        ),
    ]
    used = [key for key in dict.fromkeys(keys) if ":key/" in key]
    if used:
        return {"encryption": {"key": used[0]}}
    manifest.notes.append("encryption: a key is created with the first resource that needs it")
    return {}


def _compute(key: str, environment: Json, manifest: AdoptedManifest) -> dict[str, Any]:
    """Describe the successor of a compute environment."""
    resources = environment.get("computeResources", {})
    kind = resources.get("type", "EC2")
    note = _notes_of(key, manifest)
    if environment.get("status") == "INVALID":
        note(
            f"AWS reports it INVALID ({environment.get('statusReason') or 'without a reason'}): its jobs wait; remove "
            f"existing.compute.{key} to replace it"
        )
    entry: dict[str, Any] = {"type": kind, "max_vcpus": resources.get("maxvCpus", 1)}
    if not kind.startswith("FARGATE"):
        if resources.get("bidPercentage") and kind == "SPOT":
            entry["bid_percentage"] = resources["bidPercentage"]
        if resources.get("minvCpus"):
            entry["min_vcpus"] = resources["minvCpus"]
        entry["instance_types"] = _instance_types(resources.get("instanceTypes", []), note)
        if resources.get("placementGroup"):
            entry["placement_group"] = resources["placementGroup"]
        _note_differences(environment, resources, note)
    return {**entry, **_tags(environment.get("tags", {}), note)}


def _instance_types(words: list[str], note: Any) -> list[str]:
    known = [word for word in words if named(word)]
    if unknown := [word for word in words if word not in known]:
        note(
            f"the instance types {', '.join(unknown)} are not carried over to its successor: AWS Batch has none of them"
        )
    return known or ["optimal"]


def _note_differences(environment: Json, resources: Json, note: Any) -> None:
    """Note what the successor does otherwise."""
    images = [
        resources.get("imageId"),
        *(each.get("imageIdOverride") for each in resources.get("ec2Configuration", [])),
    ]
    if image := next(filter(None, images), None):
        note(f"it runs the image {image}; its successor runs the one of `image`: build it with gen-infra image build")
    if resources.get("ec2KeyPair"):
        note(f"its instances have the key pair {resources['ec2KeyPair']}; those of its successor have Session Manager")
    if resources.get("launchTemplate"):
        template = resources["launchTemplate"]
        name = template.get("launchTemplateName") or template.get("launchTemplateId")
        note(f"it uses the launch template {name}; its successor has its own, and no user data unless you add it")
    role = str(environment.get("serviceRole", ""))
    if role and "/aws-service-role/" not in role:
        note(f"its service role is {role}; its successor has AWSServiceRoleForBatch, and can be updated in place")


def _queue(account: AccountContents, choice: Choice, key: str, manifest: AdoptedManifest) -> dict[str, Any]:
    queue = choice.queues[key]
    note = _notes_of(key, manifest)
    entry: dict[str, Any] = {
        "priority": queue["priority"],
        "compute": [choice.key_of(arn) for arn in compute_arns(queue)],
        "time_limits": _time_limits(queue, note),
    }
    if queue.get("state") == "DISABLED":
        entry["state"] = "DISABLED"
    if queue.get("status") == "INVALID":
        note(f"AWS reports it INVALID ({queue.get('statusReason') or 'without a reason'})")
    policy = account.policies.get(queue.get("schedulingPolicyArn", ""))
    if policy:
        share = policy.get("fairsharePolicy", {})
        entry["fair_share"] = {
            "shares": {
                each["shareIdentifier"]: float(each.get("weightFactor", 1))
                for each in share.get("shareDistribution", [])
            },
            "share_decay_seconds": share.get("shareDecaySeconds", 0),
            "compute_reservation": share.get("computeReservation", 0),
        }
        try:
            convert(entry["fair_share"], FairShare)
        except ValidationError as error:
            raise UsageError(f"a manifest cannot express the scheduling policy {policy['name']}: {error}") from None
    return {**entry, **_tags(queue.get("tags", {}), note)}


def _time_limits(queue: Json, note: Any) -> str | dict[str, int]:
    actions = {each["reason"]: each for each in queue.get("jobStateTimeLimitActions", [])}
    if not actions:
        return "none"
    if {*actions} - {*TIME_LIMIT_KEYS} or any(each["action"] != "CANCEL" for each in actions.values()):
        note("its time limits are replaced by gen-infra's: see the plan")
    return {
        TIME_LIMIT_KEYS[reason]: max(10, min(1440, each["maxTimeSeconds"] // 60))
        for reason, each in actions.items()
        if reason in TIME_LIMIT_KEYS
    }


def _jobs(account: AccountContents, choice: Choice, manifest: AdoptedManifest) -> tuple[dict[str, Any], list[str]]:
    """Describe the next revision of each job definition; what cannot be described is not adopted."""
    entries: dict[str, Any] = {}
    host_paths: set[str] = set()
    changes: dict[str, list[str]] = {}  # what the next revision has otherwise, and of which jobs
    for key, definition in list(choice.jobs.items()):
        name = definition["jobDefinitionName"]
        try:
            imported = import_jobs(json.dumps({"jobDefinitions": [definition]}, default=str))
        except UsageError as error:
            choice.leave_out("job definition", name, error.message)
            del choice.jobs[key]
            continue
        if not imported.jobs:
            choice.leave_out("job definition", name, imported.refusals[0].reason)
            del choice.jobs[key]
            continue
        [entry] = imported.jobs.values()
        queue = _queue_for(definition, choice)
        if queue and queue != next(iter(choice.queues)):
            entry["queue"] = queue
        elif not queue:
            choice.leave_out("job definition", name, "it is for Fargate, and no adopted queue is")
            del choice.jobs[key]
            continue
        if choice.queues[queue].get("schedulingPolicyArn"):
            entry.setdefault("scheduling_priority", 0)
        entries[key] = entry
        host_paths |= {*imported.host_paths}
        for note in imported.notes:
            changes.setdefault(note.partition(": ")[2], []).append(key)
        if account.revisions[name] > 1:
            manifest.notes.append(f"jobs.{key}: {account.revisions[name]} ACTIVE revisions; the newest is adopted")
    manifest.notes += [f"next revision of {', '.join(keys)}: {change}" for change, keys in changes.items()]
    return entries, sorted(host_paths)


def _queue_for(definition: Json, choice: Choice) -> str:
    """Return the first queue whose compute environments are of the definition's kind; empty without one."""
    wants_fargate = "FARGATE" in definition.get("platformCapabilities", [])
    for key, queue in choice.queues.items():
        first = choice.compute[choice.key_of(compute_arns(queue)[0])]
        if first.get("computeResources", {}).get("type", "").startswith("FARGATE") == wants_fargate:
            return key
    return ""


def _tags(tags: Mapping[str, str], note: Any) -> dict[str, dict[str, str]]:
    """Return the tags that a manifest accepts, which stay; those of AWS itself are left out."""
    accepted: dict[str, str] = {}
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            continue
        try:
            accepted |= convert({key: value}, OwnTags)
        except ValidationError:
            note(f"the tag {key} has characters that a manifest does not accept: the first apply removes it")
    return {"tags": accepted} if accepted else {}


def _notes_of(key: str, manifest: AdoptedManifest) -> Any:
    return lambda text: manifest.notes.append(f"{key}: {text}")


def imports_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return what the first apply of a valid document imports: address to id."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.yaml"
        path.write_text(to_yaml(document), encoding="utf-8")
        return import_ids(load(path))
