"""The names of resources: all are known, all keep their service's rule, and no two collide."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gen_infra.manifest import load
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.manifest.rules import names
from gen_infra.render.files import render
from gen_infra.terraform.source import Resource, read_source
from tests.golden.renew import manifests
from tests.unit.manifests import accept, changed, write

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest

JOB = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
SECRETS = {"TOKEN_FILE": {"arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:licence-AbCdEf"}}
QUEUE = {"priority": 1, "compute": ["spot"]}

# Type of a rendered resource -> kind of its name, and the attribute that holds it.
NAMED = {
    "aws_batch_compute_environment": ("compute environment", "compute_environment_name_prefix"),
    "aws_batch_job_definition": ("job definition", "name"),
    "aws_batch_job_queue": ("job queue", "name"),
    "aws_batch_scheduling_policy": ("scheduling policy", "name"),
    "aws_budgets_budget": ("budget", "name"),
    "aws_cloudwatch_dashboard": ("dashboard", "dashboard_name"),
    "aws_cloudwatch_event_rule": ("event rule", "name"),
    "aws_cloudwatch_log_group": ("log group", "name"),
    "aws_cloudwatch_metric_alarm": ("alarm", "alarm_name"),
    "aws_codebuild_project": ("CodeBuild project", "name"),
    "aws_ecr_repository": ("ECR repository", "name"),
    "aws_efs_file_system": ("file system", "creation_token"),
    "aws_iam_instance_profile": ("instance profile", "name"),
    "aws_iam_role": ("role", "name"),
    "aws_kms_alias": ("key alias", "name"),
    "aws_lambda_function": ("function", "function_name"),
    "aws_launch_template": ("launch template", "name_prefix"),
    "aws_s3_object": ("source object", "key"),
    "aws_scheduler_schedule": ("schedule", "name"),
    "aws_scheduler_schedule_group": ("schedule group", "name"),
    "aws_security_group": ("security group", "name"),
    "aws_sfn_state_machine": ("state machine", "name"),
    "aws_sns_topic": ("SNS topic", "name"),
    "aws_sqs_queue": ("SQS queue", "name"),
}
# These have no name of their own: an id, or the name of what they belong to, with a number for policies.
NAMELESS = {
    "aws_cloudwatch_event_target", "aws_default_security_group", "aws_ecr_lifecycle_policy", "aws_efs_access_point",
    "aws_efs_backup_policy", "aws_efs_file_system_policy", "aws_efs_mount_target", "aws_eip", "aws_flow_log",
    "aws_iam_openid_connect_provider", "aws_iam_policy", "aws_iam_role_policy", "aws_iam_role_policy_attachment",
    "aws_internet_gateway", "aws_kms_key",
    "aws_lambda_function_event_invoke_config", "aws_lambda_permission", "aws_nat_gateway", "aws_route",
    "aws_route_table",
    "aws_route_table_association", "aws_sns_topic_policy", "aws_sns_topic_subscription", "aws_subnet", "aws_vpc",
    "aws_vpc_endpoint", "aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule",
}  # fmt: skip
# Created by other means than a resource: by Packer, by a build, by the state's backend; or a name within Terraform.
ELSEWHERE = {"AMI", "SSM parameter", "state object", "Terraform address"}

_UNUSED = "unused"  # the name by default where a module makes no such resource


def resources(manifest: Manifest) -> list[Resource]:
    """Return the resources of the rendered files, modules included, with their names evaluated."""
    files = {path.removeprefix("terraform/"): content for path, content in render(manifest).items()}
    source = read_source({path: content for path, content in files.items() if not path.startswith("packer/")})
    assert not source.errors
    return [one for one in source.resources if one.kind.startswith("aws_")]


def rendered_names(manifest: Manifest) -> set[tuple[str, str]]:
    found = set()
    for resource in resources(manifest):
        if resource.kind in NAMELESS:
            continue
        kind, attribute = NAMED[resource.kind]  # a KeyError is a type that this test and the rule do not know yet
        name = resource.values[attribute]
        assert isinstance(name, str), f"{resource.address} has no name that is known before it is applied"
        if name == _UNUSED:
            continue
        found.add((kind, name + names.UNIQUE_SUFFIX if attribute.endswith("prefix") else name))
    return found


@pytest.mark.parametrize("path", manifests(), ids=lambda path: path.stem)
def test_the_names_are_those_of_the_rendered_files(path: Path) -> None:
    manifest = load(path)
    known = {(name.kind, name.text) for name in names.resource_names(manifest) if name.kind not in ELSEWHERE}
    assert known == rendered_names(manifest)


def test_every_kind_of_name_occurs() -> None:
    occurring = {name.kind for path in manifests() for name in names.resource_names(load(path))}
    assert occurring == set(names.NAME_RULES)


@pytest.mark.parametrize("kind", names.NAME_RULES)
def test_every_kind_of_name_has_its_limits(kind: str) -> None:
    rule = names.NAME_RULES[kind]
    assert names.name_objection(kind, "b" * rule.longest) == ""
    assert f"with {rule.longest + 1} characters" in names.name_objection(kind, "b" * (rule.longest + 1))
    assert "is not a valid name" in names.name_objection(kind, "bbbbbbbb\n")


# What collides or is refused, a change that is not, and what is said.
REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "queues in another case",
        {"queues": {"a": QUEUE, "A": QUEUE}},
        {"queues": {"a": QUEUE, "b": QUEUE}},
        'queues.A: its job queue "A-test" differs from "a-test" only in letter case; rename one',
    ),
    (
        "compute environments in another case",
        {"compute": {"spot": {"max_vcpus": 8}, "Spot": {"max_vcpus": 8}}},
        {"compute": {"spot": {"max_vcpus": 8}, "spot2": {"max_vcpus": 8}}},
        "compute.Spot: its compute environment",
    ),
    (
        "jobs in another case",
        {"jobs": {"a": JOB, "A": JOB}},
        {"jobs": {"a": JOB, "b": JOB}},
        'jobs.A: its job definition "A-test" differs from "a-test" only in letter case',
    ),
    (
        "an execution role's address",
        {"jobs": {"a": {**JOB, "secrets": SECRETS}, "a_execution": JOB}},
        {"jobs": {"a": JOB, "a_execution": JOB}},
        'jobs.a_execution: its Terraform address "aws_iam_role.a_execution" is also that of jobs.a; rename one',
    ),
    (
        "a job's name in AWS",
        {"jobs": {"a": JOB, "a-test": JOB}},
        {"jobs": {"a": JOB, "a-tests": JOB}},
        'jobs.a-test: contains "a-test", the name of jobs.a in AWS; rename one',
    ),
    (
        "a queue's name in AWS",
        {"queues": {"a": QUEUE, "a-test": QUEUE}},
        {"queues": {"a": QUEUE, "a-test-b": QUEUE}},
        'queues.a-test: contains "a-test", the name of queues.a in AWS',
    ),
    (
        "a compute environment's name prefix",
        {"compute": {"spot": {"max_vcpus": 8}, "spot-test-2": {"max_vcpus": 8}}},
        {"compute": {"spot": {"max_vcpus": 8}, "spot-test2": {"max_vcpus": 8}}},
        'compute.spot-test-2: contains "spot-test", the name of compute.spot in AWS',
    ),
    (
        "repositories' addresses",
        {"repositories": ["team/tool", "team-tool"]},
        {"repositories": ["team/tool", "team/tool2"]},
        'repositories[1]: its Terraform address "module.repository_team_tool" is also that of repositories[0]',
    ),
    (
        "a repository twice",
        {"repositories": ["isaac", "isaac"]},
        {"repositories": ["isaac", "isaacs"]},
        'repositories[1]: its ECR repository "test/isaac" is also that of repositories[0]',
    ),
    (
        "a role's length",
        {"name": "e" * 24, "jobs": {"j" * 36: JOB}},
        {"name": "e" * 24, "jobs": {"j" * 35: JOB}},
        "with 65 characters; 1 to 64 are allowed",
    ),
    (
        "AWS's own parameters",
        {"image": {"parameter": "/aws/ami", "rebuild": {"schedule": "rate(7 days)", "bucket": "abc"}}},
        {"image": {"parameter": "/lab/aws", "rebuild": {"schedule": "rate(7 days)", "bucket": "abc"}}},
        'image.parameter: creates the SSM parameter "/aws/ami", which is not a valid name for it',
    ),
]


@pytest.mark.parametrize(("what", "refused", "accepted", "says"), REFUSED, ids=[case[0] for case in REFUSED])
def test_a_name_is_refused(
    tmp_path: Path, what: str, refused: dict[str, Any], accepted: dict[str, Any], says: str
) -> None:
    assert what
    accept(tmp_path, **accepted)
    with pytest.raises(ManifestError) as error:
        accept(tmp_path, **refused)
    (problem,) = error.value.problems
    assert says in str(problem)


def test_the_longest_keys_keep_every_limit(tmp_path: Path) -> None:
    """With the provider's suffix: a compute environment of 40 letters in an environment of 24."""
    key, name = "c" * 40, "e" * 24
    manifest = accept(
        tmp_path, name=name, compute={key: {"max_vcpus": 8}}, queues={key: {"priority": 1, "compute": [key]}}
    )
    assert ("compute environment", f"{key}-{name}-{names.UNIQUE_SUFFIX}") in rendered_names(manifest)


key = st.from_regex(r"[A-Ca-c][A-Ca-c_-]{0,3}(_execution|-prod|-prod-)?", fullmatch=True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(jobs=st.dictionaries(key, st.booleans(), max_size=5), queues=st.sets(key, min_size=1, max_size=4))
def test_every_accepted_manifest_has_distinct_names(tmp_path: Path, jobs: dict[str, bool], queues: set[str]) -> None:
    """Names per type in any letter case, and Terraform addresses, are distinct."""
    document = changed(
        name="prod",
        queues={name: dict(QUEUE, compute=["spot"]) for name in sorted(queues)},
        jobs={name: {**JOB, **({"user": "1"} if not secret else {})} for name, secret in jobs.items()},
    )
    for name, secret in jobs.items():
        if secret:
            document["jobs"][name]["secrets"] = {"A": dict(SECRETS["TOKEN_FILE"])}
    try:
        manifest = load(write(tmp_path, document))
    except ManifestError:
        assume(False)
    found = resources(manifest)
    addresses = [resource.address for resource in found]
    assert len(set(addresses)) == len(addresses)
    text = b"\n".join(content for path, content in render(manifest).items() if path.endswith(".tf")).decode()
    labels = re.findall(r'^(?:resource|data) "\w+" "\w[\w-]*"|^module "[\w-]+"', text, re.MULTILINE)
    labels = [label for label in labels if label.endswith(tuple(f'{end}"' for end in (*jobs, *queues, "_execution")))]
    assert len(set(labels)) == len(labels)
    for kind, rule in names.NAME_RULES.items():
        same = [name.text.lower() for name in names.resource_names(manifest) if name.kind == kind and rule.ignores_case]
        assert len(set(same)) == len(same)


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": {"gen-infra:environment": "other"}},
        {"compute__spot__tags": {"Gen-Infra:build": "x"}},
        {"queues__main__tags": {"gen-infra:x": "x"}},
        {"jobs": {"j": {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512, "tags": {"gen-infra:x": "x"}}}},
    ],
)
def test_tags_of_gen_infra_itself_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ManifestError, match="is a tag that gen-infra sets itself"):
        accept(tmp_path, **changes)
