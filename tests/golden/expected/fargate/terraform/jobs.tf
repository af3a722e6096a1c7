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

resource "aws_cloudwatch_log_group" "report" {
  name              = "/aws/batch/fargate/report"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "report" {
  name               = "report-fargate-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

resource "aws_iam_role" "report_execution" {
  name               = "report-fargate-execution"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "report_execution" {
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/fargate/report:*"]
  }

  statement {
    sid = "Image"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:GetDownloadUrlForLayer",
    ]
    resources = ["arn:aws:ecr:us-east-1:123456789012:repository/fargate/reporter"]
  }

  statement {
    sid       = "Registry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "report_execution" {
  name   = "execution"
  role   = aws_iam_role.report_execution.id
  policy = data.aws_iam_policy_document.report_execution.json
}

resource "aws_batch_job_definition" "report" {
  name                       = "report-fargate"
  type                       = "container"
  platform_capabilities      = ["FARGATE"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/fargate/reporter:1.0"
    command    = ["report", "--out", "/tmp/report"]
    jobRoleArn = "arn:aws:iam::123456789012:role/report-fargate-job"
    resourceRequirements = [
      { type = "VCPU", value = "2" },
      { type = "MEMORY", value = "8192" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/fargate/report"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "report"
      }
    }
    executionRoleArn = "arn:aws:iam::123456789012:role/report-fargate-execution"
    fargatePlatformConfiguration = {
      platformVersion = "LATEST"
    }
    networkConfiguration = {
      assignPublicIp = "DISABLED"
    }
    ephemeralStorage = {
      sizeInGiB = 100
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

resource "aws_cloudwatch_log_group" "notify" {
  name              = "/aws/batch/fargate/notify"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "notify" {
  name               = "notify-fargate-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

resource "aws_iam_role" "notify_execution" {
  name               = "notify-fargate-execution"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "notify_execution" {
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/fargate/notify:*"]
  }
}

resource "aws_iam_role_policy" "notify_execution" {
  name   = "execution"
  role   = aws_iam_role.notify_execution.id
  policy = data.aws_iam_policy_document.notify_execution.json
}

resource "aws_batch_job_definition" "notify" {
  name                       = "notify-fargate"
  type                       = "container"
  platform_capabilities      = ["FARGATE"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "public.ecr.aws/docker/library/busybox:stable"
    command    = ["echo", "done"]
    jobRoleArn = "arn:aws:iam::123456789012:role/notify-fargate-job"
    resourceRequirements = [
      { type = "VCPU", value = "0.25" },
      { type = "MEMORY", value = "512" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/fargate/notify"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "notify"
      }
    }
    executionRoleArn = "arn:aws:iam::123456789012:role/notify-fargate-execution"
    fargatePlatformConfiguration = {
      platformVersion = "LATEST"
    }
    networkConfiguration = {
      assignPublicIp = "DISABLED"
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
    attempt_duration_seconds = 600
  }

  depends_on = [
    aws_cloudwatch_log_group.notify,
    aws_iam_role.notify,
    aws_iam_role_policy.notify_execution,
  ]
}
