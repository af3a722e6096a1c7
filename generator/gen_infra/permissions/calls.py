"""The one table of which API calls each command makes, by IAM's actions, and on what.

The calls of plan, apply, drift and destroy are those of Terraform's provider, see `provider_calls`; those of all other
commands are in `gen_infra.aws`, `gen_infra.doctor` and `gen_infra.why`. Tests compare the table with what the commands
call on the embedded AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gen_infra.aws.kinds import KINDS, Listing
from gen_infra.permissions.provider_calls import (
    TYPES,
    Calls,
    creates_file_systems,
    creates_network,
    has_workflows,
    notifies,
    on,
    rebuilds,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.aws.kinds import Part
    from gen_infra.manifest.model.manifest import Manifest

_READ_STATE = (on("state-bucket", "s3", "ListBucket"), on("state", "s3", "GetObject"))
_LOCK_STATE = (on("state-lock", "s3", "DeleteObject", "GetObject", "PutObject"),)
_WRITE_STATE = (on("state", "s3", "PutObject"),)

# What plan and doctor look up beside the resources: images, the network that exists, quotas.
_LOOK_UP = (
    on(
        "region",
        "ec2",
        "DescribeImages",
        "DescribeSecurityGroups",
        "DescribeSnapshots",
        "DescribeSubnets",
        "DescribeVpcs",
    ),
    on("region", "servicequotas", "GetServiceQuota"),
    on("image-parameters", "ssm", "GetParameter"),
    on("given-profile", "iam", "GetInstanceProfile"),
    on("access-roles", "iam", "GetRole"),
    on("oidc-providers", "iam", "GetOpenIDConnectProvider"),
)

_JOBS = (on("region", "batch", "DescribeJobs", "ListJobs"),)
_QUEUES = (on("region", "batch", "DescribeComputeEnvironments", "DescribeJobQueues"),)
_LOGS = (on("job-logs", "logs", "GetLogEvents"),)
_WHY = (
    *_JOBS, *_QUEUES, *_LOGS,
    on("region", "autoscaling", "DescribeAutoScalingGroups", "DescribeScalingActivities"),
    on("clusters", "ecs", "DescribeClusters"),
    on("region", "ec2", "DescribeInstances"),
    # What the doctor's checks of the job need.
    on("region", "ec2", "DescribeRouteTables", "DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcEndpoints"),
    on("region", "servicequotas", "GetServiceQuota"),
    on("image-repositories", "ecr", "DescribeImages"),
    on("roles", "iam", "GetRole"),
    on("given-roles", "iam", "GetRole"),
    on("key", "kms", "DescribeKey", "GetKeyPolicy", "ListGrants"),
)  # fmt: skip

# Commands of `gen-infra`; those of Terraform's provider are added by resource type.
COMMANDS: Mapping[str, tuple[Calls, ...]] = {
    "submit": (
        on("submitted-to", "batch", "SubmitJob"),
        on("adopted-submitted-to", "batch", "SubmitJob"),
        on("region", "batch", "DescribeJobDefinitions"),
        on("submitted-jobs", "batch", "TagResource"),
        *_JOBS, *_QUEUES, *_LOGS,
    ),
    "submit to any queue": (
        on("submitted-to-any-queue", "batch", "SubmitJob"),
        on("adopted-submitted-to-any-queue", "batch", "SubmitJob"),
        on("region", "batch", "DescribeJobDefinitions"),
        on("submitted-jobs", "batch", "TagResource"),
        on("submit-function", "lambda", "InvokeFunction"),
    ),
    # What continues a run is what started it. Step Functions uses the key for the caller.
    "run": (
        on("started-state-machines", "states", "StartExecution"),
        on("started-executions", "states", "RedriveExecution"),
        on("started-sample-lists", "s3", "PutObject"),
        on("started-sample-list-keys", "kms", "Decrypt", "GenerateDataKey"),
        on("key-through-states", "kms", "Decrypt", "GenerateDataKey"),
    ),
    "run to any queue": (
        on("state-machines", "states", "StartExecution"),
        on("executions", "states", "RedriveExecution"),
        on("sample-lists", "s3", "PutObject"),
        on("sample-list-keys", "kms", "Decrypt", "GenerateDataKey"),
        on("key-through-states", "kms", "Decrypt", "GenerateDataKey"),
    ),
    "runs": (
        on("state-machines", "states", "ListExecutions"),
        on("map-runs", "states", "ListExecutions"),
        on("executions", "states", "DescribeExecution", "GetExecutionHistory", "ListMapRuns"),
        on("key-through-states", "kms", "Decrypt"),
        on("region", "batch", "DescribeJobs"),
    ),
    "jobs": (*_JOBS, *_QUEUES),
    "logs": (*_JOBS, *_LOGS),
    "cost": (
        *_JOBS,
        on("container-instances", "ecs", "DescribeContainerInstances"),
        on("anywhere", "ce", "GetCostAndUsage"),
    ),
    "why": _WHY,
    # Of the jobs that wait or failed. Its checks plan with what the caller has. Alarms, images and instance types are
    # shown to who may run `drift`, `image status` and `cost`; for others the page says which right is missing.
    "report": _WHY,
    "report with policies": (
        *_WHY,
        on("boundary", "iam", "GetPolicy", "GetPolicyVersion"),
        on("buckets", "s3", "GetBucketPolicy"),
        on("state-bucket", "s3", "GetBucketPolicy"),
    ),
    "cancel own": (*_JOBS, on("own-jobs", "batch", "CancelJob", "TerminateJob")),
    "cancel": (
        *_JOBS,
        on("jobs", "batch", "CancelJob", "TerminateJob"),
        on("executions", "states", "StopExecution"),
    ),
    "image status": (
        on("region", "batch", "DescribeComputeEnvironments"),
        on("region", "ec2", "DescribeImages", "DescribeSnapshots"),
        on("image-parameters", "ssm", "GetParameter"),
    ),
    "doctor": (
        *_LOOK_UP,
        on("anywhere", "ec2", "DescribeRegions"),
        on("anywhere", "ce", "ListCostAllocationTags"),
        on("region", "batch", "DescribeJobQueues"),
        on(
            "region", "ec2",
            "DescribeCapacityReservations", "DescribePlacementGroups", "DescribeRouteTables", "DescribeVpcEndpoints",
        ),
        on("image-repositories", "ecr", "DescribeImages"),
        on("service-linked-roles", "iam", "GetRole"),
        on("given-roles", "iam", "GetRole"),
        on("boundary", "iam", "GetPolicy"),
        on("key", "kms", "DescribeKey", "GetKeyPolicy", "ListGrants"),
        on("state-bucket", "s3", "GetBucketPublicAccessBlock", "GetBucketVersioning", "ListBucket"),
        on(
            "buckets", "s3",
            "GetBucketAcl", "GetBucketPolicyStatus", "GetBucketPublicAccessBlock", "ListBucket",
        ),
        on("build-bucket", "s3", "GetBucketVersioning"),
        on("secrets", "secretsmanager", "DescribeSecret"),
        on("region", "ssm", "DescribeParameters"),
        on("region", "elasticfilesystem", "DescribeAccessPoints", "DescribeFileSystems"),
    ),
    "plan": (
        *_READ_STATE, *_LOCK_STATE, *_LOOK_UP,
        on("region", "batch", "ListJobs"),
        on("build-bucket", "s3", "GetBucketVersioning", "ListBucket"),
    ),
    "drift": (*_READ_STATE, *_LOCK_STATE, *_LOOK_UP, on("region", "cloudtrail", "LookupEvents")),
    "apply": (
        *_WRITE_STATE, *_JOBS,
        on("region", "ec2", "DescribeSecurityGroupRules"),
        on("key", "kms", "DescribeKey", "ListResourceTags"),
    ),
    "destroy": (
        *_WRITE_STATE, *_JOBS,
        on("repositories", "ecr", "BatchDeleteImage", "ListImages"),
    ),
    "image build": (
        on(
            "region", "ec2",
            "DescribeImages", "DescribeInstanceStatus", "DescribeInstances", "DescribeRegions",
            "DescribeSecurityGroups", "DescribeSnapshots", "DescribeSubnets", "DescribeTags", "DescribeVolumes",
            "DescribeVpcs",
        ),
        on("image-parameters", "ssm", "GetParameter"),
        on("image-parameter", "ssm", "PutParameter"),
        on("build-keys", "ec2", "CreateKeyPair", "DeleteKeyPair"),
        on("build-images", "ec2", "RunInstances"),
        on("new-builders", "ec2", "RunInstances"),
        on("builder-volumes", "ec2", "RunInstances"),
        on("builder-network", "ec2", "RunInstances"),
        on("tags-of-new-builders", "ec2", "CreateTags"),
        on("tags-of-new-images", "ec2", "CreateTags"),
        on("new-images", "ec2", "CreateImage"),
        on("finished-images", "ec2", "ModifyImageAttribute"),
        on("builders", "ec2", "CreateImage", "StopInstances", "TerminateInstances"),
        on("builder-profile", "iam", "GetInstanceProfile"),
        on("builder-role", "iam", "PassRole"),
        on("sessions-to-builders", "ssm", "StartSession"),
        on("port-forwarding", "ssm", "StartSession"),
        on("own-sessions", "ssm", "TerminateSession"),
        on(
            "key-through-services", "kms",
            "Decrypt", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo",
        ),
        on("key", "kms", "DescribeKey"),
        on("key-grants", "kms", "CreateGrant"),
    ),
}  # fmt: skip
# The commands that run terraform's provider, and whether they only read.
_OF_TERRAFORM = {"plan": False, "drift": False, "apply": True, "destroy": True}

# What each role may run.
ROLES: Mapping[str, tuple[str, ...]] = {
    "submit": ("submit", "run", "runs", "jobs", "logs", "why", "report", "cancel own"),
    "operate": (
        "submit to any queue", "run to any queue", "runs", "jobs", "logs", "cost", "why", "report with policies",
        "cancel", "drift", "doctor", "image status",
    ),
    "plan": ("plan", "drift"),
    "apply": ("plan", "drift", "apply", "destroy"),
    "image": ("image status", "image build"),
}  # fmt: skip


def calls(manifest: Manifest, command: str) -> Iterator[Calls]:
    """Yield the calls of one command for an environment."""
    yield from COMMANDS[command]
    if command == "doctor" and manifest.lustre_file_systems:
        yield on("region", "fsx", "DescribeFileSystems")
        yield on("region", "ec2", "DescribeNetworkInterfaces")
    if command not in _OF_TERRAFORM:
        return
    for row in TYPES.values():
        if row.is_rendered(manifest):
            yield from row.reads
            yield from row.plans if command != "drift" else ()
            yield from row.writes if _OF_TERRAFORM[command] else ()
    if command != "drift":
        yield from _listings(manifest, command)


def _listings(manifest: Manifest, command: str) -> Iterator[Calls]:
    """Yield the calls that find what a plan adopts, or what interrupted runs and a destroy left, by resource type."""
    if command == "plan":
        rendered = (KINDS[type_] for type_, row in TYPES.items() if type_ in KINDS and row.is_rendered(manifest))
        yield from (_listing(found) for kind in rendered if (found := kind.adoption_listing))
        return
    parts: dict[Part, object] = {
        "environment": True,
        # What an environment had before its manifest changed may be left too.
        "network": creates_network(manifest) or command == "apply",
        "rebuild": rebuilds(manifest),
        "notifications": notifies(manifest) or manifest.stops_queues,
        "workflows": has_workflows(manifest),
        "file_systems": creates_file_systems(manifest),
    }
    for kind in KINDS.values():
        if isinstance(kind.listing, Listing) and any(parts.get(part) for part in kind.listing.parts):
            yield _listing(kind.listing)


def _listing(listing: Listing) -> Calls:
    service = {
        "alarms": "cloudwatch",
        "builds": "codebuild",
        "functions": "lambda",
        "schedules": "scheduler",
        "efs": "elasticfilesystem",
    }.get(listing.client, listing.client)
    operation = "".join(word.capitalize() for word in listing.operation.split("_"))
    return on("anywhere" if service == "iam" else "region", service, operation)
