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

resource "aws_cloudwatch_log_group" "align" {
  name              = "/aws/batch/several/align"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "align" {
  name               = "align-several-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "align_buckets" {
  statement {
    sid       = "LocateBuckets"
    actions   = ["s3:GetBucketLocation"]
    resources = ["arn:aws:s3:::genomics-reads-123456789012"]
  }

  statement {
    sid       = "ReadList0"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-reads-123456789012"]
  }

  statement {
    sid       = "ReadObjects"
    actions   = ["s3:GetObject", "s3:GetObjectTagging"]
    resources = ["arn:aws:s3:::genomics-reads-123456789012/*"]
  }
}

resource "aws_iam_role_policy" "align_buckets" {
  name   = "buckets"
  role   = aws_iam_role.align.id
  policy = data.aws_iam_policy_document.align_buckets.json
}

resource "aws_batch_job_definition" "align" {
  name                       = "align-several"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false
  parameters = {
    sample = "NA12878"
  }

  ecs_properties = jsonencode({
    taskProperties = [
      {
        containers = [
          {
            name      = "align"
            essential = true
            image     = "quay.io/biocontainers/bwa-mem2:2.2.1"
            command   = ["bwa-mem2", "mem", "/reference/genome.fa", "/reads/Ref::sample.fq"]
            resourceRequirements = [
              { type = "VCPU", value = "8" },
              { type = "MEMORY", value = "24000" },
            ]
            environment = []
            logConfiguration = {
              logDriver = "awslogs"
              options = {
                awslogs-group         = "/aws/batch/several/align"
                awslogs-region        = "us-east-1"
                awslogs-stream-prefix = "align"
              }
            }
            mountPoints = [
              { sourceVolume = "scratch", containerPath = "/scratch", readOnly = false },
              { sourceVolume = "shared-reads", containerPath = "/reads", readOnly = true },
            ]
            dependsOn = [
              { containerName = "fetch", condition = "SUCCESS" },
              { containerName = "progress", condition = "START" },
            ]
          },
          {
            name      = "fetch"
            essential = false
            image     = "123456789012.dkr.ecr.us-east-1.amazonaws.com/several/fetch:1.0"
            command   = ["fetch", "Ref::sample", "/reads"]
            resourceRequirements = [
              { type = "VCPU", value = "1" },
              { type = "MEMORY", value = "1024" },
            ]
            environment = []
            logConfiguration = {
              logDriver = "awslogs"
              options = {
                awslogs-group         = "/aws/batch/several/align"
                awslogs-region        = "us-east-1"
                awslogs-stream-prefix = "align"
              }
            }
            mountPoints = [
              { sourceVolume = "shared-reads", containerPath = "/reads", readOnly = false },
            ]
          },
          {
            name      = "progress"
            essential = false
            image     = "public.ecr.aws/docker/library/busybox:stable"
            command   = ["sh", "-c", "while sleep 60; do du -s /reads; done"]
            resourceRequirements = [
              { type = "VCPU", value = "1" },
              { type = "MEMORY", value = "256" },
            ]
            environment = []
            logConfiguration = {
              logDriver = "awslogs"
              options = {
                awslogs-group         = "/aws/batch/several/align"
                awslogs-region        = "us-east-1"
                awslogs-stream-prefix = "align"
              }
            }
            user                   = "1000:1000"
            readonlyRootFilesystem = true
            mountPoints = [
              { sourceVolume = "shared-reads", containerPath = "/reads", readOnly = true },
            ]
          },
        ]
        taskRoleArn = "arn:aws:iam::123456789012:role/align-several-job"
        volumes = [
          {
            name = "scratch"
            host = {
              sourcePath = "/docker_scratch"
            }
          },
          { name = "shared-reads" },
        ]
        pidMode = "task"
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

  depends_on = [aws_cloudwatch_log_group.align, aws_iam_role_policy.align_buckets]
}
