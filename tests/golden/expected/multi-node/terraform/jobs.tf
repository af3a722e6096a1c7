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

resource "aws_cloudwatch_log_group" "assemble" {
  name              = "/aws/batch/mpi/assemble"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "assemble" {
  name               = "assemble-mpi-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

resource "aws_batch_job_definition" "assemble" {
  name                       = "assemble-mpi"
  type                       = "multinode"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  node_properties = jsonencode({
    numNodes = 4
    mainNode = 0
    nodeRangeProperties = [
      {
        targetNodes = "0:"
        container = {
          image      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/ray-mpi:3.0"
          command    = ["/usr/local/bin/run-on-all-nodes", "Ref::sample"]
          jobRoleArn = "arn:aws:iam::123456789012:role/assemble-mpi-job"
          resourceRequirements = [
            { type = "VCPU", value = "32" },
            { type = "MEMORY", value = "60000" },
          ]
          environment = []
          logConfiguration = {
            logDriver = "awslogs"
            options = {
              awslogs-group         = "/aws/batch/mpi/assemble"
              awslogs-region        = "us-east-1"
              awslogs-stream-prefix = "assemble"
            }
          }
          mountPoints = [
            { sourceVolume = "scratch", containerPath = "/scratch", readOnly = false },
          ]
          volumes = [
            {
              name = "scratch"
              host = {
                sourcePath = "/docker_scratch"
              }
            },
          ]
        }
      },
    ]
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
    attempt_duration_seconds = 86400
  }

  depends_on = [aws_cloudwatch_log_group.assemble, aws_iam_role.assemble]
}

resource "aws_cloudwatch_log_group" "assembleFast" {
  name              = "/aws/batch/mpi/assembleFast"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "assembleFast" {
  name               = "assembleFast-mpi-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

resource "aws_batch_job_definition" "assembleFast" {
  name                       = "assembleFast-mpi"
  type                       = "multinode"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  node_properties = jsonencode({
    numNodes = 4
    mainNode = 0
    nodeRangeProperties = [
      {
        targetNodes = "0:"
        container = {
          image      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/ray-mpi:3.0"
          command    = ["/usr/local/bin/run-on-all-nodes"]
          jobRoleArn = "arn:aws:iam::123456789012:role/assembleFast-mpi-job"
          resourceRequirements = [
            { type = "VCPU", value = "190" },
            { type = "MEMORY", value = "360000" },
          ]
          environment = [
            { name = "FI_PROVIDER", value = "efa" },
          ]
          logConfiguration = {
            logDriver = "awslogs"
            options = {
              awslogs-group         = "/aws/batch/mpi/assembleFast"
              awslogs-region        = "us-east-1"
              awslogs-stream-prefix = "assembleFast"
            }
          }
          linuxParameters = {
            devices = [
              {
                hostPath      = "/dev/infiniband/uverbs0"
                containerPath = "/dev/infiniband/uverbs0"
                permissions   = ["READ", "WRITE", "MKNOD"]
              },
            ]
          }
        }
      },
    ]
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
    attempt_duration_seconds = 86400
  }

  depends_on = [aws_cloudwatch_log_group.assembleFast, aws_iam_role.assembleFast]
}
