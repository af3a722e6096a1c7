"""Decides what is adopted of an account: what the environment owns, and what it does not, each with the reason."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import ValidationError, convert

from gen_infra.adopt.account import (
    compute_arns,
    log_group_names,
    profile_name,
    repository_names,
    role_names,
)
from gen_infra.errors import AnswerIsNoError, UsageError
from gen_infra.manifest.model.existing import IamName, LogGroupName
from gen_infra.manifest.model.settings import DEFAULT_LOG_GROUP

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from gen_infra.adopt.account import AccountContents
    from gen_infra.adopt.owners import Owner, Owners
    from gen_infra.aws.session import Json

_LONGEST_KEY = 40
# CloudFormation ends a logical id with a hash, and a name that it generates with another; Terraform a name_prefix.
_GENERATED_ENDING = re.compile(r"(?:[0-9A-F]{8}-[A-Za-z0-9]{12,16}|-?[0-9]{26})$")
_OF_BOOTSTRAP = re.compile(r"cdk-[a-z0-9]+-container-assets-[0-9]{12}-[a-z0-9-]+")
_OF_ENGINES = ("nf-", "snakejob-", "redun-")
# The roles that AWS's console and guides create once for a whole account.
_OF_CONSOLE = frozenset(
    {
        *("AWSBatchServiceRole", "ecsInstanceRole", "ecsTaskExecutionRole", "aws-ec2-spot-fleet-role"),
        *("aws-ec2-spot-fleet-tagging-role", "AmazonEC2SpotFleetRole", "AmazonEC2SpotFleetTaggingRole"),
    }
)
_WAY_OUT = {
    "CloudFormation": "CloudFormation: set DeletionPolicy: Retain on each of them, update the stack, remove them from "
    "its template, and update it once more",
    "Terraform": "Terraform: replace each of them by a `removed { from = ADDRESS  lifecycle { destroy = false } }` "
    "block and apply that; the tag stays, so add --released",
    "gen-infra": "gen-infra: change them in the manifest of that environment, or choose others with --queue and --job; "
    "if nothing manages them any more, remove the tag gen-infra:environment",
}


class LeftOut(NamedTuple):
    """What is not adopted, and why."""

    kind: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.reason}"


@dataclass
class Choice:
    """What is adopted; the maps are from the manifest's keys to AWS's own objects."""

    queues: dict[str, Json] = field(default_factory=dict)
    compute: dict[str, Json] = field(default_factory=dict)
    jobs: dict[str, Json] = field(default_factory=dict)
    repositories: list[str] = field(default_factory=list)
    log_groups: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    profiles: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def leave_out(self, kind: str, name: str, reason: str) -> None:
        """Note what is not adopted."""
        self.left_out.append(LeftOut(kind, name, reason))

    def key_of(self, arn: str) -> str:
        """Return the key of a compute environment."""
        return next(key for key, each in self.compute.items() if each["computeEnvironmentArn"] == arn)


def choose(
    account: AccountContents, owners: Owners, queues: Collection[str], jobs: Collection[str], *, released: bool
) -> Choice:
    """Decide what is adopted.

    Args:
        account: what was found.
        owners: who manages what.
        queues: the names of the queues to adopt; without any, all.
        jobs: the names of the job definitions to adopt; without any, all.
        released: whether other Terraforms have released what has their tags.

    Raises:
        AnswerIsNoError: something that would be adopted has an owner.
        UsageError: nothing can be adopted, or a queue shares its compute environment with one that is not chosen.
    """
    choice = Choice()
    wanted = {name: queue for name, queue in account.queues.items() if not queues or name in queues}
    accepted = [queue for queue in wanted.values() if _accept_queue(queue, account, choice)]
    if not accepted:
        reasons = "; ".join(map(str, choice.left_out))
        raise UsageError(f"no queue can be adopted: {reasons}" if reasons else "no queue can be adopted")
    _require_whole(account, accepted)
    computes = {arn: account.environments[arn] for queue in accepted for arn in compute_arns(queue)}
    definitions = {
        name: definition
        for name, definition in sorted(account.definitions.items())
        if _accept_definition(name, definition, choice, jobs)
    }
    names = [
        *(each["jobQueueName"] for each in accepted),
        *(each["computeEnvironmentName"] for each in computes.values()),
        *definitions,
    ]
    keys = _Keys(names)
    choice.queues = dict(zip(keys.of([each["jobQueueName"] for each in accepted], "queue"), accepted, strict=True))
    named = [each["computeEnvironmentName"] for each in computes.values()]
    choice.compute = dict(zip(keys.of(named, "compute"), computes.values(), strict=True))
    choice.jobs = dict(zip(keys.of(definitions, "job"), definitions.values(), strict=True))
    _choose_named(account, choice)
    _require_released(account, owners, choice, released=released)
    return choice


def _accept_queue(queue: Json, account: AccountContents, choice: Choice) -> bool:
    name, missing = queue["jobQueueName"], [arn for arn in compute_arns(queue) if arn not in account.environments]
    computes = [account.environments[arn] for arn in compute_arns(queue) if arn in account.environments]
    reason = ""
    if name.endswith("-drain") and queue.get("state") == "DISABLED":
        reason = "gen-infra keeps a compute environment with it while jobs end"
    elif missing:
        reason = f"its compute environment {missing[0].rpartition('/')[2]} does not exist any more"
    elif not computes:
        reason = "it has no compute environments (a queue of SageMaker training jobs, perhaps)"
    for each in computes:
        if each.get("type") == "UNMANAGED":
            reason = (
                f"its compute environment {each['computeEnvironmentName']} is UNMANAGED; gen-infra has managed ones"
            )
        elif each.get("eksConfiguration") or each.get("containerOrchestrationType") == "EKS":
            reason = (
                f"its compute environment {each['computeEnvironmentName']} runs on EKS, which gen-infra does not use"
            )
    if reason:
        choice.leave_out("job queue", name, reason)
    return not reason


def _require_whole(account: AccountContents, accepted: list[Json]) -> None:
    """Refuse a compute environment that another queue uses too, because AWS then refuses to delete it.

    Raises:
        UsageError: there is one.
    """
    names = {queue["jobQueueName"] for queue in accepted}
    used = {arn for queue in accepted for arn in compute_arns(queue)}
    for name, queue in sorted(account.queues.items()):
        shared = [arn for arn in compute_arns(queue) if arn in used]
        if name not in names and shared and not name.endswith("-drain"):
            compute = account.environments[shared[0]]["computeEnvironmentName"]
            chosen = sorted(other for other in names if shared[0] in compute_arns(account.queues[other]))
            raise UsageError(
                f"job queue {name} uses the compute environment {compute} too, as {', '.join(chosen)} does, and is not "
                "adopted: AWS never deletes what a queue uses",
                hint=f"add --queue {name}, or point {name} to a compute environment of its own first",
            )


def _accept_definition(name: str, definition: Json, choice: Choice, jobs: Collection[str]) -> bool:
    reason = ""
    if jobs and name not in jobs:
        reason = "--job does not name it"
    elif definition.get("eksProperties"):
        reason = "it is for EKS"
    elif name.startswith(_OF_ENGINES) and name not in jobs:
        reason = "a workflow engine registers it; give the engine its role with `engines`"
    if reason:
        choice.leave_out("job definition", name, reason)
    return not reason


class _Keys:
    """Make keys of a manifest from names in AWS: without the ending that all queues share, such as ``-prod``."""

    def __init__(self, names: Iterable[str]) -> None:
        endings: dict[str, int] = defaultdict(int)
        for name in names:
            if "-" in name:
                endings[f"-{name.rpartition('-')[2]}"] += 1
        most = max(endings, key=lambda ending: endings[ending], default="")
        self._ending = most if most and endings[most] > 1 else ""

    def of(self, names: Iterable[str], kind: str) -> Iterator[str]:
        taken: set[str] = set()
        for name in names:
            stem = _GENERATED_ENDING.sub("", name.removesuffix(self._ending))
            plain = re.sub("[^A-Za-z0-9_-]", "-", stem) or kind
            if not plain[0].isalpha():
                plain = f"{kind}-{plain}"
            key, count = plain[:_LONGEST_KEY], 1
            while key.lower() in taken:
                count += 1
                key = f"{plain[: _LONGEST_KEY - len(f'-{count}')]}-{count}"
            taken.add(key.lower())
            yield key


# --- what definitions and compute environments name -------------------------------------------------------------------


def _choose_named(account: AccountContents, choice: Choice) -> None:
    """Own what only the adopted things use; refer to the rest."""
    jobs, computes = list(choice.jobs.values()), list(choice.compute.values())
    ours = {each["jobDefinitionName"] for each in jobs}
    others = [each for name, each in account.definitions.items() if name not in ours]
    arns = {each["computeEnvironmentArn"] for each in computes}
    other_computes = [each for arn, each in account.environments.items() if arn not in arns]

    def uses(things: Iterable[Json], names: Any) -> dict[str, str]:
        return {name: _name(each) for each in things for name in names(each)}

    def repositories(definition: Json) -> Iterator[str]:
        return repository_names(definition, account)

    def roles(thing: Json) -> Iterator[str]:
        return role_names(thing, account.id)

    others_use = uses(others, repositories)
    choice.repositories = _own(choice, "repository", uses(jobs, repositories), account.repositories, others_use)
    groups = uses(jobs, log_group_names)
    if groups.pop(DEFAULT_LOG_GROUP, None) or any(not [*log_group_names(job)] for job in jobs):
        choice.leave_out(
            "log group",
            DEFAULT_LOG_GROUP,
            "every job definition of the region without its own writes there; logs.default_group: true creates it "
            "where it does not exist",
        )
    others_use = uses(others, log_group_names)
    choice.log_groups = _own(choice, "log group", groups, account.log_groups, others_use, LogGroupName)
    others_use = uses([*others, *other_computes], roles)
    choice.roles = _own(choice, "role", uses([*jobs, *computes], roles), account.roles, others_use, IamName)

    def profiles(compute: Json) -> Iterator[str]:
        yield from filter(None, [profile_name(compute)])

    others_use = uses(other_computes, profiles)
    choice.profiles = _own(choice, "instance profile", uses(computes, profiles), account.profiles, others_use, IamName)


def _name(thing: Json) -> str:
    if "jobDefinitionName" in thing:
        return f"job definition {thing['jobDefinitionName']}"
    return f"compute environment {thing['computeEnvironmentName']}"


def _own(
    choice: Choice, kind: str, used: Mapping[str, str], found: Mapping[str, Json], others: Mapping[str, str],
    allowed: Any = str,
) -> list[str]:  # fmt: skip
    """Return which of these names the environment can own; the others are left out, with the reason."""
    owned = []
    for name in sorted(used):
        path = str(found[name].get("Path", "/")) if name in found else "/"
        reason = ""
        if name not in found:
            reason = f"{used[name]} names it, but it does not exist"
        elif name in others:
            reason = f"{others[name]} uses it too"
        elif path.startswith("/aws-service-role/"):
            reason = "AWS owns service-linked roles"
        elif _OF_BOOTSTRAP.fullmatch(name):
            reason = "CDK's bootstrap stack creates it once for the whole account"
        elif kind in {"role", "instance profile"} and (name in _OF_CONSOLE or path == "/service-role/"):
            reason = "AWS's console creates it once for the whole account"
        else:
            try:
                convert(name, allowed)
            except ValidationError:
                reason = "its name has characters that a manifest does not accept"
        if reason:
            choice.leave_out(kind, name, f"{reason}; referred to by name")
        else:
            owned.append(name)
    return owned


# --- owners -----------------------------------------------------------------------------------------------------------


def _require_released(account: AccountContents, owners: Owners, choice: Choice, *, released: bool) -> None:
    """Refuse to own what a stack or another Terraform manages: each would undo what the other does.

    Raises:
        AnswerIsNoError: there is such a thing; the hint says how its owner releases it.
    """
    found: list[tuple[Owner, str]] = []
    for kind, names, tags in _owned(account, choice):
        owner = owners.of(names, tags)
        if owner and not (released and (owner.kind == "Terraform" or not owners.can_list)):
            found.append((owner, f"{kind} {names[0]}"))
    if not found:
        return
    by_owner: dict[Owner, list[str]] = defaultdict(list)
    for owner, what in found:
        by_owner[owner].append(what)
    lines = "".join(f"\n  {owner}: {', '.join(what)}" for owner, what in sorted(by_owner.items()))
    raise AnswerIsNoError(
        f"{len(found)} resources have an owner already, and two owners undo each other's changes:{lines}",
        hint="; ".join(_WAY_OUT[kind] for kind in sorted({owner.kind for owner in by_owner}))
        + "; then run the same command again",
    )


def _owned(account: AccountContents, choice: Choice) -> Iterator[tuple[str, list[str], Mapping[str, str]]]:
    """Yield kind, names and tags of everything that would be owned."""
    for queue in choice.queues.values():
        yield "job queue", [queue["jobQueueName"], queue["jobQueueArn"]], queue.get("tags", {})
        policy = account.policies.get(queue.get("schedulingPolicyArn", ""))
        if policy:
            yield "scheduling policy", [policy["name"], policy["arn"]], policy.get("tags", {})
    for each in choice.compute.values():
        names = [each["computeEnvironmentName"], each["computeEnvironmentArn"]]
        yield "compute environment", names, each.get("tags", {})
    for job in choice.jobs.values():
        arn = job["jobDefinitionArn"]
        names = [job["jobDefinitionName"], arn, arn.rpartition(":")[0]]
        yield "job definition", names, job.get("tags", {})
    for kind, names, found in (
        ("repository", choice.repositories, account.repositories),
        ("log group", choice.log_groups, account.log_groups),
        ("role", choice.roles, account.roles),
        ("instance profile", choice.profiles, account.profiles),
    ):
        for name in names:
            tags = found[name].get("Tags", {})
            plain = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
            yield kind, [name], plain
