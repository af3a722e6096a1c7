# What calls the function: a schedule, the jobs that end, those that lose their host, and the alarm of failed jobs.
locals {
  rule_names = {
    ended    = "batchJobsEnded-${var.environment}"
    failed   = local.alarm_names.failed_jobs
    lost     = "batchHostsLost-${var.environment}"
    schedule = local.name
  }
  explained_rules = var.failed_jobs == null ? {} : { failed = local.rule_names.failed }
}

resource "aws_cloudwatch_event_rule" "schedule" {
  name                = local.rule_names.schedule
  description         = "Every five minutes: measure ${var.environment}"
  schedule_expression = "rate(5 minutes)"
}

# https://docs.aws.amazon.com/batch/latest/userguide/batch_job_events.html
resource "aws_cloudwatch_event_rule" "ended" {
  name        = local.rule_names.ended
  description = "A job of ${var.environment} ended"

  event_pattern = jsonencode({
    source        = ["aws.batch"]
    "detail-type" = ["Batch Job State Change"]
    detail        = { jobQueue = sort(var.job_queue_arns), status = ["FAILED", "SUCCEEDED"] }
  })
}

# https://docs.aws.amazon.com/batch/latest/userguide/best-practices.html#bestpractice_retry
resource "aws_cloudwatch_event_rule" "lost" {
  name        = local.rule_names.lost
  description = "A job of ${var.environment} lost its host, and is tried again"

  event_pattern = jsonencode({
    source        = ["aws.batch"]
    "detail-type" = ["Batch Job State Change"]
    detail = {
      jobQueue = sort(var.job_queue_arns)
      status   = ["RUNNABLE"]
      attempts = { statusReason = [{ prefix = "Host EC2" }, { prefix = "Your Spot Task was interrupted" }] }
    }
  })
}

resource "aws_cloudwatch_event_rule" "failed" {
  for_each = local.explained_rules

  name        = each.value
  description = "Many jobs of ${var.environment} fail: send their causes"

  event_pattern = jsonencode({
    source        = ["aws.cloudwatch"]
    "detail-type" = ["CloudWatch Alarm State Change"]
    detail        = { alarmName = [local.alarm_names.failed_jobs], state = { value = ["ALARM"] } }
  })
}

locals {
  calling_rules = merge(
    {
      ended    = local.rule_names.ended
      lost     = local.rule_names.lost
      schedule = local.rule_names.schedule
    },
    local.explained_rules,
  )
}

resource "aws_lambda_permission" "this" {
  for_each = local.calling_rules

  statement_id_prefix = "${each.key}-"
  action              = "lambda:InvokeFunction"
  function_name       = aws_lambda_function.this.function_name
  principal           = "events.amazonaws.com"
  source_account      = var.account_id
  source_arn          = "arn:${var.partition}:events:${local.in_account}:rule/${each.value}"
}

resource "aws_cloudwatch_event_target" "ended" {
  rule = aws_cloudwatch_event_rule.ended.name
  arn  = aws_lambda_function.this.arn

  depends_on = [aws_lambda_permission.this]
}

resource "aws_cloudwatch_event_target" "failed" {
  for_each = local.explained_rules

  rule = aws_cloudwatch_event_rule.failed[each.key].name
  arn  = aws_lambda_function.this.arn

  depends_on = [aws_lambda_permission.this]
}

resource "aws_cloudwatch_event_target" "lost" {
  rule = aws_cloudwatch_event_rule.lost.name
  arn  = aws_lambda_function.this.arn

  depends_on = [aws_lambda_permission.this]
}

resource "aws_cloudwatch_event_target" "schedule" {
  rule = aws_cloudwatch_event_rule.schedule.name
  arn  = aws_lambda_function.this.arn

  depends_on = [aws_lambda_permission.this]
}
