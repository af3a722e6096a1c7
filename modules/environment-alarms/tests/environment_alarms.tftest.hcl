mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:batchAlarmsCritical-prod" }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:batchMeasure-prod" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:batchMeasure-prod" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/batchMeasure-prod" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  environment                  = "prod"
  account_id                   = "123456789012"
  region                       = "us-east-1"
  job_queue_arns               = ["arn:aws:batch:us-east-1:123456789012:job-queue/main-prod"]
  kms_key_arn                  = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  package_path                 = "tests/package.zip"
  emails                       = { critical = ["ops@example.com"], warning = ["lab@example.com"] }
  failed_jobs                  = { percent = 20, window_minutes = 60, at_least = 5 }
  waiting_minutes              = 120
  invalid_compute_environments = true
  spot_interruptions           = { attempts = 10, window_minutes = 30 }
  image_age_days               = 45
  image_build_alarms           = ["batchImageRebuildFailed-prod"]
  dead_letters                 = true
  dead_letter_queues           = ["batchFunctions-prod"]
  event_rules                  = ["batchQueueBlocked-prod"]
}

run "every_alarm" {
  assert {
    condition = jsonencode(output.alarm_names) == jsonencode({
      critical = [
        "batchFailedJobs-prod", "batchInvalidComputeEnvironments-prod", "batchDeadLetters-batchFunctions-prod",
        "batchDeadLetters-batchMeasure-prod", "batchRuleFailed-batchExplain-prod",
        "batchRuleFailed-batchHostsLost-prod", "batchRuleFailed-batchJobsEnded-prod",
        "batchRuleFailed-batchMeasure-prod", "batchRuleFailed-batchQueueBlocked-prod",
        "batchRuleFailed-batchAlarmsWarning-prod", "batchRuleFailed-batchAlarmsWarningCleared-prod",
      ]
      warning = [
        "batchImageAge-prod", "batchSpotInterruptions-prod", "batchJobsWait-prod", "batchImageRebuildFailed-prod",
        "batchRuleFailed-batchAlarmsCritical-prod", "batchRuleFailed-batchAlarmsCriticalCleared-prod",
      ]
    })
    error_message = "Each alarm must have one severity."
  }

  assert {
    condition = alltrue([
      for severity, topic in aws_sns_topic.this : topic.kms_master_key_id == var.kms_key_arn && topic.name == "batchAlarms${title(severity)}-prod"
    ]) && keys(aws_sns_topic.this) == ["critical", "warning"]
    error_message = "Each severity must have one topic, encrypted with the environment's key."
  }

  assert {
    condition     = { for each in aws_sns_topic_subscription.this : each.endpoint => each.protocol } == { "ops@example.com" = "email", "lab@example.com" = "email" }
    error_message = "Everybody named must be subscribed."
  }

  assert {
    condition = jsondecode(aws_sns_topic_policy.this["warning"].policy).Statement == [{
      Sid       = "PublishAlarms"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:us-east-1:123456789012:batchAlarmsWarning-prod"
      Condition = {
        ArnEquals = {
          "aws:SourceArn" = [
            "arn:aws:events:us-east-1:123456789012:rule/batchAlarmsWarning-prod",
            "arn:aws:events:us-east-1:123456789012:rule/batchAlarmsWarningCleared-prod",
          ]
        }
        StringEquals = { "aws:SourceAccount" = "123456789012" }
      }
    }]
    error_message = "Only the severity's rules may publish."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.cleared["warning"].event_pattern) == {
      source        = ["aws.cloudwatch"]
      "detail-type" = ["CloudWatch Alarm State Change"]
      detail = {
        alarmName     = ["batchImageAge-prod", "batchSpotInterruptions-prod", "batchJobsWait-prod", "batchImageRebuildFailed-prod"]
        state         = { value = ["OK"] }
        previousState = { value = ["ALARM"] }
      }
    }
    error_message = "A message that an alarm cleared must follow one that it fired."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.explain["explain"].event_pattern).detail == {
      alarmName = ["batchFailedJobs-prod", "batchImageAge-prod", "batchInvalidComputeEnvironments-prod", "batchJobsWait-prod"]
      state     = { value = ["ALARM"] }
    }
    error_message = "The function must say what these alarms are about."
  }

  assert {
    condition = !anytrue(flatten([
      for rule in aws_cloudwatch_event_rule.fired : [
        for name in jsondecode(rule.event_pattern).detail.alarmName :
        contains(jsondecode(aws_cloudwatch_event_rule.explain["explain"].event_pattern).detail.alarmName, name)
      ]
    ]))
    error_message = "An alarm must be notified of once."
  }

  assert {
    condition = jsondecode(aws_lambda_function.this.environment[0].variables.ALARM_TOPICS) == {
      "batchFailedJobs-prod"                 = "arn:aws:sns:us-east-1:123456789012:batchAlarmsCritical-prod"
      "batchImageAge-prod"                   = "arn:aws:sns:us-east-1:123456789012:batchAlarmsWarning-prod"
      "batchInvalidComputeEnvironments-prod" = "arn:aws:sns:us-east-1:123456789012:batchAlarmsCritical-prod"
      "batchJobsWait-prod"                   = "arn:aws:sns:us-east-1:123456789012:batchAlarmsWarning-prod"
    }
    error_message = "The function must publish to the topic of the alarm's severity."
  }

  assert {
    condition = alltrue([
      for severity, other in { critical = "Warning", warning = "Critical" } : alltrue([
        for rule in ["batchRuleFailed-batchAlarms${other}-prod", "batchRuleFailed-batchAlarms${other}Cleared-prod"] :
        contains(jsondecode(aws_cloudwatch_event_rule.fired[severity].event_pattern).detail.alarmName, rule)
      ])
    ])
    error_message = "A severity whose messages are lost must be notified of by the other."
  }

  assert {
    condition     = !anytrue([for each in aws_cloudwatch_event_rule.cleared : strcontains(each.event_pattern, "batchRuleFailed-batchAlarms")])
    error_message = "That a severity's rule delivers again must send nothing: with a key that lets no rule publish, alarms would follow each other for ever."
  }

  assert {
    condition = { for key, each in aws_cloudwatch_metric_alarm.measured : key => [each.metric_name, each.period, each.threshold, each.treat_missing_data] } == {
      image_age_days               = ["ImageAgeDays", 300, 45, "ignore"]
      invalid_compute_environments = ["InvalidComputeEnvironments", 300, 1, "ignore"]
      spot_interruptions           = ["SpotLosses", 1800, 10, "notBreaching"]
      waiting_minutes              = ["LongestWaitMinutes", 300, 120, "ignore"]
    }
    error_message = "Each alarm must watch its own metric."
  }

  assert {
    condition = alltrue([
      for each in concat(values(aws_cloudwatch_metric_alarm.measured), values(aws_cloudwatch_metric_alarm.rules), values(aws_cloudwatch_metric_alarm.failed_jobs)) :
      strcontains(each.alarm_description, "prod") && strcontains(each.alarm_description, "gen-infra ")
    ])
    error_message = "Each alarm must say where it happened, and with which command to go on."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.ended.event_pattern).detail.jobQueue == ["arn:aws:batch:us-east-1:123456789012:job-queue/main-prod"]
    error_message = "Only the environment's jobs may be counted."
  }

  assert {
    condition = alltrue([
      for key, each in aws_lambda_permission.this :
      each.principal == "events.amazonaws.com" && each.source_account == "123456789012" && each.source_arn == "arn:aws:events:us-east-1:123456789012:rule/${ { ended = aws_cloudwatch_event_rule.ended.name, explain = aws_cloudwatch_event_rule.explain["explain"].name, lost = aws_cloudwatch_event_rule.lost.name, schedule = aws_cloudwatch_event_rule.schedule.name }[key]}"
    ])
    error_message = "Only the rules may invoke the function."
  }

  assert {
    condition = (
      one([for each in aws_cloudwatch_metric_alarm.failed_jobs["failed_jobs"].metric_query : each.expression if each.return_data == true]) == "IF(failed >= 5, 100 * failed / (failed + succeeded), 0)" &&
      aws_cloudwatch_metric_alarm.failed_jobs["failed_jobs"].threshold == 20
    )
    error_message = "A few failed jobs must not alarm."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables.INVALID_ALARMS == "true" && aws_cloudwatch_metric_alarm.measured["waiting_minutes"].treat_missing_data == "ignore"
    error_message = "An INVALID compute environment must not be notified of twice."
  }

  assert {
    condition     = data.aws_iam_policy_document.measure.statement[2].resources == toset(["arn:aws:sns:us-east-1:123456789012:batchAlarmsCritical-prod", "arn:aws:sns:us-east-1:123456789012:batchAlarmsWarning-prod"])
    error_message = "The function may publish to the topics of alarms only."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables.COUNT_JOBS == "false"
    error_message = "Jobs must be counted for a dashboard only."
  }
}

run "nothing_unless_asked" {
  variables {
    failed_jobs                  = null
    waiting_minutes              = null
    invalid_compute_environments = false
    spot_interruptions           = null
    image_age_days               = null
    image_build_alarms           = []
    dead_letters                 = false
    dashboard                    = true
    emails                       = {}
  }

  assert {
    condition     = length(flatten(values(output.alarm_names))) == 0 && length(aws_sns_topic.this) == 0 && length(aws_sns_topic_subscription.this) == 0
    error_message = "A dashboard needs no topic."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.dead_letters) + length(aws_cloudwatch_metric_alarm.failed_jobs) + length(aws_cloudwatch_metric_alarm.measured) == 0 && aws_lambda_function.this.environment[0].variables.COUNT_JOBS == "true"
    error_message = "A dashboard needs counts and no alarms."
  }

  assert {
    condition     = [for each in data.aws_iam_policy_document.measure.statement : each.sid] == ["DescribeJobsAndComputeEnvironments", "DescribeImages"]
    error_message = "The function may do no more than it needs."
  }
}

run "other_partition" {
  variables {
    partition = "aws-cn"
    region    = "cn-north-1"
  }

  assert {
    condition     = !strcontains(join(" ", [for each in aws_sns_topic_policy.this : each.policy]), "arn:aws:") && alltrue([for each in aws_lambda_permission.this : startswith(each.source_arn, "arn:aws-cn:")])
    error_message = "Every ARN must be of the partition."
  }
}

run "govcloud" {
  variables {
    partition = "aws-us-gov"
    region    = "us-gov-west-1"
  }

  assert {
    condition = alltrue([
      for severity, each in aws_sns_topic_policy.this : jsondecode(each.policy).Statement == [{
        Sid       = "PublishAlarms"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:batchAlarms${title(severity)}-prod"
        Condition = {
          ArnEquals = {
            "aws:SourceArn" = [
              "arn:aws-us-gov:events:us-gov-west-1:123456789012:rule/batchAlarms${title(severity)}-prod",
              "arn:aws-us-gov:events:us-gov-west-1:123456789012:rule/batchAlarms${title(severity)}Cleared-prod",
            ]
          }
          StringEquals = { "aws:SourceAccount" = "123456789012" }
        }
      }]
    ])
    error_message = "Every ARN must be of the partition; EventBridge has one name in all of them."
  }
}

run "waiting_without_the_other_alarm" {
  variables {
    invalid_compute_environments = false
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables.INVALID_ALARMS == "false"
    error_message = "Without an alarm of INVALID compute environments, waiting jobs must be notified of."
  }
}

run "refuses" {
  command = plan

  variables {
    account_id            = "012"
    environment           = "Prod"
    failed_jobs           = { percent = 0, window_minutes = 60, at_least = 5 }
    iam_path              = "genomics"
    image_age_days        = 0
    job_queue_arns        = []
    kms_key_arn           = "alias/aws/sns"
    log_retention_in_days = 7
    package_path          = "absent.zip"
    partition             = "azure"
    permissions_boundary  = "boundary"
    region                = "somewhere"
    reserved_concurrency  = 0
    spot_interruptions    = { attempts = 0, window_minutes = 60 }
    waiting_minutes       = 1
    dead_letter_queues    = ["no queue"]
    event_rules           = ["no rule"]
  }

  expect_failures = [
    var.account_id, var.environment, var.failed_jobs, var.iam_path,
    var.image_age_days, var.job_queue_arns, var.kms_key_arn, var.log_retention_in_days, var.package_path, var.partition,
    var.permissions_boundary, var.region, var.reserved_concurrency, var.spot_interruptions, var.waiting_minutes,
    var.dead_letter_queues, var.event_rules,
  ]
}

run "refuses_alarms_without_recipients" {
  command = plan

  variables {
    emails = { critical = ["ops@example.com"] }
  }

  expect_failures = [var.emails]
}

run "refuses_what_is_no_address" {
  command = plan

  variables {
    emails = { critical = ["ops@example.com"], warning = ["not-an-address"] }
  }

  expect_failures = [var.emails]
}
