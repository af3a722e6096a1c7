# The job definitions, each with its role and log group, in one plain block each: plans stay fast, and scanners check all
# of them. ARNs are literals, because scanners skip policies and definitions that are unknown in the plan.

# Only ECS tasks of this account and region may assume a job's role.
data "aws_iam_policy_document" "job_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = ["123456789012"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:aws:ecs:us-east-1:123456789012:*"]
    }
  }
}

resource "aws_cloudwatch_log_group" "nextflow-head" {
  name              = "/aws/batch/nextflow/nextflow-head"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_batch_job_definition" "nextflow-head" {
  name                       = "nextflow-head-nextflow"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "docker.io/nextflow/nextflow:25.04.6"
    command    = ["bash", "-c", "echo \"submit it with gen-infra submit --engine\" >&2; exit 2"]
    jobRoleArn = "arn:aws:iam::123456789012:role/nextflow-nextflow-head"
    resourceRequirements = [
      { type = "VCPU", value = "2" },
      { type = "MEMORY", value = "8000" },
    ]
    environment = [
      {
        name  = "GEN_INFRA_ENGINE_CONFIG"
        value = "// Makes nextflow use the environment nextflow. Run it with the role\n// arn:aws:iam::123456789012:role/nextflow-nextflow-head.\nprocess.executor = 'awsbatch'\nprocess.queue = 'tasks-nextflow'\n// By these tags of its jobs Nextflow may stop them.\nprocess.resourceLabels = ['gen-infra:engine': 'nextflow-nextflow', 'gen-infra:environment': 'nextflow']\nworkDir = 's3://genomics-results-123456789012/nf'\naws.region = 'us-east-1'\n// What tasks run as, and where they log.\naws.batch.jobRole = 'arn:aws:iam::123456789012:role/nextflow-nextflow-worker'\naws.batch.logsGroup = '/aws/batch/nextflow/nextflow'\n// Run a task again if its Spot instance is lost; Nextflow's default is 0 since 24.10.\naws.batch.maxSpotAttempts = 5\n// The AWS CLI of the machine image; its folder is mounted into each container.\naws.batch.cliPath = '/opt/aws-cli/bin/aws'\n// Scratch: the machine image gives each container its own folder of this volume.\naws.batch.volumes = '/docker_scratch:/tmp'\n"
      },
    ]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/nextflow/nextflow-head"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "nextflow-head"
      }
    }
  })

  retry_strategy {
    attempts = 1

    # Only these failures are retried; a program that failed would fail again.
    evaluate_on_exit {
      action           = "RETRY"
      on_status_reason = "Host EC2*"
    }

    evaluate_on_exit {
      action    = "RETRY"
      on_reason = "CannotPull*"
    }

    evaluate_on_exit {
      action    = "RETRY"
      on_reason = "DockerTimeoutError*"
    }

    evaluate_on_exit {
      action    = "EXIT"
      on_reason = "*"
    }
  }

  timeout {
    attempt_duration_seconds = 1209600
  }

  depends_on = [aws_cloudwatch_log_group.nextflow-head]
}
