# The job queues. They refer to compute environments by ARN, so that a new one is in use before the old one is deleted.

# AWS can neither add a scheduling policy to a queue nor remove it: a queue whose entry changes here is replaced.
resource "terraform_data" "scheduling" {
  input = {
    main = "FIFO"
  }
}

resource "aws_batch_job_queue" "main" {
  name     = "main-pinned"
  priority = 1
  state    = "ENABLED"

  compute_environment_order {
    order               = 1
    compute_environment = module.compute_spot.arn
  }

  job_state_time_limit_action {
    action           = "CANCEL"
    state            = "RUNNABLE"
    reason           = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
    max_time_seconds = 86400
  }

  job_state_time_limit_action {
    action           = "CANCEL"
    state            = "RUNNABLE"
    reason           = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE"
    max_time_seconds = 3600
  }

  job_state_time_limit_action {
    action           = "CANCEL"
    state            = "RUNNABLE"
    reason           = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"
    max_time_seconds = 3600
  }

  lifecycle {
    replace_triggered_by = [terraform_data.scheduling.input.main]
  }
}
