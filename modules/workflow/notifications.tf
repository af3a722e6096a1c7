locals {
  notify    = length(var.emails) > 0 ? { topic = var.topic } : {}
  rule_arn  = "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${var.topic}"
  topic_arn = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${var.topic}"
}

resource "aws_sns_topic" "failed" {
  for_each = local.notify

  name              = var.topic
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_policy" "failed" {
  for_each = local.notify

  arn = aws_sns_topic.failed[each.key].arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PublishFailedRuns"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = local.topic_arn
      Condition = { ArnEquals = { "aws:SourceArn" = local.rule_arn } }
    }]
  })
}

resource "aws_sns_topic_subscription" "failed" {
  for_each = var.emails

  topic_arn = aws_sns_topic.failed["topic"].arn
  protocol  = "email"
  endpoint  = each.value
}

# https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
resource "aws_cloudwatch_event_rule" "failed" {
  for_each = local.notify

  name        = var.topic
  description = "A run of the workflow ${var.workflow} failed, was stopped or timed out"

  event_pattern = jsonencode({
    source        = ["aws.states"]
    "detail-type" = ["Step Functions Execution Status Change"]
    detail = {
      stateMachineArn = sort(values(local.state_machine_arns))
      status          = ["ABORTED", "FAILED", "TIMED_OUT"]
    }
  })
}

resource "aws_cloudwatch_event_target" "failed" {
  for_each = local.notify

  rule = aws_cloudwatch_event_rule.failed[each.key].name
  arn  = aws_sns_topic.failed[each.key].arn

  input_transformer {
    input_paths = {
      name   = "$.detail.name"
      status = "$.detail.status"
    }
    input_template = "\"The run <name> of ${var.workflow} is <status>. Its cause: gen-infra why MANIFEST <name>\""
  }

  depends_on = [aws_sns_topic_policy.failed]
}
