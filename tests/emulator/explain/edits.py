"""An environment with a piece for each row of the table, and the changes that bring each row about.

Each compute environment, queue and job changes in one way of its own, so that one plan shows many rows. What no
manifest can change by itself is changed in the rendered files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.aws.updates import (
    CUSTOM_ROLE_TYPE,
    FARGATE_TYPE,
    SCHEDULING_ADDED,
    SCHEDULING_REMOVED,
    SERVICE_ROLE,
)

if TYPE_CHECKING:
    from pathlib import Path

SPOT = {"type": "SPOT", "max_vcpus": 64}
PINNED = {"allocation_strategy": "BEST_FIT_PROGRESSIVE", "max_vcpus": 64, "service_role": "create"}
JOB = {"image": "quay.io/lab/tool:1", "vcpus": 1, "memory_mib": 512, "timeout_minutes": 60}
QUEUE = {"priority": 1, "compute": ["base", "bid"]}

MANIFEST: dict[str, Any] = {
    "name": "rows",
    "account": "123456789012",
    "region": "us-east-1",
    "state": "local",
    "tags": {"Project": "genomics"},
    "network": {"create": {"cidr": "10.51.0.0/16", "nat": "one", "endpoints": ["logs"]}},
    "iam": {"permissions_boundary": "arn:aws:iam::123456789012:policy/first"},
    "access": {"oidc_providers": "create", "plan": {"github": ["repo:lab/infra:pull_request"]}},
    "buckets": {"results": {"name": "genomics-results-123456789012", "access": "write"}},
    "file_systems": {"refs": {"efs": "create", "infrequent_access_days": 30}},
    "repositories": ["tool"],
    "notifications": {"blocked_queues": ["genomics-ops@example.com"]},
    "compute": {
        "base": SPOT,
        "bid": {**SPOT, "bid_percentage": 50},
        "most": SPOT,
        "least": SPOT,
        "off": SPOT,
        "types": SPOT,
        "kind": SPOT,
        "strategy": SPOT,
        "bestfit": {**SPOT, "allocation_strategy": "BEST_FIT"},
        "custom": {**SPOT, "service_role": "create", "bid_percentage": 50},
        "linked": SPOT,
        "central": {**SPOT, "service_role": "arn:aws:iam::123456789012:role/first"},
        "group": {"type": "EC2", "max_vcpus": 64},
        "minutes": SPOT,
        "hasty": SPOT,
        "image": SPOT,
        "disk": SPOT,
        "subnets": SPOT,
        "groups": SPOT,
        "profile": SPOT,
        "tags": SPOT,
        "marks": SPOT,
        "named": SPOT,
        "gone": SPOT,
        "mpi": {"type": "EC2", "max_vcpus": 64},
        "serverless": {"type": "FARGATE", "max_vcpus": 64},
        "cheaper": {"type": "FARGATE", "max_vcpus": 64},
        "moved": SPOT,
        "retyped": {**PINNED, "type": "EC2"},
    },
    "queues": {
        "main": QUEUE,
        "order": QUEUE,
        "off": QUEUE,
        "limits": QUEUE,
        "marks": QUEUE,
        "fair": {**QUEUE, "fair_share": {"shares": {"a": 1.0}}},
        "fairer": {**QUEUE, "fair_share": {"shares": {"a": 1.0}}},
        "nodes": {"priority": 1, "compute": ["mpi"]},
        "gone": QUEUE,
        "gains": QUEUE,
        "loses": {**QUEUE, "fair_share": {"shares": {"a": 1.0}}},
    },
    "jobs": {
        "tool": {**JOB, "image": "tool:1", "buckets": ["results"]},
        "long": {**JOB, "timeout_minutes": 1440},
        "memory": JOB,
        "nodes": {**JOB, "nodes": 2, "queue": "nodes"},
        "tries": JOB,
        "rules": JOB,
        "several": {"containers": {"main": {"image": "quay.io/lab/tool:1", "vcpus": 1, "memory_mib": 768}}},
        "params": {**JOB, "parameters": {"sample": "a"}},
        "weight": {**JOB, "queue": "fair", "scheduling_priority": 1},
        "where": JOB,
        "marked": JOB,
        "gone": JOB,
    },
    "workflows": {"germline": {"steps": {"align": {"job": "tool"}}}},
}


def changed() -> dict[str, Any]:
    """Return the manifest without what is called ``gone``, and with each change that AWS never makes in place."""
    manifest: dict[str, Any] = {
        key: {name: item for name, item in value.items() if name != "gone"} if isinstance(value, dict) else value
        for key, value in MANIFEST.items()
    }
    manifest["queues"] |= {"gains": MANIFEST["queues"]["loses"], "loses": QUEUE}
    manifest["file_systems"] = {"refs": {"efs": "create", "infrequent_access_days": 60}}
    manifest["workflows"] = {"germline": {"steps": {"align": {"job": "tool", "queue": "order"}}}}
    manifest["compute"] |= {
        "cheaper": {"type": "FARGATE_SPOT", "max_vcpus": 64},
        "moved": {"type": "FARGATE", "max_vcpus": 64},
        "retyped": {**PINNED, "type": "SPOT"},
    }
    return manifest


# Where the changed manifest has a change that AWS refuses: row of the table -> addresses.
REFUSED = {
    SCHEDULING_ADDED: ("aws_batch_job_queue.gains",),
    SCHEDULING_REMOVED: ("aws_batch_job_queue.loses",),
    SERVICE_ROLE: ("module.compute_linked.aws_batch_compute_environment.this",),
    FARGATE_TYPE: (
        "module.compute_cheaper.aws_batch_compute_environment.this",
        "module.compute_moved.aws_batch_compute_environment.this",
    ),
    CUSTOM_ROLE_TYPE: ("module.compute_retyped.aws_batch_compute_environment.this",),
}


@dataclass(frozen=True)
class Edit:
    """One change of the rendered files, and what the explanation must say of it.

    Args:
        address: the resource that it changes.
        block: the file, and the first line of the block in it.
        was: a pattern in that block.
        to: what stands there instead.
        says: a part of what happens; empty where only permissions change.
        danger: what it is marked with.
        action: what terraform does.
    """

    address: str
    block: tuple[str, str]
    was: str
    to: str
    says: str
    danger: str | None = None
    action: str = "update"

    def apply(self, folder: Path) -> None:
        """Change the file."""
        name, header = self.block
        path = folder / name
        text = path.read_text()
        start = text.index(f"{header} {{\n")
        end = text.index("\n}\n", start)
        block, count = re.subn(self.was, self.to, text[start:end])
        assert count, f"{self.was} is not in {header} of {name}"
        path.write_text(text[:start] + block + text[end:])


ENVIRONMENT_TF = "modules/compute-environment/main.tf"
IN_PLACE = "running jobs get 360 minutes to end on the old ones, then they are terminated"
REPLACED = "by a successor, which is VALID before the queues are pointed to it; the old one accepts no more jobs"


def environment(key: str, was: str, to: str, says: str, danger: str | None = None, action: str = "update") -> Edit:
    """Return a change in the call of a compute environment's module."""
    address = f"module.compute_{key}.aws_batch_compute_environment.this"
    return Edit(address, ("main.tf", f'module "compute_{key}"'), was, to, says, danger, action)


def infrastructure(key: str, was: str, to: str) -> Edit:
    """Return one that replaces the instances in place, too soon for the longest job."""
    return environment(key, was, to, IN_PLACE, "stop-jobs")


def replacement(key: str, was: str, to: str) -> Edit:
    """Return one that makes a new environment."""
    return environment(key, was, to, REPLACED, action="replace")


def in_module(key: str, was: str, to: str, says: str, danger: str | None = None, action: str = "update") -> Edit:
    """Return a change in the module itself, for one environment alone."""
    address = f"module.compute_{key}.aws_batch_compute_environment.this"
    named = f'var.name == "{key}-rows"'
    block = (ENVIRONMENT_TF, 'resource "aws_batch_compute_environment" "this"')
    return Edit(address, block, was, to.replace("THIS", named), says, danger, action)


def queue(key: str, was: str, to: str, says: str) -> Edit:
    """Return a change of a queue."""
    return Edit(f"aws_batch_job_queue.{key}", ("queues.tf", f'resource "aws_batch_job_queue" "{key}"'), was, to, says)


def definition(key: str, was: str, to: str, says: str = "a new revision, for jobs submitted from now on") -> Edit:
    """Return a change of a job definition."""
    block = ("jobs.tf", f'resource "aws_batch_job_definition" "{key}"')
    return Edit(f"aws_batch_job_definition.{key}", block, was, to, says)


def logs(key: str, was: str, to: str, says: str, danger: str | None = None) -> Edit:
    """Return a change of a log group."""
    block = ("jobs.tf", f'resource "aws_cloudwatch_log_group" "{key}"')
    return Edit(f"aws_cloudwatch_log_group.{key}", block, was, to, says, danger)


REPOSITORY = ("modules/repository/main.tf", 'resource "aws_ecr_repository" "this"')
FUNCTIONS = "modules/job-functions/main.tf"
ROLE = "arn:aws:iam::123456789012:role/first"
OTHER_KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"

EDITS = (
    environment("most", r"max_vcpus +=.*", "max_vcpus = 32", "scaling only: no instance starts beyond it"),
    environment("least", r"min_vcpus +=.*", "min_vcpus = 4", "scaling only: instances keep running without jobs"),
    environment("off", "ENABLED", "DISABLED", "accepts no more jobs"),
    environment("central", "role/first", "role/second", "Batch uses another role"),
    environment("minutes", "360", "60", "later updates treat running jobs differently"),
    environment(
        "serverless", r"local\.subnet_ids", "[tolist(local.subnet_ids)[0]]", "running jobs keep what they started with"
    ),
    infrastructure("bid", r"bid_percentage +=.*", "bid_percentage = 60"),
    infrastructure("types", "optimal", "m6i"),
    infrastructure("kind", r'"SPOT"((?:.|\n)*)"SPOT_CAPACITY_OPTIMIZED"', r'"EC2"\1"BEST_FIT_PROGRESSIVE"'),
    infrastructure("image", r"local\.image_id", '"ami-0123456789abcdef0"'),
    infrastructure("disk", "1000", "1200"),
    infrastructure("subnets", r"local\.subnet_ids", "[tolist(local.subnet_ids)[0]]"),
    infrastructure("groups", r"local\.security_group_ids", '["sg-0123456789abcdef0"]'),
    infrastructure(
        "profile", r"module\.instance_role\.\w+", '"arn:aws:iam::123456789012:instance-profile/other"'
    ),
    in_module("tags", r"{ Name = var\.name }", '{ Name = THIS ? "other" : var.name }', IN_PLACE, "stop-jobs"),
    in_module(
        "hasty", "terminate_jobs_on_update += false", "terminate_jobs_on_update = THIS", "later updates treat running"
    ),
    in_module(
        "marks", r"tags +(= var\.compute_environment_tags)",
        'tags = THIS ? { Note = "new" } : var.compute_environment_tags', "tags only",
    ),
    in_module(
        "named", r'"\${var\.name}-"', '"${THIS ? "other" : var.name}-"', REPLACED, action="replace"
    ),
    replacement("strategy", "SPOT_CAPACITY_OPTIMIZED", "SPOT_PRICE_CAPACITY_OPTIMIZED"),
    replacement("bestfit", r'"BEST_FIT"((?:.|\n)*)\n +spot_fleet_role_arn.*', r'"SPOT_CAPACITY_OPTIMIZED"\1'),
    replacement("custom", r"bid_percentage +=.*", "bid_percentage = 60"),
    replacement("linked", r"(subnet_ids.*)", "\\1\n  service_role_arn = module.service_role.arn"),
    replacement("group", r"(subnet_ids.*)", '\\1\n  placement_group = "cluster"'),
    Edit(
        "module.compute_disk.aws_launch_template.this", ("main.tf", 'module "compute_disk"'), "1200", "1300",
        "a new version, for instances that start later",
    ),
    queue("main", r"priority = 1", "priority = 2", "scheduled before or after those of other queues"),
    queue("order", r"compute_bid", "compute_types", "repointed"),
    queue("off", "ENABLED", "DISABLED", "accepts no more jobs"),
    queue("limits", "3600", "7200", "cancelled after other times"),
    queue("marks", r"(priority = 1)", '\\1\n  tags = { Note = "new" }', "tags only"),
    queue("fair", r"policy\.fair\.", "policy.fairer.", "scheduled by another policy"),
    Edit(
        "aws_batch_scheduling_policy.fairer", ("queues.tf", 'resource "aws_batch_scheduling_policy" "fairer"'),
        r"weight_factor( +)=.*", "weight_factor = 2", "scheduled by the new shares",
    ),
    definition("memory", '"512"', '"1024"'),
    definition("several", '"768"', '"1024"'),
    definition("nodes", r"numNodes( +)= 2", "numNodes = 3"),
    definition("tries", "attempts = 3", "attempts = 5"),
    Edit(
        "aws_batch_job_definition.rules",
        ("jobs.tf", 'resource "aws_batch_job_definition" "rules"'),
        "(attempts = 3)",
        '\\1\n\n    evaluate_on_exit {\n      action = "RETRY"\n      on_exit_code = "75"\n    }\n',
        "a new one is registered, for jobs submitted from then on",
        None,
        "replace",
    ),
    definition("params", '"a"', '"b"'),
    definition("weight", r"scheduling_priority( +)= 1", "scheduling_priority = 2"),
    definition("where", r'\["EC2"\]', '["FARGATE"]'),
    definition("tool", r"propagate_tags( +)= true", "propagate_tags = false"),
    definition("long", "86400", "43200"),
    definition("marked", r"(propagate_tags.*)", '\\1\n  tags = { Note = "new" }', "tags only"),
    logs("tool", "365", "400", "kept for longer"),
    logs("long", "365", "30", "what is older than the new time is deleted", "destroy-data"),
    logs("memory", r"local\.kms_key_arn", f'"{OTHER_KEY}"', "older ones need the old key"),
    Edit("module.repository_tool.aws_ecr_repository.this", REPOSITORY, '"IMMUTABLE"', '"MUTABLE"', "be moved"),
    Edit("module.repository_tool.aws_ecr_repository.this", REPOSITORY, "= true", "= false", "scanning on push changes"),
    Edit(
        "module.repository_tool.aws_ecr_lifecycle_policy.this", ("repositories.tf", 'module "repository_tool"'),
        "(name.*)", "\\1\n  untagged_days = 7", "deleted within a day", "destroy-data", "replace",
    ),
    Edit(
        "module.job_functions.aws_sqs_queue.dead_letters", (FUNCTIONS, 'resource "aws_sqs_queue" "dead_letters"'),
        "14 ", "7 ", "what is older than the new time is deleted", "destroy-data",
    ),
    Edit(
        'module.job_functions.aws_lambda_function.this["submit"]', (FUNCTIONS, 'resource "aws_lambda_function" "this"'),
        "256", "512", "new calls run it",
    ),
    Edit(
        "aws_iam_role.tool", ("jobs.tf", 'resource "aws_iam_role" "tool"'), "policy/first", "policy/second",
        "the boundary both allow",
    ),
    Edit(
        "aws_iam_policy.access_plan_1", ("access.tf", 'data "aws_iam_policy_document" "access_plan_1"'),
        '"batch:DescribeJobDefinitions",', "", "what an access role may do changes", "access",
    ),
    Edit(
        "aws_iam_openid_connect_provider.github",
        ("access.tf", 'resource "aws_iam_openid_connect_provider" "github"'),
        r'\["sts.amazonaws.com"\]', '["sts.amazonaws.com", "other"]', "tokens with other audiences", "access",
    ),
)  # fmt: skip

REPLACED_ADDRESSES = (
    "aws_batch_job_queue.main",
    "aws_batch_job_definition.memory",
    "aws_cloudwatch_log_group.tool",
    "aws_iam_openid_connect_provider.github",
    "aws_iam_policy.access_plan_1",
    "aws_iam_role.tool",
    "module.compute_most.aws_batch_compute_environment.this",
    "module.encryption.aws_kms_key.this",
    "module.file_system_refs.aws_efs_file_system.this",
    "module.instance_role.aws_iam_instance_profile.this",
    "module.job_functions.aws_sqs_queue.dead_letters",
    'module.network.aws_nat_gateway.this["us-east-1a"]',
    'module.network.aws_route.private["us-east-1a"]',
    'module.network.aws_route_table_association.private["us-east-1a"]',
    "module.network.aws_vpc_endpoint.s3",
    "module.network.aws_vpc_security_group_egress_rule.nodes[0]",
    "module.network.aws_vpc_security_group_ingress_rule.nodes[0]",
    "module.repository_tool.aws_ecr_repository.this",
)

# Folder -> resource -> what an override file sets, so that the provider replaces it.
OVERRIDES: dict[str, dict[str, str]] = {
    ".": {"aws_cloudwatch_log_group.tool": 'log_group_class = "INFREQUENT_ACCESS"'},
    "modules/encryption": {
        "aws_kms_key.this": """
            customer_master_key_spec = "RSA_2048"
            key_usage                = "SIGN_VERIFY"
            multi_region             = true
        """
    },
    "modules/file-system": {
        "aws_efs_file_system.this": 'kms_key_id = "arn:aws:kms:us-east-1:123456789012:key/other"',
        "aws_efs_access_point.this": """
            posix_user {
              uid = 2000
              gid = 2000
            }
        """,
    },
    "modules/instance-role": {
        "aws_iam_instance_profile.this": 'path = "/other/"',
        "aws_iam_role.this": 'path = "/other/"',
    },
    "modules/job-functions": {
        "aws_lambda_function.this": """
            package_type = "Image"
            image_uri    = "123456789012.dkr.ecr.us-east-1.amazonaws.com/tool:1"
            filename     = null
            handler      = null
            runtime      = null
        """,
        "aws_sqs_queue.dead_letters": """
            name       = "other.fifo"
            fifo_queue = true
        """,
    },
    "modules/network": {
        "aws_eip.nat": 'domain = "standard"',
        "aws_flow_log.this": f"""
            traffic_type             = "REJECT"
            iam_role_arn             = "{ROLE}"
            log_destination          = "arn:aws:logs:us-east-1:123456789012:log-group:other"
            log_format               = "$${{version}}"
            max_aggregation_interval = 60
        """,
        "aws_security_group.instances": 'description = "other"',
        "aws_subnet.private": """
            availability_zone = "us-east-1f"
            cidr_block        = cidrsubnet(var.cidr_block, 4, 15)
        """,
        "aws_vpc.this": 'cidr_block = "10.52.0.0/16"',
        "aws_vpc_endpoint.s3": """
            service_name      = "com.amazonaws.us-east-1.ecr.api"
            vpc_endpoint_type = "Interface"
        """,
        "aws_vpc_security_group_egress_rule.internet": """
            cidr_ipv4      = null
            prefix_list_id = "pl-0123456789abcdef0"
        """,
        "aws_vpc_security_group_egress_rule.nodes": """
            cidr_ipv4                    = "10.0.0.0/8"
            referenced_security_group_id = null
        """,
        "aws_vpc_security_group_ingress_rule.nodes": """
            cidr_ipv4                    = "10.0.0.0/8"
            referenced_security_group_id = null
        """,
        "aws_vpc_security_group_ingress_rule.endpoints": """
            prefix_list_id               = "pl-0123456789abcdef0"
            referenced_security_group_id = null
        """,
    },
    "modules/queue-notifications": {
        "aws_sns_topic.this": """
            name       = "other.fifo"
            fifo_topic = true
        """,
        "aws_sns_topic_subscription.this": """
            endpoint = "https://example.com/other"
            protocol = "https"
        """,
    },
    "modules/workflow": {"aws_sfn_state_machine.this": 'type = "EXPRESS"'},
    "modules/repository": {"aws_ecr_repository.this": 'encryption_configuration { encryption_type = "AES256" }'},
}


# The same where the network stays: with another VPC it would be a cycle.
OVERRIDES_IN_NETWORK: dict[str, dict[str, str]] = {
    "modules/network": {
        "aws_nat_gateway.this": """
            connectivity_type = "private"
            allocation_id     = null
        """
    },
}


def override(folder: Path, overrides: dict[str, dict[str, str]]) -> None:
    """Write the override files."""
    for module, resources in overrides.items():
        blocks = []
        for resource, text in resources.items():
            type_, name = resource.split(".")
            blocks.append(f'resource "{type_}" "{name}" {{\n{text}\n}}\n')
        (folder / module / "fixed_override.tf").write_text("\n".join(blocks))
