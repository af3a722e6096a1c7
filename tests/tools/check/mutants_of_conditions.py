"""Ways to weaken conditions, and to take away what protects or watches something else."""

from __future__ import annotations

from tests.tools.check.mutants import Mutant

_ENCRYPTION = "terraform/modules/encryption/main.tf"
_ENGINE = "terraform/modules/engine/main.tf"
_WORKFLOW = "terraform/modules/workflow/main.tf"
_FLOW_LOGS = "terraform/modules/network/flow_logs.tf"
_FILE_SYSTEM = "terraform/modules/file-system/access.tf"
_PIPELINE_ROLE = "terraform/modules/image-pipeline/build_role.tf"
_INSTANCE = "terraform/modules/instance-role/main.tf"
_JOBS = "terraform/jobs.tf"
_ACCESS = "terraform/access.tf"

_BUDGETS = """    Condition = {
      ArnEquals    = { "kms:EncryptionContext:aws:sns:topicArn" = local.budget_topic_arns }
      StringEquals = { "aws:SourceAccount" = var.account_id }
    }
"""
_ACCOUNT = '{ "aws:SourceAccount" = var.account_id }'
_KEY_OF_TOPIC = 'Condition = { ArnEquals = { "kms:EncryptionContext:aws:sns:topicArn" = local.topic_arns } }'

KEYS = (
    Mutant("key: budgets of any account", "GI_KMS_3", _ENCRYPTION, f"      StringEquals = {_ACCOUNT}\n    }}\n",
           "    }\n",
           "blocked-queues"),
    Mutant("key: budgets, if they say so", "GI_KMS_3", _ENCRYPTION, f"StringEquals = {_ACCOUNT}",
           f"StringEqualsIfExists = {_ACCOUNT}",
           "blocked-queues"),
    Mutant("key: budgets of another account", "GI_IAM_11", _ENCRYPTION, _ACCOUNT,
           '{ "aws:SourceAccount" = "999999999999" }',
           "blocked-queues"),
    Mutant("key: budgets of all accounts", "GI_KMS_3", _ENCRYPTION, _ACCOUNT, '{ "aws:SourceAccount" = "*" }',
           "blocked-queues"),
    Mutant("key: every topic of budgets", "GI_KMS_3", _ENCRYPTION,
           '      ArnEquals    = { "kms:EncryptionContext:aws:sns:topicArn" = local.budget_topic_arns }\n', "",
           "blocked-queues"),
    Mutant("key: budgets without conditions", "GI_KMS_3", _ENCRYPTION, _BUDGETS, "",
           "blocked-queues"),
    Mutant("key: every topic of alarms", "GI_KMS_3", _ENCRYPTION, f"    {_KEY_OF_TOPIC}\n", "",
           "blocked-queues"),
    Mutant("key: alarms, as anyone", "GI_KMS_1", _ENCRYPTION, '{ Service = "cloudwatch.amazonaws.com" }',
           '{ AWS = "*" }',
           "blocked-queues"),
    Mutant("key: alarms, as another service", "GI_KMS_3", _ENCRYPTION, "cloudwatch.amazonaws.com", "s3.amazonaws.com",
           "blocked-queues"),
    Mutant("key: rules of all topics", "GI_IAM_13", _ENCRYPTION, "= local.event_topic_arns }", '= "*" }',
           "blocked-queues"),
    Mutant("key: everything for alarms", "GI_IAM_4", _ENCRYPTION, '["kms:Decrypt", "kms:GenerateDataKey*"]', '"kms:*"',
           "blocked-queues"),
    Mutant("key: everything for launches", "GI_IAM_4", _ENCRYPTION, '= "kms:CreateGrant"', '= "kms:*"'),
)  # fmt: skip

CONDITIONS = (
    Mutant("trust of jobs: every cluster", "GI_IAM_1", _JOBS, '"aws:SourceArn"', '"aws:PrincipalArn"'),
    Mutant("trust of jobs: clusters, if they say so", "GI_IAM_13", _JOBS, '"ArnLike"', '"ArnLikeIfExists"'),
    Mutant("trust of jobs: every action", "GI_IAM_4", _JOBS, '"sts:AssumeRole"', '"sts:*"'),
    Mutant("trust of workflows: every state machine", "GI_IAM_1", _WORKFLOW,
           'ArnLike      = { "aws:SourceArn" = local.state_machine_arns[each.key] }\n', "\n"),
    Mutant("trust of flow logs: every flow log", "GI_IAM_1", _FLOW_LOGS, '"aws:SourceArn"', '"aws:PrincipalArn"',
           "demo"),
    Mutant("trust of builds: every project", "GI_IAM_1", _PIPELINE_ROLE, '"aws:SourceArn"', '"aws:PrincipalArn"',
           "image-rebuild"),
    Mutant("trust of an engine: any principal", "GI_IAM_3", _ENGINE, "{ AWS = arn }", '{ AWS = "*" }', "nextflow"),
    Mutant("builds: pass the role to any service", "GI_IAM_14", _PIPELINE_ROLE, '"iam:PassedToService"',
           '"iam:AssociatedResourceArn"', "image-rebuild"),
    Mutant("builds: network interfaces for others", "GI_IAM_14", _PIPELINE_ROLE, '"ec2:AuthorizedService"',
           '"aws:ResourceAccount"', "image-rebuild"),
    Mutant("builds: volumes in plain, if not said", "GI_IAM_13", _PIPELINE_ROLE, '"Bool"', '"BoolIfExists"',
           "image-rebuild"),
    Mutant("builds: grants for anyone", "GI_IAM_14", _PIPELINE_ROLE, '"kms:GrantIsForAWSResource"',
           '"aws:SecureTransport"', "image-rebuild"),
    Mutant("instances: drain every cluster", "GI_IAM_14", _INSTANCE, '{ ArnLike = { "ecs:cluster"',
           '{ ArnNotLike = { "ecs:cluster"'),
    Mutant("instances: poll for every instance", "GI_LINT_3", _INSTANCE,
           'Resource  = "arn:${var.partition}:ecs:${local.in_account}:container-instance/*"', 'Resource  = "*"'),
    Mutant("jobs: list every prefix", "GI_IAM_13", _JOBS, '"StringLike"', '"StringNotLike"'),
    Mutant("jobs: list by another key", "GI_IAM_13", _JOBS, '"s3:prefix"', '"s3:delimiter"'),
    Mutant("access: changes its own roles", "GI_TF_9", _ACCESS, 'effect = "Deny"', 'effect = "Allow"', "access"),
    Mutant("file systems: plain connections", "GI_TF_9", _FILE_SYSTEM, '= "Deny"', '= "Allow"', "everything"),
    Mutant("file systems: plain connections of this account", "GI_TF_9", _FILE_SYSTEM, '{ AWS = "*" }',
           '{ AWS = "arn:aws:iam::999999999999:root" }', "everything"),
    Mutant("file systems: plain connections to write", "GI_TF_9", _FILE_SYSTEM, ', "elasticfilesystem:ClientWrite"]',
           "]", "everything"),
)  # fmt: skip


_ENGINES = "terraform/engines.tf"
ENGINES = (
    Mutant("engine: privileged containers", "GI_IAM_14", _ENGINE, 'for_each = var.privileged ? [] : ["unprivileged"]',
           "for_each = []", "nextflow"),
    Mutant("engine: privileged containers only", "GI_IAM_14", _ENGINE, '["false"]', '["true"]', "nextflow"),
    Mutant("engine: the whole work bucket", "GI_IAM_15", _ENGINES, '-123456789012/nf/*"', '-123456789012/*"',
           "nextflow"),
    Mutant("engine: its neighbours' prefixes", "GI_IAM_15", _ENGINES, '-123456789012/nf/*"', '-123456789012/n*"',
           "nextflow"),
    Mutant("engine: another bucket", "GI_IAM_15", _ENGINES, "s3:::genomics-results-123456789012/nf/*",
           "s3:::genomics-tfstate-123456789012/nf/*", "nextflow"),
    Mutant("engine: lists of a neighbour", "GI_IAM_15", _ENGINES, '["nf", "nf/*"]', '["n*"]', "nextflow"),
    Mutant("jobs: results beyond their prefix", "GI_IAM_15", _JOBS, "/genomic-workflow/*", "/*"),
    Mutant("jobs: lists of the whole bucket", "GI_IAM_15", _JOBS,
           """
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["genomic-workflow", "genomic-workflow/*"]
    }
""", ""),
)  # fmt: skip

_REMOVED = (
    ("network", "flow_logs.tf", "aws_flow_log", "this", "demo"),
    ("network", "flow_logs.tf", "aws_cloudwatch_log_group", "flow_logs", "demo"),
    ("network", "main.tf", "aws_default_security_group", "this", "demo"),
    ("repository", "main.tf", "aws_ecr_lifecycle_policy", "this", "prod"),
    ("encryption", "main.tf", "aws_kms_alias", "this", "prod"),
    ("file-system", "access.tf", "aws_efs_file_system_policy", "this", "everything"),
    ("file-system", "main.tf", "aws_efs_backup_policy", "this", "everything"),
    ("job-functions", "main.tf", "aws_sqs_queue", "dead_letters", "prod"),
    ("queue-notifications", "main.tf", "aws_sns_topic_policy", "this", "blocked-queues"),
    ("queue-notifications", "main.tf", "aws_cloudwatch_event_target", "this", "blocked-queues"),
    ("image-pipeline", "alarms.tf", "aws_sns_topic_policy", "this", "image-rebuild"),
    ("image-pipeline", "alarms.tf", "aws_cloudwatch_metric_alarm", "this", "image-rebuild"),
    ("image-pipeline", "main.tf", "aws_scheduler_schedule_group", "this", "image-rebuild"),
    ("workflow", "main.tf", "aws_cloudwatch_log_group", "this", "step-functions"),
    ("workflow", "notifications.tf", "aws_sns_topic_policy", "failed", "step-functions"),
    ("workflow", "notifications.tf", "aws_cloudwatch_event_target", "failed", "step-functions"),
)
REMOVED = tuple(
    Mutant(
        f"removed: {kind} {name} of {module}",
        "GI_TF_9",
        f"terraform/modules/{module}/{file}",
        f'resource "{kind}" "{name}" {{',
        f'resource "terraform_data" "{name}" {{',
        base,
    )
    for module, file, kind, name, base in _REMOVED
)

CONDITION_MUTANTS = (*KEYS, *CONDITIONS, *ENGINES, *REMOVED)
