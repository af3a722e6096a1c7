"""Whom a change of a manifest lets assume the access roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.check.access import ACCESS_RULE, access_verdicts
from gen_infra.check.base import BaseManifest
from gen_infra.check.policy import NO_POLICY, Policy
from gen_infra.check.privileges import PRIVILEGE_CHECKS
from gen_infra.environment import Environment
from gen_infra.manifest import load_with_warnings
from tests.unit.manifests import accept, changed, write

if TYPE_CHECKING:
    from pathlib import Path

KNOWN, STRANGER = (f"arn:aws:iam::123456789012:role/{name}" for name in ("Scientist", "Guest"))
FOREIGN = "arn:aws:iam::210987654321:role/Partner"
BRANCH = "repo:lab/infra:ref:refs/heads/main"
OLD: dict[str, Any] = {
    "submit": {"principals": [KNOWN], "queues": ["main"]},
    "operate": {"principals": [FOREIGN], "external_id": "lab-4711", "session_hours": 4},
    "plan": {
        "github": ["repo:lab/infra:pull_request", BRANCH],
        "gitlab": ["project_path:lab/infra:ref_type:branch:ref:main"],
    },
}


def findings(folder: Path, access: Any, base: BaseManifest | None, policy: Policy = NO_POLICY) -> list[str]:
    environment = Environment(load_with_warnings(write(folder, changed(access=access))), folder / "build")
    return [each.message for check in access_verdicts(environment, policy, base) for each in check.findings]


@pytest.fixture
def base(tmp_path: Path) -> BaseManifest:
    return BaseManifest.of(accept(tmp_path, access=OLD))


def test_what_the_base_grants_and_less_is_accepted(tmp_path: Path, base: BaseManifest) -> None:
    assert findings(tmp_path, OLD, base) == []
    assert findings(tmp_path, {"plan": {"github": [BRANCH]}}, base) == []
    assert findings(tmp_path, {"operate": OLD["operate"] | {"session_hours": 3}}, base) == []


@pytest.mark.parametrize(
    ("access", "item", "role"),
    [
        ({"submit": {"principals": [KNOWN, STRANGER], "queues": ["main"]}}, STRANGER, "submit"),
        ({"operate": OLD["operate"] | {"principals": [FOREIGN, KNOWN]}}, KNOWN, "operate"),
        ({"operate": OLD["operate"] | {"external_id": "lab-1"}}, "external_id/lab-1", "operate"),
        ({"operate": OLD["operate"] | {"session_hours": 5}}, "session_hours/5", "operate"),
        ({"submit": OLD["submit"] | {"session_hours": 2}}, "session_hours/2", "submit"),
        ({"submit": {"principals": [KNOWN]}}, "queues/*", "submit"),
        ({"plan": {"github": ["repo:guest/infra:pull_request"]}}, "repo:guest/infra:pull_request", "plan"),
        ({"plan": OLD["plan"], "gitlab_host": "gitlab.guest.org"}, "gitlab.guest.org", "plan"),
    ],
    ids=["principal", "role", "external id", "hours", "first hours", "queues", "repository", "host"],
)
def test_more_fails_until_the_policy_file_has_it(
    tmp_path: Path, base: BaseManifest, access: Any, item: str, role: Any
) -> None:
    [found] = findings(tmp_path, access, base)
    assert found.startswith(f'{ACCESS_RULE.id} {ACCESS_RULE.title}: "{item}" is new in {role}; ')
    assert findings(tmp_path, access, base, Policy(access={role: (item,)})) == []
    assert findings(tmp_path, access, base, Policy(access={"apply": (item,)})) == [found]
    assert findings(tmp_path, access, None) == []


def test_all_of_a_new_manifest_is_new(tmp_path: Path) -> None:
    found = [each.partition('"')[2].partition('"')[0] for each in findings(tmp_path, OLD, BaseManifest())]
    assert {FOREIGN, KNOWN, "queues/main", "external_id/lab-4711", "session_hours/4", "gitlab.com"} <= set(found)
    assert len(found) == 9
    assert ACCESS_RULE.id in PRIVILEGE_CHECKS
