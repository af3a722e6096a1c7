"""Say which role may reach which bucket, queue and key: the policies that decide, evaluated as IAM does.

Those of roles are rendered. Those of buckets, of keys that exist already, of boundaries and of existing roles are read
from AWS; what could not be read is named, with the reason, and what it decides is unknown. Policies of organizations
can only take away, and are not evaluated.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.aws.policies import PolicyOwners
from gen_infra.aws.tags import ENVIRONMENT_TAG
from gen_infra.report.data import AccessCell, AccessMatrix, AccessTarget, RoleAccess, RoleStatement
from gen_infra.report.evaluation import (
    Caller,
    PolicySet,
    condition_texts,
    conditions_of,
    document,
    is_allowed,
    text,
    versions,
)
from gen_infra.terraform.policy_documents import listed, statements

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from gen_infra.aws.policies import ExistingPolicies
    from gen_infra.manifest import Manifest
    from gen_infra.terraform.source import HclSource, Resource

    NamedPolicy = tuple[str, Any]

_KEY = "aws_kms_key"
_ANY_OBJECT = "any-object"
# The policies of AWS that the modules attach, and the services whose actions they allow: not S3, Batch or KMS.
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBatchServiceRole.html (version 14)
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEC2SpotFleetTaggingRole.html (version 5)
OF_AWS = {
    "AWSBatchServiceRole": ("autoscaling", "ec2", "ecs", "iam", "logs"),
    "AmazonEC2SpotFleetTaggingRole": ("ec2", "elasticloadbalancing", "iam"),
}


def computed_arn(account_arn: str, attribute: str) -> str | None:
    """Stand in for what only AWS knows: the ARNs of keys and policies, and the id of a role, with its address."""
    address, _, name = attribute.rpartition(".")
    if name == "id":
        return attribute
    if name != "arn":
        return None
    return f"{account_arn}:key/{address}" if f"{_KEY}." in address else address


class _Target(NamedTuple):
    """What may be reached, the text that names it in the rendered files, by which actions, and its own policy.

    ``unread`` says why the policy is not known, of a target that may be reached only as its policy allows it.
    """

    shown: AccessTarget
    name: str
    actions: Mapping[str, tuple[str, str]]  # word -> action, ARN
    context: Mapping[str, tuple[str, ...]]
    policy: Any = ""
    unread: str = ""


def policy_owners(manifest: Manifest, source: HclSource) -> PolicyOwners:
    """Return what has policies that are not rendered, and that decide about access."""
    rendered = {each.address for each in source.resources if each.kind == "aws_iam_policy"}
    attached = (
        str(each.values.get("policy_arn")) for each in source.resources if each.kind == "aws_iam_role_policy_attachment"
    )
    foreign = {arn for arn in attached if arn not in rendered and arn.rpartition("/")[2] not in OF_AWS}
    boundary = manifest.iam.permissions_boundary
    return PolicyOwners(
        managed=tuple(sorted(foreign | ({boundary} if boundary else set()))),
        buckets=tuple(sorted({bucket for bucket, _ in _prefixes(manifest)})),
        keys=tuple(_used_keys(manifest)),
        roles=tuple(manifest.existing_job_roles),
    )


def access_matrix(manifest: Manifest, source: HclSource, existing: ExistingPolicies) -> AccessMatrix:
    """Evaluate the policies of each role that is rendered, and of the roles that exist already.

    Args:
        manifest: the environment's.
        source: its rendered files.
        existing: the policies of what `policy_owners` names.
    """
    targets = [*_buckets(manifest, existing), *_queues(manifest), *_keys(manifest, source, existing)]
    roles = [*_rendered_roles(manifest, source, existing, targets), *_existing_roles(manifest, existing, targets)]
    return AccessMatrix(tuple(target.shown for target in targets), tuple(roles))


def _prefixes(manifest: Manifest) -> dict[tuple[str, str], str]:
    """Return what a manifest calls each bucket below a prefix."""
    named = {(each.name, each.prefix or ""): key for key, each in manifest.buckets.items()}
    for engine in manifest.given_engines:
        work = manifest.work_bucket(engine)
        named.setdefault((work.name, work.prefix or ""), f"work of {engine}")
    if manifest.state != "local":
        named.setdefault((manifest.state.bucket, manifest.state_key), "Terraform's state")
    return named


def _buckets(manifest: Manifest, existing: ExistingPolicies) -> Iterator[_Target]:
    for (bucket, prefix), title in _prefixes(manifest).items():
        arn = f"arn:{manifest.partition}:s3:::{bucket}"
        objects = f"{arn}/{prefix}{_ANY_OBJECT if not prefix or prefix.endswith('/') else ''}"
        actions = {
            "list": ("s3:ListBucket", arn),
            "read": ("s3:GetObject", objects),
            "write": ("s3:PutObject", objects),
            "delete": ("s3:DeleteObject", objects),
        }
        context = {"s3:prefix": (prefix,)} if prefix else {}
        why = existing.why_unread(bucket)
        notes = (f"its policy may forbid or allow more, and was not read: {why}",) if why else ()
        shown = AccessTarget("bucket", title, f"s3://{bucket}/{prefix}", notes)
        yield _Target(shown, bucket, actions, context, existing.documents.get(bucket, ""))


def _queues(manifest: Manifest) -> Iterator[_Target]:
    for key in manifest.queues:
        arn = manifest.batch_arn("job-queue", key)
        actions = {"submit": ("batch:SubmitJob", arn), "change": ("batch:UpdateJobQueue", arn)}
        yield _Target(
            AccessTarget("queue", key, manifest.queue_name(key)),
            arn,
            actions,
            {f"aws:resourcetag/{ENVIRONMENT_TAG}": (manifest.name,)},
        )


def _keys(manifest: Manifest, source: HclSource, existing: ExistingPolicies) -> Iterator[_Target]:
    account_arn = f"arn:{manifest.partition}:kms:{manifest.region}:{manifest.account}"
    for resource in source.resources:
        if resource.kind == _KEY:
            arn = computed_arn(account_arn, f"{resource.address}.arn") or ""
            yield _key_target("created key", manifest.key_alias, arn, resource.values.get("policy"))
    for arn, title in _used_keys(manifest).items():
        if why := existing.why_unread(arn):
            leaves_it_to_iam = {
                "Effect": "Allow", "Principal": {"AWS": manifest.account}, "Action": "*", "Resource": "*"
            }  # fmt: skip
            unread = f"its policy decides too, and was not read: {why}"
            yield _key_target(title, arn, arn, document([leaves_it_to_iam]), unread)
        else:
            yield _key_target(title, arn, arn, existing.documents[arn])


def _used_keys(manifest: Manifest) -> dict[str, str]:
    """Return the keys that exist already, and whose they are."""
    used = {each.kms_key: f"key of {name}" for name, each in manifest.buckets.items() if each.kms_key}
    if manifest.encryption.key.startswith("arn:"):
        used[manifest.encryption.key] = "key of the environment"
    return used


def _key_target(title: str, detail: str, arn: str, policy: Any, unread: str = "") -> _Target:
    actions = {
        "decrypt": ("kms:Decrypt", arn),
        "encrypt": ("kms:GenerateDataKey", arn),
        "grant": ("kms:CreateGrant", arn),
    }
    shown = AccessTarget("key", title, detail, (unread,) if unread else ())
    return _Target(shown, arn, actions, {}, policy, unread)


class _Policies(NamedTuple):
    """The policies of a role, each with its name.

    Args:
        own: its own.
        unplaced: those of its module that may be its own.
        may_name: the names of what an unknown value in them may be.
        boundary: its permissions boundary; empty without one.
        unread: why other policies of it, or its boundary, are not known.
        is_bounded: whether ``unread`` is about the boundary.
    """

    own: Sequence[NamedPolicy]
    unplaced: Sequence[NamedPolicy] = ()
    may_name: Collection[str] = ()
    boundary: str = ""
    unread: str = ""
    is_bounded: bool = False


def _rendered_roles(
    manifest: Manifest, source: HclSource, existing: ExistingPolicies, targets: Sequence[_Target]
) -> Iterator[RoleAccess]:
    by_kind: dict[str, list[Resource]] = defaultdict(list)
    for resource in source.resources:
        by_kind[resource.kind].append(resource)
    own: dict[str, list[NamedPolicy]] = defaultdict(list)
    unplaced: dict[str, list[NamedPolicy]] = defaultdict(list)
    for each in by_kind["aws_iam_role_policy"]:
        role, policy = each.values.get("role"), (str(each.values.get("name")), each.values.get("policy"))
        (own[role] if isinstance(role, str) else unplaced[_module(each.address)]).append(policy)
    managed: dict[str, list[str]] = defaultdict(list)
    documents = {each.address: each.values for each in by_kind["aws_iam_policy"]}
    for each in by_kind["aws_iam_role_policy_attachment"]:
        role, arn = str(each.values.get("role")), str(each.values.get("policy_arn"))
        if arn in documents:
            own[role].append((str(documents[arn].get("name")), documents[arn].get("policy")))
        elif arn in existing.documents:
            own[role].append((arn.rpartition("/")[2], existing.documents[arn]))
        else:
            managed[role].append(arn)
    arguments = {each.address: json.dumps(each.values, default=str) for each in by_kind["module"]}
    for each in by_kind["aws_iam_role"]:
        module, keys = _module(each.address), (str(each.values.get("name")), f"{each.address}.id")
        attached = {arn.rpartition("/")[2]: arn for key in keys for arn in managed[key]}
        unread, is_bounded = _unread(each.values.get("permissions_boundary"), attached, existing)
        boundary = each.values.get("permissions_boundary")
        policies = _Policies(
            own=[policy for key in keys for policy in own[key]],
            unplaced=unplaced[module],
            # A module makes its policies of its arguments: what these do not name, an unknown value is not either.
            may_name={target.name for target in targets if not module or target.name in arguments[module]},
            boundary=existing.documents.get(str(boundary), ""),
            unread=unread,
            is_bounded=is_bounded,
        )
        of_aws = [name for name in attached if name in OF_AWS]
        yield _role(manifest, each, policies, of_aws, targets)


def _unread(boundary: Any, attached: Mapping[str, str], existing: ExistingPolicies) -> tuple[str, bool]:
    """Return why not all policies of a role are known, and whether that is its boundary; empty if they are."""
    if boundary is not None and str(boundary) not in existing.documents:
        why = existing.why_unread(str(boundary)) or "known after apply"
        name = text(boundary).rpartition("/")[2]
        return f"the permissions boundary {name} may forbid it, and was not read: {why}", True
    for name, arn in attached.items():
        if name not in OF_AWS:
            return f"the policy {name} is attached, and was not read: {existing.why_unread(arn)}", False
    return "", False


def _module(address: str) -> str:
    return address.partition(".aws_")[0] if address.startswith("module.") else ""


def _role(
    manifest: Manifest, role: Resource, policies: _Policies, of_aws: Sequence[str], targets: Sequence[_Target]
) -> RoleAccess:
    name = str(role.values.get("name"))
    return RoleAccess(
        name=name,
        address=role.address,
        about=text(role.values.get("description")),
        assumed_by=tuple(dict.fromkeys(_principals(role.values.get("assume_role_policy")))),
        cells=tuple(_cells(manifest, name, manifest.role_arn(name), policies, targets)),
        statements=tuple(_statements([*policies.own, *policies.unplaced])),
        notes=(
            *([policies.unread] if policies.unread else []),
            *(f"{each} of AWS is attached, for {', '.join(OF_AWS[each])}" for each in of_aws),
        ),
    )


def _existing_roles(manifest: Manifest, existing: ExistingPolicies, targets: Sequence[_Target]) -> Iterator[RoleAccess]:
    for arn in manifest.existing_job_roles:
        users = ", ".join(key for key, job in manifest.jobs.items() if job.role == arn)
        name = arn.rpartition("/")[2]
        if found := existing.roles.get(arn):
            policies = _Policies(found.policies, boundary=found.boundary)
        else:
            unread = f"the role exists already, and its policies were not read: {existing.why_unread(arn)}"
            policies = _Policies((), unread=unread)
        yield RoleAccess(
            name=name,
            address="",
            about=f"Role of {users}",
            assumed_by=(),
            cells=tuple(_cells(manifest, name, arn, policies, targets)),
            statements=tuple(_statements(policies.own)),
            notes=(policies.unread,) if policies.unread else (),
        )


def _cells(
    manifest: Manifest, name: str, role_arn: str, policies: _Policies, targets: Sequence[_Target]
) -> Iterator[AccessCell]:
    session = f"arn:{manifest.partition}:sts::{manifest.account}:assumed-role/{name}/session"
    caller = Caller(manifest.account, session, role_arn)
    own = [versions(policy) for _, policy in policies.own]
    unplaced = [versions(policy).maybe for _, policy in policies.unplaced]
    boundary = versions(policies.boundary)
    for target in targets:
        resource = versions(target.policy, is_of_resource=True)
        asked = {
            "allowed": PolicySet(_texts(each.sure for each in own), boundary.sure, resource.sure),
            "conditional": PolicySet(_texts(each.met for each in own), boundary.met, resource.met),
            "unknown": PolicySet(_texts([*(each.maybe for each in own), *unplaced]), boundary.maybe, resource.maybe),
        }
        context = tuple(sorted({**_context(manifest, role_arn), **target.context}.items()))
        found: dict[str, list[str]] = {"allowed": [], "conditional": [], "unknown": []}
        reasons = []
        key = f"{target.shown.title}: {target.unread}" if target.unread else ""
        limits = [why for why in (policies.unread if policies.is_bounded else "", key) if why]
        for word, action in target.actions.items():
            kinds = [kind for kind, set_ in asked.items() if is_allowed(action, caller, set_, context)]
            kind = kinds[0] if kinds else ""
            if kind in {"allowed", "conditional"} and limits:
                found["unknown"].append(word)
                reasons += limits
            elif kind in {"allowed", "conditional"}:
                found[kind].append(word)
            elif policies.unread and not policies.is_bounded:
                found["unknown"].append(word)
                reasons.append(policies.unread)
            elif kind and target.name in policies.may_name:
                found["unknown"].append(word)
                reasons.append("depends on values that are known after apply")
        wanted = {target.actions[word][0] for word in found["conditional"]}
        deciding = [*(policy for _, policy in policies.own), policies.boundary]
        conditions = [each for policy in deciding for each in conditions_of(policy, wanted)]
        conditions += conditions_of(target.policy, wanted, is_of_resource=True)
        yield AccessCell(
            allowed=tuple(found["allowed"]),
            conditional=tuple(found["conditional"]),
            conditions=tuple(dict.fromkeys(conditions)),
            unknown=tuple(found["unknown"]),
            reasons=tuple(dict.fromkeys(reasons)),
        )


def _context(manifest: Manifest, role_arn: str) -> Mapping[str, tuple[str, ...]]:
    """Return the condition keys that every request of a role to the environment has."""
    return {
        "aws:principalaccount": (manifest.account,),
        "aws:principalarn": (role_arn,),
        "aws:requestedregion": (manifest.region,),
        "aws:securetransport": ("true",),
    }


def _texts(documents: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(documents)))


def _statements(policies: Iterable[tuple[str, Any]]) -> Iterator[RoleStatement]:
    for name, policy in policies:
        for each in statements(policy):
            actions = [*listed(each.get("Action")), *(f"all but {one}" for one in listed(each.get("NotAction")))]
            yield RoleStatement(
                policy=name,
                effect=str(each.get("Effect", "Allow")),
                actions=tuple(map(text, actions)),
                resources=tuple(map(text, listed(each.get("Resource")))),
                conditions=tuple(condition_texts(each)),
            )


def _principals(trust: Any) -> Iterator[str]:
    for statement in statements(trust):
        principal = statement.get("Principal")
        named = principal.values() if isinstance(principal, dict) else [principal]
        yield from (text(one) for each in named for one in listed(each))
