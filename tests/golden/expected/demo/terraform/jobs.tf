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
  name              = "/aws/batch/demo/isaac"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "isaac" {
  name               = "isaac-demo-job"
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/demo"]
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
      values   = ["demo", "demo/*"]
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/demo/*"]
  }
}

resource "aws_iam_role_policy" "isaac_buckets" {
  name   = "buckets"
  role   = aws_iam_role.isaac.id
  policy = data.aws_iam_policy_document.isaac_buckets.json
}

resource "aws_batch_job_definition" "isaac" {
  name                       = "isaac-demo"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false
  parameters = {
    sample = "NA12878"
  }

  container_properties = jsonencode({
    image      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/demo/isaac:1.0"
    command    = ["--working_dir", "/scratch", "--sample", "Ref::sample"]
    jobRoleArn = "arn:aws:iam::123456789012:role/isaac-demo-job"
    resourceRequirements = [
      { type = "VCPU", value = "4" },
      { type = "MEMORY", value = "8000" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/demo/isaac"
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

resource "aws_cloudwatch_log_group" "stats" {
  name              = "/aws/batch/demo/stats"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "stats" {
  name               = "stats-demo-job"
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/demo"]
  }

  statement {
    sid       = "WriteList0"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-results-123456789012"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["demo", "demo/*"]
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/demo/*"]
  }
}

resource "aws_iam_role_policy" "stats_buckets" {
  name   = "buckets"
  role   = aws_iam_role.stats.id
  policy = data.aws_iam_policy_document.stats_buckets.json
}

resource "aws_batch_job_definition" "stats" {
  name                       = "stats-demo"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false
  parameters = {
    sample = "NA12878"
  }

  container_properties = jsonencode({
    image      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/demo/isaac:1.0"
    command    = ["--stats", "Ref::sample"]
    jobRoleArn = "arn:aws:iam::123456789012:role/stats-demo-job"
    resourceRequirements = [
      { type = "VCPU", value = "1" },
      { type = "MEMORY", value = "512" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/demo/stats"
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
    attempt_duration_seconds = 600
  }

  depends_on = [aws_cloudwatch_log_group.stats, aws_iam_role_policy.stats_buckets]
}

resource "aws_cloudwatch_log_group" "hello" {
  name              = "/aws/batch/demo/hello"
  retention_in_days = 365
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "hello" {
  name               = "hello-demo-job"
  path               = "/"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
}

resource "aws_batch_job_definition" "hello" {
  name                       = "hello-demo"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "public.ecr.aws/docker/library/busybox:stable"
    command    = ["echo", "hello from the batch layer"]
    jobRoleArn = "arn:aws:iam::123456789012:role/hello-demo-job"
    resourceRequirements = [
      { type = "VCPU", value = "1" },
      { type = "MEMORY", value = "512" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/demo/hello"
        awslogs-region        = "us-east-1"
        awslogs-stream-prefix = "hello"
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
    attempt_duration_seconds = 600
  }

  depends_on = [aws_cloudwatch_log_group.hello, aws_iam_role.hello]
}
