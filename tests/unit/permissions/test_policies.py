"""What each role may and may not do, decided by the evaluator: its commands, and nothing beyond its environment."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from gen_infra.errors import UsageError
from gen_infra.iam import PolicyDocument
from gen_infra.manifest.job_policies import policy_document
from gen_infra.manifest.model.existing import Existing
from gen_infra.manifest.model.file_system import FileSystem
from gen_infra.manifest.model.scheduling import FairShare
from gen_infra.permissions.policies import statements
from gen_infra.permissions.scope import iam_arn
from tests.conftest import ROOT
from tests.unit.permissions.callers import ACCOUNT, BOUNDARY, USER_ID, example, is_allowed, is_allowed_to, session

if TYPE_CHECKING:
    from gen_infra.iam import Principal
    from gen_infra.manifest import Manifest

BATCH = f"arn:aws:batch:us-east-1:{ACCOUNT}"
IAM = f"arn:aws:iam::{ACCOUNT}"
EC2 = f"arn:aws:ec2:us-east-1:{ACCOUNT}"
SUFFIX = "0" * 26
OURS = {"aws__RequestTag/gen-infra__submitted-by": USER_ID, "aws__RequestTag/gen-infra__environment": "shared"}
OWN_JOB = {"aws__ResourceTag/gen-infra__submitted-by": USER_ID, "aws__ResourceTag/gen-infra__environment": "shared"}
OF_ENVIRONMENT = {"aws__ResourceTag/gen-infra__environment": "shared"}
OTHERS_JOB = {**OWN_JOB, "aws__ResourceTag/gen-infra__submitted-by": "AROAEXAMPLE:bob"}


def lower(context: dict[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in context.items()}


class TestSubmit:
    def test_it_submits_to_its_queues_with_its_tags(self) -> None:
        for resource in ("job-queue/lowPriority-shared", "job-definition/stats-shared:3"):
            assert is_allowed("submit", "batch:SubmitJob", f"{BATCH}:{resource}", **lower(OURS | OF_ENVIRONMENT))
        assert is_allowed("submit", "batch:TagResource", f"{BATCH}:job/*", **lower(OURS))

    @pytest.mark.parametrize(
        ("resource", "tags"),
        [
            ("job-queue/highPriority-shared", OURS),  # not in access.submit.queues
            ("job-queue/lowPriority-other", OURS),
            ("job-definition/stats-other", OURS),
            ("job-queue/lowPriority-shared", {}),
            ("job-queue/lowPriority-shared", {**OURS, "aws__RequestTag/gen-infra__submitted-by": "AROAEXAMPLE:bob"}),
            ("job-queue/lowPriority-shared", {**OURS, "aws__RequestTag/gen-infra__environment": "other"}),
            ("job-queue/lowPriority-b-shared", OURS),
            ("job-definition/stats-shared", OURS),  # AWS reads no tags without a revision
        ],
    )
    def test_it_submits_nowhere_else_and_for_no_other_user(self, resource: str, tags: dict[str, str]) -> None:
        assert not is_allowed("submit", "batch:SubmitJob", f"{BATCH}:{resource}", **lower(OF_ENVIRONMENT | tags))

    @pytest.mark.parametrize("role", ["submit", "operate"])
    @pytest.mark.parametrize("tags", [{}, {"aws__ResourceTag/gen-infra__environment": "b-shared"}])
    def test_it_submits_nothing_of_an_environment_whose_name_ends_alike(self, role: str, tags: dict[str, str]) -> None:
        for resource in ("job-queue/lowPriority-b-shared", "job-definition/stats-b-shared:3"):
            assert not is_allowed(role, "batch:SubmitJob", f"{BATCH}:{resource}", **lower(OURS | tags))

    @pytest.mark.parametrize("action", ["batch:CancelJob", "batch:TerminateJob"])
    def test_it_cancels_its_own_jobs_alone(self, action: str) -> None:
        assert is_allowed("submit", action, f"{BATCH}:job/1", **lower(OWN_JOB))
        assert not is_allowed("submit", action, f"{BATCH}:job/1", **lower(OTHERS_JOB))
        assert not is_allowed("submit", action, f"{BATCH}:job/1")

    def test_it_cannot_take_over_the_job_of_another_user_by_its_tags(self) -> None:
        assert not is_allowed("submit", "batch:TagResource", f"{BATCH}:job/1", **lower({**OURS, **OTHERS_JOB}))
        of_function = {"aws__ResourceTag/gen-infra__environment": "other"}
        assert not is_allowed("submit", "batch:TagResource", f"{BATCH}:job/1", **lower({**OURS, **of_function}))
        assert not is_allowed("submit", "batch:UntagResource", f"{BATCH}:job/1", **lower(OTHERS_JOB))

    @pytest.mark.parametrize("service", ["ecs-tasks", "ec2", "lambda", "batch"])
    def test_it_passes_no_role(self, service: str) -> None:
        for role in ("genomics/stats-shared-job", "genomics/batchInstance-shared", "Administrator"):
            passed = {"iam__passedtoservice": f"{service}.amazonaws.com"}
            assert not is_allowed("submit", "iam:PassRole", f"{IAM}:role/{role}", **passed)

    @pytest.mark.parametrize(
        ("action", "resource"),
        [
            ("batch:RegisterJobDefinition", f"{BATCH}:job-definition/stats-shared"),
            ("batch:UpdateJobQueue", f"{BATCH}:job-queue/lowPriority-shared"),
            ("lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:batchSubmitJob-shared"),
            ("logs:GetLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/batch/other/stats:log-stream:x"),
            ("s3:GetObject", "arn:aws:s3:::genomics-tfstate-123456789012/gen-infra/shared/terraform.tfstate"),
            ("sts:AssumeRole", f"{IAM}:role/genomics/stats-shared-job"),
        ],
    )
    def test_it_can_do_nothing_else(self, action: str, resource: str) -> None:
        assert not is_allowed("submit", action, resource, **lower(OURS))

    def test_it_reads_its_region_alone(self) -> None:
        assert is_allowed("submit", "batch:ListJobs", "*")
        assert not is_allowed("submit", "batch:ListJobs", "*", aws__requestedregion="eu-west-1")


class TestOperate:
    def test_it_submits_to_every_queue_and_cancels_every_job_of_the_environment(self) -> None:
        for queue in ("lowPriority", "highPriority"):
            context = lower(OURS | OF_ENVIRONMENT)
            assert is_allowed("operate", "batch:SubmitJob", f"{BATCH}:job-queue/{queue}-shared", **context)
        assert is_allowed("operate", "batch:TerminateJob", f"{BATCH}:job/1", **lower(OTHERS_JOB))

    def test_it_cancels_no_job_of_another_environment(self) -> None:
        others = {"aws__resourcetag/gen-infra__environment": "other"}
        assert not is_allowed("operate", "batch:TerminateJob", f"{BATCH}:job/1", **others)
        assert not is_allowed("operate", "batch:TerminateJob", f"{BATCH}:job/1")

    def test_it_changes_nothing(self) -> None:
        changing = [
            action
            for each in statements(example(), "operate")
            for action in each.actions
            if not re.match(r"\w+:(?:Describe|Get|List|Lookup)", action)
        ]
        assert sorted(set(changing)) == [
            "batch:CancelJob", "batch:SubmitJob", "batch:TagResource", "batch:TerminateJob", "kms:Decrypt",
            "lambda:InvokeFunction", "s3:DeleteObject", "s3:PutObject",
        ]  # fmt: skip


STATES = f"arn:aws:states:us-east-1:{ACCOUNT}"
LISTS = "arn:aws:s3:::genomics-results-123456789012/steps/workflows/steps/germline"
READS = [
    ("states:ListExecutions", f"{STATES}:stateMachine:germline-steps"),
    ("states:ListExecutions", f"{STATES}:mapRun:germline-many-steps/germline:1"),
    ("states:ListMapRuns", f"{STATES}:execution:germline-many-steps:batch-7"),
    ("states:DescribeExecution", f"{STATES}:execution:germline-steps:NA12878"),
    ("states:DescribeExecution", f"{STATES}:execution:germline-many-steps/germline:1"),
    ("states:GetExecutionHistory", f"{STATES}:execution:germline-many-steps/germline:1"),
]
STARTS = [
    ("states:StartExecution", f"{STATES}:stateMachine:germline-steps"),
    ("states:StartExecution", f"{STATES}:stateMachine:germline-many-steps"),
    ("states:RedriveExecution", f"{STATES}:execution:germline-steps:NA12878"),
    ("s3:PutObject", f"{LISTS}/lists/batch-7.csv"),
]
STOPS = ("states:StopExecution", f"{STATES}:execution:germline-steps:NA12878")


class TestRuns:
    """Runs of the workflow of `step-functions`, whose steps use the queues urgent and routine."""

    @staticmethod
    def caller(role: str, *queues: str) -> Principal:
        access, manifest = example().access, example("step-functions")
        assert access
        assert access.submit
        access = msgspec.structs.replace(access, submit=msgspec.structs.replace(access.submit, queues=queues))
        manifest = msgspec.structs.replace(manifest, access=access, iam=example().iam)
        return session(policy_document(statements(manifest, role)))

    @pytest.mark.parametrize("queues", [(), ("urgent", "routine")])
    def test_submit_starts_and_continues_what_uses_its_queues(self, queues: tuple[str, ...]) -> None:
        caller = self.caller("submit", *queues)
        assert [each for each in (*READS, *STARTS) if not is_allowed_to(caller, *each)] == []

    def test_submit_starts_nothing_that_uses_another_queue_too(self) -> None:
        caller = self.caller("submit", "urgent")
        assert [each for each in STARTS if is_allowed_to(caller, *each)] == []
        assert [each for each in READS if not is_allowed_to(caller, *each)] == []

    def test_operate_does_all_and_submit_stops_nothing(self) -> None:
        caller = self.caller("operate", "urgent")
        assert [each for each in (*READS, *STARTS, STOPS) if not is_allowed_to(caller, *each)] == []
        assert not is_allowed_to(self.caller("submit"), *STOPS)

    @pytest.mark.parametrize("role", ["submit", "operate", "plan", "apply"])
    def test_no_role_reaches_the_workflow_of_another_environment(self, role: str) -> None:
        caller = self.caller(role)
        others = [
            (action, resource.replace("-steps", "-other").replace("/steps/germline", "/other/germline"))
            for action, resource in (*READS, *STARTS, STOPS)
        ]
        assert [each for each in others if is_allowed_to(caller, *each)] == []
        assert not is_allowed_to(caller, "s3:PutObject", f"{LISTS}/results/manifest.json")

    def test_no_role_uses_the_key_for_runs_but_through_step_functions(self) -> None:
        key, own = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1", {"aws__resourcetag/name": "batch-steps"}
        through = {"kms__viaservice": "states.us-east-1.amazonaws.com"}
        for role in ("submit", "operate"):
            caller = self.caller(role)
            assert is_allowed_to(caller, "kms:Decrypt", key, **own, **through)
            assert not is_allowed_to(caller, "kms:Decrypt", key, **own)
            assert not is_allowed_to(caller, "kms:Decrypt", key, **through)  # another environment's key


class TestPlan:
    def test_it_changes_nothing_but_the_lock_of_the_state(self) -> None:
        changing = {
            (action, each.resources)
            for each in statements(example(), "plan")
            for action in each.actions
            if not re.match(r"\w+:(?:Describe|Get|List|Lookup)", action) and action != "kms:Decrypt"
        }
        lock = ("arn:aws:s3:::genomics-tfstate-123456789012/gen-infra/shared/terraform.tfstate.tflock",)
        assert changing == {("s3:PutObject", lock), ("s3:DeleteObject", lock)}

    def test_it_reads_no_other_state(self) -> None:
        states = "arn:aws:s3:::genomics-tfstate-123456789012/gen-infra"
        assert is_allowed("plan", "s3:GetObject", f"{states}/shared/terraform.tfstate")
        assert not is_allowed("plan", "s3:GetObject", f"{states}/other/terraform.tfstate")


BOUNDED = {"iam__permissionsboundary": BOUNDARY}
NEW, OWNED = {"aws__requesttag/gen-infra__environment": "shared"}, {"aws__resourcetag/gen-infra__environment": "shared"}
OF_NEIGHBOUR = {"aws__resourcetag/gen-infra__environment": "b-shared"}
JOB_ROLE = f"{IAM}:role/genomics/stats-shared-job"
ACCESS = f"{IAM}:role/genomics/batchAccessApply-shared"
ACCESS_POLICY = f"{IAM}:policy/genomics/batchAccessApply-shared-1"
SERVICE_POLICY = "service-role/AWSBatchServiceRole"


def with_file_systems() -> Manifest:
    """Return the example with a created file system and a queue with shares."""
    shared = example()
    queue = msgspec.structs.replace(shared.queues["lowPriority"], fair_share=FairShare(shares={"a": 1.0}))
    system = FileSystem(efs="create")
    return msgspec.structs.replace(
        shared, file_systems={"refs": system}, queues={**shared.queues, "lowPriority": queue}
    )


class TestApply:
    @pytest.mark.parametrize(
        ("action", "resource", "context"),
        [
            ("iam:CreateRole", JOB_ROLE, BOUNDED | NEW),
            ("iam:TagRole", JOB_ROLE, NEW),  # while CreateRole tags it
            ("iam:PutRolePolicy", JOB_ROLE, BOUNDED | OWNED),
            ("iam:DeleteRole", JOB_ROLE, OWNED),
            ("iam:PassRole", JOB_ROLE, {"iam__passedtoservice": "ecs-tasks.amazonaws.com"}),
            (
                "iam:PassRole",
                f"{IAM}:role/genomics/batchInstance-shared",
                {"iam__passedtoservice": "ec2.amazonaws.com"},
            ),
            ("batch:CreateComputeEnvironment", f"{BATCH}:compute-environment/sharedEnv-shared-{SUFFIX}", NEW),
            ("batch:TagResource", f"{BATCH}:compute-environment/sharedEnv-shared-{SUFFIX}", NEW),
            ("batch:CreateJobQueue", f"{BATCH}:job-queue/main-shared", NEW),
            ("batch:CreateJobQueue", f"{BATCH}:compute-environment/sharedEnv-shared-{SUFFIX}", OWNED | NEW),
            ("batch:CreateJobQueue", f"{BATCH}:job-queue/sharedEnv-shared-{SUFFIX}-drain", NEW),
            ("batch:DeleteJobQueue", f"{BATCH}:job-queue/sharedEnv-shared-{SUFFIX}-drain", OWNED),
            ("batch:RegisterJobDefinition", f"{BATCH}:job-definition/new-shared", NEW),
            ("batch:DeregisterJobDefinition", f"{BATCH}:job-definition/new-shared:7", OWNED),
            (
                "ec2:CreateLaunchTemplate",
                f"{EC2}:launch-template/*",
                NEW | {"aws__requesttag/name": "sharedEnv-shared"},
            ),
            (
                "ec2:DeleteLaunchTemplate",
                f"{EC2}:launch-template/lt-1",
                OWNED | {"aws__resourcetag/name": "sharedEnv-shared"},
            ),
            ("iam:GetRole", ACCESS, {}),
            ("iam:GetPolicyVersion", ACCESS_POLICY, {}),
            ("iam:GetOpenIDConnectProvider", f"{IAM}:oidc-provider/gitlab.com", {}),
        ],
    )
    def test_it_applies(self, action: str, resource: str, context: dict[str, str]) -> None:
        assert is_allowed("apply", action, resource, **context)

    @pytest.mark.parametrize("tags", [NEW, NEW | OF_NEIGHBOUR], ids=["no owner", "b-shared"])
    def test_it_cannot_touch_what_has_no_tag_or_that_of_an_environment_whose_name_ends_alike(
        self, tags: dict[str, str]
    ) -> None:
        """`*-shared` is a pattern of `isaac-b-shared` too; what is created has no tags yet, so that it may pass."""
        caller = session(policy_document(statements(with_file_systems(), "apply")))
        changing = [
            (statement, action)
            for statement in statements(with_file_systems(), "apply")
            for action in statement.actions
            if statement.effect == "Allow" and not re.match(r"\w+:(?:Describe|Get|List|Lookup|View)", action)
        ]
        by_pattern = {
            (action, resource.replace("*-shared", "isaac-b-shared").replace("?" * 26, SUFFIX).replace("*", "1"))
            for statement, action in changing
            for resource in statement.resources
            if "*-shared" in resource
            or any("*-shared" in value for each in statement.conditions for value in each.values)
        }
        names = {
            "aws__resourcetag/name": "isaac-b-shared",
            "iam__policyarn": f"arn:aws:iam::aws:policy/{SERVICE_POLICY}",
        }
        context = BOUNDED | {"iam__passedtoservice": "ecs-tasks.amazonaws.com"} | tags | names
        passed = {
            f"{action} {arn.split(':')[5].partition('/')[0]}"
            for action, arn in by_pattern
            if is_allowed_to(caller, action, arn, **context)
        }
        creates = {
            "batch:CreateComputeEnvironment compute-environment",
            "batch:CreateJobQueue job-queue",
            "batch:CreateSchedulingPolicy scheduling-policy",
            "batch:RegisterJobDefinition job-definition",
            "iam:CreateRole role",
        }
        kinds = ("compute-environment", "job-definition", "job-queue", "scheduling-policy")
        tagging = {"iam:TagRole role", *(f"batch:TagResource {kind}" for kind in kinds)} if tags == NEW else set()
        assert passed == {*creates, *tagging, "iam:PassRole role"}
        assert len({action for action, _ in by_pattern}) > 25

    @pytest.mark.parametrize("role", [ACCESS, ACCESS.replace("Apply", "Submit"), ACCESS.replace("shared", "other-job")])
    @pytest.mark.parametrize(
        "action",
        [
            "iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
            "iam:PassRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:TagRole",
            "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:DeleteRolePermissionsBoundary", "sts:AssumeRole",
        ],
    )  # fmt: skip
    def test_it_cannot_change_access_roles(self, action: str, role: str) -> None:
        context = {
            **BOUNDED,
            **NEW,
            **OWNED,
            "iam__passedtoservice": "ecs-tasks.amazonaws.com",
            "iam__policyarn": f"arn:aws:iam::aws:policy/{SERVICE_POLICY}",
        }
        assert not is_allowed("apply", action, role, **context)

    # https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/
    @pytest.mark.parametrize(
        ("action", "resource", "context"),
        [
            ("iam:CreatePolicyVersion", ACCESS_POLICY, {}),
            ("iam:CreatePolicyVersion", BOUNDARY, {}),
            ("iam:SetDefaultPolicyVersion", ACCESS_POLICY, {}),
            ("iam:SetDefaultPolicyVersion", BOUNDARY, {}),
            ("iam:DeletePolicy", BOUNDARY, {}),
            ("iam:CreatePolicy", f"{IAM}:policy/genomics/anything", {}),
            ("iam:CreateRole", JOB_ROLE, {}),
            ("iam:CreateRole", JOB_ROLE, {"iam__permissionsboundary": "arn:aws:iam::aws:policy/AdministratorAccess"}),
            ("iam:CreateRole", f"{IAM}:role/stats-shared-job", BOUNDED),  # outside iam.path
            ("iam:CreateRole", f"{IAM}:role/genomics/stats-other-job", BOUNDED),
            ("iam:CreateRole", f"{IAM}:role/genomics/anything", BOUNDED),
            ("iam:PutRolePermissionsBoundary", JOB_ROLE, {"iam__permissionsboundary": f"{IAM}:policy/wide"}),
            ("iam:DeleteRolePermissionsBoundary", JOB_ROLE, BOUNDED),
            ("iam:PutRolePolicy", JOB_ROLE, {}),  # a role without the boundary
            ("iam:PutRolePolicy", f"{IAM}:role/Administrator", BOUNDED),
            (
                "iam:AttachRolePolicy",
                JOB_ROLE,
                {**BOUNDED, "iam__policyarn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            ),
            (
                "iam:AttachRolePolicy",
                JOB_ROLE,
                {"iam__policyarn": "arn:aws:iam::aws:policy/service-role/AWSBatchServiceRole"},
            ),
            ("iam:UpdateAssumeRolePolicy", f"{IAM}:role/Administrator", {}),
            ("iam:PassRole", f"{IAM}:role/Administrator", {"iam__passedtoservice": "lambda.amazonaws.com"}),
            ("iam:PassRole", f"{IAM}:role/Administrator", {"iam__passedtoservice": "codebuild.amazonaws.com"}),
            ("iam:PassRole", f"{IAM}:role/Administrator", {"iam__passedtoservice": "ec2.amazonaws.com"}),
            ("iam:PassRole", f"{IAM}:role/Administrator", {"iam__passedtoservice": "cloudformation.amazonaws.com"}),
            ("iam:PassRole", JOB_ROLE, {"iam__passedtoservice": "lambda.amazonaws.com"}),
            ("iam:PassRole", JOB_ROLE, {}),
            ("iam:AddRoleToInstanceProfile", f"{IAM}:instance-profile/Administrator", {}),
            ("iam:CreateOpenIDConnectProvider", f"{IAM}:oidc-provider/attacker.example.com", {}),
            ("iam:AddClientIDToOpenIDConnectProvider", f"{IAM}:oidc-provider/gitlab.com", {}),
            ("iam:CreateSAMLProvider", f"{IAM}:saml-provider/x", {}),
            ("iam:CreateUser", f"{IAM}:user/x", {}),
            ("iam:CreateAccessKey", f"{IAM}:user/admin", {}),
            ("iam:CreateLoginProfile", f"{IAM}:user/admin", {}),
            ("iam:UpdateLoginProfile", f"{IAM}:user/admin", {}),
            ("iam:AttachUserPolicy", f"{IAM}:user/x", {}),
            ("iam:PutGroupPolicy", f"{IAM}:group/x", {}),
            ("iam:AddUserToGroup", f"{IAM}:group/administrators", {}),
            ("lambda:UpdateFunctionCode", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:other", {}),
            ("lambda:UpdateFunctionConfiguration", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:other", {}),
            ("lambda:CreateFunction", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:other", {}),
            ("codebuild:CreateProject", f"arn:aws:codebuild:us-east-1:{ACCOUNT}:project/other", {}),
            ("cloudformation:CreateStack", "*", {}),
            ("ec2:RunInstances", f"{EC2}:instance/*", {}),
            ("ssm:SendCommand", f"{EC2}:instance/i-1", {}),
            ("sts:AssumeRole", f"{IAM}:role/Administrator", {}),
        ],
    )
    def test_it_cannot_raise_itself(self, action: str, resource: str, context: dict[str, str]) -> None:
        assert not is_allowed("apply", action, resource, **(NEW | OWNED | context))

    @pytest.mark.parametrize(
        ("action", "resource", "context"),
        [
            ("batch:DeleteComputeEnvironment", f"{BATCH}:compute-environment/genomicsEnv-experimental-{SUFFIX}", {}),
            ("batch:DeleteJobQueue", f"{BATCH}:job-queue/main-experimental", {}),
            ("batch:DeregisterJobDefinition", f"{BATCH}:job-definition/isaac-experimental:1", {}),
            ("ecr:DeleteRepository", f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/experimental/isaac", {}),
            ("iam:DeleteRole", f"{IAM}:role/batchInstance-experimental", {}),
            ("lambda:DeleteFunction", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:batchSubmitJob-experimental", {}),
            ("logs:DeleteLogGroup", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/batch/experimental/isaac:*", {}),
            ("kms:ScheduleKeyDeletion", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1",
             {"aws__resourcetag/name": "batch-experimental"}),
            ("ec2:DeleteVpc", f"{EC2}:vpc/vpc-1", {"aws__resourcetag/name": "batch-experimental"}),
            ("ec2:DeleteLaunchTemplate", f"{EC2}:launch-template/lt-1",
             {"aws__resourcetag/name": "genomicsEnv-experimental"}),
            ("s3:PutObject", "arn:aws:s3:::genomics-tfstate-123456789012/gen-infra/experimental/terraform.tfstate", {}),
        ],
    )  # fmt: skip
    def test_it_cannot_touch_the_environment_beside_it(
        self, action: str, resource: str, context: dict[str, str]
    ) -> None:
        stable = example("side-by-side")
        iam = msgspec.structs.replace(stable.iam, permissions_boundary=BOUNDARY)
        caller = session(policy_document(statements(msgspec.structs.replace(stable, iam=iam), "apply")))
        context = {"aws__resourcetag/gen-infra__environment": "experimental", **context}
        assert not is_allowed_to(caller, action, resource, **context)
        ours = {key: value.replace("experimental", "stable") for key, value in context.items()}
        assert is_allowed_to(caller, action, resource.replace("experimental", "stable"), **ours)

    def test_it_cannot_tag_an_existing_key_or_template_to_get_it(self) -> None:
        name = {"aws__requesttag/name": "batch-shared"}
        key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
        assert is_allowed("apply", "kms:TagResource", key, **name)  # while CreateKey tags it
        assert not is_allowed("apply", "kms:TagResource", key, **name, kms__resourcealiases="alias/payroll")
        assert not is_allowed("apply", "kms:TagResource", key, **name, **{"aws__resourcetag/name": "payroll"})
        template = {"aws__requesttag/name": "sharedEnv-shared"}
        assert not is_allowed("apply", "ec2:CreateTags", f"{EC2}:launch-template/lt-1", **template)

    def test_without_a_boundary_it_has_no_policy(self) -> None:
        with pytest.raises(UsageError, match=r"requires iam\.permissions_boundary"):
            statements(example("starter"), "apply")


def boundary_of_the_page() -> PolicyDocument:
    """Return the policy that the documentation gives for the boundary, for the example."""
    page = (ROOT / "docs" / "access.md").read_text()
    [text] = re.findall(r"```json\n(\{.*?\n\})\n```", page, re.DOTALL)
    return PolicyDocument.read(json.loads(text))


class TestBoundary:
    """A role that the role apply creates, with a policy for everything, within the boundary of the documentation."""

    @pytest.fixture
    def bounded_role(self) -> Principal:
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        return session({"Statement": [everything]}, "stats-shared-job", boundary_of_the_page())

    @pytest.mark.parametrize(
        ("action", "resource", "context"),
        [
            ("iam:PutRolePolicy", ACCESS, BOUNDED),
            ("iam:UpdateAssumeRolePolicy", ACCESS, {}),
            ("iam:CreatePolicyVersion", ACCESS_POLICY, {}),
            ("iam:CreatePolicyVersion", BOUNDARY, {}),
            ("iam:UpdateAssumeRolePolicy", f"{IAM}:role/Administrator", {}),
            ("iam:PassRole", f"{IAM}:role/Administrator", {"iam__passedtoservice": "lambda.amazonaws.com"}),
            ("iam:AttachUserPolicy", f"{IAM}:user/x", {}),
            ("iam:CreateAccessKey", f"{IAM}:user/admin", {}),
            ("iam:CreateOpenIDConnectProvider", f"{IAM}:oidc-provider/attacker.example.com", {}),
            ("iam:CreateRole", f"{IAM}:role/genomics/x", {}),
            ("iam:PutRolePolicy", f"{IAM}:role/genomics/x", {}),
            ("iam:DeleteRolePermissionsBoundary", JOB_ROLE, BOUNDED),
            ("sts:AssumeRole", f"{IAM}:role/Administrator", {}),
        ],
    )
    def test_it_cannot_raise_itself(
        self, bounded_role: Principal, action: str, resource: str, context: dict[str, str]
    ) -> None:
        assert not is_allowed_to(bounded_role, action, resource, **context)

    @pytest.mark.parametrize("role", ["submit", "operate", "plan", "apply"])
    def test_it_refuses_nothing_that_the_access_roles_may(self, bounded_role: Principal, role: str) -> None:
        for each in statements(example(), role):
            context = {
                condition.variable.lower().replace(":", "__"): condition.values[0].replace("${aws:userid}", USER_ID)
                for condition in each.conditions
                if condition.test != "Null"
            }
            context.setdefault("iam__permissionsboundary", BOUNDARY)
            for action in each.actions if each.effect == "Allow" else ():
                for resource in each.resources:
                    arn = resource.replace("*", "x") if resource != "*" else resource
                    assert is_allowed_to(bounded_role, action, arn, **context), (action, resource)


def test_the_example_is_the_account_of_these_tests() -> None:
    assert iam_arn(example(), "role/x") == f"{IAM}:role/x"


class TestAdopted:
    """What the manifest adopts: by name, and its settings stay."""

    EXISTING = Existing(roles=("task",), instance_profiles=("hosts",), log_groups=("/lab/batch",))
    ROLE, PROFILE = f"{IAM}:role/batch/task", f"{IAM}:instance-profile/hosts"
    GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/lab/batch"

    @pytest.fixture(scope="class")
    @classmethod
    def roles(cls) -> dict[str, Principal]:
        shared = example("access")
        adopting = msgspec.structs.replace(shared, existing=cls.EXISTING)
        found = {name: session(policy_document(statements(adopting, name))) for name in ("plan", "apply")}
        return found | {"without": session(policy_document(statements(shared, "apply")))}

    @pytest.mark.parametrize(
        ("resource", "reads", "writes"),
        [
            (ROLE, ("iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"),
             ("iam:TagRole", "iam:UntagRole")),
            (PROFILE, ("iam:GetInstanceProfile",), ("iam:TagInstanceProfile", "iam:UntagInstanceProfile")),
            (GROUP, ("logs:ListTagsForResource",), ("logs:TagResource", "logs:UntagResource", "logs:DeleteLogGroup")),
        ],
    )  # fmt: skip
    def test_it_is_imported_and_tagged(
        self, roles: dict[str, Principal], resource: str, reads: tuple[str, ...], writes: tuple[str, ...]
    ) -> None:
        cases = (("plan", reads), ("apply", (*reads, *writes)), ("plan", writes), ("without", writes))
        for (role, actions), allowed in zip(cases, (True, True, False, False), strict=True):
            assert [is_allowed_to(roles[role], action, resource) for action in actions] == [allowed] * len(actions)
            others = [f"{resource}-2", resource.replace("role/batch/", "role/other-"), f"{resource}/more"]
            for other in {*others} - {resource}:
                assert not any(is_allowed_to(roles[role], action, other) for action in writes)

    @pytest.mark.parametrize(
        ("action", "resource"),
        [
            ("iam:UpdateAssumeRolePolicy", ROLE),
            ("iam:PutRolePolicy", ROLE),
            ("iam:AttachRolePolicy", ROLE),
            ("iam:DetachRolePolicy", ROLE),
            ("iam:DeleteRolePolicy", ROLE),
            ("iam:DeleteRole", ROLE),
            ("iam:PassRole", ROLE),
            ("iam:AddRoleToInstanceProfile", PROFILE),
            ("iam:DeleteInstanceProfile", PROFILE),
            ("logs:PutRetentionPolicy", GROUP),
            ("logs:AssociateKmsKey", GROUP),
        ],
    )
    def test_its_settings_are_not_changed(self, roles: dict[str, Principal], action: str, resource: str) -> None:
        passed = {"iam__passedtoservice": "ecs-tasks.amazonaws.com"}
        assert not is_allowed_to(roles["apply"], action, resource, **passed)
