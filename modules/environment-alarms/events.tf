# What calls the function: a schedule, the jobs that end, those that lose their host, and alarms whose details it sends.
locals {
  rule_names = {
    ended    = "batchJobsEnded-${var.environment}"
    explain  = "batchExplain-${var.environment}"
    lost     = "batchHostsLost-${var.environment}"
    schedule = local.name
  }

  # Written out, so that the rule's name and the function's policy are known when planning.
  explained_topics = merge(
    var.failed_jobs == null ? {} : { critical = local.topic_arns.critical },
    var.invalid_compute_environments ? { critical = local.topic_arns.critical } : {},
    var.image_age_days == null ? {} : { warning = local.topic_arns.warning },
    var.waiting_minutes == null ? {} : { warning = local.topic_arns.warning },
  )
  explaining_rules = merge(
    var.failed_jobs == null ? {} : { explain = local.rule_names.explain },
    var.invalid_compute_environments ? { explain = local.rule_names.explain } : {},
    var.image_age_days == null ? {} : { explain = local.rule_names.explain },
    var.waiting_minutes == null ? {} : { explain = local.rule_names.explain },
  )

  # What the function sends for an alarm that fires, in place of the rule of its severity.
  explained_alarms = merge(
    { for key in keys(local.asked_failed_jobs) : local.alarm_names[key] => local.topic_arns.critical },
    { for key, alarm in local.measured_alarms : local.alarm_names[key] => local.topic_arns[alarm.severity] if alarm.is_explained },
  )
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

resource "aws_cloudwatch_event_rule" "explain" {
  for_each = local.explaining_rules

  name        = each.value
  description = "An alarm of ${var.environment} fired: send which jobs, compute environments or images it is about"

  event_pattern = jsonencode({
    source        = ["aws.cloudwatch"]
    "detail-type" = ["CloudWatch Alarm State Change"]
    detail        = { alarmName = keys(local.explained_alarms), state = { value = ["ALARM"] } }
  })
}

locals {
  calling_rules = merge(
    {
      ended    = local.rule_names.ended
      lost     = local.rule_names.lost
      schedule = local.rule_names.schedule
    },
    local.explaining_rules,
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

resource "aws_cloudwatch_event_target" "explain" {
  for_each = local.explaining_rules

  rule = aws_cloudwatch_event_rule.explain[each.key].name
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
