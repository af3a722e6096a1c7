locals {
  states = ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING"]

  # Tables of metrics as CloudWatch's dashboards take them: [namespace, metric, dimension, value, options].
  of_environment = ["Environment", var.environment]

  queues = [
    for index, queue in sort(var.queues) : {
      type   = "metric"
      x      = (index % 2) * 12
      y      = floor(index / 2) * 6
      width  = 12
      height = 6
      properties = {
        title   = "Jobs of ${queue}"
        view    = "timeSeries"
        stacked = true
        region  = var.region
        period  = 300
        stat    = "Maximum"
        metrics = [for state in local.states : ["gen-infra", "${title(lower(state))}Jobs", local.of_environment[0], local.of_environment[1], "Queue", queue, { label = state }]]
      }
    }
  ]

  graphs = {
    "vCPUs"                        = { stat = "Maximum", period = 300, metrics = { DesiredVcpus = "in use or starting", MaxVcpus = "at most" } }
    "Jobs that ended"              = { stat = "Sum", period = 3600, metrics = { FailedJobs = "FAILED", SucceededJobs = "SUCCEEDED" } }
    "Longest wait"                 = { stat = "Maximum", period = 300, metrics = { LongestWaitMinutes = "minutes RUNNABLE" } }
    "Spot losses"                  = { stat = "Sum", period = 3600, metrics = { SpotLosses = "attempts an hour" } }
    "Image age"                    = { stat = "Maximum", period = 3600, metrics = { ImageAgeDays = "days" } }
    "INVALID compute environments" = { stat = "Maximum", period = 300, metrics = { InvalidComputeEnvironments = "compute environments" } }
  }

  # In the order of the page: jobs first, what they run on below.
  titles = ["Jobs that ended", "Longest wait", "vCPUs", "Spot losses", "INVALID compute environments", "Image age"]
  top    = ceil(length(var.queues) / 2) * 6

  environment = [
    for index, title in local.titles : {
      type   = "metric"
      x      = (index % 2) * 12
      y      = local.top + floor(index / 2) * 6
      width  = 12
      height = 6
      properties = {
        title   = title
        view    = "timeSeries"
        stacked = false
        region  = var.region
        period  = local.graphs[title].period
        stat    = local.graphs[title].stat
        metrics = [for metric, label in local.graphs[title].metrics : ["gen-infra", metric, local.of_environment[0], local.of_environment[1], { label = label }]]
        yAxis   = { left = { min = 0 } }
      }
    }
  ]

  alarms = length(var.alarm_arns) == 0 ? [] : [{
    type       = "alarm"
    x          = 0
    y          = local.top + ceil(length(local.titles) / 2) * 6
    width      = 24
    height     = 4
    properties = { title = "Alarms", alarms = sort(var.alarm_arns) }
  }]
}

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "batch-${var.environment}"
  dashboard_body = jsonencode({ start = "-P1D", widgets = concat(local.queues, local.environment, local.alarms) })
}
