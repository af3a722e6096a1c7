locals {
  batch    = "arn:${var.partition}:batch:${var.region}:${var.account_id}"
  ecs      = "arn:${var.partition}:ecs:${var.region}:${var.account_id}"
  jobs_arn = "${local.batch}:job/*"

  # The definitions that the engine registers, and their revisions.
  definition_arns = [for name in sort(var.definition_names) : "${local.batch}:job-definition/${name}"]
  revision_arns   = [for arn in local.definition_arns : endswith(arn, "*") ? arn : "${arn}:*"]

  # ECS tasks of this account and region.
  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html (confused deputy)
  task_trust = {
    Effect    = "Allow"
    Principal = { Service = "ecs-tasks.amazonaws.com" }
    Action    = "sts:AssumeRole"
    Condition = {
      ArnLike      = { "aws:SourceArn" = "${local.ecs}:*" }
      StringEquals = { "aws:SourceAccount" = var.account_id }
    }
  }

  # The jobs that it may stop: its own, by their tag; or those of no environment, where it tags none.
  stopped_jobs = {
    test     = var.tags_jobs ? "StringEquals" : "Null"
    variable = "aws:ResourceTag/${var.tags_jobs ? "gen-infra:engine" : "gen-infra:environment"}"
    values   = [var.tags_jobs ? var.name : "true"]
  }
}

# What the engine's tasks run as.
resource "aws_iam_role" "worker" {
  name                 = "${var.name}-worker"
  path                 = var.iam_path
  description          = "Tasks of ${var.name}"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.task_trust]
  })
}

# What the engine itself runs as: its head job, people and CI.
resource "aws_iam_role" "head" {
  name                 = "${var.name}-head"
  path                 = var.iam_path
  description          = "The engine ${var.name}"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [local.task_trust],
      [for arn in sort(var.principals) : { Effect = "Allow", Principal = { AWS = arn }, Action = "sts:AssumeRole" }],
    )
  })
}

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbatch.html
data "aws_iam_policy_document" "head" {
  dynamic "statement" {
    for_each = length(var.definition_names) > 0 ? ["RegisterDefinitions"] : []

    content {
      sid       = statement.value
      actions   = ["batch:RegisterJobDefinition"]
      resources = local.definition_arns

      dynamic "condition" {
        for_each = var.privileged ? [] : ["unprivileged"]

        content {
          test     = "BoolIfExists"
          variable = "batch:Privileged"
          values   = ["false"]
        }
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.definition_actions) > 0 ? ["ChangeDefinitions"] : []

    content {
      sid       = statement.value
      actions   = sort(var.definition_actions)
      resources = local.revision_arns
    }
  }

  # AWS matches a definition as it was named: with a revision and without.
  statement {
    sid     = "SubmitJobs"
    actions = ["batch:SubmitJob"]
    resources = concat(
      sort(var.job_queue_arns),
      distinct(concat(local.definition_arns, local.revision_arns)),
      sort(var.job_definition_arns),
      [for arn in sort(var.job_definition_arns) : "${arn}:*"],
    )
  }

  dynamic "statement" {
    for_each = var.tags_jobs ? ["TagJobsOnSubmission"] : []

    content {
      sid       = statement.value
      actions   = ["batch:TagResource"]
      resources = [local.jobs_arn]

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
    }
  }

  statement {
    sid       = "StopJobs"
    actions   = ["batch:TerminateJob"]
    resources = [local.jobs_arn]

    condition {
      test     = local.stopped_jobs.test
      variable = local.stopped_jobs.variable
      values   = local.stopped_jobs.values
    }
  }

  statement {
    sid = "FollowJobs"
    actions = concat(
      [
        "batch:DescribeComputeEnvironments",
        "batch:DescribeJobDefinitions",
        "batch:DescribeJobQueues",
        "batch:DescribeJobs",
        "batch:ListJobs",
      ],
      var.describes_instances ? ["ec2:DescribeInstances"] : [],
    )
    resources = ["*"] # no resource-level permissions
  }

  # Batch makes the clusters, whose names contain that of the compute environment.
  dynamic "statement" {
    for_each = var.describes_instances ? ["DescribeInstancesOfTasks"] : []

    content {
      sid       = statement.value
      actions   = ["ecs:DescribeContainerInstances", "ecs:DescribeTasks"]
      resources = ["${local.ecs}:container-instance/*-${var.environment}-*", "${local.ecs}:task/*-${var.environment}-*"]
    }
  }

  statement {
    sid       = "ReadLogs"
    actions   = ["logs:GetLogEvents"]
    resources = ["arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:${var.log_group}:log-stream:*"]
  }

  statement {
    sid       = "PassWorkerRole"
    actions   = ["iam:PassRole"]
    resources = ["arn:${var.partition}:iam::${var.account_id}:role${var.iam_path}${var.name}-worker"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "head" {
  name   = "engine"
  role   = aws_iam_role.head.name
  policy = data.aws_iam_policy_document.head.json
}

# The work prefix and the declared buckets: tasks read and write files there, and the head stages and publishes them.
resource "aws_iam_role_policy" "files" {
  for_each = { head = aws_iam_role.head.name, worker = aws_iam_role.worker.name }

  name   = "files"
  role   = each.value
  policy = var.files_policy
}

resource "aws_cloudwatch_log_group" "tasks" {
  name              = var.log_group
  retention_in_days = var.log_retention_in_days
  kms_key_id        = var.kms_key_arn
}
