# The function that measures what AWS Batch has no metrics for, counts jobs that end, and says what alarms are about.
locals {
  in_account = "${var.region}:${var.account_id}"
  name       = "batchMeasure-${var.environment}"

  # Written out, so that the policies that name them are known when planning.
  dead_letters_arn = "arn:${var.partition}:sqs:${local.in_account}:${local.name}"
  log_group_name   = "/aws/lambda/${local.name}"
  log_group_arn    = "arn:${var.partition}:logs:${local.in_account}:log-group:${local.log_group_name}"
  measures_images  = var.image_age_days != null || var.dashboard
}

data "aws_iam_policy_document" "measure" {
  statement {
    sid = "DescribeJobsAndComputeEnvironments"
    actions = [
      "batch:DescribeComputeEnvironments",
      "batch:DescribeJobQueues",
      "batch:DescribeJobs",
      "batch:ListJobs",
    ]
    resources = ["*"] # no resource-level permissions
  }

  dynamic "statement" {
    for_each = local.measures_images ? ["images"] : []

    content {
      sid       = "DescribeImages"
      actions   = ["ec2:DescribeImages"]
      resources = ["*"] # no resource-level permissions
    }
  }

  dynamic "statement" {
    for_each = local.explaining_rules

    content {
      sid       = "SendDetails"
      actions   = ["sns:Publish"]
      resources = values(local.explained_topics)
    }
  }
}

data "aws_iam_policy_document" "runtime" {
  statement {
    sid       = "WriteLogAndMetrics"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.log_group_arn}:*"]
  }

  statement {
    sid       = "SendDeadLetters"
    actions   = ["sqs:SendMessage"]
    resources = [local.dead_letters_arn]
  }

  statement {
    sid       = "SendTraces"
    actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    resources = ["*"] # no resource-level permissions
  }
}

# A separate policy: a key made in the same run is unknown in the plan, and would make the other statements unknown too.
data "aws_iam_policy_document" "encryption" {
  statement {
    sid       = "DecryptVariablesAndEncryptMessages"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]
  }
}

resource "aws_iam_role" "this" {
  name                 = local.name
  path                 = var.iam_path
  description          = "The function ${local.name}"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "measure" {
  name   = "measure"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.measure.json
}

resource "aws_iam_role_policy" "runtime" {
  name   = "runtime"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.runtime.json
}

resource "aws_iam_role_policy" "encryption" {
  name   = "encryption"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.encryption.json
}

resource "aws_cloudwatch_log_group" "this" {
  name              = local.log_group_name
  kms_key_id        = var.kms_key_arn
  retention_in_days = var.log_retention_in_days
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = local.name
  kms_master_key_id         = var.kms_key_arn
  message_retention_seconds = 14 * 24 * 60 * 60
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_117:Calls nothing but public, IAM-authorised APIs and holds no data; a VPC would need a way out and a wider role
  # checkov:skip=CKV_AWS_272:The package is pinned by its SHA-256; who may deploy it could also sign it
  function_name                  = local.name
  description                    = "Measures ${var.environment}, counts the jobs that end, and says what alarms are about"
  role                           = aws_iam_role.this.arn
  runtime                        = "python3.13"
  architectures                  = ["x86_64"]
  handler                        = "batch_measure.handler"
  filename                       = var.package_path
  source_code_hash               = filebase64sha256(var.package_path)
  kms_key_arn                    = var.kms_key_arn
  memory_size                    = 256
  reserved_concurrent_executions = var.reserved_concurrency
  timeout                        = 240

  environment {
    variables = merge(
      {
        ALARM_TOPICS   = jsonencode(local.explained_alarms)
        COUNT_JOBS     = tostring(var.dashboard)
        ENVIRONMENT    = var.environment
        INVALID_ALARMS = tostring(var.invalid_compute_environments)
        MEASURE_IMAGES = tostring(local.measures_images)
        QUEUES         = jsonencode(sort(var.job_queue_arns))
      },
      var.failed_jobs == null ? {} : {
        FAILED_WINDOW_MINUTES = tostring(var.failed_jobs.window_minutes)
      },
    )
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.dead_letters.arn
  }

  tracing_config {
    mode = "Active"
  }

  # Without its group, Lambda would make one without retention and key; without its policies, Lambda refuses the
  # dead-letter queue.
  depends_on = [
    aws_cloudwatch_log_group.this,
    aws_iam_role_policy.encryption,
    aws_iam_role_policy.measure,
    aws_iam_role_policy.runtime,
  ]
}
