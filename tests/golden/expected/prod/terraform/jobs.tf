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

resource "aws_cloudwatch_log_group" "isaac" {
  name              = "/aws/batch/prod/isaac"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "isaac" {
  name               = "isaac-prod-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "isaac_buckets" {
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/genomic-workflow"]
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
      values   = ["genomic-workflow", "genomic-workflow/*"]
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/genomic-workflow/*"]
  }
}

resource "aws_iam_role_policy" "isaac_buckets" {
  name   = "buckets"
  role   = aws_iam_role.isaac.id
  policy = data.aws_iam_policy_document.isaac_buckets.json
}

resource "aws_batch_job_definition" "isaac" {
  name                       = "isaac-prod"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false
  parameters = {
    sample = "SRR1919605"
    fastq1 = "s3://aws-batch-genomics-resources/fastq/SRR1919605_1.fastq.gz"
    fastq2 = "s3://aws-batch-genomics-resources/fastq/SRR1919605_2.fastq.gz"
  }

  container_properties = jsonencode({
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/prod/isaac:04.18"
    command = [
      "--working_dir",
      "/scratch",
      "--sample",
      "Ref::sample",
      "--fastq1",
      "Ref::fastq1",
      "--fastq2",
      "Ref::fastq2",
    ]
    jobRoleArn = "arn:aws:iam::123456789012:role/isaac-prod-job"
    resourceRequirements = [
      { type = "VCPU", value = "32" },
      { type = "MEMORY", value = "80000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/prod/isaac"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "isaac"
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

  depends_on = [aws_cloudwatch_log_group.isaac, aws_iam_role_policy.isaac_buckets]
}

resource "aws_cloudwatch_log_group" "strelka" {
  name              = "/aws/batch/prod/strelka"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "strelka" {
  name               = "strelka-prod-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "strelka_buckets" {
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/genomic-workflow"]
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
      values   = ["genomic-workflow", "genomic-workflow/*"]
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/genomic-workflow/*"]
  }
}

resource "aws_iam_role_policy" "strelka_buckets" {
  name   = "buckets"
  role   = aws_iam_role.strelka.id
  policy = data.aws_iam_policy_document.strelka_buckets.json
}

resource "aws_batch_job_definition" "strelka" {
  name                       = "strelka-prod"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false
  parameters = {
    sample = "SRR1919605"
  }

  container_properties = jsonencode({
    image      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/prod/strelka:2.9.10"
    command    = ["--working_dir", "/scratch", "--sample", "Ref::sample"]
    jobRoleArn = "arn:aws:iam::123456789012:role/strelka-prod-job"
    resourceRequirements = [
      { type = "VCPU", value = "32" },
      { type = "MEMORY", value = "32000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/prod/strelka"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "strelka"
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

  depends_on = [aws_cloudwatch_log_group.strelka, aws_iam_role_policy.strelka_buckets]
}

resource "aws_cloudwatch_log_group" "snpeff" {
  name              = "/aws/batch/prod/snpeff"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "snpeff" {
  name               = "snpeff-prod-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "snpeff_buckets" {
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/genomic-workflow"]
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
      values   = ["genomic-workflow", "genomic-workflow/*"]
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/genomic-workflow/*"]
  }
}

resource "aws_iam_role_policy" "snpeff_buckets" {
  name   = "buckets"
  role   = aws_iam_role.snpeff.id
  policy = data.aws_iam_policy_document.snpeff_buckets.json
}

resource "aws_batch_job_definition" "snpeff" {
  name                       = "snpeff-prod"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false
  parameters = {
    sample = "SRR1919605"
  }

  container_properties = jsonencode({
    image      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/prod/snpeff:5.2"
    command    = ["--working_dir", "/scratch", "--sample", "Ref::sample"]
    jobRoleArn = "arn:aws:iam::123456789012:role/snpeff-prod-job"
    resourceRequirements = [
      { type = "VCPU", value = "4" },
      { type = "MEMORY", value = "10000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/prod/snpeff"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "snpeff"
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
    attempt_duration_seconds = 43200
  }

  depends_on = [aws_cloudwatch_log_group.snpeff, aws_iam_role_policy.snpeff_buckets]
}

resource "aws_cloudwatch_log_group" "samtoolsStats" {
  name              = "/aws/batch/prod/samtoolsStats"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "samtoolsStats" {
  name               = "samtoolsStats-prod-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "samtoolsStats_buckets" {
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/genomic-workflow"]
  }

  statement {
    sid       = "WriteList0"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-results-123456789012"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["genomic-workflow", "genomic-workflow/*"]
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/genomic-workflow/*"]
  }
}

resource "aws_iam_role_policy" "samtoolsStats_buckets" {
  name   = "buckets"
  role   = aws_iam_role.samtoolsStats.id
  policy = data.aws_iam_policy_document.samtoolsStats_buckets.json
}

resource "aws_batch_job_definition" "samtoolsStats" {
  name                       = "samtoolsStats-prod"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false
  parameters = {
    sample = "SRR1919605"
  }

  container_properties = jsonencode({
    image      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/prod/samtools_stats:1.21"
    command    = ["--working_dir", "/scratch", "--sample", "Ref::sample"]
    jobRoleArn = "arn:aws:iam::123456789012:role/samtoolsStats-prod-job"
    resourceRequirements = [
      { type = "VCPU", value = "4" },
      { type = "MEMORY", value = "10000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/prod/samtoolsStats"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "samtoolsStats"
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
    attempt_duration_seconds = 43200
  }

  depends_on = [
    aws_cloudwatch_log_group.samtoolsStats,
    aws_iam_role_policy.samtoolsStats_buckets,
  ]
}
