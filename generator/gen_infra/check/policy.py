"""Read the policy file: what `gen-infra check` accepts on behalf of the account's owners.

It is kept outside the manifests, so that a change of a manifest cannot widen what its own check accepts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import field

from gen_infra.manifest.model.access import AccessName
from gen_infra.manifest.model.base import ROLE_ARN, AbsolutePath, ImageId, Model, about, text
from gen_infra.manifest.model.settings import Suppression
from gen_infra.manifest.reading.loader import ManifestError, shown_path
from gen_infra.manifest.reading.reader import Unreadable, read
from gen_infra.manifest.reading.validation import place, problems_with_values, validate
from gen_infra.manifest.rules.suppressions import problems_of_suppressions

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest.reading.nodes import Problem


# With the account and a name or path, so that no pattern accepts every role.
RolePattern = Annotated[
    str,
    text(
        rf"{ROLE_ARN.replace(':role/', ':(?:role|instance-profile)/')}\*?",
        "the ARN of a role or an instance profile, or its beginning with * at the end",
        "arn:aws:iam::123456789012:role/central/*",
    ),
]


AccessItem = Annotated[
    str,
    text(
        r"[\x21-\x7e]+",
        "a principal, a subject or host of CI, queues/KEY, external_id/ID or session_hours/N; * stands for any text",
        "repo:lab/infra:*",
        max_length=2048,
    ),
]


class Policy(Model, frozen=True, kw_only=True):
    """What check accepts in every environment that it is given for."""

    access: Annotated[
        dict[AccessName, tuple[AccessItem, ...]],
        about(
            "Whom a change may let assume each access role, `external_id/ID`, `session_hours/N`, and `queues/KEY` for "
            "submit; * stands for any text."
        ),
    ] = field(default_factory=dict)
    host_paths: Annotated[
        tuple[AbsolutePath, ...], about("Folders and devices of the hosts that jobs may use, with what is below them.")
    ] = ()
    host_scripts: Annotated[
        tuple[Annotated[str, text("[0-9a-f]{64}", "a SHA-256 in hexadecimal")], ...],
        about("The hashes of the scripts that may run as root on the hosts, as `check` prints them."),
    ] = ()
    images: Annotated[tuple[ImageId, ...], about("Ids of AMIs that a change may bring to instances.")] = ()
    roles: Annotated[
        tuple[RolePattern, ...],
        about("ARNs of existing roles and instance profiles that environments may use; * at the end for all below."),
    ] = ()
    suppressions: Annotated[tuple[Suppression, ...], about("Findings to accept, each until a date.")] = ()


NO_POLICY = Policy()


def read_policy(path: Path) -> Policy:
    """Read a policy file as strictly as a manifest.

    Raises:
        ManifestError: with every problem at once, each as ``file:line:column: key: what is wrong``.
    """
    name = shown_path(path)
    problems: list[Problem] = []
    try:
        root = read(path, name, problems)
    except Unreadable as unreadable:
        raise ManifestError(name, [*sorted(problems), unreadable.problem]) from None
    if problems:
        raise ManifestError(name, sorted([*problems, *problems_with_values(root, Policy)]))
    policy = validate(root, Policy)
    if isinstance(policy, list):
        raise ManifestError(name, policy)
    if found := place(root, problems_of_suppressions(policy.suppressions)):
        raise ManifestError(name, found)
    return policy
