locals {
  alarm_names = {
    failed_jobs                  = "batchFailedJobs-${var.environment}"
    image_age_days               = "batchImageAge-${var.environment}"
    invalid_compute_environments = "batchInvalidComputeEnvironments-${var.environment}"
    spot_interruptions           = "batchSpotInterruptions-${var.environment}"
    waiting_minutes              = "batchJobsWait-${var.environment}"
  }

  # Each input that asks for an alarm, as what an alarm is made for.
  asked = {
    failed_jobs                  = var.failed_jobs == null ? {} : { failed_jobs = var.failed_jobs }
    image_age_days               = var.image_age_days == null ? {} : { image_age_days = var.image_age_days }
    invalid_compute_environments = var.invalid_compute_environments ? { invalid_compute_environments = true } : {}
    spot_interruptions           = var.spot_interruptions == null ? {} : { spot_interruptions = var.spot_interruptions }
    waiting_minutes              = var.waiting_minutes == null ? {} : { waiting_minutes = var.waiting_minutes }
  }
  dead_letter_queues = var.dead_letters ? setunion(var.dead_letter_queues, [local.name]) : toset([])
  watched_rules      = var.dead_letters ? setunion(var.event_rules, values(local.calling_rules)) : toset([])

  # The causes of failed jobs come from the function, in place of the alarm's own message.
  with_causes = [for key in keys(local.asked.failed_jobs) : local.alarm_names[key]]
  alarms = {
    critical = concat(
      [for key in keys(local.asked.invalid_compute_environments) : local.alarm_names[key]],
      [for queue in sort(local.dead_letter_queues) : "batchDeadLetters-${queue}"],
      [for rule in sort(local.watched_rules) : "batchRuleFailed-${rule}"],
    )
    warning = concat(
      [for key in keys(merge(local.asked.image_age_days, local.asked.spot_interruptions, local.asked.waiting_minutes)) : local.alarm_names[key]],
      sort(var.image_build_alarms),
    )
  }

  measured = { Environment = var.environment }
}

resource "aws_cloudwatch_metric_alarm" "failed_jobs" {
  for_each = local.asked.failed_jobs

  alarm_name          = local.alarm_names.failed_jobs
  alarm_description   = "${each.value.percent} % or more of the jobs of ${var.environment} that ended within ${each.value.window_minutes} minutes failed, and at least ${each.value.at_least}"
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.percent
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "percent"
    expression  = "IF(failed >= ${each.value.at_least}, 100 * failed / (failed + succeeded), 0)"
    label       = "Failed jobs in percent"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { failed = "FailedJobs", succeeded = "SucceededJobs" }

    content {
      id = metric_query.key

      metric {
        namespace   = "gen-infra"
        metric_name = metric_query.value
        dimensions  = local.measured
        period      = each.value.window_minutes * 60
        stat        = "Sum"
      }
    }
  }
}

# What is measured every five minutes keeps its state without a measurement; the function's failures are dead letters.
resource "aws_cloudwatch_metric_alarm" "image_age" {
  for_each = local.asked.image_age_days

  alarm_name          = local.alarm_names.image_age_days
  alarm_description   = "A compute environment of ${var.environment} runs a machine image of ${each.value} days or more. Build a new one: gen-infra image rebuild MANIFEST, then gen-infra apply MANIFEST"
  namespace           = "gen-infra"
  metric_name         = "ImageAgeDays"
  dimensions          = local.measured
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value
  treat_missing_data  = "ignore"
}

resource "aws_cloudwatch_metric_alarm" "invalid_compute_environments" {
  for_each = local.asked.invalid_compute_environments

  alarm_name          = local.alarm_names.invalid_compute_environments
  alarm_description   = "A compute environment of ${var.environment} is INVALID, and starts no jobs. Why: gen-infra why MANIFEST JOB_ID, for a job that waits"
  namespace           = "gen-infra"
  metric_name         = "InvalidComputeEnvironments"
  dimensions          = local.measured
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "ignore"
}

# While a compute environment is INVALID, and that has an alarm of its own, waits are not measured: one message is enough.
resource "aws_cloudwatch_metric_alarm" "waiting" {
  for_each = local.asked.waiting_minutes

  alarm_name          = local.alarm_names.waiting_minutes
  alarm_description   = "A job of ${var.environment} is RUNNABLE for longer than ${each.value} minutes. Which: gen-infra jobs MANIFEST; why: gen-infra why MANIFEST JOB_ID"
  namespace           = "gen-infra"
  metric_name         = "LongestWaitMinutes"
  dimensions          = local.measured
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value
  treat_missing_data  = "ignore"
}

resource "aws_cloudwatch_metric_alarm" "spot_interruptions" {
  for_each = local.asked.spot_interruptions

  alarm_name          = local.alarm_names.spot_interruptions
  alarm_description   = "Spot interruptions ended ${each.value.attempts} attempts or more of jobs of ${var.environment} within ${each.value.window_minutes} minutes"
  namespace           = "gen-infra"
  metric_name         = "SpotLosses"
  dimensions          = local.measured
  statistic           = "Sum"
  period              = each.value.window_minutes * 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.attempts
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = local.dead_letter_queues

  alarm_name          = "batchDeadLetters-${each.value}"
  alarm_description   = "The dead-letter queue ${each.value} has messages: a function gave up these events. Its log says why; delete the messages to clear the alarm"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
}

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
resource "aws_cloudwatch_metric_alarm" "rules" {
  for_each = local.watched_rules

  alarm_name          = "batchRuleFailed-${each.value}"
  alarm_description   = "The event rule ${each.value} could not deliver an event to its target"
  namespace           = "AWS/Events"
  metric_name         = "FailedInvocations"
  dimensions          = { RuleName = each.value }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
}
