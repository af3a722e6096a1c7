"""KMS: the principals of key policies."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import JsonRESTError
from moto.iam.models import iam_backends
from moto.kms.models import KmsBackend

from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch

if TYPE_CHECKING:
    from collections.abc import Iterator


@moto_patch(
    moto="5.2.5 accepts any text as a key policy",
    aws="refuses a policy whose Principal is a role or user of the account that does not exist",
)
def key_policy_principals() -> None:
    """Look up every role and user before the policy is accepted."""

    @around(KmsBackend, "create_key")
    def create_key(original: Any, backend: KmsBackend, policy: str | None, *args: Any, **kwargs: Any) -> Any:
        _check(backend, policy)
        return original(backend, policy, *args, **kwargs)

    @around(KmsBackend, "put_key_policy")
    def put_key_policy(original: Any, backend: KmsBackend, key_id: str, policy: str) -> None:
        _check(backend, policy)
        original(backend, key_id, policy)


def _check(backend: KmsBackend, policy: str | None) -> None:
    iam = iam_backends[backend.account_id][backend.partition]
    known = {role.arn for role in iam.roles.values()} | {user.arn for user in iam.users.values()}
    entity = re.compile(rf"arn:[a-z-]+:iam::{backend.account_id}:(role|user)/.+")
    for principal in _principals(policy):
        if entity.fullmatch(principal) and principal not in known:
            raise JsonRESTError(
                "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals."
            )


def _principals(policy: str | None) -> Iterator[str]:
    """Yield every AWS principal of the policy; an invalid policy has none."""
    try:
        statements = json.loads(policy or "{}").get("Statement", [])
    except (AttributeError, ValueError):
        return
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        named = principal.get("AWS", []) if isinstance(principal, dict) else []
        yield from [named] if isinstance(named, str) else named


PATCHES: tuple[MotoPatch, ...] = (key_policy_principals,)
