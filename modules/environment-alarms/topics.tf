# One topic of each severity, and for each a rule for alarms that fire and one for those that clear: a message for each
# change of state, and none when an alarm is created.
locals {
  cleared_names = { critical = "batchAlarmsCriticalCleared-${var.environment}", warning = "batchAlarmsWarningCleared-${var.environment}" }
  topic_names   = { critical = "batchAlarmsCritical-${var.environment}", warning = "batchAlarmsWarning-${var.environment}" }
  topic_arns    = { for severity, name in local.topic_names : severity => "arn:${var.partition}:sns:${local.in_account}:${name}" }
  rule_arns     = "arn:${var.partition}:events:${local.in_account}:rule"

  said = {
    alarm       = "$.detail.alarmName"
    description = "$.detail.configuration.description"
    reason      = "$.detail.state.reason"
  }
}

resource "aws_sns_topic" "this" {
  for_each = var.emails

  name              = local.topic_names[each.key]
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_policy" "this" {
  for_each = var.emails

  arn = aws_sns_topic.this[each.key].arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PublishAlarms"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = "arn:${var.partition}:sns:${local.in_account}:${local.topic_names[each.key]}"
      Condition = {
        ArnEquals = {
          "aws:SourceArn" = [
            "${local.rule_arns}/${local.topic_names[each.key]}",
            "${local.rule_arns}/${local.cleared_names[each.key]}",
          ]
        }
        StringEquals = { "aws:SourceAccount" = var.account_id }
      }
    }]
  })
}

resource "aws_sns_topic_subscription" "this" {
  for_each = merge([
    for severity, emails in var.emails : {
      for email in emails : "${severity}/${email}" => { severity = severity, email = email }
    }
  ]...)

  topic_arn = aws_sns_topic.this[each.value.severity].arn
  protocol  = "email"
  endpoint  = each.value.email
}

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
resource "aws_cloudwatch_event_rule" "fired" {
  for_each = var.emails

  name        = local.topic_names[each.key]
  description = "An alarm of ${var.environment} fired: ${each.key}"

  event_pattern = jsonencode({
    source        = ["aws.cloudwatch"]
    "detail-type" = ["CloudWatch Alarm State Change"]
    # A name that no alarm has, as an empty list would be refused: the function may send for all alarms.
    detail = {
      alarmName = concat([for name in local.alarms[each.key] : name if !contains(keys(local.explained_alarms), name)], local.of_severity_rules[each.key == "critical" ? "warning" : "critical"], [local.topic_names[each.key]])
      state     = { value = ["ALARM"] }
    }
  })
}

resource "aws_cloudwatch_event_rule" "cleared" {
  for_each = var.emails

  name        = local.cleared_names[each.key]
  description = "An alarm of ${var.environment} cleared: ${each.key}"

  event_pattern = jsonencode({
    source        = ["aws.cloudwatch"]
    "detail-type" = ["CloudWatch Alarm State Change"]
    detail = {
      alarmName     = local.alarms[each.key]
      state         = { value = ["OK"] }
      previousState = { value = ["ALARM"] }
    }
  })
}

# What a person reads: the alarm's description has what happened and what to do.
resource "aws_cloudwatch_event_target" "fired" {
  for_each = var.emails

  rule = aws_cloudwatch_event_rule.fired[each.key].name
  arn  = aws_sns_topic.this[each.key].arn

  input_transformer {
    input_paths    = local.said
    input_template = "\"ALARM: <description>. The alarm is <alarm>; CloudWatch says: <reason>\""
  }

  depends_on = [aws_sns_topic_policy.this]
}

resource "aws_cloudwatch_event_target" "cleared" {
  for_each = var.emails

  rule = aws_cloudwatch_event_rule.cleared[each.key].name
  arn  = aws_sns_topic.this[each.key].arn

  input_transformer {
    input_paths    = local.said
    input_template = "\"OK again: <alarm>. There is nothing to do; it had said: <description>. CloudWatch says: <reason>\""
  }

  depends_on = [aws_sns_topic_policy.this]
}
