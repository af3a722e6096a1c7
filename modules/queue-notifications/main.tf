locals {
  name      = "batchQueueBlocked-${var.environment}"
  rule_arn  = "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${local.name}"
  topic_arn = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${local.name}"
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
      Sid       = "PublishBlockedQueues"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = local.topic_arn
      Condition = { ArnEquals = { "aws:SourceArn" = local.rule_arn } }
    }]
  })
}

resource "aws_sns_topic_subscription" "this" {
  for_each = var.emails

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}

# https://docs.aws.amazon.com/batch/latest/userguide/batch-job-queue-blocked-events.html
resource "aws_cloudwatch_event_rule" "this" {
  name        = local.name
  description = "A job at the head of a queue of ${var.environment} cannot start, and blocks the queue"

  event_pattern = jsonencode({
    source        = ["aws.batch"]
    "detail-type" = ["Batch Job Queue Blocked"]
    detail        = { jobQueue = sort(var.job_queue_arns) }
  })
}

resource "aws_cloudwatch_event_target" "this" {
  rule = aws_cloudwatch_event_rule.this.name
  arn  = aws_sns_topic.this.arn

  input_transformer {
    input_paths = {
      id     = "$.detail.jobId"
      name   = "$.detail.jobName"
      queue  = "$.detail.jobQueue"
      reason = "$.detail.statusReason"
    }
    input_template = "\"<queue> is blocked by <name> (<id>): <reason>. What to do about it: gen-infra why MANIFEST <id>\""
  }

  depends_on = [aws_sns_topic_policy.this]
}
