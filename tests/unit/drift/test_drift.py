"""What counts as drift, on the shapes that terraform's refresh-only plan has."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gen_infra import pipeline
from gen_infra.drift.cloudtrail_events import CloudTrailEvents
from gen_infra.drift.drift import Drift
from gen_infra.drift.drift import drift as drift_in
from gen_infra.terraform.plan import PlanContent
from tests.unit.cli.test_cli import run
from tests.unit.manifests import SMALLEST, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gen_infra.tools.process import Progress


def entry(kind: str, before: Any, after: Any) -> dict[str, Any]:
    return {
        "address": f"{kind}.this",
        "mode": "managed",
        "type": kind,
        "change": {"actions": ["update" if after else "delete"], "before": before, "after": after},
    }


def drift(plan: dict[str, Any]) -> tuple[Drift, ...]:
    return drift_in(PlanContent(plan))


def state(*resources: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the refreshed state, with its resources in a module."""
    listed = [
        {"address": f"{type_}.this", "mode": "managed", "type": type_, "values": values} for type_, values in resources
    ]
    return {"prior_state": {"values": {"root_module": {"child_modules": [{"resources": listed}]}}}}


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        (
            "aws_batch_compute_environment",
            {"compute_resources": [{"desired_vcpus": 0, "max_vcpus": 64}], "status_reason": ""},
            {
                "compute_resources": [{"desired_vcpus": 48, "max_vcpus": 64}],
                "status_reason": "ComputeEnvironment Healthy",
            },
        ),
        ("aws_iam_role", {"name": "a", "inline_policy": []}, {"name": "a", "inline_policy": [{"name": "batch"}]}),
        ("aws_lambda_function", {"layers": None, "tags": None}, {"layers": [], "tags": {}}),
        ("aws_route_table", {"route": []}, {"route": [{"cidr_block": "0.0.0.0/0"}]}),
    ],
)
def test_ignored_changes_are_not_drift(kind: str, before: Any, after: Any) -> None:
    assert drift({"resource_drift": [entry(kind, before, after)]}) == ()


def test_what_scales_hides_nothing_beside_it() -> None:
    (found,) = drift(
        {
            "resource_drift": [
                entry(
                    "aws_batch_compute_environment",
                    {"compute_resources": [{"desired_vcpus": 0, "max_vcpus": 64}]},
                    {"compute_resources": [{"desired_vcpus": 48, "max_vcpus": 640}]},
                )
            ]
        }
    )
    assert found.details == ("compute_resources.max_vcpus: 64 -> 640",)
    assert "these settings" in found.meaning


def test_a_deleted_resource_names_the_consequence() -> None:
    (queue, alias) = drift(
        {
            "resource_drift": [
                entry("aws_batch_job_queue", {"name": "main-prod"}, None),
                entry("aws_kms_alias", {"name": "alias/batch-prod"}, None),
            ]
        }
    )
    assert (queue.title, queue.action, queue.meaning) == (
        "job queue main-prod", "destroy", "jobs cannot be submitted to it",
    )  # fmt: skip
    assert (alias.title, alias.meaning) == ("key alias alias/batch-prod", "is gone")


def test_a_policy_says_what_it_allows_now() -> None:
    def policy(*statements: dict[str, Any]) -> dict[str, Any]:
        return {"policy": json.dumps({"Statement": statements})}

    (found,) = drift(
        {
            "resource_drift": [
                entry(
                    "aws_iam_role_policy",
                    policy({"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "a"}),
                    policy(
                        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["a", "b"]},
                        {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "a"},
                    ),
                )
            ]
        }
    )
    assert found.added == ("s3:GetObject on b",)
    assert found.removed == ("s3:PutObject on a", "from now on: deny s3:PutObject on a")


def test_policies_that_are_unmanaged_are_named_with_what_removes_them() -> None:
    plan = state(
        ("aws_iam_role", {
            "name": "isaac-prod-job",
            "inline_policy": [{"name": "buckets"}, {"name": "helper"}, {"name": ""}],
            "managed_policy_arns": ["arn:aws:iam::aws:policy/A", "arn:aws:iam::aws:policy/B"],
        }),
        ("aws_iam_role_policy", {"role": "isaac-prod-job", "name": "buckets"}),
        ("aws_iam_role_policy", {"role": "strelka-prod-job", "name": "helper"}),
        ("aws_iam_role_policy_attachment", {"role": "isaac-prod-job", "policy_arn": "arn:aws:iam::aws:policy/A"}),
    )  # fmt: skip
    inline, attached = drift(plan)
    assert (inline.action, inline.title) == ("create", "policy helper of role isaac-prod-job")
    assert inline.remedy == "aws iam delete-role-policy --role-name isaac-prod-job --policy-name helper"
    assert attached.remedy == (
        "aws iam detach-role-policy --role-name isaac-prod-job --policy-arn arn:aws:iam::aws:policy/B"
    )


def test_rules_that_are_unmanaged_are_named_with_what_removes_them() -> None:
    ports = {"from_port": 443, "to_port": 443}
    plan = state(
        ("aws_security_group", {
            "id": "sg-1", "name": "instances",
            "ingress": [{"protocol": "-1", "from_port": 0, "to_port": 0, "self": True},
                        {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["10.0.0.0/8"]},
                        {"protocol": "-1", "from_port": 0, "to_port": 0, "ipv6_cidr_blocks": ["::/0"]}],
            "egress": [{"protocol": "tcp", **ports, "prefix_list_ids": ["pl-1", "pl-2"], "security_groups": ["sg-2"]}],
        }),
        ("aws_vpc_security_group_ingress_rule",
         {"security_group_id": "sg-1", "ip_protocol": "-1", "referenced_security_group_id": "sg-1"}),
        ("aws_vpc_security_group_egress_rule",
         {"security_group_id": "sg-1", "ip_protocol": "tcp", **ports, "prefix_list_id": "pl-1"}),
    )  # fmt: skip
    found = {each.name.removesuffix(" of security group instances"): each.remedy for each in drift(plan)}
    revoke = "aws ec2 revoke-security-group-{} --group-id sg-1 --ip-permissions '{}'"
    assert found == {
        "ingress tcp 22 from 10.0.0.0/8": revoke.format(
            "ingress", "IpProtocol=tcp,FromPort=22,ToPort=22,IpRanges=[{CidrIp=10.0.0.0/8}]"
        ),
        "ingress all ports from ::/0": revoke.format("ingress", "IpProtocol=-1,Ipv6Ranges=[{CidrIpv6=::/0}]"),
        "egress tcp 443 to pl-2": revoke.format(
            "egress", "IpProtocol=tcp,FromPort=443,ToPort=443,PrefixListIds=[{PrefixListId=pl-2}]"
        ),
        "egress tcp 443 to sg-2": revoke.format(
            "egress", "IpProtocol=tcp,FromPort=443,ToPort=443,UserIdGroupPairs=[{GroupId=sg-2}]"
        ),
    }


_PORTS = {"from_port": 443, "to_port": 443}
_STATE = state(
    ("aws_iam_role", {"name": "job", "inline_policy": [{"name": "a"}], "managed_policy_arns": ["arn:aws:iam::x:p/B"]}),
    ("aws_iam_role_policy", {"role": "job", "name": "buckets"}),
    ("aws_iam_role_policy_attachment", {"role": "job", "policy_arn": "arn:aws:iam::aws:policy/A"}),
    (
        "aws_security_group",
        {
            "id": "sg-1",
            "name": "instances",
            "ingress": [{"protocol": "tcp", **_PORTS, "cidr_blocks": ["10.0.0.0/8"], "self": True}],
            "egress": [{"protocol": "-1", "prefix_list_ids": ["pl-1"], "security_groups": ["sg-2"]}],
        },
    ),
    ("aws_vpc_security_group_egress_rule", {"security_group_id": "sg-1", "ip_protocol": "tcp", **_PORTS,
                                            "prefix_list_id": "pl-1"}),
)  # fmt: skip


def members(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the places of a value's members."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from members(item, (*path, key))


def listed_resources(plan: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plan["prior_state"]["values"]["root_module"]["child_modules"][0]["resources"]
    return found


@settings(deadline=None, derandomize=True)
@given(data=st.data(), is_null=st.booleans())
def test_what_a_state_lacks_is_no_traceback(data: st.DataObject, is_null: bool) -> None:
    """Rules without a peer, roles without a name: of any attributes, null or absent."""
    plan = copy.deepcopy(_STATE)
    for resource in listed_resources(plan):
        places = [place for place in members(resource["values"]) if isinstance(place[-1], str)]
        for *parents, last in data.draw(st.lists(st.sampled_from(places), max_size=4)):
            holder: Any = resource["values"]
            for key in parents:
                holder = holder[key] if isinstance(key, int) else (holder.get(key) or {})
                if not holder:
                    break
            else:
                if is_null:
                    holder[last] = None
                else:
                    holder.pop(last, None)
    for found in drift(plan):
        assert "None" not in found.remedy


def test_a_whole_state_has_all_that_is_unmanaged() -> None:
    assert len(drift(_STATE)) == 6


def only(*names: str) -> frozenset[str]:
    return frozenset(names)


class TestCloudTrailEvents:
    """What CloudTrail is asked for."""

    def events(self, kind: str, before: dict[str, Any], after: dict[str, Any] | None) -> CloudTrailEvents | None:
        (found,) = drift({"resource_drift": [entry(kind, before, after)]})
        return found.events

    def test_a_change_is_searched_by_every_name_that_a_call_can_use(self) -> None:
        before = {"name": "main-test", "arn": "arn:q", "id": "arn:q", "priority": 1}
        assert self.events("aws_batch_job_queue", before, {**before, "priority": 9}) == CloudTrailEvents(
            ("UpdateJobQueue",), ("CreateJobQueue",), (only("main-test", "arn:q"),)
        )

    def test_a_job_definition_may_be_named_with_its_revision(self) -> None:
        found = self.events("aws_batch_job_definition", {"name": "isaac-test", "revision": 3, "arn": "arn:3"}, None)
        assert found is not None
        assert found.names == ("DeregisterJobDefinition",)
        assert found.mentions == (only("isaac-test", "isaac-test:3", "arn:3"),)

    def test_a_policy_of_a_role_takes_both_names(self) -> None:
        found = self.events("aws_iam_role_policy", {"id": "r:p", "name": "p", "role": "r"}, None)
        assert found == CloudTrailEvents(("DeleteRolePolicy",), ("PutRolePolicy",), (only("r"), only("p")), is_iam=True)

    @pytest.mark.parametrize(
        ("kind", "before", "after"),
        [
            ("aws_subnet", {"id": "subnet-1"}, None),
            ("aws_security_group", {"id": "sg-1", "name": "a"}, {"id": "sg-1", "name": "b"}),
            ("aws_batch_job_queue", {"name": "q", "tags": {"a": "b"}}, {"name": "q", "tags": {"a": "c"}}),
            ("aws_batch_job_queue", {"name": "q", "tags": None}, {"name": "q", "tags": {"a": "c"}}),
            ("aws_iam_role_policy", {"role": "", "name": "p"}, None),
        ],
    )
    def test_events_that_would_not_help_are_not_searched(self, kind: str, before: Any, after: Any) -> None:
        assert self.events(kind, before, after) is None

    def test_an_added_rule_is_searched_by_all_its_parts(self) -> None:
        role = {"name": "r", "inline_policy": [{"name": "p"}], "managed_policy_arns": ["arn:m"]}
        group = {
            "id": "sg-1",
            "name": "g",
            "ingress": [{"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["10.0.0.0/8"]}],
            "egress": [{"protocol": "-1", "from_port": 0, "to_port": 0, "ipv6_cidr_blocks": ["::/0"]}],
        }
        found = drift(state(("aws_iam_role", role), ("aws_security_group", group)))
        assert [each.events for each in found] == [
            CloudTrailEvents(("PutRolePolicy",), (), (only("r"), only("p")), is_iam=True, reverted=False),
            CloudTrailEvents(("AttachRolePolicy",), (), (only("r"), only("arn:m")), is_iam=True, reverted=False),
            CloudTrailEvents(
                ("AuthorizeSecurityGroupIngress",),
                (),
                (only("sg-1"), only("10.0.0.0/8"), only("22")),
                reverted=False,
            ),
            CloudTrailEvents(
                ("AuthorizeSecurityGroupEgress",), (), (only("sg-1"), only("::/0"), only("-1")), reverted=False
            ),
        ]


class TestCommand:
    """The command's output; the emulator tests show what it finds."""

    @pytest.fixture(autouse=True)
    def _here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.chdir(tmp_path)
        write(tmp_path, SMALLEST)
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def run(self, plan: dict[str, Any], *arguments: str, note: str = "") -> tuple[int, str, str]:
        def found(_environment: object, _on_event: object, progress: Progress) -> tuple[Drift, ...]:
            if note:
                progress(note)
            return tuple(replace(each, who="arn:alice", when="2026-01-31T12:00:00Z") for each in drift(plan))

        self.monkeypatch.setattr(pipeline, "drift", found)
        return run(self.monkeypatch, self.capsys, "drift", "test.yaml", *arguments)

    def test_what_apply_reverts(self) -> None:
        queue = entry("aws_batch_job_queue", {"name": "main-test", "priority": 1}, {"name": "main-test", "priority": 9})
        code, out, err = self.run({"resource_drift": [queue]})
        assert (code, out.splitlines()) == (
            1,
            [
                "  ~ changed job queue main-test",
                "      by arn:alice at 2026-01-31T12:00:00Z",
                "      priority: 1 -> 9",
                "      = Batch now schedules waiting jobs with these settings",
            ],
        )
        assert "next: gen-infra apply test.yaml" in err

    def test_what_apply_does_not_revert(self) -> None:
        role = ("aws_iam_role", {"name": "r", "inline_policy": [{"name": "p"}]})
        code, out, err = self.run(state(role))
        assert code == 1
        assert out.splitlines()[-1] == "      -> aws iam delete-role-policy --role-name r --policy-name p"
        assert "gen-infra apply" not in err

    def test_why_an_author_is_not_named(self) -> None:
        queue = entry("aws_batch_job_queue", {"name": "main-test", "priority": 1}, {"name": "main-test", "priority": 9})
        code, out, _ = self.run({"resource_drift": [queue]}, "--quiet", note="no permission to search CloudTrail")
        assert (code, out.splitlines()[-1]) == (1, "  (no permission to search CloudTrail)")
        code, out, _ = self.run({"resource_drift": [queue]}, "--json", note="no permission to search CloudTrail")
        assert json.loads(out)["notes"] == ["no permission to search CloudTrail"]
        assert "events" not in json.loads(out)["resources"][0]

    def test_quiet_prints_nothing_without_drift(self) -> None:
        assert self.run({}, "--quiet") == (0, "", "")
        code, out, _ = self.run({}, "--json")
        assert (code, json.loads(out)) == (0, {"drift": False, "resources": [], "notes": []})
