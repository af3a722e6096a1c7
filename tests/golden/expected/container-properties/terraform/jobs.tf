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

resource "aws_cloudwatch_log_group" "annotate" {
  name              = "/aws/batch/raw/annotate"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "annotate" {
  name               = "annotate-raw-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

resource "aws_iam_role" "annotate_execution" {
  name               = "annotate-raw-execution"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "annotate_execution" {
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/raw/annotate:*"]
  }

  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:lab/registry-AbCdEf"]
  }
}

resource "aws_iam_role_policy" "annotate_execution" {
  name   = "execution"
  role   = aws_iam_role.annotate_execution.id
  policy = data.aws_iam_policy_document.annotate_execution.json
}

resource "aws_batch_job_definition" "annotate" {
  name                       = "annotate-raw"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "registry.example.org/lab/annotate:2.4"
    command    = []
    jobRoleArn = "arn:aws:iam::123456789012:role/annotate-raw-job"
    resourceRequirements = [
      { type = "VCPU", value = "4" },
      { type = "MEMORY", value = "8000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/raw/annotate"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "annotate"
      }
    }
    executionRoleArn = "arn:aws:iam::123456789012:role/annotate-raw-execution"
    repositoryCredentials = {
      credentialsParameter = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lab/registry-AbCdEf"
    }
    volumes = [
      {
        name = "databases"
        host = {
          sourcePath = "/srv/databases"
        }
      },
    ]
    mountPoints = [
      { sourceVolume = "databases", containerPath = "/databases", readOnly = true },
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
    aws_cloudwatch_log_group.annotate,
    aws_iam_role.annotate,
    aws_iam_role_policy.annotate_execution,
  ]
}

resource "aws_cloudwatch_log_group" "report" {
  name              = "/aws/batch/raw/report"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "report" {
  name               = "report-raw-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

resource "aws_iam_role" "report_execution" {
  name               = "report-raw-execution"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "report_execution" {
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/raw/report:*"]
  }
}

resource "aws_iam_role_policy" "report_execution" {
  name   = "execution"
  role   = aws_iam_role.report_execution.id
  policy = data.aws_iam_policy_document.report_execution.json
}

resource "aws_batch_job_definition" "report" {
  name                       = "report-raw"
  type                       = "container"
  platform_capabilities      = ["FARGATE"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "public.ecr.aws/docker/library/python:3.12-slim"
    command    = ["python", "-c", "print('report')"]
    jobRoleArn = "arn:aws:iam::123456789012:role/report-raw-job"
    resourceRequirements = [
      { type = "VCPU", value = "0.5" },
      { type = "MEMORY", value = "1024" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/raw/report"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "report"
      }
    }
    executionRoleArn = "arn:aws:iam::123456789012:role/report-raw-execution"
    fargatePlatformConfiguration = {
      platformVersion = "LATEST"
    }
    networkConfiguration = {
      assignPublicIp = "DISABLED"
    }
    runtimePlatform = {
      operatingSystemFamily = "LINUX"
      cpuArchitecture       = "ARM64"
    }
  })

  retry_strategy {
    attempts = 3

    # Only these failures are retried; a program that failed would fail again.
    evaluate_on_exit {
      action           = "RETRY"
      on_status_reason = "Your Spot Task was interrupted*"
    }

    evaluate_on_exit {
      action    = "RETRY"
      on_reason = "CannotPull*"
    }

    evaluate_on_exit {
      action    = "RETRY"
      on_reason = "ContainerRuntimeTimeoutError*"
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
    aws_cloudwatch_log_group.report,
    aws_iam_role.report,
    aws_iam_role_policy.report_execution,
  ]
}
