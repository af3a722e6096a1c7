"""Ways to weaken what gen-infra renders: each takes one thing away, or adds one that should not be there."""

from __future__ import annotations

from dataclasses import dataclass

_ACCESS = "terraform/access.tf"
_ENCRYPTION = "terraform/modules/encryption/main.tf"
_TEMPLATE = "terraform/modules/compute-environment/main.tf"
_FUNCTIONS = "terraform/modules/job-functions/main.tf"
_REPOSITORY = "terraform/modules/repository/main.tf"
_INSTANCE = "terraform/modules/instance-role/main.tf"
_SERVICE = "terraform/modules/service-role/main.tf"
_PIPELINE = "terraform/modules/image-pipeline/main.tf"
_PIPELINE_ALARMS = "terraform/modules/image-pipeline/alarms.tf"
_PIPELINE_ROLE = "terraform/modules/image-pipeline/build_role.tf"
_PIPELINE_SCHEDULE = "terraform/modules/image-pipeline/schedule_role.tf"
_SPOT = "terraform/modules/spot-fleet-role/main.tf"
_ENGINE = "terraform/modules/engine/main.tf"
_ENGINE_FILES = "terraform/engines.tf"
_WORKFLOW = "terraform/modules/workflow/main.tf"
_WORKFLOW_TOPIC = "terraform/modules/workflow/notifications.tf"
_JOBS = "terraform/jobs.tf"
_MAIN = "terraform/main.tf"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One weakness.

    Attributes:
        name: what is weak.
        caught_by: a word in at least one of the findings, usually the check's id.
        path: the file that is changed or, where ``old`` is empty, made longer.
        old: what is taken out, once.
        new: what stands there instead.
        base: the manifest whose files are weakened.
    """

    name: str
    caught_by: str
    path: str
    old: str
    new: str
    base: str = "prod"

    @property
    def needs_checkov(self) -> bool:
        """Return whether gen-infra's own checks leave this one to checkov, or to the doubts about its scan."""
        return not self.caught_by.startswith("GI_")


def apply(mutant: Mutant, files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files with the weakness."""
    text = files.get(mutant.path, b"").decode()
    assert not mutant.old or mutant.old in text, f"{mutant.name}: {mutant.path} has changed"
    weak = text.replace(mutant.old, mutant.new, 1) if mutant.old else text + mutant.new
    return {**files, mutant.path: weak.encode()}


_ACCOUNT = '    StringEquals = { "kms:CallerAccount" = var.account_id }\n'
_PRINCIPALS = '    ArnEquals    = { "aws:PrincipalArn" = local.launch_roles }\n'
_RULE = """
resource "aws_vpc_security_group_{direction}_rule" "{name}" {{
  security_group_id = "sg-0123456789abcdef0"
  description       = "a hole"
  {cidr}
  {ports}
}}
"""
_ALL, _SSH = 'ip_protocol = "-1"', 'ip_protocol = "tcp"\n  from_port = 22\n  to_port = 22'
_RDP = 'ip_protocol = "tcp"\n  from_port = 3389\n  to_port = 3389'
_V4, _V6 = 'cidr_ipv4 = "0.0.0.0/0"', 'cidr_ipv6 = "::/0"'

_A_SECRET = '      "arn:aws:secretsmanager:us-east-1:123456789012:secret:genomics/database-AbCdEf",\n'
_A_KEY = '"arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"'


def _hole(direction: str, cidr: str, ports: str) -> str:
    return _RULE.format(direction=direction, name="hole", cidr=cidr, ports=ports)


def _attached(policy: str, role: str = "isaac") -> str:
    return (
        f'\nresource "aws_iam_role_policy_attachment" "wide" {{\n  role       = aws_iam_role.{role}.name\n'
        f'  policy_arn = "arn:aws:iam::aws:policy/{policy}"\n}}\n'
    )


def _public(kind: str, argument: str) -> str:
    statement = '{ Effect = "Allow", Principal = { AWS = "*" }, Action = "*", Resource = "*" }'
    return (
        f'\nresource "{kind}" "public" {{\n  {argument} = "mine"\n'
        f'  policy = jsonencode({{ Version = "2012-10-17", Statement = [{statement}] }})\n}}\n'
    )


KEYS = (
    Mutant("key: no account", "GI_KMS_1", _ENCRYPTION, _ACCOUNT, ""),
    Mutant("key: no principals", "GI_KMS_1", _ENCRYPTION, _PRINCIPALS, ""),
    Mutant("key: any account", "GI_KMS_1", _ENCRYPTION, _ACCOUNT, _ACCOUNT.replace("var.account_id", '"*"')),
    Mutant("key: if it exists", "GI_KMS_1", _ENCRYPTION, "    StringEquals =", "    StringEqualsIfExists ="),
    Mutant("key: not this account", "GI_KMS_1", _ENCRYPTION, "    StringEquals =", "    StringNotEquals ="),
    Mutant("key: any role", "GI_KMS_1", _ENCRYPTION, "= local.launch_roles }", '= "arn:aws:iam::*:role/*" }'),
    Mutant("key: a useless condition", "GI_KMS_1", _ENCRYPTION, _ACCOUNT + "  }",
           '    Bool = { "aws:SecureTransport" = "true" }\n  }'),
    Mutant("key: public administration", "GI_KMS_1", _ENCRYPTION, "{ AWS = local.account_arn }", '{ AWS = "*" }'),
    Mutant("key: grants for any principal", "GI_KMS_2", _ENCRYPTION,
           'merge(local.is_launch_role, { Bool = { "kms:GrantIsForAWSResource" = "true" } })', "local.is_launch_role"),
    Mutant("key: logs of any account", "GI_KMS_3", _ENCRYPTION,
           '        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = local.log_group_arns } }\n', ""),
    Mutant("key: never changes", "CKV_AWS_7", _ENCRYPTION, "enable_key_rotation     = true",
           "enable_key_rotation = false"),
    Mutant("key: misspelt action", "GI_LINT_1", _ENCRYPTION, '"kms:CreateGrant"', '"kms:CreateGrants"'),
)  # fmt: skip

INSTANCES = (
    Mutant("volume: not encrypted", "GI_EC2_1", _TEMPLATE, "encrypted             = true", "encrypted = false"),
    Mutant("volume: not said", "GI_EC2_1", _TEMPLATE, "        encrypted             = true\n", ""),
    Mutant("volume: default key", "GI_EC2_1", _TEMPLATE, "        kms_key_id            = var.kms_key_arn\n", ""),
    Mutant("volume: AWS's key", "GI_EC2_1", _TEMPLATE, "= var.kms_key_arn", '= "alias/aws/ebs"'),
    Mutant("volume: key not handed over", "GI_EC2_1", _MAIN, "  kms_key_arn = local.kms_key_arn\n",
           "  kms_key_arn = null\n"),
    Mutant("volume: none in the template", "GI_EC2_1", _TEMPLATE, "for_each = local.volumes", "for_each = {}"),
    Mutant("metadata: version 1", "GI_EC2_2", _TEMPLATE, '"required"', '"optional"'),
    Mutant("metadata: not said", "GI_EC2_2", _TEMPLATE, '    http_tokens                 = "required"\n', ""),
    Mutant("metadata: two hops", "GI_EC2_2", _TEMPLATE, "hop_limit = 1", "hop_limit = 2"),
    Mutant("instance: public address", "GI_NET_1", _TEMPLATE, "  metadata_options {",
           "  network_interfaces {\n    associate_public_ip_address = true\n  }\n\n  metadata_options {"),
    Mutant("instance: key pair", "GI_EC2_3", _TEMPLATE, "  update_default_version = true",
           '  update_default_version = true\n  key_name = "mine"'),
    Mutant("environment: key pair", "GI_EC2_3", _TEMPLATE, "    type                = var.type",
           '    type                = var.type\n    ec2_key_pair = "mine"'),
    Mutant("environment: no template", "GI_EC2_4", _TEMPLATE,
           "    launch_template {\n      launch_template_id = aws_launch_template.this.id\n"
           "      version            = aws_launch_template.this.latest_version\n    }\n", ""),
)  # fmt: skip

NETWORK = (
    Mutant("in: SSH over IPv6", "GI_NET_2", _MAIN, "", _hole("ingress", _V6, _SSH)),
    Mutant("in: RDP over IPv6", "GI_NET_2", _MAIN, "", _hole("ingress", _V6, _RDP)),
    Mutant("in: everything over IPv6", "GI_NET_2", _MAIN, "", _hole("ingress", _V6, _ALL)),
    Mutant("in: SSH", "CKV_AWS_24", _MAIN, "", _hole("ingress", _V4, _SSH)),
    Mutant("in: a database", "GI_NET_2", _MAIN, "", _hole("ingress", _V4, _SSH.replace("22", "5432"))),
    Mutant("in: within a group", "GI_NET_2", _MAIN, "",
           '\nresource "aws_security_group" "hole" {\n  description = "a hole"\n\n  ingress {\n    description = "in"\n'
           '    protocol = "tcp"\n    from_port = 8080\n    to_port = 8080\n    ipv6_cidr_blocks = ["::/0"]\n  }\n}\n'),
    Mutant("in: as an old rule", "GI_NET_2", _MAIN, "",
           '\nresource "aws_security_group_rule" "hole" {\n  type = "ingress"\n  description = "in"\n'
           '  protocol = "tcp"\n'
           '  from_port = 443\n  to_port = 443\n  cidr_blocks = ["10.0.0.0/8", "0.0.0.0/0"]\n'
           '  security_group_id = "sg-0"\n}\n'),
    Mutant("out: everything", "GI_NET_3", _MAIN, "", _hole("egress", _V4, _ALL)),
    Mutant("out: everything over IPv6", "GI_NET_3", _MAIN, "", _hole("egress", _V6, _ALL)),
    Mutant("out: every port", "GI_NET_3", _MAIN, "",
           _hole("egress", _V4, 'ip_protocol = "tcp"\n  from_port = 0\n  to_port = 65535')),
)  # fmt: skip

ROLES = (
    Mutant("trust: jobs of any account", "GI_IAM_1", _JOBS, '"aws:SourceAccount"', '"aws:SourceVpc"'),
    Mutant("trust: accounts by wildcard", "GI_IAM_1", _JOBS, '      values   = ["123456789012"]\n',
           '      values   = ["*"]\n'),
    Mutant("trust: batch for any account", "GI_IAM_1", _SERVICE,
           '        StringEquals = { "aws:SourceAccount" = var.account_id }\n', "", "everything"),
    Mutant("trust: spot fleet for any account", "GI_IAM_1", _SPOT,
           '        StringEquals = { "aws:SourceAccount" = var.account_id }\n', "", "everything"),
    Mutant("trust: any principal", "GI_IAM_3", _JOBS,
           'type        = "Service"\n      identifiers = ["ecs-tasks.amazonaws.com"]',
           'type        = "AWS"\n      identifiers = ["*"]'),
    Mutant("trust: another account", "GI_IAM_3", _INSTANCE, '{ Service = "ec2.amazonaws.com" }',
           '{ AWS = "arn:aws:iam::999999999999:root" }'),
    Mutant("role: AmazonS3FullAccess", "GI_IAM_2", _JOBS, "", _attached("AmazonS3FullAccess")),
    Mutant("role: AdministratorAccess", "GI_IAM_2", _JOBS, "", _attached("AdministratorAccess")),
    Mutant("role: PowerUserAccess", "GI_IAM_2", _JOBS, "", _attached("PowerUserAccess")),
    *(Mutant(f"instances: {policy}", "GI_IAM_2", _INSTANCE, "", _attached(policy, "this"))
      for policy in ("AWSBatchFullAccess", "AmazonSSMManagedInstanceCore",
                     "service-role/AmazonEC2ContainerServiceforEC2Role")),
    Mutant("instances: every cluster", "GI_LINT_3", _INSTANCE, "        Resource = local.clusters\n",
           '        Resource = "*"\n'),
    Mutant("instances: tasks of every cluster", "GI_IAM_5", _INSTANCE,
           '        Condition = { ArnLike = { "ecs:cluster" = local.clusters } }\n', ""),
    Mutant("instances: tags on every instance", "GI_IAM_5", _INSTANCE,
           '        Condition = { StringEquals = { "ecs:CreateAction" = "RegisterContainerInstance" } }\n', ""),
    Mutant("instances: every image", "GI_LINT_3", _INSTANCE, "        Resource = sort(var.repository_arns)\n",
           '        Resource = "*"\n'),
    Mutant("instances: every log", "GI_LINT_3", _INSTANCE,
           "Resource = [for name in sort(var.log_groups) : "
           '"arn:${var.partition}:logs:${local.in_account}:log-group:${name}:*"]',
           'Resource = "*"'),
    Mutant("instances: every parameter", "GI_IAM_7", _INSTANCE,
           '        Action   = "ssm:UpdateInstanceInformation"\n'
           '        Resource = "arn:${var.partition}:ec2:${local.in_account}:instance/i-*"\n',
           '        Action   = "ssm:GetParameter"\n        Resource = "*"\n'),
    Mutant("role: all of EC2", "GI_IAM_2", _SPOT, "service-role/AmazonEC2SpotFleetTaggingRole",
           "AmazonEC2FullAccess", "everything"),
    Mutant("policy: every S3 action", "GI_IAM_4", _JOBS,
           'actions   = ["s3:GetObject", "s3:GetObjectTagging"]', 'actions   = ["s3:*"]'),
    Mutant("policy: every action", "CKV_AWS_49", _JOBS,
           'actions   = ["s3:GetObject", "s3:GetObjectTagging"]', 'actions   = ["*"]'),
    Mutant("policy: every bucket", "GI_IAM_5", _JOBS,
           '"arn:aws:s3:::aws-batch-genomics-resources/*"', '"arn:aws:s3:::*"'),
    Mutant("policy: every resource", "GI_LINT_3", _JOBS, '"arn:aws:s3:::aws-batch-genomics-resources/*"', '"*"'),
    Mutant("policy: every job definition", "GI_IAM_5", _FUNCTIONS, "      sort(var.job_queue_arns),\n",
           '      ["arn:aws:batch:us-east-1:123456789012:job-definition/*"],\n'),
    Mutant("policy: every queue", "GI_LINT_3", _FUNCTIONS, '    actions   = ["batch:DescribeJobs"]',
           '    actions   = ["batch:TerminateJob"]'),
    Mutant("policy: an action that is none", "GI_LINT_1", _JOBS, '"s3:ListMultipartUploadParts"', '"s3:ListParts"'),
    Mutant("policy: a resource of another kind", "GI_LINT_2", _JOBS, 'actions   = ["s3:ListBucket"]',
           'actions   = ["s3:GetObject", "s3:GetObjectTagging"]'),
    Mutant("policy: all but one", "GI_IAM_4", _JOBS, 'actions   = ["s3:GetObject", "s3:GetObjectTagging"]',
           'not_actions = ["iam:CreateUser"]'),
    Mutant("policy: public queue", "GI_IAM_6", _MAIN, "", _public("aws_sqs_queue_policy", "queue_url")),
    Mutant("policy: public bucket", "GI_IAM_6", _MAIN, "", _public("aws_s3_bucket_policy", "bucket")),
    Mutant("policy: public repository", "GI_IAM_6", _MAIN, "", _public("aws_ecr_repository_policy", "repository")),
)  # fmt: skip

JOBS = (
    Mutant("job: privileged", "GI_BATCH_1", _JOBS, "    environment = []",
           "    environment = []\n    privileged = true"),
    Mutant("job: the host's root", "GI_BATCH_2", _JOBS, 'sourcePath = "/docker_scratch"', 'sourcePath = "/"'),
    Mutant("job: Docker's socket", "GI_BATCH_2", _JOBS, '"/docker_scratch"', '"/var/run/docker.sock"'),
    Mutant("job: a detour to /etc", "GI_BATCH_2", _JOBS, '"/docker_scratch"', '"/docker_scratch/../etc"'),
    Mutant("job: ECS's data", "GI_BATCH_2", _JOBS, '"/docker_scratch"', '"/var/lib/ecs/data"'),
    Mutant("job: an access key", "GI_BATCH_3", _JOBS, "    environment = []",
           '    environment = [{ name = "KEY", value = "AKIAIOSFODNN7EXAMPLE" }]'),
    Mutant("job: a password", "GI_BATCH_3", _JOBS, "    environment = []",
           '    environment = [{ name = "DB_PASSWORD", value = "hunter2" }]'),
    Mutant("job: public address", "GI_NET_1", _JOBS, "    environment = []",
           '    environment = []\n    networkConfiguration = { assignPublicIp = "ENABLED" }'),
    Mutant("job: privileged on a second node", "GI_BATCH_1", _JOBS, "",
           '\nresource "aws_batch_job_definition" "nodes" {\n  name = "nodes"\n  type = "multinode"\n'
           '  node_properties = jsonencode({ mainNode = 0, numNodes = 2, nodeRangeProperties = [\n'
           '    { targetNodes = "0:", container = { image = "a", privileged = true } },\n  ] })\n}\n'),
)  # fmt: skip

CONTAINERS = (
    Mutant("several: privileged", "GI_BATCH_1", _JOBS, "            environment = []",
           "            environment = []\n            privileged = true", "several-containers"),
    Mutant("several: the host's root", "GI_BATCH_2", _JOBS, 'sourcePath = "/docker_scratch"', 'sourcePath = "/"',
           "several-containers"),
    Mutant("several: the host's processes", "GI_BATCH_2", _JOBS, 'pidMode = "task"', 'pidMode = "host"',
           "several-containers"),
    Mutant("several: a password", "GI_BATCH_3", _JOBS, "            environment = []",
           '            environment = [{ name = "DB_PASSWORD", value = "hunter2" }]', "several-containers"),
    Mutant("fargate: public address", "GI_NET_1", _JOBS, 'assignPublicIp = "DISABLED"', 'assignPublicIp = "ENABLED"',
           "fargate"),
    Mutant("fargate: ingress from everywhere", "GI_NET_2", _MAIN, "", _hole("ingress", _V4, _ALL), "fargate"),
    Mutant("fargate: privileged", "GI_BATCH_1", _JOBS, "    environment = []",
           "    environment = []\n    privileged = true", "fargate"),
    Mutant("secrets: every secret", "GI_IAM_7", _JOBS, _A_SECRET, '      "*",\n', "secrets"),
    Mutant("secrets: every secret by its kind", "GI_IAM_5", _JOBS, ':secret:genomics/database-AbCdEf",\n    ]',
           ':secret:*",\n    ]', "secrets"),
    Mutant("secrets: every parameter", "GI_IAM_5", _JOBS, 'resources = ["arn:aws:ssm:us-east-1:123456789012:parameter/'
           'genomics/licence"]', 'resources = ["arn:aws:ssm:us-east-1:123456789012:parameter/*"]', "secrets"),
    Mutant("secrets: every key", "GI_IAM_7", _JOBS, f"resources = [{_A_KEY}]", 'resources = ["*"]', "secrets"),
    Mutant("secrets: every key of the account", "GI_IAM_5", _JOBS, "key/1234abcd-12ab-34cd-56ef-1234567890ab",
           "key/*", "secrets"),
    Mutant("secrets: every action", "GI_IAM_4", _JOBS, '"secretsmanager:GetSecretValue"', '"secretsmanager:*"',
           "secrets"),
    Mutant("secrets: a value in place of its ARN", "GI_BATCH_3", _JOBS, "    environment = []",
           '    environment = [{ name = "DATABASE_PASSWORD", value = "hunter2" }]', "secrets"),
    Mutant("execution role: for any account", "GI_IAM_1", _JOBS, '"aws:SourceAccount"', '"aws:SourceVpc"', "secrets"),
    Mutant("execution role: the managed policies", "GI_IAM_2", _JOBS, "",
           _attached("SecretsManagerReadWrite").replace("aws_iam_role.isaac", "aws_iam_role.call_execution"),
           "secrets"),
    Mutant("instance profile: another role", "GI_IAM_8", _INSTANCE, "role = aws_iam_role.this.name\n}",
           'role = "Administrator"\n}'),
    Mutant("instance role: passes any role", "GI_LINT_3", _INSTANCE, "",
           '\nresource "aws_iam_role_policy" "wide" {\n  role = aws_iam_role.this.id\n  policy = jsonencode({\n'
           '    Statement = [{ Effect = "Allow", Action = "iam:PassRole", Resource = "*" }]\n  })\n}\n'),
    Mutant("efs: without TLS", "GI_EFS_1", _JOBS, 'transitEncryption = "ENABLED"', 'transitEncryption = "DISABLED"',
           "efs"),
    Mutant("efs: TLS not said", "GI_EFS_1", _JOBS, '          transitEncryption = "ENABLED"\n', "", "efs"),
    Mutant("efs: without IAM", "GI_EFS_2", _JOBS, 'iam           = "ENABLED"', 'iam = "DISABLED"', "efs"),
    Mutant("efs: IAM not said", "GI_EFS_2", _JOBS,
           '          authorizationConfig = {\n            iam = "ENABLED"\n          }\n', "", "efs"),
    Mutant("efs: every file system", "GI_IAM_5", _JOBS, "file-system/fs-0123456789abcdef1", "file-system/*", "efs"),
    Mutant("device: the memory", "GI_BATCH_4", _JOBS, '"/dev/fuse"', '"/dev/mem"', "container-settings"),
    Mutant("device: a disk", "GI_BATCH_4", _JOBS, '"/dev/fuse"', '"/dev/nvme0n1p1"', "container-settings"),
    Mutant("device: all of them", "GI_BATCH_4", _JOBS, '"/dev/fuse"', '"/dev"', "container-settings"),
    Mutant("device: a detour", "GI_BATCH_4", _JOBS, '"/dev/fuse"', '"/dev/shm/../mem"', "container-settings"),
    Mutant("host: its containers' data", "GI_BATCH_2", _JOBS, '"/docker_scratch"', '"/var/lib/docker/volumes"',
           "container-settings"),
)  # fmt: skip

DATA = (
    Mutant("image: tags move", "CKV_AWS_51", _REPOSITORY, '"IMMUTABLE"', '"MUTABLE"'),
    Mutant("image: not scanned", "CKV_AWS_163", _REPOSITORY, "scan_on_push = true", "scan_on_push = false"),
    Mutant("image: AWS's key", "GI_ECR_1", _REPOSITORY, "    kms_key         = var.kms_key_arn\n", ""),
    Mutant("image: not KMS", "GI_ECR_1", _REPOSITORY, '"KMS"', '"AES256"'),
    Mutant("log: no key", "GI_LOGS_1", _JOBS, "  kms_key_id        = local.kms_key_arn\n", ""),
    Mutant("log: forever", "GI_LOGS_1", _JOBS, "  retention_in_days = 365\n", ""),
    Mutant("log: zero is forever", "GI_LOGS_1", _JOBS, "retention_in_days = 365", "retention_in_days = 0"),
    Mutant("log: a month", "CKV_AWS_338", _JOBS, "retention_in_days = 365", "retention_in_days = 30"),
    Mutant("log of a function: no key", "GI_LOGS_1", _FUNCTIONS, "  kms_key_id        = var.kms_key_arn\n", ""),
    Mutant("log of a function: a month", "CKV_AWS_338", _MAIN, "log_retention_in_days = 365",
           "log_retention_in_days = 30"),
    Mutant("queue: no key", "GI_SQS_1", _FUNCTIONS, "  kms_master_key_id         = var.kms_key_arn\n", ""),
    Mutant("function: no limit", "GI_LAMBDA_1", _FUNCTIONS, "= var.reserved_concurrency", "= -1"),
    Mutant("function: limit not said", "GI_LAMBDA_1", _FUNCTIONS,
           "  reserved_concurrent_executions = var.reserved_concurrency\n", ""),
    Mutant("function: no key", "CKV_AWS_173", _FUNCTIONS, "  kms_key_arn                    = var.kms_key_arn\n", ""),
    Mutant("function: no trace", "CKV_AWS_50", _FUNCTIONS, '  tracing_config {\n    mode = "Active"\n  }\n', ""),
    Mutant("function: failures are lost", "CKV_AWS_116", _FUNCTIONS,
           "  dead_letter_config {\n    target_arn = aws_sqs_queue.dead_letters.arn\n  }\n", ""),
    Mutant("function: an old runtime", "CKV_AWS_363", _FUNCTIONS, '"python3.13"', '"python3.7"'),
    Mutant("function: a password", "GI_BATCH_3", _FUNCTIONS, "{ ENVIRONMENT = var.environment }",
           '{ API_TOKEN = "hunter2" }'),
    Mutant("function: a public URL", "GI_LAMBDA_2", _FUNCTIONS, "",
           '\nresource "aws_lambda_function_url" "open" {\n  function_name = "f"\n  authorization_type = "NONE"\n}\n'),
)  # fmt: skip

TERRAFORM = (
    Mutant("provider: any account", "GI_TF_1", "terraform/providers.tf", "allowed_account_ids",
           "forbidden_account_ids"),
    Mutant("provider: a key", "GI_TF_1", "terraform/providers.tf", '\nprovider "aws" {',
           '\nprovider "aws" {\n  access_key = "AKIAIOSFODNN7EXAMPLE"'),
    Mutant("provider: from another namespace", "GI_TF_4", "terraform/versions.tf", '"hashicorp/aws"', '"other/aws"'),
    Mutant("terraform: runs a program", "GI_TF_2", _MAIN, "",
           '\nresource "terraform_data" "x" {\n  provisioner "local-exec" {\n    command = "id"\n  }\n}\n'),
    Mutant("terraform: runs a program to know", "GI_TF_2", _MAIN, "",
           '\ndata "external" "x" {\n  program = ["id"]\n}\n'),
    Mutant("terraform: a module from afar", "GI_TF_3", _MAIN, "",
           '\nmodule "far" {\n  source = "git::https://example.com/module.git"\n}\n'),
    Mutant("checkov: skipped in a tag", "is not allowed", _FUNCTIONS, "  kms_master_key_id         = var.kms_key_arn\n",
           '  sqs_managed_sse_enabled = false\n  tags = { note = "checkov:skip=CKV_AWS_27" }\n'),
    Mutant("checkov: skipped in a comment", "remove the comment", _ENCRYPTION, "  enable_key_rotation     = true",
           "  # checkov:skip=CKV_AWS_7:no\n  enable_key_rotation     = true"),
    Mutant("checkov: an extra .tf.json", "does not read such files", "terraform/extra.tf.json", "", "{}"),
    Mutant("checkov: a configuration file", "does not read such files", "terraform/.checkov.yaml", "",
           "skip-check: [CKV_AWS_7]\n"),
    Mutant("checkov: variables from a file", "does not read such files", "terraform/x.auto.tfvars", "", 'x = "y"\n'),
    Mutant("checkov: an override", "does not read such files", "terraform/main_override.tf", "", "locals {}\n"),
    Mutant("checkov: a syntax error", "cannot be parsed", _JOBS, "", '\nresource "aws_sqs_queue" "x" {\n'),
)  # fmt: skip

_GITHUB = "token.actions.githubusercontent.com"
ACCESS = (
    Mutant("access: the whole account", "GI_IAM_3", _ACCESS, ":role/Operator", ":root", "access"),
    Mutant("access: every role of the account", "GI_IAM_3", _ACCESS, ":role/Operator", ":role/*", "access"),
    Mutant("access: any repository", "GI_IAM_3", _ACCESS, "repo:lab/infra:pull_request", "repo:*", "access"),
    Mutant("access: all that runs in a repository", "GI_IAM_3", _ACCESS, "repo:lab/infra:pull_request",
           "repo:lab/infra:*", "access"),
    Mutant("access: no subject", "GI_IAM_3", _ACCESS,
           f'            "{_GITHUB}:sub" = ["repo:lab/infra:pull_request", "repo:lab/infra:ref:refs/heads/main"]\n',
           "", "access"),
    Mutant("access: no audience", "GI_IAM_3", _ACCESS, '            "gitlab.com:aud" = "https://gitlab.com"\n', "",
           "access"),
    Mutant("access: reads any role", "GI_IAM_5", _ACCESS, "role/genomics/batchInstance-shared", "role/*", "access"),
)  # fmt: skip

PIPELINE = (
    Mutant("pipeline: CodeBuild for any account", "GI_IAM_1", _PIPELINE_ROLE,
           '"aws:SourceAccount" = var.account_id, "aws:SourceArn" = local.project_arn',
           '"aws:SourceArn" = local.project_arn', "image-rebuild"),
    Mutant("pipeline: Scheduler for any account", "GI_IAM_1", _PIPELINE_SCHEDULE,
           '"aws:SourceAccount" = var.account_id, "aws:SourceArn" = local.schedule_group_arn',
           '"aws:SourceArn" = local.schedule_group_arn', "image-rebuild"),
    Mutant("pipeline: ends any instance", "GI_IAM_5", _PIPELINE_ROLE,
           'resources = ["${local.ec2}:instance/*"]\n\n    condition {\n      test     = "StringEquals"\n'
           '      variable = "aws:ResourceTag/',
           'resources = ["${local.ec2}:instance/*"]\n\n    condition {\n      test     = "StringEquals"\n'
           '      variable = "ec2:InstanceType',
           "image-rebuild"),
    Mutant("pipeline: makes images of any instance", "GI_IAM_5", _PIPELINE_ROLE,
           'actions   = ["ec2:CreateImage"]\n    resources = ["${local.ec2_images}:image/*"',
           'actions   = ["ec2:CreateImage"]\n    resources = ["${local.ec2}:instance/*", "${local.ec2_images}:image/*"',
           "image-rebuild"),
    *(Mutant(f"pipeline: {name}", "GI_IAM_12", _PIPELINE_ROLE, old, new, "image-rebuild") for name, old, new in (
        ("shares images", '      variable = "ec2:Attribute/ImdsSupport"\n      values   = ["v2.0"]\n',
         '      variable = "ec2:Owner"\n      values   = [var.account_id]\n'),
        ("changes any image", '      variable = "ec2:Attribute/ImdsSupport"\n      values   = ["v2.0"]\n    }\n\n'
         '    condition {\n      test     = "StringEquals"\n      variable = "aws:ResourceTag/${local.tag}"\n',
         '      variable = "ec2:Attribute/ImdsSupport"\n      values   = ["v2.0"]\n    }\n\n'
         '    condition {\n      test     = "StringEquals"\n      variable = "ec2:Owner"\n'),
        ("tags any image", '      test     = "StringEqualsIfExists"\n      variable = "aws:ResourceTag/${local.tag}"\n',
         '      test     = "StringEquals"\n      variable = "ec2:Region"\n'),
        ("tags any instance", '      variable = "ec2:CreateAction"\n', '      variable = "ec2:Region"\n'),
    )),
    Mutant("pipeline: passes any role", "GI_IAM_5", _PIPELINE_ROLE, "resources = [var.builder_role_arn]",
           'resources = ["arn:aws:iam::123456789012:role/*"]', "image-rebuild"),
    Mutant("pipeline: a schedule in clear", "CKV_AWS_297", _PIPELINE,
           "  kms_key_arn                  = var.kms_key_arn\n", "", "image-rebuild"),
    Mutant("pipeline: privileges", "CKV_AWS_316", _PIPELINE, "privileged_mode = false", "privileged_mode = true",
           "image-rebuild"),
    Mutant("pipeline: no log", "CKV_AWS_314", _PIPELINE,
           "  logs_config {\n    cloudwatch_logs {\n      group_name = aws_cloudwatch_log_group.this.name\n"
           "    }\n  }\n", "", "image-rebuild"),
    Mutant("pipeline: notifications in clear", "CKV_AWS_26", _PIPELINE_ALARMS,
           "  kms_master_key_id = var.kms_key_arn\n", "", "image-rebuild"),
)  # fmt: skip

_STEPS = "step-functions"
_ENCRYPTED = '    type       = "CUSTOMER_MANAGED_KMS_KEY"\n    kms_key_id = var.kms_key_arn\n'
WORKFLOWS = (
    Mutant("workflow: Step Functions of any account", "GI_IAM_1", _WORKFLOW,
           '        StringEquals = { "aws:SourceAccount" = var.account_id }\n', "", _STEPS),
    Mutant("workflow: any principal", "GI_IAM_3", _WORKFLOW, '{ Service = "states.amazonaws.com" }', '{ AWS = "*" }',
           _STEPS),
    Mutant("workflow: an administrator", "GI_IAM_2", _WORKFLOW, "",
           _attached("AdministratorAccess").replace("aws_iam_role.isaac.name", '"germline-steps-workflow"'), _STEPS),
    Mutant("workflow: all of Batch", "GI_IAM_4", _WORKFLOW, '["batch:SubmitJob"]', '["batch:*"]', _STEPS),
    Mutant("workflow: every queue", "GI_IAM_5", _WORKFLOW, "      sort(var.job_queue_arns),\n",
           '      ["arn:aws:batch:us-east-1:123456789012:job-queue/*"],\n', _STEPS),
    Mutant("workflow: any job definition", "GI_LINT_3", _WORKFLOW, 'actions   = ["batch:DescribeJobs"]',
           'actions   = ["batch:DescribeJobs", "batch:SubmitJob"]', _STEPS),
    Mutant("workflow: stops any job", "GI_IAM_5", _WORKFLOW, "aws:ResourceTag/gen-infra:workflow", "aws:PrincipalType",
           _STEPS),
    Mutant("workflow: tags any job", "GI_IAM_5", _WORKFLOW, "aws:RequestTag/gen-infra:workflow", "aws:PrincipalType",
           _STEPS),
    Mutant("workflow: any event rule", "GI_IAM_5", _WORKFLOW, "rule/StepFunctionsGetEventsForBatchJobsRule", "rule/*",
           _STEPS),
    Mutant("workflow: any key", "GI_IAM_7", _WORKFLOW, "    resources = [var.kms_key_arn]\n", '    resources = ["*"]\n',
           _STEPS),
    Mutant("workflow: starts any state machine", "GI_LINT_3", _WORKFLOW,
           "resources = [local.state_machine_arns[each.key]]", 'resources = ["*"]', _STEPS),
    Mutant("workflow: ends any run", "GI_IAM_5", _WORKFLOW, "execution:${each.value.name}:*", "execution:*", _STEPS),
    Mutant("workflow: reads every bucket", "GI_IAM_5", _WORKFLOW,
           "${each.value.samples.bucket}/${each.value.samples.folder}lists/*", "*", _STEPS),
    Mutant("workflow: a misspelt action", "GI_LINT_1", _WORKFLOW, "states:RedriveExecution", "states:Redrive", _STEPS),
    Mutant("workflow: runs in clear", "GI_SFN_1", _WORKFLOW, _ENCRYPTED, '    type = "AWS_OWNED_KEY"\n', _STEPS),
    Mutant("workflow: runs with AWS's key", "GI_SFN_1", _WORKFLOW, _ENCRYPTED,
           _ENCRYPTED.replace("var.kms_key_arn", '"alias/aws/states"'), _STEPS),
    Mutant("workflow: logs errors only", "GI_SFN_2", _WORKFLOW, '"ALL"', '"ERROR"', _STEPS),
    Mutant("workflow: a log in clear", "GI_LOGS_1", _WORKFLOW,
           "  retention_in_days = var.log_retention_in_days\n  kms_key_id        = var.kms_key_arn\n",
           "  retention_in_days = var.log_retention_in_days\n", _STEPS),
    Mutant("workflow: no trace", "CKV_AWS_284", _WORKFLOW, "  tracing_configuration {\n    enabled = true\n  }\n", "",
           _STEPS),
    Mutant("workflow: notifications in clear", "CKV_AWS_26", _WORKFLOW_TOPIC, "  kms_master_key_id = var.kms_key_arn\n",
           "", _STEPS),
    Mutant("workflow: anyone publishes", "GI_IAM_6", _WORKFLOW_TOPIC, '{ Service = "events.amazonaws.com" }',
           '{ AWS = "*" }', _STEPS),
)  # fmt: skip

_PASSED = 'resources = ["arn:${var.partition}:iam::${var.account_id}:role${var.iam_path}${var.name}-worker"]'
ENGINES = tuple(
    Mutant(f"engine: {name}", caught_by, path, old, new, "nextflow")
    for name, caught_by, path, old, new in (
        ("tasks of any account", "GI_IAM_1", _ENGINE,
         '      StringEquals = { "aws:SourceAccount" = var.account_id }\n', ""),
        ("anyone is its worker", "GI_IAM_3", _ENGINE, '{ Service = "ecs-tasks.amazonaws.com" }', '{ AWS = "*" }'),
        ("an administrator", "GI_IAM_2", _ENGINE_FILES, "",
         _attached("AdministratorAccess").replace("aws_iam_role.isaac.name", '"nextflow-nextflow-worker"')),
        ("work in every bucket", "GI_IAM_5", _ENGINE_FILES, "arn:aws:s3:::genomics-results-123456789012/nf/*",
         "arn:aws:s3:::*"),
        ("every S3 action", "GI_IAM_4", _ENGINE_FILES, '"s3:DeleteObject",', '"s3:*",'),
        ("passes every role", "GI_IAM_5", _ENGINE, _PASSED,
         'resources = ["arn:aws:iam::123456789012:role/*"]'),
        ("passes anything", "GI_LINT_3", _ENGINE, 'actions   = ["logs:GetLogEvents"]\n    resources = [',
         'actions   = ["logs:GetLogEvents", "batch:SubmitJob"]\n    resources = ["*"] # ['),
        ("registers any name", "GI_IAM_5", _ENGINE,
         'actions   = ["batch:RegisterJobDefinition"]\n      resources = local.definition_arns',
         'actions   = ["batch:RegisterJobDefinition"]\n'
         '      resources = ["arn:aws:batch:us-east-1:123456789012:job-definition/*"]'),
        ("every queue", "GI_IAM_5", _ENGINE, "sort(var.job_queue_arns),",
         '["arn:aws:batch:us-east-1:123456789012:job-queue/*"],'),
        ("stops any job", "GI_IAM_5", _ENGINE, "variable = local.stopped_jobs.variable",
         'variable = "aws:PrincipalType"'),
        ("tags any job", "GI_IAM_5", _ENGINE, """
      condition {
        test     = "StringEquals"
        variable = "aws:RequestTag/gen-infra:engine"
        values   = [var.name]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:RequestTag/gen-infra:environment"
        values   = [var.environment]
      }
""", ""),
        ("a misspelt action", "GI_LINT_1", _ENGINE, '"batch:RegisterJobDefinition"', '"batch:RegisterDefinition"'),
        ("a log in clear", "GI_LOGS_1", _ENGINE, "  kms_key_id        = var.kms_key_arn\n", ""),
    )
)  # fmt: skip

MUTANTS = (
    *KEYS, *INSTANCES, *NETWORK, *ROLES, *ACCESS, *JOBS, *CONTAINERS, *DATA, *TERRAFORM, *PIPELINE, *WORKFLOWS,
    *ENGINES,
)  # fmt: skip
