locals {
  alarm_names = {
    failed_jobs                  = "batchFailedJobs-${var.environment}"
    image_age_days               = "batchImageAge-${var.environment}"
    invalid_compute_environments = "batchInvalidComputeEnvironments-${var.environment}"
    spot_interruptions           = "batchSpotInterruptions-${var.environment}"
    waiting_minutes              = "batchJobsWait-${var.environment}"
  }

  asked_failed_jobs  = var.failed_jobs == null ? {} : { failed_jobs = var.failed_jobs }
  dead_letter_queues = var.dead_letters ? setunion(var.dead_letter_queues, [local.name]) : toset([])
  watched_rules      = var.dead_letters ? setunion(var.event_rules, values(local.calling_rules), local.severity_rules) : toset([])

  # A rule that cannot deliver cannot tell of itself: the other severity's topic has its alarm. That clears without a
  # message: if the key lets neither rule publish, each message that fails would be the next alarm, for ever.
  severity_rules = concat(
    [for severity, emails in var.emails : severity == "critical" ? local.topic_names.critical : local.topic_names.warning],
    [for severity, emails in var.emails : severity == "critical" ? local.cleared_names.critical : local.cleared_names.warning],
  )
  of_severity_rules = {
    for severity in ["critical", "warning"] : severity => [
      for rule in [local.topic_names[severity], local.cleared_names[severity]] : "batchRuleFailed-${rule}"
      if var.dead_letters && contains(local.severity_rules, rule)
    ]
  }

  alarms = {
    critical = concat(
      [for key in keys(local.asked_failed_jobs) : local.alarm_names[key]],
      [for key, alarm in local.measured_alarms : local.alarm_names[key] if alarm.severity == "critical"],
      [for queue in sort(local.dead_letter_queues) : "batchDeadLetters-${queue}"],
      [for rule in sort(setsubtract(local.watched_rules, local.severity_rules)) : "batchRuleFailed-${rule}"],
    )
    warning = concat(
      [for key, alarm in local.measured_alarms : local.alarm_names[key] if alarm.severity == "warning"],
      sort(var.image_build_alarms),
    )
  }

  measured = { Environment = var.environment }
}

resource "aws_cloudwatch_metric_alarm" "failed_jobs" {
  for_each = local.asked_failed_jobs

  alarm_name          = local.alarm_names.failed_jobs
  alarm_description   = "${each.value.percent} % or more of the jobs of ${var.environment} that ended within ${each.value.window_minutes} minutes failed, and at least ${each.value.at_least}. Which: gen-infra jobs MANIFEST --status FAILED. Why: gen-infra why MANIFEST JOB_ID"
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

# Alarms of one metric that the function writes. What is measured every five minutes keeps its state without a value, and
# the function's failures are dead letters; what is counted per event is absent when nothing happens.
locals {
  measured_alarms = merge(
    var.image_age_days == null ? {} : {
      image_age_days = {
        severity     = "warning"
        is_explained = true
        description  = "A compute environment of ${var.environment} runs a machine image of ${var.image_age_days} days or more, without AWS's security updates since. Which image: gen-infra image status MANIFEST. Build a new one with gen-infra image rebuild MANIFEST, and roll it out with gen-infra apply MANIFEST"
        metric       = "ImageAgeDays"
        statistic    = "Maximum"
        minutes      = 5
        comparison   = "GreaterThanOrEqualToThreshold"
        threshold    = var.image_age_days
        missing      = "ignore"
      }
    },
    var.invalid_compute_environments ? {
      invalid_compute_environments = {
        severity     = "critical"
        is_explained = true
        description  = "A compute environment of ${var.environment} is INVALID, and starts no jobs until it is repaired. What to repair: gen-infra why MANIFEST JOB_ID, for a job that waits"
        metric       = "InvalidComputeEnvironments"
        statistic    = "Maximum"
        minutes      = 5
        comparison   = "GreaterThanOrEqualToThreshold"
        threshold    = 1
        missing      = "ignore"
      }
    } : {},
    var.spot_interruptions == null ? {} : {
      spot_interruptions = {
        severity     = "warning"
        is_explained = false
        description  = "Spot interruptions ended ${var.spot_interruptions.attempts} attempts or more of jobs of ${var.environment} within ${var.spot_interruptions.window_minutes} minutes. Which jobs: gen-infra jobs MANIFEST. If it goes on, allow more instance types or add an EC2 compute environment to the queue, and run gen-infra apply MANIFEST"
        metric       = "SpotLosses"
        statistic    = "Sum"
        minutes      = var.spot_interruptions.window_minutes
        comparison   = "GreaterThanOrEqualToThreshold"
        threshold    = var.spot_interruptions.attempts
        missing      = "notBreaching"
      }
    },
    # While a compute environment is INVALID, and that has an alarm of its own, waits are not measured: one message is enough.
    var.waiting_minutes == null ? {} : {
      waiting_minutes = {
        severity     = "warning"
        is_explained = true
        description  = "A job of ${var.environment} is RUNNABLE for longer than ${var.waiting_minutes} minutes. Which job, in which queue: gen-infra jobs MANIFEST. Why it waits: gen-infra why MANIFEST JOB_ID"
        metric       = "LongestWaitMinutes"
        statistic    = "Maximum"
        minutes      = 5
        comparison   = "GreaterThanThreshold"
        threshold    = var.waiting_minutes
        missing      = "ignore"
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "measured" {
  for_each = local.measured_alarms

  alarm_name          = local.alarm_names[each.key]
  alarm_description   = each.value.description
  namespace           = "gen-infra"
  metric_name         = each.value.metric
  dimensions          = local.measured
  statistic           = each.value.statistic
  period              = each.value.minutes * 60
  evaluation_periods  = 1
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
}

moved {
  from = aws_cloudwatch_metric_alarm.image_age["image_age_days"]
  to   = aws_cloudwatch_metric_alarm.measured["image_age_days"]
}

moved {
  from = aws_cloudwatch_metric_alarm.invalid_compute_environments["invalid_compute_environments"]
  to   = aws_cloudwatch_metric_alarm.measured["invalid_compute_environments"]
}

moved {
  from = aws_cloudwatch_metric_alarm.spot_interruptions["spot_interruptions"]
  to   = aws_cloudwatch_metric_alarm.measured["spot_interruptions"]
}

moved {
  from = aws_cloudwatch_metric_alarm.waiting["waiting_minutes"]
  to   = aws_cloudwatch_metric_alarm.measured["waiting_minutes"]
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = local.dead_letter_queues

  alarm_name          = "batchDeadLetters-${each.value}"
  alarm_description   = "The dead-letter queue ${each.value} of ${var.environment} has messages: a function of this name gave up these events. Why: its log. When it is repaired, delete the messages of the queue to clear the alarm"
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
  alarm_description   = "The event rule ${each.value} of ${var.environment} could not deliver an event to its target, so a message or a measurement was lost. Restore the target, its policy and the key's policy: gen-infra drift MANIFEST, then gen-infra apply MANIFEST"
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
