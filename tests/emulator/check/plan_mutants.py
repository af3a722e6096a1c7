"""Ways to weaken a plan of ``envs/prod.yaml``: what terraform would say if one thing were missing, or one too many."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_GONE = object()
_KEY = "module.encryption.aws_kms_key.this"
_TEMPLATE = "module.compute_genomicsEnv.aws_launch_template.this"
_COMPUTE = "module.compute_genomicsEnv.aws_batch_compute_environment.this"
_FUNCTION = 'module.job_functions.aws_lambda_function.this["submit"]'
_ROLE = "aws_iam_role.isaac"
_BUCKETS = "aws_iam_role_policy.isaac_buckets"
_JOB = "aws_batch_job_definition.isaac"
_LOG = "aws_cloudwatch_log_group.isaac"
_WORKFLOW = "module.workflow_germline"
_MACHINE = f'{_WORKFLOW}.aws_sfn_state_machine.this["one"]'
_RUN_ROLE = f'{_WORKFLOW}.aws_iam_role.this["one"]'
_RUN_POLICY = f'{_WORKFLOW}.aws_iam_role_policy.jobs["one"]'
_LIST_POLICY = f'{_WORKFLOW}.aws_iam_role_policy.samples["many"]'
_TOPIC = f'{_WORKFLOW}.aws_sns_topic_policy.failed["topic"]'
_SUBMIT, _STOP = (("policy", "Statement", number) for number in (0, 2))
_TRUST = ("assume_role_policy", "Statement", 0)
_OBJECTS = ("policy", "Statement", 3)
_VOLUME = ("block_device_mappings", 0, "ebs", 0)


@dataclass(frozen=True, slots=True)
class PlanMutant:
    """One weakness.

    Attributes:
        name: what is weak.
        caught_by: the id of the check that must say so.
        address: the resource it is in; one that the plan does not have is added.
        path: the attribute, and the way into it; documents in JSON are gone through like any other value.
        to: what stands there instead of what was there.
    """

    name: str
    caught_by: str
    address: str
    path: tuple[str | int, ...]
    to: Any = _GONE


def apply(mutant: PlanMutant, plan: dict[str, Any]) -> dict[str, Any]:
    """Return the plan with the weakness, which is known before apply."""
    weak: dict[str, Any] = json.loads(json.dumps(plan))
    change = _change(weak["resource_changes"], mutant.address)
    change["after"] = _with(change["after"], mutant.path, mutant.to)
    change["after_unknown"] = _known(change["after_unknown"], mutant.path)
    return weak


def _change(resources: list[dict[str, Any]], address: str) -> dict[str, Any]:
    for resource in resources:
        if resource["address"] == address:
            change: dict[str, Any] = resource["change"]
            return change
    kind, name = address.split(".")
    added: dict[str, Any] = {"actions": ["create"], "after": {}, "after_unknown": {}}
    resources.append({"address": address, "mode": "managed", "type": kind, "name": name, "change": added})
    return added


def _with(value: Any, path: tuple[str | int, ...], to: Any) -> Any:
    if not path:
        return to
    if isinstance(value, str):
        return json.dumps(_with(json.loads(value), path, to))
    key, *rest = path
    if to is _GONE and not rest:
        del value[key]
    else:
        value[key] = _with(value[key] if rest else None, tuple(rest), to)
    return value


def _known(marks: Any, path: tuple[str | int, ...]) -> Any:
    """Take the mark "known after apply" off what was set."""
    if not path:
        return False
    key, *rest = path
    if key in (range(len(marks)) if isinstance(marks, list) else marks or {}):
        marks[key] = _known(marks[key], tuple(rest))
    return marks


_WORLD = {"cidr_ipv6": "::/0", "ip_protocol": "tcp", "from_port": 22, "to_port": 22}
_ANYBODY = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]}'

_AGENT = "module.instance_role.aws_iam_role_policy.agent"
_RECEIVES = ("policy", "Statement", 2)
_OTHER_ACCOUNT = {"AWS": "arn:aws:iam::999999999999:root"}
_EVERY_KEY = '{"Statement": [{"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"}]}'

PLAN_MUTANTS = (
    PlanMutant("key: any account", "GI_KMS_1", _KEY, ("policy", "Statement", 1, "Condition", "StringEquals")),
    PlanMutant("key: any principal", "GI_KMS_1", _KEY, ("policy", "Statement", 1, "Condition", "ArnEquals")),
    PlanMutant("key: grants for any principal", "GI_KMS_2", _KEY, ("policy", "Statement", 2, "Condition", "Bool")),
    PlanMutant("key: logs of any account", "GI_KMS_3", _KEY, ("policy", "Statement", 3, "Condition")),
    PlanMutant("volume: not encrypted", "GI_EC2_1", _TEMPLATE, (*_VOLUME, "encrypted"), "false"),
    PlanMutant("volume: AWS's key", "GI_EC2_1", _TEMPLATE, (*_VOLUME, "kms_key_id"), "alias/aws/ebs"),
    PlanMutant("metadata: version 1", "GI_EC2_2", _TEMPLATE, ("metadata_options", 0, "http_tokens"), "optional"),
    PlanMutant("metadata: two hops", "GI_EC2_2", _TEMPLATE, ("metadata_options", 0, "http_put_response_hop_limit"), 2),
    PlanMutant("instance: key pair", "GI_EC2_3", _TEMPLATE, ("key_name",), "mine"),
    PlanMutant("instance: public address", "GI_NET_1", _TEMPLATE, ("network_interfaces",),
               [{"associate_public_ip_address": "true"}]),
    PlanMutant("environment: key pair", "GI_EC2_3", _COMPUTE, ("compute_resources", 0, "ec2_key_pair"), "mine"),
    PlanMutant("environment: no template", "GI_EC2_4", _COMPUTE, ("compute_resources", 0, "launch_template"), []),
    PlanMutant("in: SSH over IPv6", "GI_NET_2", "aws_vpc_security_group_ingress_rule.hole", (), _WORLD),
    PlanMutant("out: everything", "GI_NET_3", "aws_vpc_security_group_egress_rule.hole", (),
               {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "-1"}),
    PlanMutant("trust: jobs of any account", "GI_IAM_1", _ROLE, (*_TRUST, "Condition", "StringEquals")),
    PlanMutant("trust: any principal", "GI_IAM_3", _ROLE, (*_TRUST, "Principal"), {"AWS": "*"}),
    *(PlanMutant(f"role: {policy}", "GI_IAM_2", "aws_iam_role_policy_attachment.wide", (),
                 {"role": "batchInstance-prod", "policy_arn": f"arn:aws:iam::aws:policy/{policy}"})
      for policy in ("AdministratorAccess", "AmazonSSMManagedInstanceCore",
                     "service-role/AmazonEC2ContainerServiceforEC2Role")),
    PlanMutant("instances: every cluster", "GI_IAM_5", _AGENT, (*_RECEIVES, "Condition")),
    PlanMutant("policy: every S3 action", "GI_IAM_4", _BUCKETS, (*_OBJECTS, "Action"), "s3:*"),
    PlanMutant("policy: every bucket", "GI_IAM_5", _BUCKETS, (*_OBJECTS, "Resource"), "arn:aws:s3:::*"),
    PlanMutant("policy: an action that is none", "GI_LINT_1", _BUCKETS, (*_OBJECTS, "Action"), "s3:ReadObject"),
    PlanMutant("policy: every resource", "GI_LINT_3", _BUCKETS, (*_OBJECTS, "Resource"), "*"),
    PlanMutant("policy: public queue", "GI_IAM_6", "aws_sqs_queue_policy.public", (), {"policy": _ANYBODY}),
    PlanMutant("job: privileged", "GI_BATCH_1", _JOB, ("container_properties", "privileged"), to=True),
    PlanMutant("job: the host's root", "GI_BATCH_2", _JOB,
               ("container_properties", "volumes", 0, "host", "sourcePath"), "/"),
    PlanMutant("job: a password", "GI_BATCH_3", _JOB, ("container_properties", "environment"),
               [{"name": "DB_PASSWORD", "value": "hunter2"}]),
    PlanMutant("image: not KMS", "GI_ECR_1", "module.repository_isaac.aws_ecr_repository.this",
               ("encryption_configuration", 0, "encryption_type"), "AES256"),
    PlanMutant("log: no key", "GI_LOGS_1", _LOG, ("kms_key_id",), None),
    PlanMutant("log: forever", "GI_LOGS_1", _LOG, ("retention_in_days",), 0),
    PlanMutant("queue: no key", "GI_SQS_1", "module.job_functions.aws_sqs_queue.dead_letters",
               ("kms_master_key_id",), None),
    PlanMutant("function: no limit", "GI_LAMBDA_1", _FUNCTION, ("reserved_concurrent_executions",), -1),
    PlanMutant("function: a token", "GI_BATCH_3", _FUNCTION, ("environment", 0, "variables", "API_TOKEN"), "hunter2"),
    PlanMutant("function: a public URL", "GI_LAMBDA_2", "aws_lambda_function_url.open", (),
               {"authorization_type": "NONE"}),
    PlanMutant("workflow: no key", "GI_SFN_1", _MACHINE, ("encryption_configuration",), []),
    PlanMutant("workflow: AWS's key", "GI_SFN_1", _MACHINE, ("encryption_configuration", 0, "type"), "AWS_OWNED_KEY"),
    PlanMutant("workflow: no logs", "GI_SFN_2", _MACHINE, ("logging_configuration",), []),
    PlanMutant("workflow: logs off", "GI_SFN_2", _MACHINE, ("logging_configuration", 0, "level"), "OFF"),
    PlanMutant("workflow: logs go nowhere", "GI_SFN_2", _MACHINE, ("logging_configuration", 0, "log_destination"), ""),
    PlanMutant("workflow: logs without a key", "GI_LOGS_1", f'{_WORKFLOW}.aws_cloudwatch_log_group.this["one"]',
               ("kms_key_id",), None),
    PlanMutant("workflow: runs of any account", "GI_IAM_1", _RUN_ROLE, (*_TRUST, "Condition", "StringEquals")),
    PlanMutant("workflow: another account's role", "GI_IAM_3", _RUN_ROLE, (*_TRUST, "Principal"), _OTHER_ACCOUNT),
    PlanMutant("workflow: every Batch action", "GI_IAM_4", _RUN_POLICY, (*_SUBMIT, "Action"), "batch:*"),
    PlanMutant("workflow: every queue", "GI_IAM_5", _RUN_POLICY, (*_SUBMIT, "Resource"),
               "arn:aws:batch:us-east-1:123456789012:job-queue/*"),
    PlanMutant("workflow: every account's queues", "GI_IAM_5", _RUN_POLICY, (*_SUBMIT, "Resource"),
               "arn:aws:batch:*:*:job-queue/highPriority-prod"),
    PlanMutant("workflow: every resource", "GI_LINT_3", _RUN_POLICY, (*_SUBMIT, "Resource"), "*"),
    PlanMutant("workflow: stops other jobs", "GI_IAM_5", _RUN_POLICY, (*_STOP, "Condition")),
    PlanMutant("workflow: passes every role", "GI_LINT_3", _RUN_POLICY, _SUBMIT,
               {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}),
    PlanMutant("workflow: every key", "GI_IAM_7", f'{_WORKFLOW}.aws_iam_role_policy.encryption["one"]', ("policy",),
               _EVERY_KEY),
    PlanMutant("workflow: every bucket", "GI_IAM_5", _LIST_POLICY, ("policy", "Statement", 3, "Resource"),
               "arn:aws:s3:::*"),
    PlanMutant("workflow: public topic", "GI_IAM_6", _TOPIC, ("policy", "Statement", 0, "Principal"), "*"),
    PlanMutant("workflow: another account's topic", "GI_IAM_6", _TOPIC, ("policy", "Statement", 0, "Principal"),
               _OTHER_ACCOUNT),
)  # fmt: skip
