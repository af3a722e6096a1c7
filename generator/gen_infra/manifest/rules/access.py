"""Check who may assume the access roles: no patterns or whole accounts, no tokens that any repository could present."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_infra.manifest.model.base import ARN_PARTITIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen_infra.manifest.model.access import AccessRole
    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.model.manifest import Manifest
    from gen_infra.manifest.rules.rule import ManifestFinding, ManifestRule

_PRINCIPAL = re.compile(rf"arn:({ARN_PARTITIONS}):iam::([0-9]{{12}}):(?:role|user)/[\w+=,.@/-]{{1,512}}", re.ASCII)
_SESSION = re.compile(r"arn:[a-z-]+:sts::[0-9]{12}:assumed-role/([^/]+)/.+", re.ASCII)
_ROOT = re.compile(r"(?:arn:[a-z-]+:iam::)?([0-9]{12})(?::root)?", re.ASCII)
_ONE_NAME = "an IAM role or user by its full ARN, such as arn:aws:iam::123456789012:role/Scientist"

# https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims
_GITHUB = re.compile(
    r"repo:[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+:"
    r"(?:pull_request|environment:[A-Za-z0-9_.%/*?-]+|ref:refs/(?:heads|tags)/[A-Za-z0-9_.%@/*?-]+)",
    re.ASCII,
)
_GITHUB_REPOSITORY = re.compile(r"repo:[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+(?::|$)", re.ASCII)
_GITHUB_FORMS = "repo:OWNER/NAME:environment:NAME, :ref:refs/heads/BRANCH, :ref:refs/tags/TAG or :pull_request"
# https://docs.gitlab.com/ci/secrets/id_token_authentication/ (sub)
_GITLAB = re.compile(
    r"project_path:[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+:ref_type:(?:branch|tag):ref:[A-Za-z0-9_.%@/*?-]+", re.ASCII
)
_GITLAB_PROJECT = re.compile(r"project_path:[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+(?::|$)", re.ASCII)
_GITLAB_FORMS = "project_path:GROUP/PROJECT:ref_type:branch:ref:BRANCH or :ref_type:tag:ref:TAG"
_WILD = re.compile(r"[*?]+")


def access_names_principals(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require full ARNs: a pattern or an account's root lets every principal in that an administrator there allows.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    for path, role in _roles(manifest):
        for index, arn in enumerate(role.principals):
            if problem := problem_with_principal(manifest, arn):
                yield (*path, "principals", index), problem


def problem_with_principal(manifest: Manifest, arn: str) -> str:
    """Return why a role cannot trust this principal; empty if it can."""
    if "*" in arn or "?" in arn:
        return f'"{arn}" is a pattern, which can match roles that are created later; name {_ONE_NAME}'
    if root := _ROOT.fullmatch(arn):
        return f'"{arn}" is every principal of account {root[1]}; name {_ONE_NAME}'
    if session := _SESSION.fullmatch(arn):
        return f'"{arn}" is one session of the role {session[1]}; give the ARN of the role, with its path'
    found = _PRINCIPAL.fullmatch(arn)
    if not found:
        return f'invalid principal "{arn}": name {_ONE_NAME}'
    if found[1] != manifest.partition:
        return f"is in partition {found[1]}, and this environment is in {manifest.partition}"
    return ""


def access_of_other_accounts_has_an_external_id(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require an external id, without which a service of that account could be made to assume the role for another.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
    """
    for path, role in _roles(manifest):
        others = {account: index for index, account in _accounts(role) if account != manifest.account}
        for account, index in others.items():
            if not role.external_id:
                yield (
                    (*path, "principals", index),
                    f"is of account {account}, not {manifest.account}; set external_id, and let it send that value",
                )
        if role.external_id and not others:
            yield (*path, "external_id"), "is for principals of other accounts; remove it, or add such a principal"


def _accounts(role: AccessRole) -> Iterator[tuple[int, str]]:
    for index, arn in enumerate(role.principals):
        if found := _PRINCIPAL.fullmatch(arn):
            yield index, found[2]


def access_subjects_name_a_repository_and_what_runs(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse subjects that another repository, or anything that runs in the repository, could present.

    https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
    """
    for path, role in _roles(manifest):
        for index, subject in enumerate(role.github):
            if problem := _problem_with_subject(subject, _GITHUB, _GITHUB_REPOSITORY, "repository", _GITHUB_FORMS):
                yield (*path, "github", index), problem
        for index, subject in enumerate(role.gitlab):
            if problem := _problem_with_subject(subject, _GITLAB, _GITLAB_PROJECT, "project", _GITLAB_FORMS):
                yield (*path, "gitlab", index), problem


def _problem_with_subject(subject: str, whole: re.Pattern[str], owner: re.Pattern[str], what: str, forms: str) -> str:
    if not owner.match(subject):
        return f'"{subject}" does not name one {what}, so that any {what} could present it; use {forms}'
    found = whole.fullmatch(subject)
    if not found:
        return f'"{subject}" does not say what may run in the {what}; use {forms}'
    last = re.split(r":(?:ref|environment):(?:refs/(?:heads|tags)/)?", subject)[-1]
    if _WILD.fullmatch(last):
        return f'"{subject}" allows all that runs in the {what}; use {forms}'
    return ""


def access_to_apply_is_for_reviewed_runs(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse runs whose workflow a contributor can change without a review: they would apply it.

    https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request
    """
    role = manifest.access.apply if manifest.access else None
    if not role:
        return
    for kind, subjects in (("github", role.github), ("gitlab", role.gitlab)):
        for index, subject in enumerate(subjects):
            path = ("access", "apply", kind, index)
            if subject.endswith(":pull_request"):
                yield (
                    path,
                    f'"{subject}" lets every pull request apply its own changes; give pull requests the role plan, and '
                    "use an environment or the main branch here",
                )
            elif _WILD.search(subject):
                yield path, f'"{subject}" has wildcards; name the branch, tag or environment that may apply in full'


def access_to_apply_has_a_boundary(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require the boundary: without it the role could create one that may do more than itself.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate
    """
    if manifest.access and manifest.access.apply and not manifest.iam.permissions_boundary:
        yield (
            ("access", "apply"),
            "requires iam.permissions_boundary: without it, this role could create a role with more rights than it has",
        )


def access_names_queues(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Require queues of this manifest."""
    submit = manifest.access.submit if manifest.access else None
    for index, queue in enumerate(submit.queues if submit else ()):
        if queue not in manifest.queues:
            names = ", ".join(manifest.queues)
            yield ("access", "submit", "queues", index), f'unknown queue "{queue}"; choose from: {names}'


def access_is_for_someone(manifest: Manifest) -> Iterable[ManifestFinding]:
    """Refuse roles that no principal may assume, and settings that no role uses."""
    if not manifest.access:
        return
    if not manifest.access.roles:
        yield ("access",), "has no role; add submit, operate, plan or apply, or remove it"
    for path, role in _roles(manifest):
        if not (role.principals or role.github or role.gitlab):
            yield path, "can be assumed by no principal; add principals, github or gitlab"


def _roles(manifest: Manifest) -> Iterator[tuple[KeyPath, AccessRole]]:
    if manifest.access:
        for name, role in manifest.access.roles.items():
            yield ("access", name), role


ERRORS: tuple[ManifestRule, ...] = (
    access_names_principals,
    access_of_other_accounts_has_an_external_id,
    access_subjects_name_a_repository_and_what_runs,
    access_to_apply_is_for_reviewed_runs,
    access_to_apply_has_a_boundary,
    access_names_queues,
    access_is_for_someone,
)
