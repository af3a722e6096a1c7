locals {
  name        = "batchQueueStop-${var.environment}"
  in_account  = "${var.region}:${var.account_id}"
  budget_name = "batchBudget-${var.environment}"

  # Written out, so that the policies that name them are known when planning.
  budget_arn       = "arn:${var.partition}:budgets::${var.account_id}:budget/${local.budget_name}"
  dead_letters_arn = "arn:${var.partition}:sqs:${local.in_account}:${local.name}"
  log_group_arn    = "arn:${var.partition}:logs:${local.in_account}:log-group:/aws/lambda/${local.name}"
  topic_arn        = "arn:${var.partition}:sns:${local.in_account}:${local.name}"
}

resource "aws_sns_topic" "this" {
  name              = local.name
  kms_master_key_id = var.kms_key_arn
}

# https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
resource "aws_sns_topic_policy" "this" {
  arn = aws_sns_topic.this.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PublishBudget"
      Effect    = "Allow"
      Principal = { Service = "budgets.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = local.topic_arn
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${var.partition}:budgets::${var.account_id}:*" }
      }
    }]
  })
}

resource "aws_lambda_permission" "this" {
  statement_id_prefix = "InvokeByTopic-"
  function_name       = aws_lambda_function.this.function_name
  action              = "lambda:InvokeFunction"
  principal           = "sns.amazonaws.com"
  source_arn          = local.topic_arn
}

resource "aws_sns_topic_subscription" "this" {
  topic_arn = aws_sns_topic.this.arn
  protocol  = "lambda"
  endpoint  = aws_lambda_function.this.arn

  depends_on = [aws_lambda_permission.this]
}

data "aws_iam_policy_document" "stop" {
  statement {
    sid       = "ReadBudget"
    actions   = ["budgets:ViewBudget"]
    resources = [local.budget_arn]
  }

  statement {
    sid       = "DescribeQueues"
    actions   = ["batch:DescribeJobQueues"]
    resources = ["*"] # no resource-level permissions
  }

  # IAM has no condition for the state: the code only disables.
  statement {
    sid       = "DisableQueues"
    actions   = ["batch:UpdateJobQueue"]
    resources = sort(var.job_queue_arns)
  }

  statement {
    sid       = "MarkQueues"
    actions   = ["batch:TagResource"]
    resources = sort(var.job_queue_arns)

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "aws:TagKeys"
      values   = ["gen-infra:stopped-by-budget"]
    }
  }
}

data "aws_iam_policy_document" "runtime" {
  statement {
    sid       = "WriteLog"
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
    sid       = "DecryptVariablesAndEncryptDeadLetters"
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

resource "aws_iam_role_policy" "stop" {
  name   = "stop"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.stop.json
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
  name              = "/aws/lambda/${local.name}"
  kms_key_id        = var.kms_key_arn
  retention_in_days = var.log_retention_in_days
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = local.name
  kms_master_key_id         = var.kms_key_arn
  message_retention_seconds = 14 * 24 * 60 * 60
}

# Lambda runs a failed event twice more, which is wanted here: a queue that is disabled already stays as it is.
resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_117:Calls nothing but the public, IAM-authorised Batch and Budgets APIs and holds no data; a VPC would need a way out and a wider role
  # checkov:skip=CKV_AWS_272:The package is pinned by its SHA-256; who may deploy it could also sign it
  function_name                  = local.name
  description                    = "Disables the job queues of ${var.environment} when its budget is used up"
  role                           = aws_iam_role.this.arn
  runtime                        = "python3.13"
  architectures                  = ["x86_64"]
  handler                        = "batch_queue_stop.handler"
  filename                       = var.package_path
  source_code_hash               = filebase64sha256(var.package_path)
  kms_key_arn                    = var.kms_key_arn
  memory_size                    = 256
  reserved_concurrent_executions = var.reserved_concurrency
  timeout                        = 300

  environment {
    variables = {
      ACCOUNT        = var.account_id
      BUDGET         = local.budget_name
      STOP_QUEUES_AT = tostring(var.stop_queues_at)
    }
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
    aws_iam_role_policy.runtime,
    aws_iam_role_policy.stop,
  ]
}
