mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:batchQueueBlocked-prod" }
  }
}

variables {
  environment    = "prod"
  account_id     = "123456789012"
  region         = "us-east-1"
  emails         = ["genomics-ops@example.com"]
  job_queue_arns = ["arn:aws:batch:us-east-1:123456789012:job-queue/lowPriority-prod", "arn:aws:batch:us-east-1:123456789012:job-queue/highPriority-prod"]
  kms_key_arn    = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
}

run "blocked_queues_are_told" {
  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.this.event_pattern) == {
      source        = ["aws.batch"]
      "detail-type" = ["Batch Job Queue Blocked"]
      detail        = { jobQueue = ["arn:aws:batch:us-east-1:123456789012:job-queue/highPriority-prod", "arn:aws:batch:us-east-1:123456789012:job-queue/lowPriority-prod"] }
    }
    error_message = "The rule must match only these queues."
  }

  assert {
    condition     = aws_cloudwatch_event_target.this.arn == aws_sns_topic.this.arn && aws_cloudwatch_event_target.this.rule == "batchQueueBlocked-prod"
    error_message = "The rule must publish to the topic."
  }

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == var.kms_key_arn
    error_message = "The topic must be encrypted with the environment's key."
  }

  assert {
    condition     = [for each in aws_sns_topic_subscription.this : [each.protocol, each.endpoint]] == [["email", "genomics-ops@example.com"]]
    error_message = "Everybody named must be subscribed."
  }

  assert {
    condition = jsondecode(aws_sns_topic_policy.this.policy).Statement == [{
      Sid       = "PublishBlockedQueues"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:us-east-1:123456789012:batchQueueBlocked-prod"
      Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:events:us-east-1:123456789012:rule/batchQueueBlocked-prod" } }
    }]
    error_message = "Only the rule may publish."
  }
}

run "other_partition" {
  variables {
    partition = "aws-us-gov"
  }

  assert {
    condition     = !strcontains(aws_sns_topic_policy.this.policy, "arn:aws:")
    error_message = "Every ARN must be of the partition."
  }
}

run "refuses" {
  command = plan

  variables {
    account_id     = "012"
    emails         = ["not-an-address"]
    environment    = "Prod"
    job_queue_arns = []
    kms_key_arn    = "alias/aws/sns"
    partition      = "azure"
    region         = "somewhere"
  }

  expect_failures = [
    var.account_id, var.emails, var.environment, var.job_queue_arns, var.kms_key_arn, var.partition, var.region,
  ]
}
