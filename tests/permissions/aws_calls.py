"""The requests that AWS and its programs make with the rendered policies; the emulator makes few of them.

Each row has the page that says so, and was checked against copies of these pages, except `_SCHEDULER_KEY`, whose part
on the execution role could not be read, `_RUN_ROLE`, `_RUN_TRACES`, and those of the access roles. A row that no policy
allows fails a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gen_infra.iam import Request
from tests.permissions.policies import ACCOUNT_ID, Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HERE = f"us-east-1:{ACCOUNT_ID}"
_DOCS = "https://docs.aws.amazon.com"
ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/"

_BATCH = f"{_DOCS}/batch/latest/userguide/cross-service-confused-deputy-prevention.html"
_CODEBUILD = f"{_DOCS}/codebuild/latest/userguide/setting-up-service-role.html"
_CODEBUILD_IMAGE = f"{_DOCS}/codebuild/latest/userguide/sample-ecr.html"
_CODEBUILD_IN_VPC = (
    f"{_DOCS}/codebuild/latest/userguide/auth-and-access-control-iam-identity-based-access-control.html"
    "#customer-managed-policies-example-create-vpc-network-interface"
)
_EBS_KEY = f"{_DOCS}/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html"
_AGENT = f"{_DOCS}/AmazonECS/latest/developerguide/instance_IAM_role.html"
_AGENT_TAGS = f"{_DOCS}/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html"
_DRAINING = f"{_DOCS}/AmazonECS/latest/developerguide/container-instance-spot.html"
_EC2 = f"{_DOCS}/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html"
_ECS = f"{_DOCS}/AmazonECS/latest/developerguide/task-iam-roles.html"
_EFS = f"{_DOCS}/efs/latest/ug/iam-access-control-nfs-efs.html"
_EXECUTION = f"{_DOCS}/AmazonECS/latest/developerguide/task_execution_IAM_role.html"
_FILE_SYSTEM = f"{_DOCS}/efs/latest/ug/API_UpdateFileSystem.html"
_FLOW_LOGS = f"{_DOCS}/vpc/latest/userguide/flow-logs-iam-role.html"
_INSTANCE = f"{_DOCS}/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html"
_LAMBDA = f"{_DOCS}/lambda/latest/dg/lambda-intro-execution-role.html"
_LAMBDA_FAILED = f"{_DOCS}/lambda/latest/dg/invocation-async-retain-records.html"
_LAMBDA_VARIABLES = f"{_DOCS}/lambda/latest/dg/configuration-envvars-encryption.html"
_LAMBDA_TRACES = f"{_DOCS}/lambda/latest/dg/services-xray.html"
_LOGS_KEY = f"{_DOCS}/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"
_MOUNT_TARGET = f"{_DOCS}/efs/latest/ug/API_CreateMountTarget.html"
_PACKER = "https://developer.hashicorp.com/packer/integrations/hashicorp/amazon#iam-task-or-instance-role"
_PACKER_SESSIONS = (
    "https://developer.hashicorp.com/packer/integrations/hashicorp/amazon/latest/components/builder/ebs"
    "#session-manager-connections"
)
_S3_KEY = f"{_DOCS}/AmazonS3/latest/userguide/UsingKMSEncryption.html"
_SCHEDULER_KEY = f"{_DOCS}/scheduler/latest/UserGuide/encryption-rest.html"
_SCHEDULER_ROLE = f"{_DOCS}/scheduler/latest/UserGuide/setting-up.html"
_SCHEDULER_TRUST = f"{_DOCS}/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html"
_SESSIONS = f"{_DOCS}/systems-manager/latest/userguide/getting-started-restrict-access-quickstart.html"
_SNS = f"{_DOCS}/sns/latest/dg/sns-access-policy-use-cases.html"
_SNS_KEY = f"{_DOCS}/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services"
_PROVIDER_FUNCTION = (
    "https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/lambda/function.go"
)
_PROVIDER_ATTACHMENT = (
    "https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/iam/role_policy_attachment.go"
)
_REPOSITORY_KEY = f"{_DOCS}/AmazonECR/latest/userguide/encryption-at-rest.html"
_RUN_JOBS = f"{_DOCS}/step-functions/latest/dg/batch-iam.html"
_RUN_KEY = f"{_DOCS}/step-functions/latest/dg/encryption-at-rest.html"
_RUN_LOGS = f"{_DOCS}/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy"
_RUN_LISTS = f"{_DOCS}/step-functions/latest/dg/iam-policies-eg-dist-map.html"
_RUN_ROLE = f"{_DOCS}/step-functions/latest/dg/procedure-create-iam-role.html"
_RUN_TRACES = f"{_DOCS}/step-functions/latest/dg/xray-iam.html"
_SPOT = f"{_DOCS}/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html"
_SPOT_FLEET = f"{_DOCS}/AWSEC2/latest/UserGuide/spot-fleet-prerequisites.html"
_VERSIONS = f"{_DOCS}/AmazonS3/latest/userguide/using-with-s3-policy-actions.html"
_SQS_KEY = f"{_DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html#send-to-encrypted-queue"


_BUDGETS = f"{_DOCS}/cost-management/latest/userguide/budgets-sns-policy.html"
_EVENTS_FUNCTION = f"{_DOCS}/eventbridge/latest/userguide/eb-use-resource-based.html"
_MEASURED = f"{_DOCS}/batch/latest/APIReference/API_ListJobs.html"  # modules/environment-alarms/src/batch_measure.py
_SNS_FUNCTION = f"{_DOCS}/sns/latest/dg/lambda-console.html"
_STOP = "batchQueueStop-complete"  # the topic, the function, its role and its dead letters


@dataclass(frozen=True)
class AwsCall:
    """Some actions on one resource.

    Args:
        caller: the name of a role, or of a service.
        actions: separated by spaces.
        resource: an ARN; ``{key}`` is the environment's key, ``{owners_key}`` that of its buckets and secrets,
            ``{reference_key}`` that of the bucket ``reference``, ``{subnet}`` one that CodeBuild uses,
            ``{file_system}`` the file system ``shared``, and ``{access_point}`` its access point.
        source: the page that says that the calls are made.
        context: condition keys, besides those of every call.
    """

    caller: str
    actions: str
    resource: str
    source: str
    context: Mapping[str, str] = field(default_factory=dict)

    def requests(self, **keys: str) -> Iterator[Recorded]:
        """Yield each request."""
        caller = self.caller if self.caller.endswith(".amazonaws.com") else ROLE + self.caller
        context = {key.lower(): (value.format(**keys),) for key, value in self.context.items()}
        for action in self.actions.split():
            yield Recorded(caller, Request(action, self.resource.format(**keys), ACCOUNT_ID, context))


def _assume(service: str, role: str, source: str, **context: str) -> AwsCall:
    return AwsCall(
        f"{service}.amazonaws.com",
        "sts:AssumeRole",
        ROLE + role,
        source,
        {f"aws:Source{key}": value for key, value in context.items()},
    )


def _jobs() -> Iterator[AwsCall]:
    tasks = {"Account": ACCOUNT_ID, "Arn": f"arn:aws:ecs:{_HERE}:task/1"}
    yield from (_assume("ecs-tasks", f"{job}-complete-job", _ECS, **tasks) for job in _JOBS)
    through_s3 = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}
    yield AwsCall("align-complete-job", "kms:Decrypt", "{reference_key}", _S3_KEY, through_s3)
    for job in ("align", "move", "work"):
        yield AwsCall(f"{job}-complete-job", "kms:Decrypt kms:GenerateDataKey", "{owners_key}", _S3_KEY, through_s3)
    point = f"arn:aws:elasticfilesystem:{_HERE}:access-point/fsap-0123456789abcdef0"
    file_system = f"arn:aws:elasticfilesystem:{_HERE}:file-system/fs-0123456789abcdef0"
    mount = "elasticfilesystem:ClientMount elasticfilesystem:ClientWrite"
    yield AwsCall("call-complete-job", mount, file_system, _EFS, {"elasticfilesystem:AccessPointArn": point})
    through_point = {"elasticfilesystem:AccessPointArn": "{access_point}"}
    yield AwsCall("annotate-complete-job", mount, "{file_system}", _EFS, through_point)
    for job in ("annotate", "call"):
        role = f"{job}-complete-execution"
        yield _assume("ecs-tasks", role, _EXECUTION, **tasks)
        yield AwsCall(role, _TO_LOG, f"{_LOG_GROUPS}/aws/batch/complete/{job}:log-stream:1", _EXECUTION)
    execution = "call-complete-execution"
    secret, registry = (f"arn:aws:secretsmanager:{_HERE}:secret:{name}-AbCdEf" for name in _SECRETS)
    yield AwsCall(execution, "ecr:GetAuthorizationToken", "*", _EXECUTION)
    yield AwsCall(execution, _PULL, f"arn:aws:ecr:{_HERE}:repository/complete/caller", _EXECUTION)
    yield AwsCall(execution, "ssm:GetParameters", f"arn:aws:ssm:{_HERE}:parameter/genomics/licence", _EXECUTION)
    yield AwsCall(execution, "secretsmanager:GetSecretValue", secret, _EXECUTION)
    yield AwsCall("annotate-complete-execution", "secretsmanager:GetSecretValue", registry, _EXECUTION)
    for service in ("ssm", "secretsmanager"):
        through = {"kms:ViaService": f"{service}.us-east-1.amazonaws.com"}
        yield AwsCall(execution, "kms:Decrypt", "{owners_key}", _EXECUTION, through)


def _instances() -> Iterator[AwsCall]:
    yield _assume("ec2", "batchInstance-complete", _EC2)
    yield _assume("ec2", "batchImageBuilder-complete", _EC2)
    environment = f"arn:aws:batch:{_HERE}:compute-environment/fleet-complete-1"
    yield _assume("batch", "batchService-complete", _BATCH, Account=ACCOUNT_ID, Arn=environment)
    fleet = f"arn:aws:ec2:{_HERE}:spot-fleet-request/sfr-1"
    yield _assume("spotfleet", "batchSpotFleet-complete", _SPOT_FLEET, Account=ACCOUNT_ID, Arn=fleet)
    instance = f"arn:aws:ec2:{_HERE}:instance/i-0123456789abcdef0"
    channels = "ControlChannel", "DataChannel"
    opened = " ".join(f"ssmmessages:{verb}{channel}" for verb in ("Create", "Open") for channel in channels)
    for role in ("batchImageBuilder-complete", "batchInstance-complete"):
        yield AwsCall(role, "ssm:UpdateInstanceInformation", instance, _INSTANCE)
        yield AwsCall(role, opened, "*", _INSTANCE)
    yield from _ecs_agents()
    for service, name, source in (
        ("autoscaling", "AutoScaling", _EBS_KEY),
        ("spot", "EC2Spot", _SPOT),
        ("spotfleet", "EC2SpotFleet", _SPOT_FLEET),
    ):
        role = f"aws-service-role/{service}.amazonaws.com/AWSServiceRoleFor{name}"
        with_key = "kms:Encrypt kms:Decrypt kms:ReEncryptFrom kms:ReEncryptTo kms:GenerateDataKey kms:DescribeKey"
        context = {"aws:PrincipalArn": ROLE + role, "kms:CallerAccount": ACCOUNT_ID}
        yield AwsCall(role, with_key, "{key}", source, context)
        yield AwsCall(role, "kms:CreateGrant", "{key}", source, context | {"kms:GrantIsForAWSResource": "true"})


def _ecs_agents() -> Iterator[AwsCall]:
    """Yield the calls of the ECS agent in both forms of a cluster's name; the emulator's agent makes some of them."""
    for number, compute in enumerate(("spot", "fleet", "mpi")):
        environment = f"{compute}-complete-{number:026}"
        for name in (f"AWSBatch-{environment}-{_UUID}", f"{environment}_Batch_{_UUID}"):
            cluster = f"arn:aws:ecs:{_HERE}:cluster/{name}"
            instance = f"arn:aws:ecs:{_HERE}:container-instance/{name}/1"
            reports = "ecs:SubmitAttachmentStateChanges ecs:SubmitContainerStateChange ecs:SubmitTaskStateChange"
            yield AwsCall(INSTANCES, f"ecs:RegisterContainerInstance {reports}", cluster, _AGENT)
            of_cluster = {"ecs:cluster": cluster}
            yield AwsCall(INSTANCES, "ecs:Poll ecs:StartTelemetrySession", instance, _AGENT, of_cluster)
            yield AwsCall(INSTANCES, "ecs:UpdateContainerInstancesState", instance, _DRAINING, of_cluster)
            registered = {"ecs:CreateAction": "RegisterContainerInstance"}
            yield AwsCall(INSTANCES, "ecs:TagResource", instance, _AGENT_TAGS, registered)
    yield AwsCall(INSTANCES, "ecs:DiscoverPollEndpoint", "*", _AGENT)
    repository = f"arn:aws:ecr:{_HERE}:repository/complete/caller"
    yield AwsCall(INSTANCES, "ecr:GetAuthorizationToken", "*", _AGENT)
    yield AwsCall(INSTANCES, _PULL, repository, _AGENT)
    yield AwsCall(INSTANCES, _TO_LOG, f"{_LOG_GROUPS}/aws/batch/complete/align:log-stream:1", _AGENT)


def _logs_and_notifications() -> Iterator[AwsCall]:
    with_key = "kms:Encrypt kms:Decrypt kms:ReEncryptFrom kms:ReEncryptTo kms:GenerateDataKey kms:DescribeKey"
    group = f"{_LOG_GROUPS}/aws/batch/complete/align"
    logs = {"kms:EncryptionContext:aws:logs:arn": group}
    yield AwsCall("logs.us-east-1.amazonaws.com", with_key, "{key}", _LOGS_KEY, logs)
    flow_log = {"Account": ACCOUNT_ID, "Arn": f"arn:aws:ec2:{_HERE}:vpc-flow-log/fl-1"}
    yield _assume("vpc-flow-logs", "batchFlowLogs-complete", _FLOW_LOGS, **flow_log)
    streams = "logs:CreateLogStream logs:DescribeLogStreams logs:PutLogEvents"
    yield AwsCall(
        "batchFlowLogs-complete", streams, f"{_LOG_GROUPS}/aws/vpc/batch-complete:log-stream:eni-1", _FLOW_LOGS
    )
    yield AwsCall("batchFlowLogs-complete", "logs:DescribeLogGroups", f"{_LOG_GROUPS}:log-stream:", _FLOW_LOGS)
    rules, alarms = f"arn:aws:events:{_HERE}:rule", f"arn:aws:cloudwatch:{_HERE}:alarm"
    for service, name, source in (
        ("events", "batchQueueBlocked", f"{rules}/batchQueueBlocked-complete"),
        ("events", "germline-failed", f"{rules}/germline-failed-complete"),
        ("events", "batchAlarmsCritical", f"{rules}/batchAlarmsCritical-complete"),
        ("events", "batchAlarmsCritical", f"{rules}/batchAlarmsCriticalCleared-complete"),
        ("events", "batchAlarmsWarning", f"{rules}/batchAlarmsWarning-complete"),
        ("events", "batchAlarmsWarning", f"{rules}/batchAlarmsWarningCleared-complete"),
        ("cloudwatch", "batchImageRebuild", f"{alarms}:batchImageRebuildFailed-complete"),
    ):
        topic = f"arn:aws:sns:{_HERE}:{name}-complete"
        encryption = {"kms:EncryptionContext:aws:sns:topicArn": topic}
        of_source = {"aws:SourceArn": source, "aws:SourceAccount": ACCOUNT_ID}
        yield AwsCall(f"{service}.amazonaws.com", "sns:Publish", topic, _SNS, of_source)
        # Without aws:SourceArn and aws:SourceAccount, which EventBridge does not send to KMS.
        yield AwsCall(f"{service}.amazonaws.com", "kms:Decrypt kms:GenerateDataKey", "{key}", _SNS_KEY, encryption)


def _budget() -> Iterator[AwsCall]:
    topic, function = f"arn:aws:sns:{_HERE}:{_STOP}", f"arn:aws:lambda:{_HERE}:function:{_STOP}"
    budget = {"aws:SourceArn": f"arn:aws:budgets::{ACCOUNT_ID}:budget/batchBudget-complete"}
    of_account = {"aws:SourceAccount": ACCOUNT_ID}
    yield AwsCall("budgets.amazonaws.com", "sns:Publish", topic, _BUDGETS, {**budget, **of_account})
    encryption = {"kms:EncryptionContext:aws:sns:topicArn": topic, **of_account}
    yield AwsCall("budgets.amazonaws.com", "kms:Decrypt kms:GenerateDataKey", "{key}", _BUDGETS, encryption)
    yield AwsCall("sns.amazonaws.com", "lambda:InvokeFunction", function, _SNS_FUNCTION, {"aws:SourceArn": topic})


def _measurements() -> Iterator[AwsCall]:
    """Yield the calls of the function that measures the environment, and those of the rules that call it."""
    name = "batchMeasure-complete"
    function = f"arn:aws:lambda:{_HERE}:function:{name}"
    for rule in ("batchMeasure", "batchJobsEnded", "batchHostsLost", "batchExplain"):
        source = {"aws:SourceArn": f"arn:aws:events:{_HERE}:rule/{rule}-complete", "aws:SourceAccount": ACCOUNT_ID}
        yield AwsCall("events.amazonaws.com", "lambda:InvokeFunction", function, _EVENTS_FUNCTION, source)
    described = "batch:DescribeComputeEnvironments batch:DescribeJobQueues batch:DescribeJobs batch:ListJobs"
    yield AwsCall(name, f"{described} ec2:DescribeImages", "*", _MEASURED)
    for severity in ("Critical", "Warning"):
        yield AwsCall(name, "sns:Publish", f"arn:aws:sns:{_HERE}:batchAlarms{severity}-complete", _SNS)


def _functions() -> Iterator[AwsCall]:
    for name, dead_letters in (
        ("batchSubmitJob-complete", "batchFunctions-complete"),
        ("batchGetJobStatus-complete", "batchFunctions-complete"),
        ("batchMeasure-complete", "batchMeasure-complete"),
        (_STOP, _STOP),
    ):
        yield _assume("lambda", name, _LAMBDA)
        yield AwsCall(name, _TO_LOG, f"{_LOG_GROUPS}/aws/lambda/{name}:log-stream:1", _LAMBDA)
        yield AwsCall(name, "sqs:SendMessage", f"arn:aws:sqs:{_HERE}:{dead_letters}", _LAMBDA_FAILED)
        yield AwsCall(name, "xray:PutTelemetryRecords xray:PutTraceSegments", "*", _LAMBDA_TRACES)
        yield AwsCall(name, "kms:Decrypt", "{key}", _LAMBDA)  # to decrypt the environment variables
        yield AwsCall(name, "kms:Decrypt kms:GenerateDataKey", "{key}", _SQS_KEY)


def _workflows() -> Iterator[AwsCall]:
    of_logs = {"aws:SourceAccount": ACCOUNT_ID, "aws:SourceArn": f"arn:aws:logs:{_HERE}:delivery:1"}
    yield AwsCall("delivery.logs.amazonaws.com", "kms:Decrypt", "{key}", _RUN_KEY, of_logs)
    for machine in ("germline-complete", "germline-many-complete"):
        role = f"{machine}-workflow"
        arn = f"arn:aws:states:{_HERE}:stateMachine:{machine}"
        yield _assume("states", role, _RUN_ROLE, Account=ACCOUNT_ID, Arn=arn)
        of_jobs = f"arn:aws:events:{_HERE}:rule/StepFunctionsGetEventsForBatchJobsRule"
        yield AwsCall(role, "events:DescribeRule events:PutRule events:PutTargets", of_jobs, _RUN_JOBS)
        own = {"aws:ResourceTag/gen-infra:workflow": "germline-complete"}
        yield AwsCall(role, "batch:TerminateJob", f"arn:aws:batch:{_HERE}:job/1", _RUN_JOBS, own)
        yield AwsCall(role, "batch:DescribeJobs", "*", _RUN_JOBS)
        deliveries = " ".join(f"logs:{verb}LogDelivery" for verb in ("Create", "Delete", "Get", "Update"))
        groups = "logs:DescribeLogGroups logs:DescribeResourcePolicies logs:ListLogDeliveries logs:PutResourcePolicy"
        yield AwsCall(role, f"{deliveries} {groups}", "*", _RUN_LOGS)
        sampling = "xray:GetSamplingRules xray:GetSamplingTargets"
        yield AwsCall(role, f"{sampling} xray:PutTelemetryRecords xray:PutTraceSegments", "*", _RUN_TRACES)
        of_run = {"kms:EncryptionContext:aws:states:stateMachineArn": arn}
        yield AwsCall(role, "kms:Decrypt kms:GenerateDataKey", "{key}", _RUN_KEY, of_run)
    samples = f"arn:aws:states:{_HERE}:execution:{machine}/germline:1"
    yield AwsCall(role, "states:DescribeExecution states:RedriveExecution states:StopExecution", samples, _RUN_LISTS)
    folder = "arn:aws:s3:::genomics-results-123456789012/results/workflows/complete/germline"
    yield AwsCall(role, "s3:GetObject", f"{folder}/lists/batch.csv", _RUN_LISTS)
    written = "s3:AbortMultipartUpload s3:GetObject s3:ListMultipartUploadParts s3:PutObject"
    yield AwsCall(role, written, f"{folder}/results/manifest.json", _RUN_LISTS)
    through_s3 = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}
    yield AwsCall(role, "kms:Decrypt kms:GenerateDataKey", "{owners_key}", _RUN_LISTS, through_s3)


def _image_rebuild() -> Iterator[AwsCall]:
    name, key = "batchImageRebuild-complete", {"kms:EncryptionContext:aws:scheduler:schedule:arn": _SCHEDULE}
    project = f"arn:aws:codebuild:{_HERE}:project/{name}"
    group = f"arn:aws:scheduler:{_HERE}:schedule-group/{name}"
    yield _assume("scheduler", "batchImageSchedule-complete", _SCHEDULER_TRUST, Account=ACCOUNT_ID, Arn=group)
    yield AwsCall("batchImageSchedule-complete", "codebuild:StartBuild", project, _SCHEDULER_ROLE)
    yield AwsCall("batchImageSchedule-complete", "kms:Decrypt", "{key}", _SCHEDULER_KEY, key)
    yield _assume("codebuild", name, _CODEBUILD, Account=ACCOUNT_ID, Arn=project)
    yield AwsCall(name, _TO_LOG, f"{_LOG_GROUPS}/aws/codebuild/{name}:log-stream:1", _CODEBUILD)
    bucket = "arn:aws:s3:::genomics-results-123456789012"
    yield AwsCall(name, "s3:GetBucketAcl s3:GetBucketLocation", bucket, _CODEBUILD)
    yield AwsCall(
        name, "s3:GetObject s3:GetObjectVersion", f"{bucket}/gen-infra/complete/image-rebuild.zip", _CODEBUILD
    )
    pulls = "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer"
    yield AwsCall(name, "ecr:GetAuthorizationToken", "*", _CODEBUILD_IMAGE)
    yield AwsCall(name, pulls, f"arn:aws:ecr:{_HERE}:repository/codebuild", _CODEBUILD_IMAGE)
    yield AwsCall(name, "ec2:DescribeDhcpOptions ec2:DescribeNetworkInterfaces", "*", _CODEBUILD_IN_VPC)
    interface = f"arn:aws:ec2:{_HERE}:network-interface/eni-1"
    for resource in ("{subnet}", interface):
        yield AwsCall(name, "ec2:CreateNetworkInterface", resource, _CODEBUILD_IN_VPC)
    in_subnet = {"ec2:Subnet": "{subnet}"}
    yield AwsCall(name, "ec2:DeleteNetworkInterface", interface, _CODEBUILD_IN_VPC, in_subnet)
    to_codebuild = in_subnet | {"ec2:AuthorizedService": "codebuild.amazonaws.com"}
    yield AwsCall(name, "ec2:CreateNetworkInterfacePermission", interface, _CODEBUILD_IN_VPC, to_codebuild)
    yield from _packer(name, {})
    yield from _packer("tested-image", {"aws:userid": "AROAEXAMPLE:alice"})


def _packer(role: str, caller: Mapping[str, str]) -> Iterator[AwsCall]:
    """Yield the calls of Packer on EC2: the emulator's builder has a key of its own, and needs no session."""
    here = {"aws:RequestedRegion": "us-east-1"}
    yield AwsCall(role, "ec2:DescribeInstanceStatus ec2:DescribeTags", "*", _PACKER, here)
    yield AwsCall(role, "ec2:CreateKeyPair ec2:DeleteKeyPair", f"arn:aws:ec2:{_HERE}:key-pair/packer_1", _PACKER)
    instance = f"arn:aws:ec2:{_HERE}:instance/i-0123456789abcdef0"
    tagged = {"ssm:resourceTag/gen-infra:environment": "complete"}
    yield AwsCall(role, "ssm:StartSession", instance, _PACKER_SESSIONS, tagged)
    document = "arn:aws:ssm:us-east-1::document/AWS-StartPortForwardingSession"
    yield AwsCall(role, "ssm:StartSession", document, _PACKER_SESSIONS)
    own = caller.get("aws:userid", "AWSCodeBuild")
    yield AwsCall(role, "ssm:TerminateSession", f"arn:aws:ssm:{_HERE}:session/{own}-1", _SESSIONS, caller)


def _access_roles() -> Iterator[AwsCall]:
    """Yield what services do for a caller who has one of the access roles, and what the emulator does not implement."""
    repository = {"kms:ViaService": "ecr.us-east-1.amazonaws.com", "aws:ResourceTag/Name": "batch-complete"}
    yield AwsCall("tested-apply", "kms:RetireGrant", "{key}", _REPOSITORY_KEY, repository)
    # Where the bucket keeps versions, and where a new gen-infra brings new functions.
    bucket = "arn:aws:s3:::genomics-results-123456789012"
    source = f"{bucket}/gen-infra/complete/image-rebuild.zip"
    yield AwsCall("tested-apply", "s3:ListBucketVersions", bucket, _VERSIONS)
    yield AwsCall("tested-apply", "s3:DeleteObjectVersion", source, _VERSIONS)
    # Where the environment was applied by a gen-infra that attached AWS's policies to its instances' role.
    for policy in ("AmazonSSMManagedInstanceCore", "service-role/AmazonEC2ContainerServiceforEC2Role"):
        attached = {"iam:PolicyARN": f"arn:aws:iam::aws:policy/{policy}", "iam:PermissionsBoundary": _BOUNDARY}
        yield AwsCall("tested-apply", "iam:DetachRolePolicy", ROLE + INSTANCES, _PROVIDER_ATTACHMENT, attached)
    function = f"arn:aws:lambda:{_HERE}:function:batchSubmitJob-complete"
    yield AwsCall("tested-apply", "lambda:UpdateFunctionCode", function, _PROVIDER_FUNCTION)
    own = {"aws:ResourceTag/Name": "shared-complete", "aws:ResourceTag/gen-infra:environment": "complete"}
    yield AwsCall("tested-apply", "elasticfilesystem:UpdateFileSystem", "{file_system}", _FILE_SYSTEM, own)
    for place in (
        "{subnet}",
        f"arn:aws:ec2:{_HERE}:network-interface/eni-1",
        f"arn:aws:ec2:{_HERE}:security-group/sg-1",
    ):
        yield AwsCall("tested-apply", "ec2:CreateNetworkInterface", place, _MOUNT_TARGET)
    key = {"aws:ResourceTag/Name": "batch-complete"}
    for role, service, actions, source in (
        ("apply", "scheduler", "kms:Decrypt kms:GenerateDataKey", _SCHEDULER_KEY),
        ("apply", "lambda", "kms:Decrypt kms:GenerateDataKey", _LAMBDA_VARIABLES),
        ("plan", "s3", "kms:Decrypt", _S3_KEY),
        ("operate", "s3", "kms:Decrypt", _S3_KEY),
        ("plan", "lambda", "kms:Decrypt", _LAMBDA_VARIABLES),
        ("operate", "lambda", "kms:Decrypt", _LAMBDA_VARIABLES),
    ):
        through = key | {"kms:ViaService": f"{service}.us-east-1.amazonaws.com"}
        yield AwsCall(f"tested-{role}", actions, "{key}", source, through)


INSTANCES = "batchInstance-complete"
_BOUNDARY = f"arn:aws:iam::{ACCOUNT_ID}:policy/developer-boundary"
_UUID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
_PULL = "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer"
_TO_LOG = "logs:CreateLogStream logs:PutLogEvents"
_JOBS = ("align", "annotate", "call", "move", "work")
_SECRETS = ("genomics/database", "lab/registry")
_SCHEDULE = f"arn:aws:scheduler:{_HERE}:schedule/batchImageRebuild-complete/batchImageRebuild-complete"
_LOG_GROUPS = f"arn:aws:logs:{_HERE}:log-group:"
CALLS = (
    *_jobs(),
    *_instances(),
    *_logs_and_notifications(),
    *_budget(),
    *_functions(),
    *_measurements(),
    *_workflows(),
    *_image_rebuild(),
    *_access_roles(),
)
