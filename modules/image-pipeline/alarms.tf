locals {
  topic_arn = "arn:${var.partition}:sns:${local.in_account}:${local.name}"

  alarms = {
    failed = {
      name        = "batchImageRebuildFailed-${var.environment}"
      description = "The AMI of ${var.environment} could not be built; its parameter still has the previous image's id, which jobs go on to use. Why: the log group ${local.log_group_name}. Then build again: gen-infra image rebuild MANIFEST"
      namespace   = "AWS/CodeBuild"
      metric      = "FailedBuilds"
      dimensions  = { ProjectName = local.name }
    }
    not_started = {
      name        = "batchImageRebuildNotStarted-${var.environment}"
      description = "EventBridge Scheduler could not start the build ${local.name}, so the AMI of ${var.environment} gets older. Restore the schedule's role: gen-infra drift MANIFEST, then gen-infra apply MANIFEST"
      namespace   = "AWS/Scheduler"
      metric      = "TargetErrorCount"
      dimensions  = { ScheduleGroup = local.name }
    }
  }
}

resource "aws_sns_topic" "this" {
  name              = local.name
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_policy" "this" {
  arn = aws_sns_topic.this.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PublishAlarms"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = local.topic_arn
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnEquals    = { "aws:SourceArn" = [for alarm in local.alarms : "arn:${var.partition}:cloudwatch:${local.in_account}:alarm:${alarm.name}"] }
      }
    }]
  })
}

resource "aws_sns_topic_subscription" "this" {
  for_each = var.notify

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = each.value.name
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]

  depends_on = [aws_sns_topic_policy.this]
}
