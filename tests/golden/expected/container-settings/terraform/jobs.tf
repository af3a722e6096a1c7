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

resource "aws_cloudwatch_log_group" "sort" {
  name              = "/aws/batch/settings/sort"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "sort" {
  name               = "sort-settings-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

resource "aws_batch_job_definition" "sort" {
  name                       = "sort-settings"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "quay.io/biocontainers/samtools:1.21"
    command    = []
    jobRoleArn = "arn:aws:iam::123456789012:role/sort-settings-job"
    resourceRequirements = [
      { type = "VCPU", value = "8" },
      { type = "MEMORY", value = "30000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/settings/sort"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "sort"
      }
    }
    user                   = "1000:1000"
    readonlyRootFilesystem = true
    ulimits = [
      { name = "nofile", softLimit = 65536, hardLimit = 65536 },
      { name = "stack", softLimit = -1, hardLimit = -1 },
    ]
    linuxParameters = {
      initProcessEnabled = true
      sharedMemorySize   = 1024
      maxSwap            = 2048
      swappiness         = 10
      tmpfs = [
        {
          containerPath = "/tmp"
          size          = 2048
          mountOptions  = ["nosuid", "nodev"]
        },
      ]
      devices = [
        {
          hostPath      = "/dev/fuse"
          containerPath = "/dev/fuse"
          permissions   = ["READ", "WRITE"]
        },
      ]
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
  })

  retry_strategy {
    attempts = 5

    # Only these failures are retried; a program that failed would fail again.
    evaluate_on_exit {
      action           = "RETRY"
      on_status_reason = "Host EC2*"
    }

    evaluate_on_exit {
      action           = "RETRY"
      on_status_reason = "Task failed to start*"
    }

    evaluate_on_exit {
      action       = "RETRY"
      on_exit_code = "137"
    }

    evaluate_on_exit {
      action    = "RETRY"
      on_reason = "ResourceInitializationError*"
    }

    evaluate_on_exit {
      action    = "EXIT"
      on_reason = "*"
    }
  }

  timeout {
    attempt_duration_seconds = 86400
  }

  depends_on = [aws_cloudwatch_log_group.sort, aws_iam_role.sort]
}

resource "aws_cloudwatch_log_group" "index" {
  name              = "/aws/batch/settings/index"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "index" {
  name               = "index-settings-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

resource "aws_batch_job_definition" "index" {
  name                       = "index-settings"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "quay.io/biocontainers/samtools:1.21"
    command    = []
    jobRoleArn = "arn:aws:iam::123456789012:role/index-settings-job"
    resourceRequirements = [
      { type = "VCPU", value = "2" },
      { type = "MEMORY", value = "4000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/settings/index"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "index"
      }
    }
  })

  retry_strategy {
    attempts = 3

    evaluate_on_exit {
      action       = "EXIT"
      on_exit_code = "2"
    }

    evaluate_on_exit {
      action    = "EXIT"
      on_reason = "OutOfMemoryError*"
    }
  }

  timeout {
    attempt_duration_seconds = 86400
  }

  depends_on = [aws_cloudwatch_log_group.index, aws_iam_role.index]
}
