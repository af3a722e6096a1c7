"""Limits of Batch compute environments, job queues and scheduling policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gen_infra.emulator.validation.batch import SHARE, batch_limit, given, has_one_of, is_unique
from gen_infra.emulator.validation.limit import (
    Condition,
    Limit,
    at_least,
    at_most,
    between,
    length,
    matches,
    never_starts,
    one_of,
)
from gen_infra.manifest.instances import named

_QUEUES = "CreateJobQueue UpdateJobQueue"
_ENVIRONMENTS = "CreateComputeEnvironment UpdateComputeEnvironment"
_POLICIES = "CreateSchedulingPolicy UpdateSchedulingPolicy"


def _vcpus_in_order(resources: Mapping[str, Any]) -> bool:
    low, high = resources.get("minvCpus", 0), resources.get("maxvCpus", float("inf"))
    return bool(low <= resources.get("desiredvCpus", low) <= high)


def _is_for_instances(holds: Condition) -> Condition:
    return lambda resources: resources["type"] in ("FARGATE", "FARGATE_SPOT") or holds(resources)


def _is_for_fargate(holds: Condition) -> Condition:
    return lambda resources: resources["type"] not in ("FARGATE", "FARGATE_SPOT") or holds(resources)


def _without(*names: str) -> Condition:
    return lambda value: not any(value.get(name) for name in names)


LIMITS: tuple[Limit, ...] = (
    batch_limit(
        "TagResource UntagResource ListTagsForResource",
        "resourceArn",
        matches(r"arn:aws[a-z-]*:batch:[a-z0-9-]+:[0-9]{12}:[a-z-]+/.+"),
        "Invalid ARN {value}",
        "TagResource",
    ),
    # job queues and scheduling policies
    batch_limit(
        _QUEUES, "priority", between(0, 1000), "priority must be between 0 and 1000, not {value}", "CreateJobQueue"
    ),
    batch_limit(
        _QUEUES,
        "computeEnvironmentOrder",
        length(1, 3),
        "A job queue must have 1 to 3 compute environments",
        "CreateJobQueue",
    ),
    batch_limit(
        _QUEUES,
        "computeEnvironmentOrder",
        is_unique("order"),
        "computeEnvironmentOrder must not repeat an order",
        "ComputeEnvironmentOrder",
    ),
    batch_limit(
        _QUEUES,
        "computeEnvironmentOrder",
        is_unique("computeEnvironment"),
        "computeEnvironmentOrder must not repeat a compute environment",
        "ComputeEnvironmentOrder",
    ),
    batch_limit(
        _QUEUES,
        "jobStateTimeLimitActions[].maxTimeSeconds",
        between(600, 86_400),
        "maxTimeSeconds must be between 600 and 86400, not {value}",
        "JobStateTimeLimitAction",
    ),
    batch_limit(
        _QUEUES,
        "jobStateTimeLimitActions[].reason",
        one_of(
            "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
            "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
            "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
        ),
        "Invalid reason {value} of jobStateTimeLimitActions",
        "JobStateTimeLimitAction",
    ),
    batch_limit(
        _POLICIES,
        "fairsharePolicy.shareDecaySeconds",
        between(0, 604_800),
        "shareDecaySeconds must be between 0 and 604800, not {value}",
        "FairsharePolicy",
    ),
    batch_limit(
        _POLICIES,
        "fairsharePolicy.computeReservation",
        between(0, 99),
        "computeReservation must be between 0 and 99, not {value}",
        "FairsharePolicy",
    ),
    batch_limit(
        _POLICIES,
        "fairsharePolicy.shareDistribution",
        at_most(500),
        "shareDistribution has at most 500 entries",
        "FairsharePolicy",
    ),
    batch_limit(
        _POLICIES,
        "fairsharePolicy.shareDistribution[].weightFactor",
        between(0.0001, 999.9999),
        "weightFactor must be between 0.0001 and 999.9999, not {value}",
        "ShareAttributes",
    ),
    batch_limit(
        _POLICIES,
        "fairsharePolicy.shareDistribution[].shareIdentifier",
        matches(SHARE + r"\*?"),
        "Invalid shareIdentifier {value}",
        "ShareAttributes",
    ),
    # compute environments
    batch_limit(
        "CreateComputeEnvironment",
        "",
        lambda request: request["type"] != "MANAGED" or given("computeResources")(request),
        "computeResources must be provided for a MANAGED compute environment",
        "CreateComputeEnvironment",
    ),
    batch_limit(
        "CreateComputeEnvironment",
        "",
        lambda request: request["type"] != "UNMANAGED" or not request.get("computeResources"),
        "computeResources must not be provided for an UNMANAGED compute environment",
        "CreateComputeEnvironment",
    ),
    batch_limit(
        "CreateComputeEnvironment",
        "",
        lambda request: request["type"] != "MANAGED" or not request.get("unmanagedvCpus"),
        "unmanagedvCpus is only applicable for an UNMANAGED compute environment",
        "CreateComputeEnvironment",
    ),
    batch_limit(
        _ENVIRONMENTS,
        "computeResources.instanceTypes",
        lambda words: len({each.architecture for word in words for each in named(word)}) <= 1,
        "Instance types must have one architecture, not x86 and ARM in one compute environment",
        "ComputeResource",
    ),
    batch_limit(
        _ENVIRONMENTS, "computeResources.minvCpus", at_least(0), "minvCpus must not be negative", "ComputeResource"
    ),
    batch_limit(
        _ENVIRONMENTS, "computeResources.maxvCpus", at_least(1), "maxvCpus must be positive", "ComputeResource"
    ),
    batch_limit(
        "CreateComputeEnvironment",
        "computeResources",
        _vcpus_in_order,
        "desiredvCpus must be between minvCpus and maxvCpus",
        "ComputeResource",
    ),
    batch_limit(
        _ENVIRONMENTS,
        "computeResources.bidPercentage",
        between(0, 100),
        "bidPercentage must be between 0 and 100, not {value}",
        "ComputeResource",
    ),
    batch_limit(
        "CreateComputeEnvironment",
        "computeResources",
        _is_for_instances(given("instanceRole")),
        "instanceRole is required",
        "ComputeResource",
    ),
    batch_limit(
        "CreateComputeEnvironment",
        "computeResources",
        _is_for_instances(lambda value: bool(value.get("instanceTypes"))),
        "instanceTypes is required",
        "ComputeResource",
    ),
    batch_limit(
        "CreateComputeEnvironment",
        "computeResources",
        _is_for_instances(given("minvCpus")),
        "minvCpus is required",
        "ComputeResource",
    ),
    batch_limit(
        "CreateComputeEnvironment",
        "computeResources",
        _is_for_fargate(
            _without(
                *("instanceRole", "instanceTypes", "launchTemplate", "bidPercentage", "minvCpus", "ec2KeyPair", "tags"),
                *("desiredvCpus", "allocationStrategy", "ec2Configuration", "imageId", "placementGroup"),
                "spotIamFleetRole",
            )
        ),
        "Parameters of EC2 instances are not applicable for Fargate",
        "ComputeResource",
    ),
    batch_limit(
        "CreateComputeEnvironment",
        "computeResources",
        _is_for_fargate(lambda value: bool(value.get("securityGroupIds"))),
        "securityGroupIds is required for Fargate",
        "ComputeResource",
    ),
    batch_limit(
        _ENVIRONMENTS, "computeResources.subnets", length(1, 16), "subnets must have 1 to 16 entries", "ComputeResource"
    ),
    batch_limit(
        _ENVIRONMENTS,
        "computeResources.securityGroupIds",
        at_most(5),
        "securityGroupIds has at most 5 entries",
        "ComputeResource",
    ),
    batch_limit(
        _ENVIRONMENTS,
        "computeResources.ec2Configuration",
        at_most(2),
        "ec2Configuration has at most 2 entries",
        "ComputeResource",
    ),
    batch_limit(
        _ENVIRONMENTS,
        "computeResources.launchTemplate",
        has_one_of("launchTemplateId", "launchTemplateName"),
        "Either launchTemplateId or launchTemplateName must be provided",
        "LaunchTemplateSpecification",
    ),
    batch_limit(
        _ENVIRONMENTS,
        "computeResources.tags{}",
        never_starts("aws:"),
        "Tag keys must not start with aws:",
        "ComputeResource",
    ),
)
