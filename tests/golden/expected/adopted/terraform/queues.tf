# The job queues. They refer to compute environments by ARN, so that a new one is in use before the old one is deleted.

# AWS can neither add a scheduling policy to a queue nor remove it: a queue whose entry changes here is replaced.
resource "terraform_data" "scheduling" {
  input = {
    main = "fair share"
  }
}

resource "aws_batch_scheduling_policy" "main" {
  name = "oldShares"

  fair_share_policy {
    compute_reservation = 0
    share_decay_seconds = 0

    share_distribution {
      share_identifier = "lab"
      weight_factor    = 1.0
    }
  }

  lifecycle {
    ignore_changes = [tags]
  }
}

resource "aws_batch_job_queue" "main" {
  name                  = "Main_Queue"
  priority              = 1
  state                 = "ENABLED"
  scheduling_policy_arn = aws_batch_scheduling_policy.main.arn

  compute_environment_order {
    order               = 1
    compute_environment = module.compute_spot.arn
  }

  lifecycle {
    replace_triggered_by = [terraform_data.scheduling.input.main]
  }
}
