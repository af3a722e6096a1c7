mock_provider "aws" {}

variables {
  environment = "prod"
  usd_a_month = 5000
  emails      = ["lab-head@example.com"]
}

run "e_mails_only" {
  assert {
    condition     = jsonencode([for filter in aws_budgets_budget.this.cost_filter : [filter.name, filter.values]]) == jsonencode([["TagKeyValue", ["user:gen-infra:cost$prod"]]])
    error_message = "Only what has the environment's tag may count."
  }

  assert {
    condition     = [aws_budgets_budget.this.limit_amount, aws_budgets_budget.this.limit_unit, aws_budgets_budget.this.time_unit] == ["5000", "USD", "MONTHLY"]
    error_message = "The amount must be of a month."
  }

  assert {
    condition     = toset([for each in aws_budgets_budget.this.notification : each.threshold]) == toset([50, 80, 100])
    error_message = "Each percentage must have a notification."
  }

  assert {
    condition     = alltrue([for each in aws_budgets_budget.this.notification : length(coalesce(each.subscriber_sns_topic_arns, [])) == 0 && each.subscriber_email_addresses == toset(["lab-head@example.com"])])
    error_message = "Each must go to the addresses, and to nothing that stops queues."
  }
}

run "stops_the_queues" {
  variables {
    at_percent     = [50, 120]
    stop_queues_at = 120
    stop_topic_arn = "arn:aws:sns:us-east-1:123456789012:batchQueueStop-prod"
  }

  assert {
    condition = jsonencode({ for each in aws_budgets_budget.this.notification : each.threshold => coalesce(each.subscriber_sns_topic_arns, []) }) == jsonencode({
      50  = []
      120 = ["arn:aws:sns:us-east-1:123456789012:batchQueueStop-prod"]
    })
    error_message = "Only the last percentage may stop the queues, and it must be there once."
  }
}

run "refuses" {
  command = plan

  variables {
    at_percent     = [0]
    emails         = []
    environment    = "Prod"
    stop_queues_at = 0
    usd_a_month    = 0
  }

  expect_failures = [var.at_percent, var.emails, var.environment, var.stop_queues_at, var.usd_a_month]
}

run "refuses_another_topic" {
  command = plan

  variables {
    stop_queues_at = 120
    stop_topic_arn = "batchQueueStop-prod"
  }

  expect_failures = [var.stop_topic_arn]
}

run "refuses_a_stop_without_a_topic" {
  command = plan

  variables {
    stop_queues_at = 120
  }

  expect_failures = [var.stop_topic_arn]
}
