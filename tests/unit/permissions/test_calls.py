"""The table of calls: complete for what is rendered, without calls that IAM does not have or that go nowhere."""

from __future__ import annotations

import re
from typing import get_args

import msgspec
import pytest

from gen_infra.iam.reference import is_action, resource_types
from gen_infra.manifest import Manifest, load
from gen_infra.manifest.model.access import AccessName
from gen_infra.permissions.calls import COMMANDS, ROLES, calls
from gen_infra.permissions.policies import MOST_POLICIES, POLICY_LIMIT, documents, policies, size, statements
from gen_infra.permissions.provider_calls import TYPES, notifies
from gen_infra.permissions.scopes import scopes
from gen_infra.render.files import render
from tests.golden.renew import manifests
from tests.provider_schema import ADOPTED
from tests.unit.aws.test_kinds import rendered_types

_RESOURCE = re.compile(r'^resource "([^"]+)"', re.MULTILINE)
EVERY = {path.stem: load(path) for path in (*manifests(), ADOPTED)}
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"


def bounded(manifest: Manifest) -> Manifest:
    iam = msgspec.structs.replace(manifest.iam, permissions_boundary=BOUNDARY)
    return manifest if manifest.iam.permissions_boundary else msgspec.structs.replace(manifest, iam=iam)


def test_every_rendered_type_has_a_row() -> None:
    assert rendered_types() - TYPES.keys() == set()


@pytest.mark.parametrize("name", EVERY)
def test_a_row_counts_where_its_type_is_rendered(name: str) -> None:
    manifest = EVERY[name]
    files = [content.decode() for path, content in render(manifest).items() if path.endswith(".tf")]
    rendered = {type_ for text in files for type_ in _RESOURCE.findall(text)}
    counted = {type_ for type_, row in TYPES.items() if row.is_rendered(manifest)}
    # A module that is rendered may have a type of which the environment has no resource.
    topics = {"aws_cloudwatch_event_rule", "aws_cloudwatch_event_target", "aws_sns_topic", "aws_sns_topic_policy"}
    unused = topics if manifest.workflows and not notifies(manifest) else set()
    assert {"aws_sns_topic_subscription", *unused} >= rendered - counted
    assert counted - rendered == set()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("role", ROLES)
def test_policies_are_within_the_limits_and_name_actions_of_iam(name: str, role: str) -> None:
    if role == "image" and not EVERY[name].uses_ec2:
        return
    parts = policies(bounded(EVERY[name]), role)
    assert len(parts) <= MOST_POLICIES
    for part in parts:
        assert size(part) <= POLICY_LIMIT
        assert len({statement.sid for statement in part}) == len(part)
        for statement in part:
            assert re.fullmatch("[A-Za-z0-9]+", statement.sid)
            assert [action for action in statement.actions if not is_action(action)] == []
    assert len(documents(bounded(EVERY[name]), role)) == len(parts)


@pytest.mark.parametrize("role", ROLES)
def test_a_statement_for_everything_has_only_reads_calls_without_resources_and_conditions_on_tags(role: str) -> None:
    for statement in statements(bounded(EVERY["prod"]), role):
        if any(each.variable.startswith("aws:RequestTag/") for each in statement.conditions):
            continue
        for action in statement.actions if statement.resources == ("*",) and statement.effect == "Allow" else ():
            is_read = action.split(":")[1].startswith(("Describe", "Get", "List", "Lookup"))
            assert is_read or not any(resource_types(action).values()), action


def test_every_command_and_scope_is_used() -> None:
    assert set(COMMANDS) == {command for commands in ROLES.values() for command in commands}
    manifests = [bounded(manifest) for manifest in (*EVERY.values(), with_key_of_results(EVERY["step-functions"]))]
    known = {scope for manifest in manifests for scope in scopes(manifest)}
    used = {each.scope for manifest in manifests for command in COMMANDS for each in calls(manifest, command)}
    assert used == known


def with_key_of_results(manifest: Manifest) -> Manifest:
    key = "arn:aws:kms:us-east-1:123456789012:key/5c2e4a8e-3f4b-4a61-9a0e-1d2f3b4c5d6e"
    results = msgspec.structs.replace(manifest.buckets["results"], kms_key=key)
    return msgspec.structs.replace(manifest, buckets={**manifest.buckets, "results": results})


def test_the_roles_are_those_of_the_manifest_and_image() -> None:
    assert set(ROLES) == {*get_args(AccessName.__value__ if hasattr(AccessName, "__value__") else AccessName), "image"}


def test_a_policy_that_is_too_large_is_split_between_its_resources() -> None:
    names = [f"aQueueWithALongName{number:020}" for number in range(50)]
    queues = dict.fromkeys(names, EVERY["prod"].queues["highPriority"])
    manifest = msgspec.structs.replace(EVERY["access"], queues=queues)
    assert manifest.access
    assert manifest.access.submit
    submit = msgspec.structs.replace(manifest.access.submit, queues=tuple(queues))
    manifest = msgspec.structs.replace(manifest, access=msgspec.structs.replace(manifest.access, submit=submit))
    parts = policies(manifest, "submit")
    named = [arn for part in parts for each in part for arn in each.resources if ":job-queue/" in arn]
    assert len(parts) > 1
    assert all(size(part) <= POLICY_LIMIT for part in parts)
    assert sorted(named) == sorted(f"arn:aws:batch:us-east-1:123456789012:job-queue/{key}-shared" for key in queues)


def test_new_jobs_and_queues_change_no_policy() -> None:
    old = EVERY["permissions-boundary"]
    more = msgspec.structs.replace(
        old, jobs={**old.jobs, "more": old.jobs["stats"]}, queues={**old.queues, "more": old.queues["main"]}
    )
    for role in ROLES:
        assert documents(old, role) == documents(more, role)


def test_the_build_of_an_image_calls_what_the_rebuild_in_codebuild_does() -> None:
    files = render(EVERY["image-rebuild"])
    module = files["terraform/modules/image-pipeline/build_role.tf"].decode().partition('"image" {')[2]
    of_module = set(re.findall(r'"((?:ec2|iam|kms|ssm):[A-Za-z]+)"', module)) - {"kms:ViaService", "ec2:Encrypted"}
    ours = {action for each in COMMANDS["image build"] for action in each.actions}
    of_codebuild = {
        "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
    }  # fmt: skip
    assert {action for action in of_module if is_action(action)} - of_codebuild == ours
