"""Say which role may reach which bucket, queue and key: the rendered policies, evaluated as IAM does.

What only AWS knows has no place in the rendered files: the policies of buckets and of other accounts' keys, permissions
boundaries and organizations' policies. They can only take away, and each row names those that apply to it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from gen_infra.iam import PolicyDocument, Principal, PrincipalKind, Request, evaluate
from gen_infra.report.data import AccessCell, AccessMatrix, AccessTarget, RoleAccess, RoleStatement
from gen_infra.terraform.policy_documents import conditions, listed, statements
from gen_infra.terraform.source import Unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from gen_infra.manifest import Manifest
    from gen_infra.terraform.source import HclSource, Resource

    _NamedPolicy = tuple[str, Any]

_KEY = "aws_kms_key"
_ANY_OBJECT = "any-object"


def computed_arn(account_arn: str, attribute: str) -> str | None:
    """Stand in for what only AWS knows: the ARNs of keys and policies, and the id of a role, with its address."""
    address, _, name = attribute.rpartition(".")
    if name == "id":
        return attribute
    if name != "arn":
        return None
    return f"{account_arn}:key/{address}" if f"{_KEY}." in address else address


class _Target(NamedTuple):
    """What may be reached, the text that names it in the rendered files, by which actions, and its own policy."""

    shown: AccessTarget
    name: str
    actions: Mapping[str, tuple[str, str]]  # word -> action, ARN
    context: Mapping[str, tuple[str, ...]]
    policy: str = ""


class _Versions(NamedTuple):
    """A policy as JSON: what it certainly says; the same with all conditions met; with what is unknown allowed too."""

    sure: str
    met: str
    maybe: str


def access_matrix(manifest: Manifest, source: HclSource) -> AccessMatrix:
    """Evaluate the policies of each role that is rendered, and list the roles that exist already."""
    targets = [*_buckets(manifest), *_queues(manifest), *_keys(manifest, source)]
    roles = [*_rendered_roles(manifest, source, targets), *_existing_roles(manifest, targets)]
    return AccessMatrix(tuple(target.shown for target in targets), tuple(roles))


def _buckets(manifest: Manifest) -> Iterator[_Target]:
    named = {(each.name, each.prefix or ""): key for key, each in manifest.buckets.items()}
    for engine in manifest.given_engines:
        work = manifest.work_bucket(engine)
        named.setdefault((work.name, work.prefix or ""), f"work of {engine}")
    if manifest.state != "local":
        named.setdefault((manifest.state.bucket, manifest.state_key), "Terraform's state")
    for (bucket, prefix), title in named.items():
        arn = f"arn:{manifest.partition}:s3:::{bucket}"
        objects = f"{arn}/{prefix}{_ANY_OBJECT if not prefix or prefix.endswith('/') else ''}"
        actions = {
            "list": ("s3:ListBucket", arn),
            "read": ("s3:GetObject", objects),
            "write": ("s3:PutObject", objects),
            "delete": ("s3:DeleteObject", objects),
        }
        context = {"s3:prefix": (prefix,)} if prefix else {}
        yield _Target(AccessTarget("bucket", title, f"s3://{bucket}/{prefix}"), bucket, actions, context)


def _queues(manifest: Manifest) -> Iterator[_Target]:
    for key in manifest.queues:
        arn = manifest.batch_arn("job-queue", key)
        actions = {"submit": ("batch:SubmitJob", arn), "change": ("batch:UpdateJobQueue", arn)}
        yield _Target(AccessTarget("queue", key, manifest.queue_name(key)), arn, actions, {})


def _keys(manifest: Manifest, source: HclSource) -> Iterator[_Target]:
    account_arn = _kms(manifest)
    for resource in source.resources:
        if resource.kind == _KEY:
            arn = computed_arn(account_arn, f"{resource.address}.arn") or ""
            policy = _versions(resource.values.get("policy")).sure
            yield _key_target(AccessTarget("key", "created key", manifest.key_alias), arn, policy)
    used = {each.kms_key: f"key of {name}" for name, each in manifest.buckets.items() if each.kms_key}
    if manifest.encryption.key.startswith("arn:"):
        used[manifest.encryption.key] = "key of the environment"
    leaves_it_to_iam = {"Effect": "Allow", "Principal": {"AWS": manifest.account}, "Action": "*", "Resource": "*"}
    for arn, title in used.items():
        yield _key_target(AccessTarget("key", title, arn), arn, _document([leaves_it_to_iam]))


def _key_target(shown: AccessTarget, arn: str, policy: str) -> _Target:
    actions = {"decrypt": ("kms:Decrypt", arn), "encrypt": ("kms:GenerateDataKey", arn)}
    return _Target(shown, arn, {**actions, "grant": ("kms:CreateGrant", arn)}, {}, policy)


def _kms(manifest: Manifest) -> str:
    return f"arn:{manifest.partition}:kms:{manifest.region}:{manifest.account}"


class _Policies(NamedTuple):
    """The policies of a role, each with its name: its own, those of its module that may be its own, and AWS's.

    ``may_name`` has the names of what an unknown value in them may be.
    """

    own: Sequence[_NamedPolicy]
    unplaced: Sequence[_NamedPolicy]
    managed: Sequence[str]
    may_name: Collection[str]


def _rendered_roles(manifest: Manifest, source: HclSource, targets: Sequence[_Target]) -> Iterator[RoleAccess]:
    by_kind: dict[str, list[Resource]] = defaultdict(list)
    for resource in source.resources:
        by_kind[resource.kind].append(resource)
    own: dict[str, list[_NamedPolicy]] = defaultdict(list)
    unplaced: dict[str, list[_NamedPolicy]] = defaultdict(list)
    for each in by_kind["aws_iam_role_policy"]:
        role, policy = each.values.get("role"), (str(each.values.get("name")), each.values.get("policy"))
        (own[role] if isinstance(role, str) else unplaced[_module(each.address)]).append(policy)
    managed: dict[str, list[str]] = defaultdict(list)
    documents = {each.address: each.values for each in by_kind["aws_iam_policy"]}
    for each in by_kind["aws_iam_role_policy_attachment"]:
        role, arn = str(each.values.get("role")), str(each.values.get("policy_arn"))
        if arn in documents:
            own[role].append((str(documents[arn].get("name")), documents[arn].get("policy")))
        else:
            managed[role].append(arn)
    arguments = {each.address: json.dumps(each.values, default=str) for each in by_kind["module"]}
    for each in by_kind["aws_iam_role"]:
        module, keys = _module(each.address), (str(each.values.get("name")), f"{each.address}.id")
        policies = _Policies(
            own=[policy for key in keys for policy in own[key]],
            unplaced=unplaced[module],
            managed=[arn for key in keys for arn in managed[key]],
            # A module makes its policies of its arguments: what these do not name, an unknown value is not either.
            may_name={target.name for target in targets if not module or target.name in arguments[module]},
        )
        yield _role(manifest, each, policies, targets)


def _module(address: str) -> str:
    return address.partition(".aws_")[0] if address.startswith("module.") else ""


def _role(manifest: Manifest, role: Resource, policies: _Policies, targets: Sequence[_Target]) -> RoleAccess:
    name, boundary = str(role.values.get("name")), role.values.get("permissions_boundary")
    limits = [f"the permissions boundary {boundary} may forbid a part of it"] if isinstance(boundary, str) else []
    attached = (arn.rpartition("/")[2] for arn in policies.managed)
    return RoleAccess(
        name=name,
        address=role.address,
        about=_text(role.values.get("description")),
        assumed_by=tuple(dict.fromkeys(_principals(role.values.get("assume_role_policy")))),
        cells=tuple(_cells(manifest, name, policies, targets)),
        statements=tuple(_statements([*policies.own, *policies.unplaced])),
        notes=(*limits, *(f"{each} is attached: AWS's policy, which is not evaluated here" for each in attached)),
    )


def _existing_roles(manifest: Manifest, targets: Sequence[_Target]) -> Iterator[RoleAccess]:
    for arn in manifest.existing_job_roles:
        users = ", ".join(key for key, job in manifest.jobs.items() if job.role == arn)
        note = "exists already: its policies are not in the rendered files"
        cells = tuple(AccessCell(unknown=tuple(target.actions)) for target in targets)
        yield RoleAccess(arn.rpartition("/")[2], "", f"Role of {users}", (), cells, (), (note,))


def _cells(manifest: Manifest, role: str, policies: _Policies, targets: Sequence[_Target]) -> Iterator[AccessCell]:
    arn = f"arn:{manifest.partition}:sts::{manifest.account}:assumed-role/{role}/session"
    versions = [_versions(policy) for _, policy in policies.own]
    sure, met = _texts(each.sure for each in versions), _texts(each.met for each in versions)
    maybe = _texts([*(each.maybe for each in versions), *(_versions(policy).maybe for _, policy in policies.unplaced)])
    for target in targets:
        caller = (manifest.account, arn, manifest.role_arn(role))
        context = tuple(sorted(target.context.items()))
        found: dict[str, list[str]] = {"allowed": [], "conditional": [], "unknown": []}
        for word, action in target.actions.items():
            if _is_allowed(action, caller, sure, context, target.policy):
                found["allowed"].append(word)
            elif _is_allowed(action, caller, met, context, target.policy):
                found["conditional"].append(word)
            elif target.name in policies.may_name and _is_allowed(action, caller, maybe, context, target.policy):
                found["unknown"].append(word)
        wanted = {target.actions[word][0] for word in found["conditional"]}
        conditions = [text for _, policy in policies.own for text in _conditions_of(policy, wanted)] if wanted else []
        yield AccessCell(
            conditions=tuple(dict.fromkeys(conditions)), **{key: tuple(words) for key, words in found.items()}
        )


def _texts(documents: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(documents)))


@cache
def _is_allowed(
    action: tuple[str, str],
    caller: tuple[str, str, str],
    documents: tuple[str, ...],
    context: tuple[tuple[str, tuple[str, ...]], ...],
    resource_policy: str,
) -> bool:
    """Evaluate one request.

    Args:
        action: the action and the ARN of the resource.
        caller: the account, the ARN of the session, and the ARN of the role.
        documents: the policies of the role, as JSON.
        context: the condition keys and their values.
        resource_policy: the policy of the resource, as JSON; empty without one.
    """
    account, arn, role_arn = caller
    request = Request(*action, account, dict(context))
    own = tuple(PolicyDocument.read(document) for document in documents)
    principal = Principal(PrincipalKind.ROLE, arn, account, role_arn=role_arn, policies=own)
    policy = PolicyDocument.read(resource_policy) if resource_policy else None
    return evaluate(request, principal, policy).is_allowed


def _versions(policy: Any) -> _Versions:
    read = list(statements(policy))
    return _Versions(
        _document(each for statement in read if (each := _sure(statement))),
        _document(_without_conditions(each) for statement in read if (each := _sure(statement, met=True))),
        _document(_without_conditions(_with_any_resource(statement)) for statement in read),
    )


def _document(found: Iterable[Mapping[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [*found]}, sort_keys=True, default=str)


def _sure(statement: Mapping[str, Any], *, met: bool = False) -> Mapping[str, Any] | None:
    """Return a statement without its unknown resources; None if nothing of it is certain."""
    if statement.get("Effect") == "Deny":
        return _with_any_resource(statement)
    known = [each for each in listed(statement.get("Resource")) if not isinstance(each, Unknown)]
    if "Resource" in statement and not known:
        return None
    if not met and any(isinstance(value, Unknown) for _, _, values in conditions(dict(statement)) for value in values):
        return None
    return {**statement, **({"Resource": known} if known else {})}


def _with_any_resource(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    found = [each for each in listed(statement.get("Resource")) if not isinstance(each, Unknown)]
    is_known = len(found) == len(listed(statement.get("Resource")))
    return statement if is_known else {**statement, "Resource": "*"}


def _without_conditions(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    if statement.get("Effect") == "Deny":
        return statement
    return {key: value for key, value in statement.items() if key != "Condition"}


def _conditions_of(policy: Any, actions: Iterable[str]) -> Iterator[str]:
    """Yield the conditions of the statements that allow one of these actions."""
    for statement in statements(policy):
        if statement.get("Effect", "Allow") == "Allow" and {*map(str, listed(statement.get("Action")))} & {*actions}:
            yield from _condition_texts(statement)


def _condition_texts(statement: Mapping[str, Any]) -> Iterator[str]:
    for operator, key, values in conditions(dict(statement)):
        yield f"{key} {operator} {', '.join(map(_text, values))}"


def _statements(policies: Iterable[tuple[str, Any]]) -> Iterator[RoleStatement]:
    for name, policy in policies:
        for each in statements(policy):
            actions = [*listed(each.get("Action")), *(f"all but {one}" for one in listed(each.get("NotAction")))]
            yield RoleStatement(
                policy=name,
                effect=str(each.get("Effect", "Allow")),
                actions=tuple(map(_text, actions)),
                resources=tuple(map(_text, listed(each.get("Resource")))),
                conditions=tuple(_condition_texts(each)),
            )


def _principals(trust: Any) -> Iterator[str]:
    for statement in statements(trust):
        principal = statement.get("Principal")
        named = principal.values() if isinstance(principal, dict) else [principal]
        yield from (_text(one) for each in named for one in listed(each))


def _text(value: Any) -> str:
    """Return a value as text; what only AWS knows is named so."""
    if value is None:
        return ""
    return "(known after apply)" if isinstance(value, Unknown) else str(value)
