"""Who may assume an access role, as a trust policy; every value of it is a literal, so that plans and scanners know it.

https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
https://docs.gitlab.com/ci/cloud_services/aws/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_infra.manifest.model.access import GITHUB_HOST
from gen_infra.permissions.scope import iam_arn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gen_infra.manifest.model.access import AccessName, AccessRole
    from gen_infra.manifest.model.manifest import Manifest


def trust_policy(manifest: Manifest, name: AccessName) -> dict[str, Any]:
    """Return the trust policy of one of the manifest's access roles."""
    if not manifest.access or name not in manifest.access.roles:
        raise KeyError(name)
    role = manifest.access.roles[name]
    return {
        "Version": "2012-10-17",
        "Statement": [
            *_principals(role, manifest.account),
            *_tokens(manifest, "GitHub", GITHUB_HOST, role.github),
            *_tokens(manifest, "GitLab", manifest.access.gitlab_host, role.gitlab),
        ],
    }


def audience(manifest: Manifest, host: str) -> str:
    """Return the only audience that tokens of a host may have."""
    return f"sts.{manifest.dns_suffix}" if host == GITHUB_HOST else f"https://{host}"


def _principals(role: AccessRole, account: str) -> Iterator[dict[str, Any]]:
    own = [arn for arn in role.principals if arn.split(":")[4] == account]
    others = [arn for arn in role.principals if arn not in own]
    if own:
        yield {"Sid": "Principals", "Effect": "Allow", "Principal": {"AWS": own}, "Action": "sts:AssumeRole"}
    if others:
        yield {
            "Sid": "PrincipalsOfOtherAccounts",
            "Effect": "Allow",
            "Principal": {"AWS": others},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": role.external_id}},
        }


def _tokens(manifest: Manifest, what: str, host: str, subjects: Sequence[str]) -> Iterator[dict[str, Any]]:
    exact = [subject for subject in subjects if not _is_pattern(subject)]
    patterns = [subject for subject in subjects if _is_pattern(subject)]
    for sid, operator, allowed in ((what, "StringEquals", exact), (f"{what}Patterns", "StringLike", patterns)):
        if allowed:
            conditions: dict[str, dict[str, Any]] = {"StringEquals": {f"{host}:aud": audience(manifest, host)}}
            conditions.setdefault(operator, {})[f"{host}:sub"] = allowed
            yield {
                "Sid": sid,
                "Effect": "Allow",
                "Principal": {"Federated": iam_arn(manifest, f"oidc-provider/{host}")},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": conditions,
            }


def _is_pattern(subject: str) -> bool:
    return "*" in subject or "?" in subject
