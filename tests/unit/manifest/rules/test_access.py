"""``access``: who may not assume a role, each with its place and reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.permissions.trust import trust_policy
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest

OWN = "arn:aws:iam::123456789012:role/Scientist"
OTHER = "arn:aws:iam::999999999999:role/Partner"
BRANCH = "project_path:lab/group/infra:ref_type:branch:ref:main"
BOUNDED = {"permissions_boundary": "arn:aws:iam::123456789012:policy/boundary"}
GITHUB = "token.actions.githubusercontent.com"


def access(folder: Path, role: str = "plan", **settings: Any) -> Manifest:
    return accept(folder, iam=BOUNDED, access={role: settings})


def refusal(folder: Path, role: str = "plan", **settings: Any) -> str:
    with pytest.raises(ManifestError) as error:
        access(folder, role, **settings)
    return error.value.message


@pytest.mark.parametrize(
    ("principal", "reason"),
    [
        ("*", '"*" is a pattern, which can match roles that are created later'),
        ("arn:aws:iam::123456789012:role/*", "is a pattern"),
        ("arn:aws:iam::123456789012:role/Scien?ist", "is a pattern"),
        ("arn:aws:iam::123456789012:root", "is every principal of account 123456789012"),
        ("123456789012", "is every principal of account 123456789012"),
        ("arn:aws:iam::999999999999:root", "is every principal of account 999999999999"),
        ("arn:aws:sts::123456789012:assumed-role/Scientist/alice", "is one session of the role Scientist"),
        ("arn:aws:iam::123456789012:group/staff", "invalid principal"),
        ("arn:aws:iam::aws:role/x", "invalid principal"),
        ("arn:aws-cn:iam::123456789012:role/x", "is in partition aws-cn, and this environment is in aws"),
        ("lambda.amazonaws.com", "invalid principal"),
    ],
)
def test_principals_are_roles_and_users_by_name(tmp_path: Path, principal: str, reason: str) -> None:
    message = refusal(tmp_path, principals=[OWN, principal])
    assert "access.plan.principals[1]: " in message
    assert reason in message


def test_a_principal_of_another_account_needs_an_external_id(tmp_path: Path) -> None:
    message = refusal(tmp_path, principals=[OWN, OTHER])
    assert "access.plan.principals[1]: is of account 999999999999, not 123456789012; set external_id" in message
    assert access(tmp_path, principals=[OWN, OTHER], external_id="partner-4711").access
    assert "access.plan.external_id: is for principals of other accounts" in refusal(
        tmp_path, principals=[OWN], external_id="partner-4711"
    )


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("*", "does not name one repository"),
        ("repo:*", "does not name one repository"),
        ("repo:lab/*:pull_request", "does not name one repository"),
        ("repo:*/infra:ref:refs/heads/main", "does not name one repository"),
        ("repo:lab/inf?a:environment:prod", "does not name one repository"),
        ("repo:lab:environment:prod", "does not name one repository"),
        ("environment:prod", "does not name one repository"),
        ("repo:lab/infra", "does not say what may run in the repository"),
        ("repo:lab/infra:*", "does not say what may run in the repository"),
        ("repo:lab/infra:ref:*", "does not say what may run in the repository"),
        ("repo:lab/infra:ref:refs/pull/1/merge", "does not say what may run in the repository"),
        ("repo:lab/infra:pull_request*", "does not say what may run in the repository"),
        ("repo:lab/infra:environment:", "does not say what may run in the repository"),
        ("repo:lab/infra:environment:*", "allows all that runs in the repository"),
        ("repo:lab/infra:ref:refs/heads/*", "allows all that runs in the repository"),
    ],
)
def test_subjects_of_github_name_a_repository_and_what_runs(tmp_path: Path, subject: str, reason: str) -> None:
    message = refusal(tmp_path, github=[subject])
    assert "access.plan.github[0]: " in message
    assert reason in message


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("project_path:lab:ref_type:branch:ref:main", "does not name one project"),
        ("project_path:lab/*:ref_type:branch:ref:main", "does not name one project"),
        ("repo:lab/infra:pull_request", "does not name one project"),
        ("project_path:lab/infra", "does not say what may run in the project"),
        ("project_path:lab/infra:ref_type:*", "does not say what may run in the project"),
        ("project_path:lab/infra:ref_type:branch:ref:*", "allows all that runs in the project"),
    ],
)
def test_subjects_of_gitlab_name_a_project_and_what_runs(tmp_path: Path, subject: str, reason: str) -> None:
    message = refusal(tmp_path, gitlab=[subject])
    assert "access.plan.gitlab[0]: " in message
    assert reason in message


@pytest.mark.parametrize(
    ("github", "reason"),
    [
        ("repo:lab/infra:pull_request", "lets every pull request apply its own changes"),
        ("repo:lab/infra:ref:refs/heads/release/*", "has wildcards"),
    ],
)
def test_runs_without_a_review_may_plan_and_not_apply(tmp_path: Path, github: str, reason: str) -> None:
    assert access(tmp_path, github=[github]).access
    assert reason in refusal(tmp_path, "apply", github=[github])


def test_apply_requires_a_boundary(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"access\.apply: requires iam\.permissions_boundary"):
        accept(tmp_path, access={"apply": {"principals": [OWN]}})
    assert accept(tmp_path, access={"plan": {"principals": [OWN]}}).access


def test_queues_are_those_of_the_manifest(tmp_path: Path) -> None:
    message = refusal(tmp_path, "submit", principals=[OWN], queues=["main", "nope"])
    assert 'access.submit.queues[1]: unknown queue "nope"; choose from: main' in message
    assert "queues" in refusal(tmp_path, "operate", principals=[OWN], queues=["main"])  # for submit alone


def test_a_role_is_for_someone(tmp_path: Path) -> None:
    assert "access.plan: can be assumed by no principal" in refusal(tmp_path, session_hours=2)
    with pytest.raises(ManifestError, match="access: has no role"):
        accept(tmp_path, access={"gitlab_host": "gitlab.example.com"})
    assert re.search(
        r"session_hours: 13 is not between 1 and 12", refusal(tmp_path, principals=[OWN], session_hours=13)
    )


class TestTrust:
    def test_each_kind_of_principal_has_its_statement(self, tmp_path: Path) -> None:
        manifest = access(
            tmp_path,
            principals=[OWN, OTHER],
            external_id="partner-4711",
            github=["repo:lab/infra:pull_request", "repo:lab/infra:ref:refs/heads/release/*"],
            gitlab=[BRANCH],
        )
        own, others, exact, patterns, gitlab = trust_policy(manifest, "plan")["Statement"]
        assert (own["Principal"], own["Action"]) == ({"AWS": [OWN]}, "sts:AssumeRole")
        assert "Condition" not in own
        assert others["Principal"] == {"AWS": [OTHER]}
        assert others["Condition"] == {"StringEquals": {"sts:ExternalId": "partner-4711"}}
        assert exact["Principal"] == {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{GITHUB}"}
        assert exact["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert exact["Condition"] == {
            "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:sub": ["repo:lab/infra:pull_request"]}
        }
        assert patterns["Condition"] == {
            "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"},
            "StringLike": {f"{GITHUB}:sub": ["repo:lab/infra:ref:refs/heads/release/*"]},
        }
        assert gitlab["Condition"] == {
            "StringEquals": {"gitlab.com:aud": "https://gitlab.com", "gitlab.com:sub": [BRANCH]}
        }

    def test_another_host_of_gitlab(self, tmp_path: Path) -> None:
        role = {"gitlab": [BRANCH]}
        manifest = accept(tmp_path, access={"plan": role, "gitlab_host": "git.lab.org"})
        [statement] = trust_policy(manifest, "plan")["Statement"]
        assert statement["Principal"] == {"Federated": "arn:aws:iam::123456789012:oidc-provider/git.lab.org"}
        assert statement["Condition"]["StringEquals"]["git.lab.org:aud"] == "https://git.lab.org"
