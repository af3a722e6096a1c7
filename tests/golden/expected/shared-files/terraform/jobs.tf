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

resource "aws_cloudwatch_log_group" "fetch" {
  name              = "/aws/batch/shared-files/fetch"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "fetch" {
  name               = "fetch-shared-files-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "fetch_efs" {
  statement {
    sid     = "FileSystem0"
    actions = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    resources = [
      "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-0123456789abcdef0",
    ]

    condition {
      test     = "StringEquals"
      variable = "elasticfilesystem:AccessPointArn"
      values = [
        "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0",
      ]
    }
  }
}

resource "aws_iam_role_policy" "fetch_efs" {
  name   = "efs"
  role   = aws_iam_role.fetch.id
  policy = data.aws_iam_policy_document.fetch_efs.json
}

resource "aws_batch_job_definition" "fetch" {
  name                       = "fetch-shared-files"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "quay.io/biocontainers/samtools:1.21--h50ea8bc_0"
    command    = ["cp", "--recursive", "/archive/GRCh38", "/references/"]
    jobRoleArn = "arn:aws:iam::123456789012:role/fetch-shared-files-job"
    resourceRequirements = [
      { type = "VCPU", value = "2" },
      { type = "MEMORY", value = "4000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/shared-files/fetch"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "fetch"
      }
    }
    mountPoints = [
      { sourceVolume = "efs-refs", containerPath = "/references", readOnly = false },
      { sourceVolume = "efs-archive", containerPath = "/archive", readOnly = false },
    ]
    volumes = [
      {
        name = "efs-refs"
        efsVolumeConfiguration = {
          fileSystemId      = module.file_system_refs.id
          transitEncryption = "ENABLED"
          authorizationConfig = {
            accessPointId = module.file_system_refs.access_point_id
            iam           = "ENABLED"
          }
        }
      },
      {
        name = "efs-archive"
        efsVolumeConfiguration = {
          fileSystemId      = "fs-0123456789abcdef0"
          transitEncryption = "ENABLED"
          authorizationConfig = {
            accessPointId = "fsap-0123456789abcdef0"
            iam           = "ENABLED"
          }
        }
      },
    ]
  })

  retry_strategy {
    attempts = 3

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

  depends_on = [aws_cloudwatch_log_group.fetch, aws_iam_role_policy.fetch_efs]
}

resource "aws_cloudwatch_log_group" "align" {
  name              = "/aws/batch/shared-files/align"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "align" {
  name               = "align-shared-files-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

resource "aws_batch_job_definition" "align" {
  name                       = "align-shared-files"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "quay.io/biocontainers/bwa-mem2:2.2.1"
    command    = []
    jobRoleArn = "arn:aws:iam::123456789012:role/align-shared-files-job"
    resourceRequirements = [
      { type = "VCPU", value = "8" },
      { type = "MEMORY", value = "30000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/shared-files/align"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "align"
      }
    }
    mountPoints = [
      { sourceVolume = "scratch", containerPath = "/scratch", readOnly = false },
      { sourceVolume = "efs-refs", containerPath = "/references", readOnly = true },
      { sourceVolume = "fsx-work", containerPath = "/work", readOnly = false },
    ]
    volumes = [
      {
        name = "scratch"
        host = {
          sourcePath = "/docker_scratch"
        }
      },
      {
        name = "efs-refs"
        efsVolumeConfiguration = {
          fileSystemId      = module.file_system_refs.id
          transitEncryption = "ENABLED"
          authorizationConfig = {
            accessPointId = module.file_system_refs.access_point_id
            iam           = "ENABLED"
          }
        }
      },
      {
        name = "fsx-work"
        host = {
          sourcePath = "/fsx/work"
        }
      },
    ]
  })

  retry_strategy {
    attempts = 3

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

  depends_on = [aws_cloudwatch_log_group.align, aws_iam_role.align]
}
