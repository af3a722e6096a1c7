"""What a plan adopts, and what it never does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.apply.adoption import Found, find, named
from gen_infra.apply.import_blocks import FILE, import_blocks, remove_import_blocks
from gen_infra.errors import UsageError
from gen_infra.manifest.model.engine import ENGINES
from gen_infra.terraform.plan import PlanContent
from gen_infra.terraform.source import read_source
from tests.unit.manifests import accept
from tests.unit.recorded import Account, Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from gen_infra.manifest import Manifest
    from gen_infra.manifest.model.engine import EngineName

VPC, SUBNET, GROUP = "module.network.aws_vpc.this", 'module.network.aws_subnet.private["us-east-1a"]', "sg-1"
DIGITS = "20260131120000000000000001"


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    jobs = {"isaac": {"image": "quay.io/x/isaac:1", "vcpus": 1, "memory_mib": 512}}
    return accept(tmp_path, tags={"Project": "genomics"}, jobs=jobs)


def planned(*changes: dict[str, Any], state: Mapping[str, Any] | None = None) -> PlanContent:
    resources = [{"mode": "managed", "type": t, "address": f"{t}.x", "values": v} for t, v in (state or {}).items()]
    prior = {"values": {"root_module": {"resources": resources}}}
    return PlanContent({"resource_changes": list(changes), "prior_state": prior})


def created(address: str, unknown: Mapping[str, bool] | None = None, **after: Any) -> dict[str, Any]:
    type_ = address.partition("[")[0].split(".")[-2]
    change = {"actions": ["create"], "before": None, "after": after, "after_unknown": dict(unknown or {})}
    return {"address": address, "type": type_, "change": change}


def tags(name: str, **more: str) -> dict[str, str]:
    return {"Project": "genomics", "Name": name, **more}


def listed(name: str, **more: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags(name, **more).items()]


def vpc(id_: str = "vpc-1", name: str = "batch-test", cidr: str = "10.0.0.0/16", **more: str) -> dict[str, Any]:
    return {"VpcId": id_, "CidrBlock": cidr, "Tags": listed(name, **more)}


PLANNED_VPC = created(VPC, {"id": True}, cidr_block="10.0.0.0/16", tags_all=tags("batch-test"))


def found_vpcs(account: Account, manifest: Manifest, *vpcs: dict[str, Any]) -> Found:
    account.answers = {"DescribeVpcs": {"Vpcs": list(vpcs)}}
    return find(planned(PLANNED_VPC), account.clients, manifest)


class TestTags:
    def test_what_has_the_planned_tags_is_adopted(self, account: Account, manifest: Manifest) -> None:
        found = found_vpcs(account, manifest, vpc("vpc-0", "batch-other"), vpc(AddedByHand="yes"))
        assert found.imports == {VPC: "vpc-1"}
        assert named(found.resources) == "VPC batch-test (vpc-1)"

    @pytest.mark.parametrize(
        "other",
        [
            vpc(name="batch-test2"),
            vpc(Project="proteomics"),
            vpc(cidr="10.1.0.0/16"),
            {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"},
            {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "Tags": [{"Key": "Name", "Value": "batch-test"}]},
        ],
        ids=["of another environment", "of another project", "of another range", "without tags", "without one tag"],
    )
    def test_what_differs_is_not(self, account: Account, manifest: Manifest, other: dict[str, Any]) -> None:
        assert found_vpcs(account, manifest, other) == Found({}, (), ())

    def test_of_two_neither_is_and_both_are_named(self, account: Account, manifest: Manifest) -> None:
        found = found_vpcs(account, manifest, vpc("vpc-1"), vpc("vpc-2"))
        assert found.imports == {}
        assert named(found.ambiguous) == "VPC batch-test (vpc-1), VPC batch-test (vpc-2)"

    def test_what_is_in_the_state_is_not(self, account: Account, manifest: Manifest) -> None:
        account.answers = {"DescribeVpcs": {"Vpcs": [vpc()]}}
        content = planned(PLANNED_VPC, state={"aws_vpc": {"id": "vpc-1"}})
        assert find(content, account.clients, manifest).imports == {}

    def test_what_may_not_be_listed_is_not(self, account: Account, manifest: Manifest) -> None:
        account.answers = {"DescribeVpcs": Refusal("UnauthorizedOperation")}
        assert find(planned(PLANNED_VPC), account.clients, manifest).imports == {}

    def test_no_confirmation_is_needed_where_nothing_is_created(self, account: Account, manifest: Manifest) -> None:
        update = {"actions": ["update"], "before": {}, "after": {}}
        content = planned({"address": VPC, "type": "aws_vpc", "change": update})
        assert find(content, account.clients, manifest) == Found({}, (), ())


class TestParts:
    SUBNETS: Mapping[str, Any] = {
        "Subnets": [
            {"SubnetId": "subnet-0", "VpcId": "vpc-0", "Tags": listed("batch-test/private/us-east-1a")},
            {"SubnetId": "subnet-1", "VpcId": "vpc-1", "Tags": listed("batch-test/private/us-east-1a")},
        ]
    }

    def test_they_wait_for_what_they_belong_to(self, account: Account, manifest: Manifest) -> None:
        account.answers = {"DescribeSubnets": dict(self.SUBNETS)}
        tagged: dict[str, Any] = {"tags_all": tags("batch-test/private/us-east-1a")}
        before = planned(created(SUBNET, {"vpc_id": True}, **tagged))
        assert find(before, account.clients, manifest).imports == {}
        after = planned(created(SUBNET, vpc_id="vpc-1", **tagged))
        assert find(after, account.clients, manifest).imports == {SUBNET: "subnet-1"}

    def test_an_internet_gateway_may_not_be_attached_yet(self, account: Account, manifest: Manifest) -> None:
        address = "module.network.aws_internet_gateway.this[0]"
        content = planned(created(address, vpc_id="vpc-1", tags_all=tags("batch-test")))
        for attachments, imports in (([], {address: "igw-1"}), ([{"VpcId": "vpc-2"}], {})):
            gateway = {"InternetGatewayId": "igw-1", "Attachments": attachments, "Tags": listed("batch-test")}
            account.answers = {"DescribeInternetGateways": {"InternetGateways": [gateway]}}
            assert find(content, account.clients, manifest).imports == imports

    def test_a_route_and_an_association_are_of_their_table(self, account: Account, manifest: Manifest) -> None:
        route, association = "module.network.aws_route.public[0]", "module.network.aws_route_table_association.a"
        routes = [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}, {"DestinationCidrBlock": "0.0.0.0/0"}]
        table = {
            "RouteTableId": "rtb-1",
            "Routes": routes,
            "Associations": [
                {"Main": True, "RouteTableId": "rtb-1"},
                {"RouteTableId": "rtb-1", "SubnetId": "subnet-1"},
            ],
        }
        account.answers = {"DescribeRouteTables": {"RouteTables": [table]}}
        content = planned(
            created(route, route_table_id="rtb-1", destination_cidr_block="0.0.0.0/0"),
            created(association, route_table_id="rtb-1", subnet_id="subnet-1"),
        )
        imports = find(content, account.clients, manifest).imports
        assert imports == {route: "rtb-1_0.0.0.0/0", association: "subnet-1/rtb-1"}

    def test_a_rule_has_the_same_peer(self, account: Account, manifest: Manifest) -> None:
        rule = {"GroupId": GROUP, "IsEgress": True, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
        rules = [
            {**rule, "SecurityGroupRuleId": "sgr-1", "PrefixListId": "pl-1"},
            {**rule, "SecurityGroupRuleId": "sgr-2", "CidrIpv4": "0.0.0.0/0"},
            {**rule, "SecurityGroupRuleId": "sgr-3", "CidrIpv4": "0.0.0.0/0", "IsEgress": False},
        ]
        account.answers = {"DescribeSecurityGroupRules": {"SecurityGroupRules": rules}}
        address = "module.network.aws_vpc_security_group_egress_rule.internet[0]"
        https: dict[str, Any] = {"security_group_id": GROUP, "ip_protocol": "tcp", "from_port": 443, "to_port": 443}
        content = planned(created(address, cidr_ipv4="0.0.0.0/0", prefix_list_id=None, **https))
        assert find(content, account.clients, manifest).imports == {address: "sgr-2"}


class TestNames:
    def test_a_fixed_name_identifies_the_resource(self, account: Account, manifest: Manifest) -> None:
        account.answers = {
            "GetRole": tagged_role(),
            "ListRoles": {"Roles": [role("batchInstance-test"), role("batchInstance-test2")]},
            "ListQueues": {"QueueUrls": ["https://sqs.us-east-1.amazonaws.com/123456789012/batchFunctions-test"]},
            "DescribeJobQueues": {"jobQueues": [queue("main-test"), queue("main-test-2")]},
            "DescribeLogGroups": {"logGroups": [{"logGroupName": "/aws/batch/test/isaac"}, {"logGroupName": "isaac"}]},
        }
        content = planned(
            created("module.instance_role.aws_iam_role.this", name="batchInstance-test"),
            created("module.job_functions.aws_sqs_queue.dead_letters", name="batchFunctions-test"),
            created("aws_batch_job_queue.main", name="main-test"),
            created("aws_cloudwatch_log_group.isaac", name="/aws/batch/test/isaac"),
            created("aws_cloudwatch_log_group.other", name="/aws/batch/test/other"),
        )
        assert find(content, account.clients, manifest).imports == {
            "module.instance_role.aws_iam_role.this": "batchInstance-test",
            "module.job_functions.aws_sqs_queue.dead_letters": (
                "https://sqs.us-east-1.amazonaws.com/123456789012/batchFunctions-test"
            ),
            "aws_batch_job_queue.main": "arn:aws:batch:us-east-1:123456789012:job-queue/main-test",
            "aws_cloudwatch_log_group.isaac": "/aws/batch/test/isaac",
        }

    def test_a_name_that_another_environment_has_is_refused_and_not_adopted(
        self, account: Account, manifest: Manifest
    ) -> None:
        account.answers = {"ListRoles": {"Roles": [role("isaac-test-job")]}, "GetRole": tagged_role("c-test")}
        content = planned(created("aws_iam_role.isaac", name="isaac-test-job"))
        with pytest.raises(UsageError, match=r"names of test: role isaac-test-job \(of c-test\)"):
            find(content, account.clients, manifest)
        account.answers = {**account.answers, "GetRole": tagged_role("test")}
        assert find(content, account.clients, manifest).imports == {"aws_iam_role.isaac": "isaac-test-job"}

    def test_what_workflows_have_is_the_environments(self, account: Account, tmp_path: Path) -> None:
        jobs = {"isaac": {"image": "quay.io/x/isaac:1", "vcpus": 1, "memory_mib": 512}}
        manifest = accept(tmp_path, jobs=jobs, workflows={"germline": {"steps": {"align": {"job": "isaac"}}}})
        machine = "arn:aws:states:us-east-1:123456789012:stateMachine:germline-test"
        group = "/aws/vendedlogs/states/germline-test"
        made = {"stateMachineArn": machine, "name": "germline-test", "type": "STANDARD", "creationDate": "2026-11-29"}
        account.answers = {
            "ListStateMachines": {"stateMachines": [made]},
            "ListTagsForResource": {"tags": []},
            "GetRole": tagged_role(),
            "ListRoles": {"Roles": [role("germline-test-workflow"), role("other-test-workflow")]},
            "DescribeLogGroups": {"logGroups": [{"logGroupName": group}]},
        }
        content = planned(
            created("module.germline.aws_sfn_state_machine.this", name="germline-test"),
            created("module.germline.aws_iam_role.this", name="germline-test-workflow"),
            created("module.germline.aws_cloudwatch_log_group.this", name=group),
        )
        assert find(content, account.clients, manifest).imports == {
            "module.germline.aws_sfn_state_machine.this": machine,
            "module.germline.aws_iam_role.this": "germline-test-workflow",
            "module.germline.aws_cloudwatch_log_group.this": group,
        }

    @pytest.mark.parametrize("engine", ENGINES)
    def test_what_engines_have_is_the_environments(self, account: Account, tmp_path: Path, engine: EngineName) -> None:
        work = {"bucket": "lab-scratch", "prefix": "work/"}
        names = {"tasks": ["align"]} if engine == "miniwdl" else {}
        manifest = accept(tmp_path, engines={engine: {"work": work, **names}})
        own, group = manifest.engine_role_names, f"/aws/batch/test/{engine}"
        account.answers = {
            "GetRole": tagged_role(),
            "ListRoles": {"Roles": [*map(role, own), role(f"{engine}-other-worker"), role(f"{engine}-test-mine")]},
            "DescribeLogGroups": {"logGroups": [{"logGroupName": group}]},
        }
        roles = {f"module.engine.aws_iam_role.{name.rpartition('-')[2]}": name for name in own}
        content = planned(
            *(created(address, name=name) for address, name in roles.items()),
            created("module.engine.aws_cloudwatch_log_group.tasks", name=group),
        )
        imports = {**roles, "module.engine.aws_cloudwatch_log_group.tasks": group}
        assert find(content, account.clients, manifest).imports == imports

    def test_a_fixed_name_of_the_account_is_not_the_environments(self, account: Account, manifest: Manifest) -> None:
        account.answers = {"DescribeLogGroups": {"logGroups": [{"logGroupName": "/aws/batch/job"}]}}
        content = planned(created("aws_cloudwatch_log_group.batch_default", name="/aws/batch/job"))
        assert find(content, account.clients, manifest) == Found({}, (), ())

    def test_a_role_is_adopted_though_a_profile_of_its_name_is_in_the_state(
        self, account: Account, manifest: Manifest
    ) -> None:
        account.answers = {"ListRoles": {"Roles": [role("batchInstance-test")]}, "GetRole": tagged_role()}
        content = planned(
            created("module.instance_role.aws_iam_role.this", name="batchInstance-test"),
            state={"aws_iam_instance_profile": {"name": "batchInstance-test"}},
        )
        assert list(find(content, account.clients, manifest).imports) == ["module.instance_role.aws_iam_role.this"]

    def test_a_generated_name_has_the_prefix_and_26_digits(self, account: Account, manifest: Manifest) -> None:
        address = "module.compute_spot.aws_launch_template.this"
        names = [f"spot-test-{DIGITS}", f"spot-test-2-{DIGITS}", "spot-test-mine"]
        templates = [{"LaunchTemplateId": f"lt-{n}", "LaunchTemplateName": name} for n, name in enumerate(names)]
        account.answers = {"DescribeLaunchTemplates": {"LaunchTemplates": templates}}
        without_tags: list[dict[str, Any]] = [{"tags_all": {}}, {"unknown": {"tags_all": True}, "tags": None}]
        for tagged in without_tags:
            content = planned(created(address, name_prefix="spot-test-", **tagged))
            assert find(content, account.clients, manifest).imports == {address: "lt-0"}
        content = planned(created(address, {"tags_all": True, "tags": True}, name_prefix="spot-test-"))
        assert find(content, account.clients, manifest).imports == {}

    def test_a_key_has_the_description_and_the_tags(self, account: Account, manifest: Manifest) -> None:
        ours = "Volumes, images, logs and functions of batch-test"
        keys = {"1": (ours, "Enabled"), "2": (f"{ours}2", "Enabled"), "3": (ours, "PendingDeletion")}

        def describe(request: dict[str, Any]) -> dict[str, Any]:
            description, state = keys[request["KeyId"]]
            key = {"KeyId": request["KeyId"], "KeyManager": "CUSTOMER", "KeyState": state, "Description": description}
            return {"KeyMetadata": key}

        account.answers = {
            "ListKeys": {"Keys": [{"KeyId": id_} for id_ in keys]},
            "DescribeKey": describe,
            "ListResourceTags": {"Tags": [{"TagKey": "Project", "TagValue": "genomics"}]},
        }
        address = "module.encryption.aws_kms_key.this"
        content = planned(created(address, description=ours, tags_all={"Project": "genomics"}))
        assert find(content, account.clients, manifest).imports == {address: "1"}
        account.answers = {**account.answers, "ListResourceTags": Refusal("AccessDeniedException")}
        assert find(content, account.clients, manifest).imports == {}


def role(name: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::123456789012:role/{name}"
    return {"RoleName": name, "Path": "/", "RoleId": "AROA0123456789ABCDEF0", "Arn": arn, "CreateDate": "2026-01-01"}


def tagged_role(owner: str = "") -> Callable[[dict[str, Any]], dict[str, Any]]:
    tags_of_role = [{"Key": "gen-infra:environment", "Value": owner}] if owner else []
    return lambda request: {"Role": {**role(request["RoleName"]), "Tags": tags_of_role}}


def queue(name: str) -> dict[str, Any]:
    arn = f"arn:aws:batch:us-east-1:123456789012:job-queue/{name}"
    return {
        "jobQueueName": name, "jobQueueArn": arn, "state": "ENABLED", "priority": 1, "computeEnvironmentOrder": [],
    }  # fmt: skip


class TestImportBlocks:
    IMPORTS: Mapping[str, str] = {SUBNET: "subnet-1", "aws_batch_job_queue.main": 'arn:"${x}"'}

    def test_they_are_there_while_a_plan_is_made_and_then_gone(self, tmp_path: Path) -> None:
        text = b""

        def plan() -> None:
            nonlocal text
            with import_blocks(tmp_path, self.IMPORTS):
                text = (tmp_path / FILE).read_bytes()
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            plan()
        assert list(tmp_path.iterdir()) == []
        assert read_source({FILE: text}).errors == ()
        assert f"to = {SUBNET}" in text.decode()
        assert r'"arn:\"\u0024{x}\""' in text.decode(), "an id is data, and no expression"

    def test_without_imports_there_is_no_file(self, tmp_path: Path) -> None:
        with import_blocks(tmp_path, {}):
            assert list(tmp_path.iterdir()) == []

    def test_only_the_file_that_a_killed_run_left_is_removed(self, tmp_path: Path) -> None:
        blocks = import_blocks(tmp_path, self.IMPORTS)
        blocks.__enter__()
        remove_import_blocks(tmp_path)
        assert list(tmp_path.iterdir()) == []
        (tmp_path / FILE).write_text('resource "aws_vpc" "mine" {}\n')
        remove_import_blocks(tmp_path)
        assert (tmp_path / FILE).exists()


SUBNET_1 = "subnet-00000000000000001"


class TestFileSystems:
    SYSTEMS: Mapping[str, Any] = {
        "FileSystems": [
            {
                "OwnerId": "123456789012",
                "CreationToken": f"{name}-test",
                "FileSystemId": id_,
                "CreationTime": 0,
                "LifeCycleState": "available",
                "NumberOfMountTargets": targets,
                "SizeInBytes": {"Value": 0},
                "PerformanceMode": "generalPurpose",
                "Tags": [{"Key": "Name", "Value": f"{name}-test"}],
            }
            for id_, name, targets in (("fs-1", "refs", 1), ("fs-2", "other", 1), ("fs-3", "empty", 0))
        ]
    }

    @staticmethod
    def mount_targets(request: dict[str, Any]) -> dict[str, Any]:
        id_ = request["FileSystemId"]
        assert id_ != "fs-3", "it has none"
        target = {"FileSystemId": id_, "SubnetId": SUBNET_1, "LifeCycleState": "available"}
        return {"MountTargets": [{**target, "MountTargetId": f"fsmt-0000000{id_}"}]}

    def test_a_mount_target_is_of_its_file_system_and_subnet(self, account: Account, manifest: Manifest) -> None:
        account.answers = {"DescribeFileSystems": dict(self.SYSTEMS), "DescribeMountTargets": self.mount_targets}
        address = 'module.file_system_refs.aws_efs_mount_target.this["us-east-1a"]'
        for subnet, imports in ((SUBNET_1, {address: "fsmt-0000000fs-1"}), ("subnet-00000000000000002", {})):
            content = planned(created(address, file_system_id="fs-1", subnet_id=subnet))
            assert find(content, account.clients, manifest).imports == imports
        content = planned(created(address, {"file_system_id": True}, subnet_id=SUBNET_1))
        assert find(content, account.clients, manifest).imports == {}, "it waits for its file system"

    def test_an_access_point_has_the_planned_tags_too(self, account: Account, manifest: Manifest) -> None:
        points = [
            {"AccessPointId": f"fsap-{name}", "FileSystemId": "fs-1", "Tags": listed(f"{name}-test")}
            for name in ("refs", "other")
        ]
        account.answers = {"DescribeAccessPoints": {"AccessPoints": points}}
        address = "module.file_system_refs.aws_efs_access_point.this"
        content = planned(created(address, file_system_id="fs-1", tags_all=tags("refs-test")))
        assert find(content, account.clients, manifest).imports == {address: "fsap-refs"}


@pytest.mark.parametrize("owner", ["other", "test", ""])
@pytest.mark.parametrize(
    ("created_as", "arn"),
    [
        (
            created("aws_sns_topic.x", name="batchQueueBlocked-test"),
            "sns:us-east-1:123456789012:batchQueueBlocked-test",
        ),
        (
            created("aws_cloudwatch_event_rule.x", name="batchQueueBlocked-test"),
            "events:us-east-1:123456789012:rule/batchQueueBlocked-test",
        ),
        (
            created("aws_cloudwatch_metric_alarm.x", alarm_name="batchRuleFailed-test"),
            "cloudwatch:us-east-1:123456789012:alarm:batchRuleFailed-test",
        ),
    ],
)
def test_what_aws_would_overwrite_silently_is_not_taken_from_another_environment(
    account: Account, manifest: Manifest, created_as: dict[str, Any], arn: str, owner: str
) -> None:
    asked: list[str] = []

    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        asked.append(request.get("ResourceArn") or request["ResourceARN"])
        return {"Tags": [{"Key": "gen-infra:environment", "Value": owner}] if owner else []}

    account.answers = {"ListTagsForResource": answer}
    if owner == "other":
        with pytest.raises(UsageError, match=rf"resources with names of test: \w+( \w+)? arn:aws:{arn} \(of other\)"):
            find(planned(created_as), account.clients, manifest)
    else:
        assert find(planned(created_as), account.clients, manifest).imports == {}
    assert asked == [f"arn:aws:{arn}"]
