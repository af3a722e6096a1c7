"""Which plans the role `apply` may apply."""

from __future__ import annotations

from typing import Any

import pytest

from gen_infra.apply.access_changes import require_administrator
from gen_infra.aws.session import Identity
from gen_infra.errors import UsageError
from gen_infra.manifest import load
from gen_infra.render.files import render
from gen_infra.resources import data_dir
from gen_infra.terraform.plan import PlanContent
from gen_infra.terraform.source import read_source

MANIFEST = load(data_dir("envs") / "examples" / "access.yaml")
APPLY = Identity("123456789012", "arn:aws:sts::123456789012:assumed-role/batchAccessApply-shared/ci", "AROA:ci")
ADMINISTRATOR = Identity("123456789012", "arn:aws:sts::123456789012:assumed-role/Administrator/alice", "AROA:alice")


def plan(address: str, action: str = "update") -> PlanContent:
    change: dict[str, Any] = {"actions": [action], "before": {}, "after": {}}
    entry = {"address": address, "mode": "managed", "type": address.split(".", maxsplit=1)[0], "change": change}
    return PlanContent({"resource_changes": [entry]})


def rendered() -> list[str]:
    """Return the addresses of what access renders."""
    text = render(MANIFEST)["terraform/access.tf"]
    return [one.address for one in read_source({"access.tf": text}).resources if one.kind.startswith("aws_")]


@pytest.mark.parametrize("address", rendered())
def test_an_administrator_applies_changes_of_access(address: str) -> None:
    with pytest.raises(UsageError, match="this plan changes access, which the role batchAccessApply-shared may not do"):
        require_administrator(APPLY, MANIFEST, plan(address))
    require_administrator(ADMINISTRATOR, MANIFEST, plan(address))
    require_administrator(APPLY, MANIFEST, plan(address, "no-op"))


@pytest.mark.parametrize(
    "address", ["aws_iam_role.stats", "aws_iam_role_policy.stats_buckets", "module.x.aws_iam_role.a"]
)
def test_the_role_applies_all_else(address: str) -> None:
    require_administrator(APPLY, MANIFEST, plan(address))
