# The job queues. They refer to compute environments by ARN, so that a new one is in use before the old one is deleted.

# AWS can neither add a scheduling policy to a queue nor remove it: a queue whose entry changes here is replaced.
resource "terraform_data" "scheduling" {
  input = {
    groups = "fair share"
    urgent = "FIFO"
  }
}

resource "aws_batch_scheduling_policy" "groups" {
  name = "groups-fair"

  fair_share_policy {
    compute_reservation = 20
    share_decay_seconds = 3600

    share_distribution {
      share_identifier = "clinic"
      weight_factor    = 0.5
    }

    share_distribution {
      share_identifier = "research*"
      weight_factor    = 1.0
    }
  }
}

resource "aws_batch_job_queue" "groups" {
  name                  = "groups-fair"
  priority              = 10
  state                 = "ENABLED"
  scheduling_policy_arn = aws_batch_scheduling_policy.groups.arn

  compute_environment_order {
    order               = 1
    compute_environment = module.compute_sharedEnv.arn
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
    replace_triggered_by = [terraform_data.scheduling.input.groups]
  }
}

resource "aws_batch_job_queue" "urgent" {
  name     = "urgent-fair"
  priority = 1000
  state    = "ENABLED"

  compute_environment_order {
    order               = 1
    compute_environment = module.compute_sharedEnv.arn
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
    replace_triggered_by = [terraform_data.scheduling.input.urgent]
  }
}
