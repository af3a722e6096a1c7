"""Limits of the operations that list and describe what AWS Batch has."""

from __future__ import annotations

from gen_infra.emulator.validation.batch import batch_limit, has_one_of
from gen_infra.emulator.validation.limit import Limit, at_most, between, length, matches, one_of

LIMITS: tuple[Limit, ...] = (
    batch_limit("DescribeJobs", "jobs", length(1, 100), "jobs must have 1 to 100 entries", "DescribeJobs"),
    batch_limit(
        "DescribeJobDefinitions",
        "jobDefinitions",
        at_most(100),
        "jobDefinitions has at most 100 entries",
        "DescribeJobDefinitions",
    ),
    batch_limit(
        "DescribeJobQueues", "jobQueues", at_most(100), "jobQueues has at most 100 entries", "DescribeJobQueues"
    ),
    batch_limit(
        "DescribeComputeEnvironments",
        "computeEnvironments",
        at_most(100),
        "computeEnvironments has at most 100 entries",
        "DescribeComputeEnvironments",
    ),
    batch_limit(
        "DescribeSchedulingPolicies", "arns", at_most(100), "arns has at most 100 entries", "DescribeSchedulingPolicies"
    ),
    batch_limit(
        "DescribeJobDefinitions DescribeJobQueues DescribeComputeEnvironments ListJobs ListSchedulingPolicies",
        "maxResults",
        between(1, 100),
        "maxResults must be between 1 and 100, not {value}",
        "ListJobs",
    ),
    batch_limit(
        "DescribeJobDefinitions DescribeJobQueues DescribeComputeEnvironments ListJobs ListSchedulingPolicies",
        "nextToken",
        matches(r"[0-9]{1,9}"),
        "Invalid nextToken",
        "ListJobs",
    ),
    batch_limit(
        "ListJobs",
        "",
        has_one_of("jobQueue", "arrayJobId", "multiNodeJobId"),
        "One of jobQueue, arrayJobId and multiNodeJobId must be provided",
        "ListJobs",
    ),
    batch_limit("ListJobs", "filters", at_most(1), "Only one filter can be used at a time", "ListJobs"),
    batch_limit(
        "ListJobs",
        "filters[].name",
        one_of("JOB_NAME", "JOB_DEFINITION", "SHARE_IDENTIFIER", "BEFORE_CREATED_AT", "AFTER_CREATED_AT"),
        "Invalid filter name {value}",
        "ListJobs",
    ),
    batch_limit("ListJobs", "filters[].values", bool, "A filter must have values", "KeyValuesPair"),
)
