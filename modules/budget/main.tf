locals {
  # A budget takes a threshold once: the one that stops the queues notifies by e-mail too.
  percentages = setsubtract(var.at_percent, var.stop_queues_at == null ? [] : [var.stop_queues_at])
  stops       = var.stop_queues_at == null ? {} : { (var.stop_queues_at) = var.stop_topic_arn }
}

resource "aws_budgets_budget" "this" {
  name         = "batchBudget-${var.environment}"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.usd_a_month)
  limit_unit   = "USD"

  # https://docs.aws.amazon.com/cost-management/latest/userguide/create-cost-budget.html: user:KEY$VALUE
  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:gen-infra:cost$%s", var.environment)]
  }

  dynamic "notification" {
    for_each = local.percentages

    content {
      notification_type          = "ACTUAL"
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.emails
    }
  }

  dynamic "notification" {
    for_each = local.stops

    content {
      notification_type          = "ACTUAL"
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.key
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.emails
      subscriber_sns_topic_arns  = [notification.value]
    }
  }
}
