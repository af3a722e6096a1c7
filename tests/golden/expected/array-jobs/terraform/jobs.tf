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
  name              = "/aws/batch/arrays/align"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "align" {
  name               = "align-arrays-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "align_buckets" {
  statement {
    sid       = "LocateBuckets"
    actions   = ["s3:GetBucketLocation"]
    resources = ["arn:aws:s3:::genomics-work-123456789012"]
  }

  statement {
    sid       = "FindBuckets"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-work-123456789012"]

    condition {
      test     = "Null"
      variable = "s3:prefix"
      values   = ["true"]
    }
  }

  statement {
    sid       = "FindPrefixes"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::genomics-work-123456789012/arrays"]
  }

  statement {
    sid       = "WorkList0"
    actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
    resources = ["arn:aws:s3:::genomics-work-123456789012"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["arrays", "arrays/*"]
    }
  }

  statement {
    sid = "WorkObjects"
    actions = [
      "s3:GetObject",
      "s3:GetObjectTagging",
      "s3:PutObject",
      "s3:PutObjectTagging",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
      "s3:DeleteObject",
      "s3:DeleteObjectTagging",
      "s3:GetObjectVersion",
      "s3:GetObjectVersionTagging",
      "s3:DeleteObjectVersion",
    ]
    resources = ["arn:aws:s3:::genomics-work-123456789012/arrays/*"]
  }
}

resource "aws_iam_role_policy" "align_buckets" {
  name   = "buckets"
  role   = aws_iam_role.align.id
  policy = data.aws_iam_policy_document.align_buckets.json
}

resource "aws_batch_job_definition" "align" {
  name                       = "align-arrays"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false
  parameters = {
    threads = "8"
  }

  container_properties = jsonencode({
    image      = "quay.io/biocontainers/bwa-mem2:2.2.1"
    command    = ["align-one.sh", "--cohort", "Ref::cohort", "--threads", "Ref::threads"]
    jobRoleArn = "arn:aws:iam::123456789012:role/align-arrays-job"
    resourceRequirements = [
      { type = "VCPU", value = "8" },
      { type = "MEMORY", value = "30000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/arrays/align"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "align"
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

resource "aws_cloudwatch_log_group" "merge" {
  name              = "/aws/batch/arrays/merge"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "merge" {
  name               = "merge-arrays-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "merge_buckets" {
  statement {
    sid       = "LocateBuckets"
    actions   = ["s3:GetBucketLocation"]
    resources = ["arn:aws:s3:::genomics-work-123456789012"]
  }

  statement {
    sid       = "FindBuckets"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-work-123456789012"]

    condition {
      test     = "Null"
      variable = "s3:prefix"
      values   = ["true"]
    }
  }

  statement {
    sid       = "FindPrefixes"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::genomics-work-123456789012/arrays"]
  }

  statement {
    sid       = "WorkList0"
    actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
    resources = ["arn:aws:s3:::genomics-work-123456789012"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["arrays", "arrays/*"]
    }
  }

  statement {
    sid = "WorkObjects"
    actions = [
      "s3:GetObject",
      "s3:GetObjectTagging",
      "s3:PutObject",
      "s3:PutObjectTagging",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
      "s3:DeleteObject",
      "s3:DeleteObjectTagging",
      "s3:GetObjectVersion",
      "s3:GetObjectVersionTagging",
      "s3:DeleteObjectVersion",
    ]
    resources = ["arn:aws:s3:::genomics-work-123456789012/arrays/*"]
  }
}

resource "aws_iam_role_policy" "merge_buckets" {
  name   = "buckets"
  role   = aws_iam_role.merge.id
  policy = data.aws_iam_policy_document.merge_buckets.json
}

resource "aws_batch_job_definition" "merge" {
  name                       = "merge-arrays"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "quay.io/biocontainers/samtools:1.21"
    command    = ["merge-all.sh", "--cohort", "Ref::cohort"]
    jobRoleArn = "arn:aws:iam::123456789012:role/merge-arrays-job"
    resourceRequirements = [
      { type = "VCPU", value = "2" },
      { type = "MEMORY", value = "4000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/arrays/merge"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "merge"
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

  depends_on = [aws_cloudwatch_log_group.merge, aws_iam_role_policy.merge_buckets]
}
