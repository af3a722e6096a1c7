"""More ways to weaken what gen-infra renders, by kind: trust, policies, wildcards, attachments and accounts."""

from __future__ import annotations

from tests.tools.check.mutants import Mutant

_ACCESS = "terraform/access.tf"
_ENCRYPTION = "terraform/modules/encryption/main.tf"
_INSTANCE = "terraform/modules/instance-role/main.tf"
_BUILDER = "terraform/modules/image-builder/main.tf"
_FUNCTIONS = "terraform/modules/job-functions/main.tf"
_JOBS = "terraform/jobs.tf"
_MAIN = "terraform/main.tf"
_PIPELINE_ALARMS = "terraform/modules/image-pipeline/alarms.tf"
_PIPELINE_ROLE = "terraform/modules/image-pipeline/build_role.tf"
_WORKFLOW = "terraform/modules/workflow/main.tf"
_WORKFLOW_TOPIC = "terraform/modules/workflow/notifications.tf"
_QUEUE_TOPIC = "terraform/modules/queue-notifications/main.tf"
_ALARM_TOPICS = "terraform/modules/environment-alarms/topics.tf"
_MEASURE = "terraform/modules/environment-alarms/main.tf"
_MEASURE_EVENTS = "terraform/modules/environment-alarms/events.tf"
_QUEUE_STOP = "terraform/modules/queue-stop/main.tf"
_BUDGET = "terraform/modules/budget/main.tf"

_OTHER = "999999999999"
_FOREIGN = {
    "account": f'{{ AWS = "{_OTHER}" }}',
    "root": f'{{ AWS = "arn:aws:iam::{_OTHER}:root" }}',
    "role": f'{{ AWS = "arn:aws:iam::{_OTHER}:role/Administrator" }}',
    "user": f'{{ AWS = "arn:aws:iam::{_OTHER}:user/mallory" }}',
}
_BY = '{{ Service = "{}.amazonaws.com" }}'
_TRUSTS = (
    ("instances", _INSTANCE, _BY.format("ec2"), "prod"),
    ("image builder", _BUILDER, _BY.format("ec2"), "prod"),
    ("functions", _FUNCTIONS, _BY.format("lambda"), "prod"),
    ("image pipeline", _PIPELINE_ROLE, _BY.format("codebuild"), "image-rebuild"),
    ("workflow", _WORKFLOW, _BY.format("states"), "step-functions"),
    ("measurements", _MEASURE, _BY.format("lambda"), "blocked-queues"),
    ("queue stop", _QUEUE_STOP, _BY.format("lambda"), "blocked-queues"),
)
_SERVICES = ("ssm", "cloudformation", "glue", "sagemaker")

TRUST = (
    *(
        Mutant(f"trust of {name}: a foreign {kind}", "GI_IAM_3", path, old, new, base)
        for name, path, old, base in _TRUSTS
        for kind, new in _FOREIGN.items()
    ),
    *(
        Mutant(f"trust of {name}: the service {service}", "GI_IAM_3", path, old, _BY.format(service), base)
        for name, path, old, base in _TRUSTS[:3]
        for service in _SERVICES
    ),
    *(
        Mutant(f"trust of jobs: {name}", found, _JOBS, old, new)
        for name, found, old, new in (
            ("another account's tasks", "GI_IAM_11", 'values   = ["123456789012"]', f'values   = ["{_OTHER}"]'),
            (
                "another account too",
                "GI_IAM_11",
                'values   = ["123456789012"]',
                f'values   = ["123456789012", "{_OTHER}"]',
            ),
            ("another account's cluster", "GI_IAM_11", "ecs:us-east-1:123456789012:*", f"ecs:us-east-1:{_OTHER}:*"),
            ("any account's cluster", "GI_IAM_11", "ecs:us-east-1:123456789012:*", "ecs:us-east-1:*:*"),
            ("another service", "GI_IAM_3", '"ecs-tasks.amazonaws.com"', '"ec2.amazonaws.com", "ssm.amazonaws.com"'),
            ("a look-alike service", "GI_IAM_3", '"ecs-tasks.amazonaws.com"', '"ecs-tasks.amazonaws.com.example.com"'),
        )
    ),
    *(
        Mutant(f"access: {name}", "GI_IAM_3", _ACCESS, old, new, "access")
        for name, old, new in (
            ("a role that the manifest does not name", ":role/Operator", ":role/Mallory"),
            ("a foreign role with the external id", "210987654321:role/PartnerOperator", f"{_OTHER}:role/Mallory"),
            ("a foreign role without an external id", "123456789012:role/Operator", f"{_OTHER}:role/Operator"),
            ("another repository", "repo:lab/infra:pull_request", "repo:mallory/infra:pull_request"),
            ("another branch", "ref_type:branch:ref:main", "ref_type:branch:ref:dev"),
            ("another project", "project_path:lab/infra", "project_path:mallory/infra"),
            ("another environment", "repo:lab/infra:environment:prod", "repo:lab/infra:environment:dev"),
            ("repositories by a question mark", "repo:lab/infra:pull_request", "repo:lab/?nfra:pull_request"),
        )
    ),
    *(
        Mutant(f"access: {name}", found, _ACCESS, old, new, "access")
        for name, found, old, new in (
            ("tokens for another audience", "GI_TF_7", '["sts.amazonaws.com"]', '["mallory"]'),
            ("tokens from elsewhere", "GI_TF_7", "https://token.actions.githubusercontent.com", "http://example.com"),
            ("no external id", "GI_IAM_3", '"sts:ExternalId"', '"aws:PrincipalType"'),
        )
    ),
)

_ROOT = "{ AWS = local.account_arn }"
KEYS = (
    *(Mutant(f"key: a foreign {kind}", "GI_IAM_11", _ENCRYPTION, _ROOT, new) for kind, new in _FOREIGN.items()),
    *(
        Mutant(f"key: {name}", found, _ENCRYPTION, old, new, base)
        for name, found, old, new, base in (
            (
                "a foreign caller",
                "GI_IAM_11",
                '= { "kms:CallerAccount" = var.account_id }',
                f'= {{ "kms:CallerAccount" = "{_OTHER}" }}',
                "prod",
            ),
            (
                "a foreign launch role",
                "GI_IAM_11",
                "= local.launch_roles }",
                f'= "arn:aws:iam::{_OTHER}:role/launch" }}',
                "prod",
            ),
            (
                "foreign logs",
                "GI_IAM_11",
                "= local.log_group_arns }",
                f'= "arn:aws:logs:us-east-1:{_OTHER}:log-group:*" }}',
                "prod",
            ),
            (
                "logs of all accounts",
                "GI_IAM_11",
                "= local.log_group_arns }",
                '= "arn:aws:logs:us-east-1:*:log-group:*" }',
                "prod",
            ),
            (
                "delivered logs of another account",
                "GI_IAM_11",
                ':*" }\n      StringEquals = { "aws:SourceAccount" = var.account_id }',
                f':*" }}\n      StringEquals = {{ "aws:SourceAccount" = "{_OTHER}" }}',
                "prod",
            ),
            ("delivered logs of all accounts", "GI_IAM_11", ':${var.account_id}:*" }', ':*:*" }', "prod"),
            ("no policy", "GI_TF_7", "  policy = jsonencode({", "  description_of = jsonencode({", "prod"),
            ("rotation not said", "GI_TF_7", "  enable_key_rotation     = true\n", "", "prod"),
            (
                "no lockout check",
                "GI_TF_6",
                "  enable_key_rotation     = true",
                "  enable_key_rotation = true\n  bypass_policy_lockout_safety_check = true",
                "prod",
            ),
            (
                "in many regions",
                "GI_TF_6",
                "  enable_key_rotation     = true",
                "  enable_key_rotation = true\n  multi_region = true",
                "prod",
            ),
        )
    ),
    Mutant(
        "key: a grant",
        "GI_TF_5",
        _ENCRYPTION,
        "",
        '\nresource "aws_kms_grant" "other" {\n  key_id = aws_kms_key.this.key_id\n  operations = ["Decrypt"]\n'
        f'  grantee_principal = "arn:aws:iam::{_OTHER}:role/Mallory"\n}}\n',
    ),
    Mutant(
        "key: an alias of something else",
        "GI_TF_8",
        _ENCRYPTION,
        "aws_kms_key.this.key_id",
        '"arn:aws:kms:us-east-1:999999999999:key/1234abcd-12ab-34cd-56ef-1234567890ab"',
    ),
)


def _resource_policy(kind: str, argument: str, principal: str, attribute: str = "policy") -> str:
    statement = f'{{ Effect = "Allow", Principal = {principal}, Action = "*", Resource = "*" }}'
    return (
        f'\nresource "{kind}" "foreign" {{\n  {argument} = "mine"\n'
        f'  {attribute} = jsonencode({{ Version = "2012-10-17", Statement = [{statement}] }})\n}}\n'
    )


_POLICIES = (
    ("bucket", "aws_s3_bucket_policy", "bucket", "policy"),
    ("queue", "aws_sqs_queue_policy", "queue_url", "policy"),
    ("topic", "aws_sns_topic_policy", "arn", "policy"),
    ("repository", "aws_ecr_repository_policy", "repository", "policy"),
    ("registry", "aws_ecr_registry_policy", "name", "policy"),
    ("secret", "aws_secretsmanager_secret_policy", "secret_arn", "policy"),
    ("file system", "aws_efs_file_system_policy", "file_system_id", "policy"),
    ("log", "aws_cloudwatch_log_resource_policy", "policy_name", "policy_document"),
)
_TOPICS = (
    ("of alarms", _PIPELINE_ALARMS, _BY.format("cloudwatch"), "image-rebuild"),
    ("of runs", _WORKFLOW_TOPIC, _BY.format("events"), "step-functions"),
    ("of queues", _QUEUE_TOPIC, _BY.format("events"), "blocked-queues"),
    ("of severities", _ALARM_TOPICS, _BY.format("events"), "blocked-queues"),
    ("of budgets", _QUEUE_STOP, _BY.format("budgets"), "blocked-queues"),
)
RESOURCE_POLICIES = (
    *(
        Mutant(
            f"policy of a {name}: a foreign {kind}",
            "GI_IAM_6",
            _MAIN,
            "",
            _resource_policy(resource, argument, _FOREIGN[kind], attribute),
        )
        for name, resource, argument, attribute in _POLICIES
        for kind in ("account", "role")
    ),
    *(
        Mutant(
            f"policy of a {name}: a service for all accounts",
            "GI_IAM_6",
            _MAIN,
            "",
            _resource_policy(resource, argument, _BY.format("events"), attribute),
        )
        for name, resource, argument, attribute in _POLICIES
    ),
    *(
        Mutant(f"topic {name}: a foreign {kind}", "GI_IAM_6", path, old, _FOREIGN[kind], base)
        for name, path, old, base in _TOPICS
        for kind in ("account", "root")
    ),
    Mutant(
        "topic of runs: rules of all accounts",
        "GI_IAM_6",
        _WORKFLOW_TOPIC,
        '      Condition = { ArnEquals = { "aws:SourceArn" = local.rule_arn } }\n',
        "",
        "step-functions",
    ),
    Mutant(
        "topic of queues: rules of all accounts",
        "GI_IAM_6",
        _QUEUE_TOPIC,
        '      Condition = { ArnEquals = { "aws:SourceArn" = local.rule_arn } }\n',
        "",
        "blocked-queues",
    ),
    Mutant(
        "measurements: invoked by another service",
        "GI_TF_7",
        _MEASURE_EVENTS,
        '"events.amazonaws.com"',
        '"s3.amazonaws.com"',
        "blocked-queues",
    ),
    Mutant(
        "measurements: invoked by any rule",
        "GI_TF_7",
        _MEASURE_EVENTS,
        "rule/${each.value}",
        "rule/*",
        "blocked-queues",
    ),
    Mutant(
        "measurements: publish to any topic",
        "GI_LINT_3",
        _MEASURE,
        "resources = values(local.explained_topics)",
        'resources = ["*"]',
        "blocked-queues",
    ),
    Mutant(
        "topic of runs: a foreign rule",
        "GI_IAM_11",
        _WORKFLOW_TOPIC,
        "= local.rule_arn }",
        f'= "arn:aws:events:us-east-1:{_OTHER}:rule/x" }}',
        "step-functions",
    ),
    Mutant(
        "topic of alarms: alarms of another account",
        "GI_IAM_11",
        _PIPELINE_ALARMS,
        '{ "aws:SourceAccount" = var.account_id }',
        f'{{ "aws:SourceAccount" = "{_OTHER}" }}',
        "image-rebuild",
    ),
    *(
        Mutant(
            f"function: called by {name}",
            "GI_TF_7",
            _FUNCTIONS,
            "",
            '\nresource "aws_lambda_permission" "foreign" {\n  action = "lambda:InvokeFunction"\n'
            f'  function_name = "f"\n  principal = "{principal}"\n{bound}}}\n',
        )
        for name, principal, bound in (
            ("a foreign account", _OTHER, ""),
            ("a foreign role", f"arn:aws:iam::{_OTHER}:role/Mallory", ""),
            ("a service for another account", "events.amazonaws.com", f'  source_account = "{_OTHER}"\n'),
            ("a service for any rule", "events.amazonaws.com", '  source_arn = "arn:aws:events:*:*:rule/*"\n'),
        )
    ),
    Mutant(
        "function: called by a foreign account's rule",
        "GI_LAMBDA_2",
        _FUNCTIONS,
        "",
        '\nresource "aws_lambda_permission" "foreign" {\n  action = "lambda:InvokeFunction"\n  function_name = "f"\n'
        f'  principal = "events.amazonaws.com"\n  source_arn = "arn:aws:events:us-east-1:{_OTHER}:rule/r"\n}}\n',
    ),
    *(
        Mutant(f"queue stop: {name}", found, _QUEUE_STOP, old, new, "blocked-queues")
        for name, found, old, new in (
            (
                "budgets of another account",
                "GI_IAM_11",
                '{ "aws:SourceAccount" = var.account_id }',
                f'{{ "aws:SourceAccount" = "{_OTHER}" }}',
            ),
            (
                "any queue",
                "GI_IAM_5",
                '    resources = sort(var.job_queue_arns)\n  }\n\n  statement {\n    sid       = "MarkQueues"',
                '    resources = ["arn:aws:batch:us-east-1:123456789012:job-queue/*"]\n  }\n\n  statement {\n'
                '    sid       = "MarkQueues"',
            ),
            ("jobs too", "GI_IAM_4", 'actions   = ["batch:UpdateJobQueue"]', 'actions   = ["batch:*"]'),
            (
                "called by any topic",
                "GI_TF_7",
                "  source_arn          = local.topic_arn\n",
                '  source_arn = "arn:aws:sns:*:*:*"\n',
            ),
            ("called by another service", "GI_TF_7", '"sns.amazonaws.com"', '"s3.amazonaws.com"'),
            (
                "called by a topic of another account",
                "GI_LAMBDA_2",
                "  source_arn          = local.topic_arn\n",
                f'  source_arn = "arn:aws:sns:us-east-1:{_OTHER}:topic"\n',
            ),
            ("a topic in clear", "CKV_AWS_26", "  kms_master_key_id = var.kms_key_arn\n", ""),
            ("another handler", "GI_TF_7", '"batch_queue_stop.handler"', '"other.handler"'),
            ("messages by https", "GI_TF_7", '  protocol  = "lambda"', '  protocol = "https"'),
        )
    ),
    *(
        Mutant(f"budget: {name}", "GI_TF_7", _BUDGET, old, new, "blocked-queues")
        for name, old, new in (
            ("of a year", '"MONTHLY"', '"ANNUALLY"'),
            ("of usage", '"COST"', '"USAGE"'),
            ("of one service", 'name   = "TagKeyValue"', 'name   = "Service"'),
        )
    ),
    Mutant(
        "function: a public layer",
        "GI_TF_5",
        _FUNCTIONS,
        "",
        '\nresource "aws_lambda_layer_version_permission" "open" {\n  principal = "*"\n}\n',
    ),
)

_GET = 'actions   = ["s3:GetObject", "s3:GetObjectTagging"]'
_BUCKET = '"arn:aws:s3:::aws-batch-genomics-resources/*"'
_SECRET = "secretsmanager:us-east-1:123456789012:secret:genomics/database-AbCdEf"
_PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter/genomics/licence"
WILDCARDS = (
    *(
        Mutant(f"action: {action}", "GI_IAM_4", _JOBS, _GET, f'actions   = ["{action}"]')
        for action in ("s3:?*", "s3:Get*", "s3:**", "s3:*Object", "s3:GetObject?")
    ),
    *(
        Mutant(f"bucket: {arn}", "GI_IAM_5", _JOBS, _BUCKET, f'"{arn}"')
        for arn in (
            *("arn:aws:s3:::?*", "arn:aws:s3:::**", "arn:aws:s3:::g*", "arn:aws:s3:::*-resources/*"),
            *("arn:aws:s3:::aws-batch-genomics-resource?/*", "arn:aws:s3:*::aws-batch-genomics-resources/*"),
            *("arn:*:s3:::aws-batch-genomics-resources/*", "arn:aws:s?:::aws-batch-genomics-resources/*", "**", "?*"),
        )
    ),
    *(
        Mutant(f"secret: {new}", "GI_IAM_5", _JOBS, f"arn:aws:{_SECRET}", new, "secrets")
        for new in (
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:?*",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:g*",
            "arn:aws:secretsmanager:*:123456789012:secret:genomics/database-AbCdEf",
            "arn:aws:secretsmanager:us-east-1:1*:secret:genomics/database-AbCdEf",
            "arn:aws:secretsmanager:us-east-1:????????????:secret:genomics/database-AbCdEf",
        )
    ),
    *(
        Mutant(f"parameter: {new}", "GI_IAM_5", _JOBS, f'"{_PARAMETER}"', f'"{new}"', "secrets")
        for new in (
            "arn:aws:ssm:us-east-1:123456789012:parameter/?*",
            "arn:aws:ssm:us-east-1:123456789012:parameter/g*",
            "arn:aws:ssm:us-*:123456789012:parameter/genomics/licence",
        )
    ),
    *(
        Mutant(
            f"key: {new}",
            "GI_IAM_5",
            _JOBS,
            "us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            new,
            "secrets",
        )
        for new in ("us-east-1:123456789012:key/?*", "us-east-1:123456789012:key/1*", "us-east-1:*:key/1234abcd")
    ),
    *(
        Mutant(f"{kind}: {new}", "GI_IAM_5", _FUNCTIONS, "      sort(var.job_queue_arns),\n", f'      ["{new}"],\n')
        for kind, new in (
            ("queue", "arn:aws:batch:us-east-1:123456789012:job-queue/?*"),
            ("queue", "arn:aws:batch:us-east-1:123456789012:job-queue/h*"),
            ("queue", "arn:aws:batch:us-*:123456789012:job-queue/highPriority-prod"),
            ("definition", "arn:aws:batch:us-east-1:123456789012:job-definition/**"),
            ("definition", "arn:aws:batch:us-east-1:*:job-definition/isaac-prod"),
        )
    ),
)


def _attached(policy: str) -> str:
    return (
        '\nresource "aws_iam_role_policy_attachment" "wide" {\n  role       = aws_iam_role.isaac.name\n'
        f'  policy_arn = "{policy}"\n}}\n'
    )


_AWS_POLICIES = (
    *(
        "IAMFullAccess",
        "AmazonS3ReadOnlyAccess",
        "ReadOnlyAccess",
        "SecurityAudit",
        "job-function/DatabaseAdministrator",
    ),
    *("AWSLambda_FullAccess", "AWSKeyManagementServicePowerUser", "AmazonSSMAutomationRole", "CloudFrontFullAccess"),
    *("AmazonEC2ContainerRegistryPowerUser", "AWSCodeBuildDeveloperAccess", "AmazonElasticMapReduceRole"),
    *("service-role/AWSLambdaRole", "service-role/AmazonEC2RoleforSSM", "aws-service-role/AWSSupportServiceRolePolicy"),
)
_ROLE_ENDS = "  assume_role_policy = data.aws_iam_policy_document.job_trust.json\n"
_BOUNDARY = 'permissions_boundary = "arn:aws:iam::123456789012:policy/developer-boundary"'
ROLES = (
    *(
        Mutant(f"attached: {policy}", "GI_IAM_2", _JOBS, "", _attached(f"arn:aws:iam::aws:policy/{policy}"))
        for policy in _AWS_POLICIES
    ),
    Mutant(
        "attached: a policy of another account",
        "GI_IAM_2",
        _JOBS,
        "",
        _attached(f"arn:aws:iam::{_OTHER}:policy/service-role/AWSBatchServiceRole"),
    ),
    Mutant(
        "attached: a policy of this account",
        "GI_IAM_2",
        _JOBS,
        "",
        _attached("arn:aws:iam::123456789012:policy/Administrators"),
    ),
    Mutant(
        "attached: to another role",
        "GI_TF_8",
        _JOBS,
        "",
        _attached("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore").replace(
            "aws_iam_role.isaac.name", '"Administrator"'
        ),
    ),
    Mutant(
        "attached: through a list",
        "GI_IAM_2",
        _JOBS,
        _ROLE_ENDS,
        _ROLE_ENDS + '  managed_policy_arns = ["arn:aws:iam::aws:policy/IAMFullAccess"]\n',
    ),
    Mutant("role: a managed list", "GI_TF_6", _JOBS, _ROLE_ENDS, _ROLE_ENDS + "  managed_policy_arns = []\n"),
    Mutant(
        "role: an inline policy",
        "GI_TF_6",
        _JOBS,
        _ROLE_ENDS,
        _ROLE_ENDS + '  inline_policy {\n    name = "x"\n    policy = "{}"\n  }\n',
    ),
    Mutant(
        "role: ignores its policies",
        "GI_TF_6",
        _JOBS,
        _ROLE_ENDS,
        _ROLE_ENDS + "  lifecycle {\n    ignore_changes = [assume_role_policy]\n  }\n",
    ),
    Mutant(
        "role: a policy for another role",
        "GI_TF_8",
        _JOBS,
        "  role   = aws_iam_role.isaac.id",
        '  role   = "Administrator"',
    ),
    *(
        Mutant(f"boundary of {name}: {kind}", "GI_IAM_10", path, old, new, "permissions-boundary")
        for name, path, before in (
            ("jobs", _JOBS, _BOUNDARY),
            ("instances", _INSTANCE, "permissions_boundary = var.permissions_boundary"),
            ("functions", _FUNCTIONS, "permissions_boundary = var.permissions_boundary"),
            ("image builder", _BUILDER, "permissions_boundary = var.permissions_boundary"),
        )
        for kind, old, new in (
            ("none", f"  {before}\n", ""),
            ("another", before, 'permissions_boundary = "arn:aws:iam::aws:policy/AdministratorAccess"'),
        )
    ),
    *(
        Mutant(f"identity: {kind}", "GI_TF_5", _JOBS, "", f'\nresource "{kind}" "x" {{\n  name = "x"\n}}\n')
        for kind in (
            *("aws_iam_user", "aws_iam_access_key", "aws_iam_user_policy_attachment", "aws_iam_group_policy"),
            *(
                "aws_iam_policy_attachment",
                "aws_iam_saml_provider",
                "aws_iam_service_linked_role",
                "aws_iam_account_alias",
            ),
            *("aws_iam_role_policies_exclusive", "aws_rolesanywhere_trust_anchor", "aws_organizations_account"),
        )
    ),
)

POLICY_MUTANTS = (*TRUST, *KEYS, *RESOURCE_POLICIES, *WILDCARDS, *ROLES)
