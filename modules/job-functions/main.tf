locals {
  functions = {
    status = {
      name        = "batchGetJobStatus-${var.environment}"
      description = "Event with a jobId in, the event with the job's status out"
      handler     = "batch_get_job_status.handler"
      policy      = data.aws_iam_policy_document.status.json
    }
    submit = {
      name        = "batchSubmitJob-${var.environment}"
      description = "Event with jobName, jobQueue and jobDefinition in, the event with the jobId out"
      handler     = "batch_submit_job.handler"
      policy      = data.aws_iam_policy_document.submit.json
    }
  }

  # Written out, so that the policies that name them are known when planning.
  dead_letters_name = "batchFunctions-${var.environment}"
  dead_letters_arn  = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${local.dead_letters_name}"
  log_groups_arn    = "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:/aws/lambda"

  definition_patterns = [for arn in sort(var.job_definition_arns) : arn if strcontains(arn, "/*")]
  named_definitions   = [for arn in sort(var.job_definition_arns) : arn if !strcontains(arn, "/*")]
}

data "aws_iam_policy_document" "submit" {
  statement {
    sid     = "SubmitJobs"
    actions = ["batch:SubmitJob"]

    # AWS matches the definition as it was named: with a revision and without.
    resources = concat(
      sort(var.job_queue_arns),
      local.named_definitions,
      [for arn in local.named_definitions : "${arn}:*"],
    )
  }

  # A pattern covers names of other environments too: *-prod is also isaac-b-prod of b-prod. AWS reads the tags of a
  # definition only with its revision.
  # https://docs.aws.amazon.com/batch/latest/userguide/iam-example-restrict-job-submission-by-tags.html
  dynamic "statement" {
    for_each = length(local.definition_patterns) > 0 ? [var.environment] : []

    content {
      sid       = "SubmitOwnJobs"
      actions   = ["batch:SubmitJob"]
      resources = [for arn in local.definition_patterns : "${arn}:*"]

      condition {
        test     = "StringEquals"
        variable = "aws:ResourceTag/gen-infra:environment"
        values   = [statement.value]
      }
    }
  }

  dynamic "statement" {
    for_each = length(local.definition_patterns) > 0 ? [1] : []

    content {
      sid       = "FindRevisions"
      actions   = ["batch:DescribeJobDefinitions"]
      resources = ["*"] # no resource-level permissions
    }
  }
}

# A job's ARN names no environment: by this tag, policies of people know which one may cancel it.
data "aws_iam_policy_document" "tags" {
  statement {
    sid       = "TagTheNewJobs"
    actions   = ["batch:TagResource"]
    resources = ["arn:${var.partition}:batch:${var.region}:${var.account_id}:job/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:environment"
      values   = [var.environment]
    }

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["true"]
    }
  }
}

data "aws_iam_policy_document" "status" {
  statement {
    sid       = "DescribeJobs"
    actions   = ["batch:DescribeJobs"]
    resources = ["*"] # no resource-level permissions
  }
}

data "aws_iam_policy_document" "runtime" {
  for_each = local.functions

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.log_groups_arn}/${each.value.name}:*"]
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
  for_each = local.functions

  name                 = each.value.name
  path                 = var.iam_path
  description          = "The function ${each.value.name}"
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

resource "aws_iam_role_policy" "batch" {
  for_each = local.functions

  name   = "batch"
  role   = aws_iam_role.this[each.key].name
  policy = each.value.policy
}

resource "aws_iam_role_policy" "tags" {
  name   = "tags"
  role   = aws_iam_role.this["submit"].name
  policy = data.aws_iam_policy_document.tags.json
}

resource "aws_iam_role_policy" "runtime" {
  for_each = local.functions

  name   = "runtime"
  role   = aws_iam_role.this[each.key].name
  policy = data.aws_iam_policy_document.runtime[each.key].json
}

resource "aws_iam_role_policy" "encryption" {
  for_each = local.functions

  name   = "encryption"
  role   = aws_iam_role.this[each.key].name
  policy = data.aws_iam_policy_document.encryption.json
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.functions

  name              = "/aws/lambda/${each.value.name}"
  kms_key_id        = var.kms_key_arn
  retention_in_days = var.log_retention_in_days
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = local.dead_letters_name
  kms_master_key_id         = var.kms_key_arn
  message_retention_seconds = 14 * 24 * 60 * 60
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_117:Calls nothing but the public, IAM-authorised Batch API and holds no data; a VPC would need a way out and a wider role
  # checkov:skip=CKV_AWS_272:The package is pinned by its SHA-256; who may deploy it could also sign it
  for_each = local.functions

  function_name                  = each.value.name
  description                    = each.value.description
  role                           = aws_iam_role.this[each.key].arn
  runtime                        = "python3.13"
  architectures                  = ["x86_64"]
  handler                        = each.value.handler
  filename                       = var.package_path
  source_code_hash               = filebase64sha256(var.package_path)
  kms_key_arn                    = var.kms_key_arn
  memory_size                    = 256
  reserved_concurrent_executions = var.reserved_concurrency
  timeout                        = 60

  environment {
    variables = { ENVIRONMENT = var.environment }
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
    aws_iam_role_policy.batch,
    aws_iam_role_policy.encryption,
    aws_iam_role_policy.runtime,
    aws_iam_role_policy.tags,
  ]
}

# Lambda runs a failed asynchronous event twice more by default, and SubmitJob has no token against doing it again.
resource "aws_lambda_function_event_invoke_config" "this" {
  for_each = local.functions

  function_name          = aws_lambda_function.this[each.key].function_name
  maximum_retry_attempts = 0
}
