"""Read a key's grant as a statement of the key's policy, which is how it counts in an evaluation.

A grant lets one principal use the key in some operations, where the request's encryption context is, or contains, the
one that the grant names. https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_infra.iam.policy import PolicyDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NO_VARIABLES = "2008-10-17"


def grants_policy(grants: Iterable[tuple[str, Iterable[str], Mapping[str, Any]]]) -> PolicyDocument:
    """Return the grants as a policy.

    Args:
        grants: of each the grantee (an ARN, or the name of a service), the operations, such as ``Decrypt``, and the
            constraints: ``EncryptionContextEquals`` or ``EncryptionContextSubset``.
    """
    return PolicyDocument.read({"Version": _NO_VARIABLES, "Statement": [_statement(*grant) for grant in grants]})


def _statement(grantee: str, operations: Iterable[str], constraints: Mapping[str, Any]) -> dict[str, Any]:
    exact: Mapping[str, str] = constraints.get("EncryptionContextEquals") or {}
    pairs = {**(constraints.get("EncryptionContextSubset") or {}), **exact}
    conditions: dict[str, dict[str, Any]] = {}
    if pairs:
        values = {f"kms:EncryptionContext:{name}": value.replace("$", "${$}") for name, value in pairs.items()}
        conditions["StringEquals"] = values
    if exact:
        conditions["ForAllValues:StringEquals"] = {"kms:EncryptionContextKeys": list(exact)}
    return {
        "Effect": "Allow",
        "Principal": {"AWS" if grantee.startswith("arn:") else "Service": grantee},
        "Action": [f"kms:{operation}" for operation in operations],
        "Resource": "*",
        "Condition": conditions,
    }
