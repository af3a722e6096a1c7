"""No answer that AWS may give ends in a traceback: every optional member of recorded answers is left out, or empty.

Which members are optional is botocore's own knowledge: those that an output shape does not require. In EC2's and ECS's
shapes that is nearly all.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gen_infra import why
from gen_infra.aws import compute_environments, image_usage, images, jobs, leftovers, logs, queues, tags
from gen_infra.doctor import account as doctor_account
from gen_infra.doctor import buckets, image, key, network, quotas, roles
from gen_infra.doctor import jobs as doctor_jobs
from gen_infra.drift.authors import EventHistory, launch_template_author
from gen_infra.drift.cloudtrail_events import events_adding
from gen_infra.errors import GenInfraError
from gen_infra.prune.account import find_prunable
from tests.unit.manifests import accept
from tests.unit.recorded import Account
from tests.unit.why.cases import CASES
from tests.unit.why.facts import ARN, IMAGE, Facts
from tests.unit.why.public_cases import PUBLIC_CASES

if TYPE_CHECKING:
    from gen_infra.manifest import Manifest

Path_ = tuple[str | int, ...]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
AMI = "ami-0123456789abcdef0"
KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/1"
ALL_CASES = CASES | PUBLIC_CASES
# One of each kind: waiting, ended, of an array, on a lost host, with an INVALID compute environment.
WHY_CASES = (
    "waits for another", "array waits", "environment invalid", "quota reached", "others before it", "no way out",
    "Spot reclaimed", "another failed", "program failed", "secret", "a child waits for its like", "not in our registry",
)  # fmt: skip


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        yield Account()


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    isaac = {"image": "isaac:1.0", "vcpus": 4, "memory_mib": 8000}
    return accept(tmp_path_factory.mktemp("partial"), jobs={"isaac": isaac}, repositories=["isaac"])


def optional_members(shape: Any, value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Yield the places in an answer of what AWS need not send."""
    if shape.type_name == "structure":
        for name, item in value.items():
            if name not in shape.required_members:
                yield (*path, name)
            yield from optional_members(shape.members[name], item, (*path, name))
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from optional_members(shape.member, item, (*path, index))


def without(answer: Any, path: Path_, *, emptied: bool) -> Any:
    """Return a copy of the answer that lacks a member, or has it empty."""
    changed = copy.deepcopy(answer)
    holder = changed
    for step in path[:-1]:
        try:
            holder = holder[step]
        except LookupError:  # it went with another one
            return changed
    name = path[-1]
    if isinstance(holder, dict) and name in holder:
        if emptied and isinstance(holder[name], str | list | int):
            holder[name] = type(holder[name])()
        else:
            del holder[name]
    return changed


class Varying:
    """Answers of an account, from which members are taken away."""

    def __init__(self, account: Account, answers: Mapping[str, Any]) -> None:
        self.account = account
        self.whole = {name: answer for name, answer in answers.items() if isinstance(answer, dict)}
        account.answers = answers
        self.answers = answers
        self.shapes = {name: _shape(account, name) for name in self.whole}

    def places(self) -> list[tuple[str, Path_]]:
        return [
            (name, path) for name, answer in self.whole.items() for path in optional_members(self.shapes[name], answer)
        ]

    def take_away(self, *places: tuple[str, Path_], emptied: bool) -> None:
        changed = dict(self.answers)
        for name, path in places:
            emptied_answer = without(changed[name], path, emptied=True)
            can_be_empty = not ParamValidator().validate(emptied_answer, self.shapes[name]).has_errors()
            changed[name] = emptied_answer if emptied and can_be_empty else without(changed[name], path, emptied=False)
        self.account.answers = changed


def _shape(account: Account, operation: str) -> Any:
    for service in ("batch", "ec2", "ecs", "autoscaling", "logs", "kms", "iam", "ecr", "quotas", "ssm", "s3", "secrets",
                    "efs", "trail", "sts"):  # fmt: skip
        model = getattr(account.clients, service).meta.service_model
        if operation in model.operation_names and not (operation == "DescribeImages" and service == "ecr"):
            return model.operation_model(operation).output_shape
    raise AssertionError(operation)


def survive(call: Callable[[], object]) -> None:
    """Whatever is missing is said as an error of gen-infra's own, or does not matter."""
    try:
        call()
    except GenInfraError:
        return


def why_answers(name: str) -> tuple[Facts, dict[str, Any]]:
    facts = Facts()
    ALL_CASES[name][0](facts)
    answers = dict(facts.answers())
    answers["DescribeJobs"] = {"jobs": [facts.job, *(facts.job | each for each in facts.others)]}
    older = {"jobId": "x", "jobName": "x", "status": "RUNNABLE", "createdAt": 1}
    listed = facts._list_jobs({"jobStatus": "RUNNABLE"})["jobSummaryList"]
    answers["ListJobs"] = {"jobSummaryList": [*listed, older]}
    return facts, answers


@pytest.mark.parametrize("name", ["quota reached", "Spot reclaimed", "a child waits for its like"])
def test_why_of_answers_that_lack_one_member(name: str, account: Account, manifest: Manifest) -> None:
    facts, answers = why_answers(name)
    account.answers = answers
    assert why.explain(account.clients, manifest, Path("test.yaml"), facts.job["jobId"]).causes
    del answers["DescribeImages"]
    varying = Varying(account, answers)
    for place in varying.places():
        varying.take_away(place, emptied=False)
        varying.account.answers = {**varying.account.answers, "DescribeImages": {}}
        survive(lambda: why.explain(account.clients, manifest, Path("test.yaml"), facts.job["jobId"]).to_dict())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data(), name=st.sampled_from(WHY_CASES), emptied=st.booleans())
def test_why_of_answers_that_lack_several_members(
    data: st.DataObject, name: str, emptied: bool, account: Account, manifest: Manifest
) -> None:
    facts, answers = why_answers(name)
    del answers["DescribeImages"]
    varying = Varying(account, answers)
    places = data.draw(st.lists(st.sampled_from(varying.places()), min_size=2, max_size=8))
    varying.take_away(*places, emptied=emptied)
    varying.account.answers = {**varying.account.answers, "DescribeImages": {}}
    survive(lambda: why.explain(account.clients, manifest, Path("test.yaml"), facts.job["jobId"]).to_dict())


def test_a_role_that_is_a_bare_name_is_looked_up_in_the_account(account: Account, manifest: Manifest) -> None:
    facts = Facts()
    facts.job["container"]["jobRoleArn"] = "isaac-job"
    account.answers = facts.answers()
    assert why.explain(account.clients, manifest, Path("test.yaml"), facts.job["jobId"]).causes == ()


_ENDPOINT = {"ServiceName": "com.amazonaws.us-east-1.s3", "State": "available", "RouteTableIds": ["rtb-1"]}
_SNAPSHOT = {"SnapshotId": "snap-1", "VolumeSize": 30, "Encrypted": True, "KmsKeyId": "k"}
_PARAMETER = {"Name": "/lab/ami", "DataType": "aws:ec2:image", "Type": "SecureString"}
_IDS = {"Path": "/", "Arn": "arn:aws:iam::123456789012:role/x", "CreateDate": NOW}
_ROLE = {**_IDS, "RoleName": "x", "RoleId": "A" * 16}
_PROFILE = {**_IDS, "InstanceProfileName": "x", "InstanceProfileId": "A" * 16, "Roles": [_ROLE]}
_FILE_SYSTEM = {
    "OwnerId": "1",
    "CreationToken": "x",
    "FileSystemId": "fs-1",
    "CreationTime": NOW,
    "LifeCycleState": "available",
    "NumberOfMountTargets": 1,
    "SizeInBytes": {"Value": 1},
    "PerformanceMode": "generalPurpose",
    "Tags": [],
}


def account_answers() -> dict[str, Any]:
    """Return the answers to the calls of the other commands, in full."""
    facts = Facts()
    facts.job |= {"status": "RUNNING", "startedAt": 1, "attempts": [{"container": {"logStreamName": "a"}}]}
    facts.job["container"] |= {"logStreamName": "b", "taskArn": "arn:aws:ecs:us-east-1:1:task/spot/1"}
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    peer = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0"}]}
    group = {"GroupId": "sg-0", "GroupName": "x", "VpcId": "vpc-1", "IpPermissions": [rule, peer]}
    answers: dict[str, Any] = dict(facts.answers()) | {
        "DescribeJobs": {"jobs": [facts.job]},
        "ListJobs": facts._list_jobs({"jobStatus": "RUNNING"}),
        "DescribeSecurityGroups": {"SecurityGroups": [group | {"IpPermissionsEgress": [rule]}]},
        "DescribeVpcEndpoints": {"VpcEndpoints": [_ENDPOINT]},
        "DescribeVpcs": {"Vpcs": [{"VpcId": "vpc-1"}]},
        "DescribeImages": {"Images": [_image()]},
        "DescribeSnapshots": {"Snapshots": [_SNAPSHOT]},
        "DescribeInstances": {"Reservations": [{"Instances": [{"InstanceId": "i-1", "ImageId": AMI}]}]},
        "DescribeLaunchTemplates": {"LaunchTemplates": [{"LaunchTemplateId": "lt-1", "LaunchTemplateName": "workers"}]},
        "DescribeLaunchTemplateVersions": {
            "LaunchTemplateVersions": [
                {"VersionNumber": 1, "LaunchTemplateName": "workers", "LaunchTemplateData": {"ImageId": AMI},
                 "CreatedBy": "ada", "CreateTime": NOW}
            ]
        },
        "DescribeParameters": {"Parameters": [_PARAMETER]},
        "GetParameters": {"Parameters": [{"Name": "/lab/ami", "Value": AMI}]},
        "GetParameter": {"Parameter": {"Value": AMI}},
        "GetRole": {"Role": _ROLE},
        "GetInstanceProfile": {"InstanceProfile": _PROFILE},
        "HeadBucket": {"BucketRegion": "us-east-1"},
        "GetPublicAccessBlock": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
        "GetBucketPolicyStatus": {"PolicyStatus": {"IsPublic": False}},
        "GetBucketAcl": {"Grants": [{"Grantee": {"Type": "Group", "URI": "x"}, "Permission": "READ"}]},
        "GetBucketVersioning": {"Status": "Enabled"},
        "DescribeSecret": {"ARN": KEY_ARN, "KmsKeyId": "k"},
        "DescribeFileSystems": {"FileSystems": [_FILE_SYSTEM]},
        "DescribeAccessPoints": {"AccessPoints": [{"FileSystemId": "fs-1"}]},
        "DescribeRegions": {"Regions": [{"RegionName": "us-east-1", "OptInStatus": "opt-in-not-required"}]},
        "DescribeJobDefinitions": {
            "jobDefinitions": [
                {"jobDefinitionName": "isaac-test", "jobDefinitionArn": f"{ARN}:job-definition/isaac-test:{number}",
                 "revision": number, "type": "container", "status": "ACTIVE", "containerProperties": {"image": IMAGE}}
                for number in (1, 2, 3)
            ]
        },
        "LookupEvents": {
            "Events": [{"EventName": "PutRolePolicy", "EventTime": NOW, "Username": "ada", "CloudTrailEvent": "{}",
                        "Resources": [{"ResourceName": "x"}]}]
        },
        "DescribeAddresses": {"Addresses": [{"Tags": [{"Key": "Name", "Value": "x"}]}]},
    }  # fmt: skip
    return {name: answer for name, answer in answers.items() if isinstance(answer, dict)}


def _image() -> dict[str, Any]:
    return {
        "ImageId": AMI,
        "Name": "lab",
        "CreationDate": "2026-01-01T00:00:00.000Z",
        "State": "available",
        "Architecture": "x86_64",
        "Public": False,
        "ImdsSupport": "v2.0",
        "Tags": [{"Key": tags.ENVIRONMENT_TAG, "Value": "test"}],
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-1", "VolumeSize": 30, "Encrypted": True}}
        ],
    }


def calls(account: Account) -> dict[str, Callable[[], object]]:
    """Return what `doctor`, `jobs`, `logs`, `image status`, `plan`, `apply`, `prune` and `drift` read."""
    aws = account.clients
    volumes = {"/dev/xvda": image.Volume(100, "image.root.size_gib")}
    by_id = network.ById(["subnet-0123456789abcdef0"], ["sg-0"])
    by_tag = network.ByTag({"Name": "x"}, {"Tier": "private"}, {"Name": "x"})
    ask = quotas.Ask("SPOT", ["m6i"], 64, 4)
    environment = compute_environments.ComputeEnvironmentState(
        "spot", f"{ARN}:compute-environment/spot", "", "", "", "spot"
    )
    whole_image = images.as_image(_image())
    job = jobs.job_from(Facts().job, "us-east-1")  # type: ignore[arg-type]
    return {
        "region": lambda: doctor_account.region(aws, None),
        "network by id": lambda: network.network(aws, by_id, 1),
        "network by tag": lambda: network.network(aws, by_tag, 1),
        "image": lambda: image.image(aws, AMI, "x86_64", volumes),
        "image of a parameter": lambda: image.image_of_parameter(aws, "/lab/ami", "x86_64", volumes),
        "key": lambda: key.given_key(aws, KEY_ARN, ["arn:aws:iam::1:role/x"], {}),
        "made key": lambda: key.made_key(aws, "alias/batch-test", ["arn:aws:iam::1:role/x"], {}),
        "vcpus": lambda: quotas.vcpu_quotas(aws, [ask]),
        "storage": lambda: quotas.storage_quotas(aws, {"gp3": 1000}, 10),
        "roles": lambda: roles.roles(aws, "123456789012", ["arn:aws:iam::123456789012:role/x", "bare-name"]),
        "profile": lambda: roles.instance_profile(aws, "arn:aws:iam::123456789012:instance-profile/x"),
        "bucket": lambda: buckets.bucket(aws, "lab"),
        "state bucket": lambda: buckets.state_bucket(aws, "lab", "gen-infra bootstrap"),
        "secret": lambda: doctor_jobs.secret(aws, "x", None),
        "parameter": lambda: doctor_jobs.parameter(aws, "arn:aws:ssm:us-east-1:1:parameter/x", None),
        "file system": lambda: doctor_jobs.file_system(aws, "fs-1", "fsap-1"),
        "jobs": lambda: [each.to_dict() for each in jobs.list_jobs(aws, ["main-test"])],
        "queues": lambda: [each.to_dict() for each in queues.queue_states(aws, ["main-test"])],
        "logs": lambda: list(logs.Reader(aws).new_lines(jobs.find_logged(aws, job.id))),
        "last lines": lambda: logs.tail(aws, jobs.find_logged(aws, job.id), 5),
        "environments": lambda: compute_environments.compute_environments(aws, ["spot-test-20260101"]),
        "queue orders": lambda: compute_environments.queue_orders(aws),
        "jobs on": lambda: compute_environments.jobs_on(aws, environment, ["main-test"]),
        "builds": lambda: images.builds(aws, "test"),
        "faults": lambda: images.faults(aws, whole_image, "k"),
        "users": lambda: image_usage.users(aws, "/lab/ami"),
        "sizes": lambda: image_usage.sizes(aws, whole_image),
        "images in use": lambda: image_usage.environment_images(aws, ["spot-test"]),
        "definitions": lambda: leftovers.deregister_definitions(aws, [], "test"),
        "prunable": lambda: find_prunable(aws, ["isaac-test"], [], "test", keep=1),
        "author of an event": lambda: EventHistory(aws, "aws", lambda _: None).author(
            events_adding("PutRolePolicy", "x")
        ),
        "author of a template": lambda: launch_template_author(aws, {"workers", "lt-1"}),
    }


class Asked(dict[str, Any]):
    """Answers that note which operations they are asked for."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__(answers)
        self.operations: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.operations.add(name)
        return super().__getitem__(name)


def test_all_other_readers_of_answers_that_lack_one_member(account: Account) -> None:
    whole = account_answers()
    for call in calls(account).values():
        account.answers = asked = Asked(whole)
        assert "cannot check" not in str(call()), "the whole answers are read"
        varying = Varying(account, whole)
        for place in varying.places():
            if place[0] in asked.operations:
                for emptied in (False, True):
                    varying.take_away(place, emptied=emptied)
                    survive(call)


def test_an_image_without_its_date_is_the_oldest() -> None:
    found = images.as_image({"ImageId": AMI})
    assert NOW - found.created > timedelta(days=10_000)
