# The job definitions, each with its role and log group, in one plain block each: plans stay fast, and scanners check all
# of them. ARNs are literals, because scanners skip policies and definitions that are unknown in the plan.

# Only ECS tasks of this account and region may assume a job's role.
data "aws_iam_policy_document" "job_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = ["123456789012"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:aws:ecs:us-east-1:123456789012:*"]
    }
  }
}

resource "aws_cloudwatch_log_group" "call" {
  name              = "/aws/batch/secrets/call"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "call" {
  name               = "call-secrets-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

resource "aws_iam_role" "call_execution" {
  name               = "call-secrets-execution"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "call_execution" {
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/secrets/call:*"]
  }

  statement {
    sid = "Image"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:GetDownloadUrlForLayer",
    ]
    resources = ["arn:aws:ecr:us-east-1:123456789012:repository/secrets/caller"]
  }

  statement {
    sid       = "Registry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "Parameters"
    actions   = ["ssm:GetParameters"]
    resources = ["arn:aws:ssm:us-east-1:123456789012:parameter/genomics/licence"]
  }

  statement {
    sid     = "Secrets"
    actions = ["secretsmanager:GetSecretValue"]
    resources = [
      "arn:aws:secretsmanager:us-east-1:123456789012:secret:genomics/database-AbCdEf",
    ]
  }

  statement {
    sid       = "SecretsmanagerKeys"
    actions   = ["kms:Decrypt"]
    resources = ["arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.us-east-1.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "call_execution" {
  name   = "execution"
  role   = aws_iam_role.call_execution.id
  policy = data.aws_iam_policy_document.call_execution.json
}

resource "aws_batch_job_definition" "call" {
  name                       = "call-secrets"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/secrets/caller:1.0"
    command    = []
    jobRoleArn = "arn:aws:iam::123456789012:role/call-secrets-job"
    resourceRequirements = [
      { type = "VCPU", value = "4" },
      { type = "MEMORY", value = "10000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/secrets/call"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "call"
      }
    }
    executionRoleArn = "arn:aws:iam::123456789012:role/call-secrets-execution"
    secrets = [
      {
        name      = "DATABASE_PASSWORD"
        valueFrom = "arn:aws:secretsmanager:us-east-1:123456789012:secret:genomics/database-AbCdEf:password::"
      },
      {
        name      = "LICENCE"
        valueFrom = "arn:aws:ssm:us-east-1:123456789012:parameter/genomics/licence"
      },
    ]
  })

  retry_strategy {
    attempts = 3

    # Only these failures are retried; a program that failed would fail again.
    evaluate_on_exit {
      action           = "RETRY"
      on_status_reason = "Host EC2*"
    }

    evaluate_on_exit {
      action    = "RETRY"
      on_reason = "CannotPull*"
    }

    evaluate_on_exit {
      action    = "RETRY"
      on_reason = "DockerTimeoutError*"
    }

    evaluate_on_exit {
      action    = "EXIT"
      on_reason = "*"
    }
  }

  timeout {
    attempt_duration_seconds = 86400
  }

  depends_on = [
    aws_cloudwatch_log_group.call,
    aws_iam_role.call,
    aws_iam_role_policy.call_execution,
  ]
}
