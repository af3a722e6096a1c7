locals {
  states   = "arn:${var.partition}:states:${var.region}:${var.account_id}"
  jobs_arn = "arn:${var.partition}:batch:${var.region}:${var.account_id}:job/*"

  # A state machine of this account and region, for the conditions of trust and key policies.
  state_machine_arns = { for key, machine in var.machines : key => "${local.states}:stateMachine:${machine.name}" }

  # The machine that runs the workflow for a list starts executions of itself.
  many = { for key, machine in var.machines : key => machine if machine.samples != null }
}

resource "aws_iam_role" "this" {
  for_each = var.machines

  name                 = "${each.value.name}-workflow"
  path                 = var.iam_path
  description          = "The state machine ${each.value.name}"
  permissions_boundary = var.permissions_boundary

  # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html#prevent-cross-service-confused-deputy
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        ArnLike      = { "aws:SourceArn" = local.state_machine_arns[each.key] }
        StringEquals = { "aws:SourceAccount" = var.account_id }
      }
    }]
  })
}

# https://docs.aws.amazon.com/step-functions/latest/dg/connect-batch.html#batch-iam
data "aws_iam_policy_document" "jobs" {
  statement {
    sid     = "SubmitJobs"
    actions = ["batch:SubmitJob"]

    # AWS matches the definition as it was named: with a revision and without.
    resources = concat(
      sort(var.job_queue_arns),
      sort(var.job_definition_arns),
      [for arn in sort(var.job_definition_arns) : "${arn}:*"],
    )
  }

  statement {
    sid       = "TagJobsOnSubmission"
    actions   = ["batch:TagResource"]
    resources = [local.jobs_arn]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:workflow"
      values   = [var.workflow]
    }
  }

  statement {
    sid       = "StopJobs"
    actions   = ["batch:TerminateJob"]
    resources = [local.jobs_arn]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:workflow"
      values   = [var.workflow]
    }
  }

  statement {
    sid       = "DescribeJobs"
    actions   = ["batch:DescribeJobs"]
    resources = ["*"] # no resource-level permissions
  }

  statement {
    sid       = "FollowJobsByEvents"
    actions   = ["events:DescribeRule", "events:PutRule", "events:PutTargets"]
    resources = ["arn:${var.partition}:events:${var.region}:${var.account_id}:rule/StepFunctionsGetEventsForBatchJobsRule"]
  }
}

# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy and xray-iam.html there
data "aws_iam_policy_document" "runtime" {
  statement {
    sid = "DeliverLogs"
    actions = [
      "logs:CreateLogDelivery",
      "logs:DeleteLogDelivery",
      "logs:DescribeLogGroups",
      "logs:DescribeResourcePolicies",
      "logs:GetLogDelivery",
      "logs:ListLogDeliveries",
      "logs:PutResourcePolicy",
      "logs:UpdateLogDelivery",
    ]
    resources = ["*"] # no resource-level permissions
  }

  statement {
    sid = "SendTraces"
    actions = [
      "xray:GetSamplingRules",
      "xray:GetSamplingTargets",
      "xray:PutTelemetryRecords",
      "xray:PutTraceSegments",
    ]
    resources = ["*"] # no resource-level permissions
  }
}

# https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html. A separate policy: a key made in the same
# run is unknown in the plan, and would make the other statements unknown too.
data "aws_iam_policy_document" "encryption" {
  for_each = var.machines

  statement {
    sid       = "EncryptRuns"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:aws:states:stateMachineArn"
      values   = [local.state_machine_arns[each.key]]
    }
  }

  # Log entries reach CloudWatch Logs encrypted; the context is this text, with its asterisk.
  statement {
    sid       = "EncryptLogs"
    actions   = ["kms:GenerateDataKey"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:SourceArn"
      values   = ["arn:${var.partition}:logs:${var.region}:${var.account_id}:*"]
    }
  }
}

# https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
data "aws_iam_policy_document" "samples" {
  for_each = local.many

  statement {
    sid       = "StartSamples"
    actions   = ["states:StartExecution"]
    resources = [local.state_machine_arns[each.key]]
  }

  statement {
    sid     = "FollowSamples"
    actions = ["states:DescribeExecution", "states:RedriveExecution", "states:StopExecution"]
    resources = [
      "${local.states}:execution:${each.value.name}:*",
      "${local.states}:execution:${each.value.name}/*",
    ]
  }

  statement {
    sid       = "ReadLists"
    actions   = ["s3:GetObject"]
    resources = ["arn:${var.partition}:s3:::${each.value.samples.bucket}/${each.value.samples.folder}lists/*"]
  }

  statement {
    sid       = "WriteResults"
    actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]
    resources = ["arn:${var.partition}:s3:::${each.value.samples.bucket}/${each.value.samples.folder}results/*"]
  }

  dynamic "statement" {
    for_each = each.value.samples.kms_key_arn == null ? [] : [each.value.samples.kms_key_arn]

    content {
      sid       = "UseKeyOfBucket"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["s3.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"]
      }
    }
  }
}

resource "aws_iam_role_policy" "jobs" {
  for_each = var.machines

  name   = "jobs"
  role   = aws_iam_role.this[each.key].name
  policy = data.aws_iam_policy_document.jobs.json
}

resource "aws_iam_role_policy" "runtime" {
  for_each = var.machines

  name   = "runtime"
  role   = aws_iam_role.this[each.key].name
  policy = data.aws_iam_policy_document.runtime.json
}

resource "aws_iam_role_policy" "encryption" {
  for_each = var.machines

  name   = "encryption"
  role   = aws_iam_role.this[each.key].name
  policy = data.aws_iam_policy_document.encryption[each.key].json
}

resource "aws_iam_role_policy" "samples" {
  for_each = local.many

  name   = "samples"
  role   = aws_iam_role.this[each.key].name
  policy = data.aws_iam_policy_document.samples[each.key].json
}

# Names with this prefix need no entry in the account's resource policy, whose size is limited:
# https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
resource "aws_cloudwatch_log_group" "this" {
  for_each = var.machines

  name              = "/aws/vendedlogs/states/${each.value.name}"
  retention_in_days = var.log_retention_in_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_sfn_state_machine" "this" {
  for_each = var.machines

  name       = each.value.name
  type       = "STANDARD"
  role_arn   = aws_iam_role.this[each.key].arn
  definition = file("${var.definitions_path}/${each.value.definition}")

  encryption_configuration {
    type       = "CUSTOMER_MANAGED_KMS_KEY"
    kms_key_id = var.kms_key_arn
  }

  logging_configuration {
    level                  = "ALL"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.this[each.key].arn}:*"
  }

  tracing_configuration {
    enabled = true
  }

  # Step Functions tries the role's permissions when the machine is made.
  depends_on = [
    aws_iam_role_policy.encryption,
    aws_iam_role_policy.jobs,
    aws_iam_role_policy.runtime,
    aws_iam_role_policy.samples,
  ]
}
