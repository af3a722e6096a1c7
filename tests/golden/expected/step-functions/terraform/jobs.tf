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
  name              = "/aws/batch/steps/align"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "align" {
  name               = "align-steps-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "align_buckets" {
  statement {
    sid     = "LocateBuckets"
    actions = ["s3:GetBucketLocation"]
    resources = [
      "arn:aws:s3:::aws-batch-genomics-resources",
      "arn:aws:s3:::genomics-results-123456789012",
    ]
  }

  statement {
    sid       = "FindBuckets"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-results-123456789012"]

    condition {
      test     = "Null"
      variable = "s3:prefix"
      values   = ["true"]
    }
  }

  statement {
    sid       = "FindPrefixes"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::genomics-results-123456789012/steps"]
  }

  statement {
    sid       = "ReadList0"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::aws-batch-genomics-resources"]
  }

  statement {
    sid       = "ReadObjects"
    actions   = ["s3:GetObject", "s3:GetObjectTagging"]
    resources = ["arn:aws:s3:::aws-batch-genomics-resources/*"]
  }

  statement {
    sid       = "WriteList0"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-results-123456789012"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["steps", "steps/*"]
    }
  }

  statement {
    sid = "WriteObjects"
    actions = [
      "s3:GetObject",
      "s3:GetObjectTagging",
      "s3:PutObject",
      "s3:PutObjectTagging",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
    ]
    resources = ["arn:aws:s3:::genomics-results-123456789012/steps/*"]
  }
}

resource "aws_iam_role_policy" "align_buckets" {
  name   = "buckets"
  role   = aws_iam_role.align.id
  policy = data.aws_iam_policy_document.align_buckets.json
}

resource "aws_batch_job_definition" "align" {
  name                       = "align-steps"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "quay.io/biocontainers/bwa:0.7.18"
    command    = ["align.sh", "Ref::sample", "Ref::fastq1", "Ref::fastq2"]
    jobRoleArn = "arn:aws:iam::123456789012:role/align-steps-job"
    resourceRequirements = [
      { type = "VCPU", value = "16" },
      { type = "MEMORY", value = "30000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/steps/align"
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

resource "aws_cloudwatch_log_group" "call" {
  name              = "/aws/batch/steps/call"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "call" {
  name               = "call-steps-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "call_buckets" {
  statement {
    sid     = "LocateBuckets"
    actions = ["s3:GetBucketLocation"]
    resources = [
      "arn:aws:s3:::aws-batch-genomics-resources",
      "arn:aws:s3:::genomics-results-123456789012",
    ]
  }

  statement {
    sid       = "FindBuckets"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-results-123456789012"]

    condition {
      test     = "Null"
      variable = "s3:prefix"
      values   = ["true"]
    }
  }

  statement {
    sid       = "FindPrefixes"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::genomics-results-123456789012/steps"]
  }

  statement {
    sid       = "ReadList0"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::aws-batch-genomics-resources"]
  }

  statement {
    sid       = "ReadObjects"
    actions   = ["s3:GetObject", "s3:GetObjectTagging"]
    resources = ["arn:aws:s3:::aws-batch-genomics-resources/*"]
  }

  statement {
    sid       = "WriteList0"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-results-123456789012"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["steps", "steps/*"]
    }
  }

  statement {
    sid = "WriteObjects"
    actions = [
      "s3:GetObject",
      "s3:GetObjectTagging",
      "s3:PutObject",
      "s3:PutObjectTagging",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
    ]
    resources = ["arn:aws:s3:::genomics-results-123456789012/steps/*"]
  }
}

resource "aws_iam_role_policy" "call_buckets" {
  name   = "buckets"
  role   = aws_iam_role.call.id
  policy = data.aws_iam_policy_document.call_buckets.json
}

resource "aws_batch_job_definition" "call" {
  name                       = "call-steps"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "quay.io/biocontainers/bcftools:1.21"
    command    = ["call.sh", "Ref::sample"]
    jobRoleArn = "arn:aws:iam::123456789012:role/call-steps-job"
    resourceRequirements = [
      { type = "VCPU", value = "8" },
      { type = "MEMORY", value = "16000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/steps/call"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "call"
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

  depends_on = [aws_cloudwatch_log_group.call, aws_iam_role_policy.call_buckets]
}

resource "aws_cloudwatch_log_group" "annotate" {
  name              = "/aws/batch/steps/annotate"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "annotate" {
  name               = "annotate-steps-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "annotate_buckets" {
  statement {
    sid       = "LocateBuckets"
    actions   = ["s3:GetBucketLocation"]
    resources = ["arn:aws:s3:::genomics-results-123456789012"]
  }

  statement {
    sid       = "FindBuckets"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-results-123456789012"]

    condition {
      test     = "Null"
      variable = "s3:prefix"
      values   = ["true"]
    }
  }

  statement {
    sid       = "FindPrefixes"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::genomics-results-123456789012/steps"]
  }

  statement {
    sid       = "WriteList0"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-results-123456789012"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["steps", "steps/*"]
    }
  }

  statement {
    sid = "WriteObjects"
    actions = [
      "s3:GetObject",
      "s3:GetObjectTagging",
      "s3:PutObject",
      "s3:PutObjectTagging",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
    ]
    resources = ["arn:aws:s3:::genomics-results-123456789012/steps/*"]
  }
}

resource "aws_iam_role_policy" "annotate_buckets" {
  name   = "buckets"
  role   = aws_iam_role.annotate.id
  policy = data.aws_iam_policy_document.annotate_buckets.json
}

resource "aws_batch_job_definition" "annotate" {
  name                       = "annotate-steps"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "quay.io/biocontainers/snpeff:5.2"
    command    = ["annotate.sh", "Ref::sample"]
    jobRoleArn = "arn:aws:iam::123456789012:role/annotate-steps-job"
    resourceRequirements = [
      { type = "VCPU", value = "4" },
      { type = "MEMORY", value = "10000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/steps/annotate"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "annotate"
      }
    }
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

  depends_on = [aws_cloudwatch_log_group.annotate, aws_iam_role_policy.annotate_buckets]
}

resource "aws_cloudwatch_log_group" "stats" {
  name              = "/aws/batch/steps/stats"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "stats" {
  name               = "stats-steps-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "stats_buckets" {
  statement {
    sid       = "LocateBuckets"
    actions   = ["s3:GetBucketLocation"]
    resources = ["arn:aws:s3:::genomics-results-123456789012"]
  }

  statement {
    sid       = "FindBuckets"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-results-123456789012"]

    condition {
      test     = "Null"
      variable = "s3:prefix"
      values   = ["true"]
    }
  }

  statement {
    sid       = "FindPrefixes"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::genomics-results-123456789012/steps"]
  }

  statement {
    sid       = "WriteList0"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-results-123456789012"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["steps", "steps/*"]
    }
  }

  statement {
    sid = "WriteObjects"
    actions = [
      "s3:GetObject",
      "s3:GetObjectTagging",
      "s3:PutObject",
      "s3:PutObjectTagging",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
    ]
    resources = ["arn:aws:s3:::genomics-results-123456789012/steps/*"]
  }
}

resource "aws_iam_role_policy" "stats_buckets" {
  name   = "buckets"
  role   = aws_iam_role.stats.id
  policy = data.aws_iam_policy_document.stats_buckets.json
}

resource "aws_batch_job_definition" "stats" {
  name                       = "stats-steps"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "quay.io/biocontainers/samtools:1.21"
    command    = ["samtools", "stats", "Ref::bam"]
    jobRoleArn = "arn:aws:iam::123456789012:role/stats-steps-job"
    resourceRequirements = [
      { type = "VCPU", value = "2" },
      { type = "MEMORY", value = "4000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/steps/stats"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "stats"
      }
    }
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

  depends_on = [aws_cloudwatch_log_group.stats, aws_iam_role_policy.stats_buckets]
}
