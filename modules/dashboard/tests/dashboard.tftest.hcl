mock_provider "aws" {}

variables {
  environment = "prod"
  region      = "us-east-1"
  queues      = ["lowPriority-prod", "highPriority-prod", "third-prod"]
  alarm_arns  = ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchJobsWait-prod"]
}

run "page" {
  assert {
    condition = [for each in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : each.properties.title] == [
      "Jobs of highPriority-prod", "Jobs of lowPriority-prod", "Jobs of third-prod",
      "Jobs that ended", "Longest wait", "vCPUs", "Spot losses", "INVALID compute environments", "Image age", "Alarms",
    ]
    error_message = "Queues must be first, and alarms last."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.metrics[2] == [
      "gen-infra", "RunnableJobs", "Environment", "prod", "Queue", "highPriority-prod", { label = "RUNNABLE" },
    ]
    error_message = "A queue's graph must have its jobs by state."
  }

  assert {
    condition = length(distinct([
      for each in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : "${each.x} ${each.y}"
    ])) == 10
    error_message = "No graph may cover another."
  }
}

run "without_alarms" {
  variables {
    alarm_arns = []
  }

  assert {
    condition     = !strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "\"alarm\"")
    error_message = "Without alarms there must be no widget of alarms."
  }
}

run "refuses" {
  command = plan

  variables {
    alarm_arns  = ["batchJobsWait-prod"]
    environment = "Prod"
    queues      = []
    region      = "somewhere"
  }

  expect_failures = [var.alarm_arns, var.environment, var.queues, var.region]
}
