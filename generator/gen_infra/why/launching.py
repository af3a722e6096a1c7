"""Causes that keep instances from starting, or from joining their cluster.

What Auto Scaling says: https://docs.aws.amazon.com/autoscaling/ec2/userguide/CHAP_Troubleshooting.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_infra.doctor.quotas import quota_code, quota_group
from gen_infra.why import messages
from gen_infra.why.evidence import Cause, name_of

if TYPE_CHECKING:
    from gen_infra.aws.session import Json
    from gen_infra.why.evidence import Evidence

_STARTING_MINUTES = 10
_ANYTHING = re.compile("")


def service_role(evidence: Evidence) -> Cause | None:
    """Check whether Batch's own role lacks a permission."""
    reported = evidence.reasons_with(messages.SERVICE_ROLE)
    if not reported:
        return None
    roles = tuple(
        f"{name_of(each)} acts as {each.get('serviceRole', 'its service-linked role')}" for each in evidence.enabled
    )
    fix = f"set service_role of {evidence.compute_keys} to service-linked; or attach AWSBatchServiceRole to it"
    return Cause("service-role", "AWS Batch's service role lacks a permission", (*roles, *reported), fix)


def vcpu_quota(evidence: Evidence) -> Cause | None:
    """Check whether the account's quota of vCPUs is reached."""
    reported = (
        *evidence.failed_launches_with(messages.OVER_QUOTA),
        *(evidence.wrong("vCPU quotas") if evidence.waits else ()),
    )
    if not reported:
        return None
    fix = evidence.advice("vCPU quotas") or _raise_quota(evidence)
    return Cause("vcpu-quota", "the account's EC2 quota of vCPUs is reached", reported, fix)


def _raise_quota(evidence: Evidence) -> str:
    for environment in evidence.usable:
        resources = environment.get("computeResources", {})
        groups = {group for name in resources.get("instanceTypes", []) if (group := quota_group(name))}
        if groups:
            code = quota_code(min(groups), "SPOT" if resources.get("type") == "SPOT" else "EC2")
            return (
                "wait for other instances to end, or: aws service-quotas request-service-quota-increase "
                f"--service-code ec2 --quota-code {code} --desired-value {resources.get('maxvCpus')} "
                f"--region {evidence.manifest.region}"
            )
    return "request an increase in the Service Quotas console, under Amazon EC2"


def volume_quota(evidence: Evidence) -> Cause | None:
    """Check whether the account's quota of EBS storage keeps instances from having their volumes."""
    reported = evidence.failed_launches_with(messages.VOLUME_QUOTA)
    if not reported:
        return None
    fix = (
        f"run gen-infra doctor {evidence.manifest_path}, which names the quota and how to raise it; or lower "
        "image.scratch.size_gib, or delete volumes that are not used"
    )
    return Cause("volume-quota", "the account's EBS quota is reached", reported, fix)


def spot_role(evidence: Evidence) -> Cause | None:
    """Check whether the account lacks the service-linked role of EC2 Spot.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html
    """
    reported = evidence.failed_launches_with(messages.SPOT_ROLE)
    if not reported:
        return None
    fix = "run aws iam create-service-linked-role --aws-service-name spot.amazonaws.com, once in each account"
    return Cause("spot-role", "the account has no service-linked role for EC2 Spot", reported, fix)


def key_policy(evidence: Evidence) -> Cause | None:
    """Check whether the key of the volumes does not allow the roles that start instances, so that they end at once.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
    """
    reported = evidence.failed_launches_with(messages.KEY)
    key = evidence.wrong("key", "key policy")
    if not reported and not (evidence.waits and key):
        return None
    fix = (
        evidence.advice("key", "key policy")
        or f"gen-infra doctor {evidence.manifest_path} looks at the key and its policy"
    )
    return Cause("key-policy", "instances cannot use the key of their volumes", (*reported, *key), fix)


def spot_price(evidence: Evidence) -> Cause | None:
    """Check whether Spot costs more than the environment's bid."""
    reported = evidence.failed_launches_with(messages.PRICE_TOO_LOW)
    if not reported:
        return None
    bids = tuple(
        f"{name_of(each)} pays {bid} % of On-Demand at most"
        for each in evidence.usable
        if (bid := each.get("computeResources", {}).get("bidPercentage"))
    )
    fix = f"raise bid_percentage of {evidence.compute_keys}, or leave it out: it then pays up to On-Demand"
    return Cause("spot-price", "Spot costs more than its compute environments pay", (*bids, *reported), fix)


def no_capacity(evidence: Evidence) -> Cause | None:
    """Check whether AWS has no such instance free."""
    reported = (*evidence.reasons_with(messages.NO_CAPACITY), *evidence.failed_launches_with(messages.NO_CAPACITY))
    if not reported:
        return None
    facts = tuple(_offer(each) for each in evidence.enabled)
    fix = (
        f"add families to instance_types of {evidence.compute_keys}, subnets in other zones, "
        "or an EC2 environment behind it in its queue (envs/examples/spot-fallback.yaml)"
    )
    return Cause("no-capacity", "AWS has no capacity of the allowed instance types", (*facts, *reported), fix)


def _offer(environment: Json) -> str:
    name, resources = name_of(environment), environment.get("computeResources", {})
    types, subnets = ", ".join(resources.get("instanceTypes", [])), len(resources.get("subnets", []))
    return f"{name}: {resources.get('type')}, {types}, in {subnets} subnets"


def unsupported_configuration(evidence: Evidence) -> Cause | None:
    """Check whether the instance types do not exist in these zones, or do not fit the launch template."""
    reported = (*evidence.reasons_with(messages.UNSUPPORTED), *evidence.failed_launches_with(messages.UNSUPPORTED))
    if not reported:
        return None
    fix = f"choose other instance_types for {evidence.compute_keys}, or subnets in other zones"
    return Cause("unsupported-instances", "its instance types cannot be started there", reported, fix)


def machine_image(evidence: Evidence) -> Cause | None:
    """Check whether the AMI does not exist, or is not shared with the account."""
    reported = evidence.failed_launches_with(messages.MACHINE_IMAGE)
    if not reported:
        return None
    fix = (
        f"build or name another image (image.id, image.parameter, or image of {evidence.compute_keys}), "
        f"then gen-infra apply {evidence.manifest_path}"
    )
    return Cause("machine-image", "the machine image cannot be used", reported, fix)


def no_addresses(evidence: Evidence) -> Cause | None:
    """Check whether the subnets are full."""
    reported = (
        *evidence.failed_launches_with(messages.NO_ADDRESSES),
        *(evidence.wrong("addresses") if evidence.waits else ()),
    )
    if not reported:
        return None
    return Cause("no-addresses", "its subnets have no free address", reported, "add subnets, or free some addresses")


def launch_fails(evidence: Evidence) -> Cause | None:
    """Check whether launches fail for a reason that no other cause covers, and show AWS's own words."""
    reported = evidence.failed_launches_with(_ANYTHING)
    if not evidence.waits or not reported:
        return None
    return Cause("launch-fails", "its instances cannot be started", reported[:3], "fix what Auto Scaling says")


def no_way_out(evidence: Evidence) -> Cause | None:
    """Check whether instances cannot reach ECR, ECS and CloudWatch Logs, so that they never get a job."""
    reported = evidence.wrong("routes", "security groups")
    if not evidence.waits or not reported:
        return None
    up = (_joined(evidence),) if evidence.instances else ()
    fix = evidence.advice("routes", "security groups")
    return Cause("no-way-out", "its instances cannot reach ECR, ECS and CloudWatch Logs", (*reported, *up), fix)


def instances_do_not_join(evidence: Evidence) -> Cause | None:
    """Check whether instances run and none of them has joined the cluster."""
    if evidence.status != "RUNNABLE" or not evidence.instances or evidence.joined:
        return None
    if _minutes(evidence) < _STARTING_MINUTES:
        return None
    fix = (
        "look at /var/log/ecs/ecs-agent.log and `systemctl status ecs` on one of them, by Session Manager: an agent "
        "that waits for scratch, an instance role that may not join the cluster (AmazonEC2ContainerServiceforEC2Role "
        "allows it), or an image without ECS"
    )
    return Cause(
        "instances-do-not-join", "its instances start, but do not join their cluster", (_joined(evidence),), fix
    )


def instances_starting(evidence: Evidence) -> Cause | None:
    """Check whether it has not waited longer than an instance takes to start."""
    if evidence.status not in {"SUBMITTED", "RUNNABLE", "STARTING"} or _minutes(evidence) >= _STARTING_MINUTES:
        return None
    reported = f"it was submitted {_minutes(evidence):.0f} minutes ago; an instance may take {_STARTING_MINUTES}"
    fix = f"wait, then run this again; or: gen-infra jobs {evidence.manifest_path} --watch"
    return Cause(
        "instances-starting",
        "nothing is wrong yet: AWS Batch is looking for an instance, or starting one",
        (reported,),
        fix,
    )


def container_starting(evidence: Evidence) -> Cause | None:
    """Check whether it has a host, and its container does not run yet; AWS Batch does not say since when.

    https://docs.aws.amazon.com/batch/latest/userguide/job_states.html and job_timeouts.html,
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
    """
    if evidence.status != "STARTING" or _minutes(evidence) < _STARTING_MINUTES:
        return None
    reported = (
        f"it was submitted {_minutes(evidence):.0f} minutes ago, and has its host: the image is pulled, secrets are "
        "fetched, and volumes are mounted now",
        "its timeout does not count before it is RUNNING",
    )
    cluster, _, task = str(evidence.container.get("taskArn", "")).partition(":task/")[2].partition("/")
    times = "tasks[].[createdAt,pullStartedAt,pullStoppedAt]"
    look = (
        f"see whether its image is still being pulled (no pullStoppedAt): aws ecs describe-tasks --cluster {cluster} "
        f'--tasks {task} --query "{times}"; '
        if task
        else ""
    )
    on_instance = (
        "" if evidence.on_fargate else "; /var/log/ecs/ecs-agent.log on its instance (Session Manager) says more"
    )
    fix = (
        f"wait while a large image is pulled; if it stays STARTING: {look}make the image smaller or push it to ECR; "
        f"gen-infra doctor {evidence.manifest_path} looks at secrets and file systems{on_instance}; "
        f"to try another host: {evidence.command('cancel', evidence.job['jobId'])}, and submit it again"
    )
    return Cause("container-starting", "its container is still being started on its host", reported, fix)


def _joined(evidence: Evidence) -> str:
    return f"{evidence.instances} instances run, {evidence.joined} have joined the cluster"


def _minutes(evidence: Evidence) -> float:
    """Return how long ago it was submitted."""
    return float((evidence.now.timestamp() - evidence.job.get("createdAt", 0) / 1000) / 60)


def undetermined(evidence: Evidence) -> Cause | None:
    """Check whether the job blocks its queue, and Batch does not know why.

    https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html
    """
    reported = evidence.reasons_with(messages.UNDETERMINED)
    if not reported:
        return None
    facts = tuple(_offer(each) for each in evidence.enabled if each.get("computeResources"))
    up = (_joined(evidence),) if evidence.instances else ()
    names = ", ".join(name_of(each) for each in evidence.enabled)
    fix = (
        f"look at the activities of the Auto Scaling groups of {names or 'its compute environments'}, at "
        f"/var/log/ecs/ecs-agent.log on an instance, and at gen-infra doctor {evidence.manifest_path}; or try other "
        f"instance_types in {evidence.compute_keys}"
    )
    message = "it is first in its queue and blocks it; AWS Batch does not know why"
    return Cause("undetermined", message, (*reported, *facts, *up), fix)
