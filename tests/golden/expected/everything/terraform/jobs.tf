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
      values   = ["210987654321"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:aws-us-gov:ecs:us-gov-west-1:210987654321:*"]
    }
  }
}

resource "aws_cloudwatch_log_group" "align" {
  name              = "/aws/batch/everything/align"
  retention_in_days = 731
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "align" {
  name                 = "align-everything-job"
  path                 = "/genomics/"
  permissions_boundary = "arn:aws-us-gov:iam::210987654321:policy/boundary"
  assume_role_policy   = data.aws_iam_policy_document.job_trust.json
}

data "aws_iam_policy_document" "align_buckets" {
  statement {
    sid       = "LocateBuckets"
    actions   = ["s3:GetBucketLocation"]
    resources = ["arn:aws-us-gov:s3:::shared-reference", "arn:aws-us-gov:s3:::our-results"]
  }

  statement {
    sid       = "FindBuckets"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws-us-gov:s3:::our-results"]

    condition {
      test     = "Null"
      variable = "s3:prefix"
      values   = ["true"]
    }
  }

  statement {
    sid       = "FindPrefixes"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws-us-gov:s3:::our-results/a/b"]
  }

  statement {
    sid       = "ReadList0"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws-us-gov:s3:::shared-reference"]
  }

  statement {
    sid       = "ReadObjects"
    actions   = ["s3:GetObject", "s3:GetObjectTagging"]
    resources = ["arn:aws-us-gov:s3:::shared-reference/*"]
  }

  statement {
    sid       = "ReadKeys"
    actions   = ["kms:Decrypt"]
    resources = ["arn:aws-us-gov:kms:us-gov-west-1:210987654321:key/reference"]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.us-gov-west-1.amazonaws.com"]
    }
  }

  statement {
    sid       = "WorkList0"
    actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
    resources = ["arn:aws-us-gov:s3:::our-results"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["a/b", "a/b/*"]
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
    resources = ["arn:aws-us-gov:s3:::our-results/a/b/*"]
  }

  statement {
    sid       = "WorkKeys"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["arn:aws-us-gov:kms:us-gov-west-1:210987654321:key/results"]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.us-gov-west-1.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "align_buckets" {
  name   = "buckets"
  role   = aws_iam_role.align.id
  policy = data.aws_iam_policy_document.align_buckets.json
}

resource "aws_batch_job_definition" "align" {
  name                       = "align-everything"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false
  scheduling_priority        = 42
  parameters = {
    sample = "NA12878"
  }

  container_properties = jsonencode({
    image = "210987654321.dkr.ecr.us-gov-west-1.amazonaws.com/everything/team/aligner.v2@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    command = [
      "align",
      "Ref::sample",
      "--name=\u0024{not a reference}",
      "say \"hi\"",
      "\u0025{if x}",
      "tab\there",
      "ünï©ode",
    ]
    jobRoleArn = "arn:aws-us-gov:iam::210987654321:role/genomics/align-everything-job"
    resourceRequirements = [
      { type = "VCPU", value = "16" },
      { type = "MEMORY", value = "30000" },
    ]
    environment = [
      { name = "DOLLAR", value = "\u0024" },
      { name = "QUOTES", value = "\"\\" },
    ]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/everything/align"
        awslogs-region        = "us-gov-west-1"
        awslogs-stream-prefix = "align"
      }
    }
    mountPoints = [
      { sourceVolume = "scratch", containerPath = "/work", readOnly = false },
    ]
    volumes = [
      {
        name = "scratch"
        host = {
          sourcePath = "/scratch/host"
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
    attempt_duration_seconds = 1209600
  }

  depends_on = [aws_cloudwatch_log_group.align, aws_iam_role_policy.align_buckets]
}

resource "aws_cloudwatch_log_group" "elsewhere" {
  name              = "/aws/batch/everything/elsewhere"
  retention_in_days = 731
  kms_key_id        = local.kms_key_arn
}

resource "aws_iam_role" "elsewhere" {
  name                 = "elsewhere-everything-job"
  path                 = "/genomics/"
  permissions_boundary = "arn:aws-us-gov:iam::210987654321:policy/boundary"
  assume_role_policy   = data.aws_iam_policy_document.job_trust.json
}

resource "aws_batch_job_definition" "elsewhere" {
  name                       = "elsewhere-everything"
  type                       = "container"
  platform_capabilities      = ["EC2"]
  propagate_tags             = true
  deregister_on_new_revision = false

  container_properties = jsonencode({
    image      = "registry.example.com:5000/tools/samtools:1.21"
    command    = []
    jobRoleArn = "arn:aws-us-gov:iam::210987654321:role/genomics/elsewhere-everything-job"
    resourceRequirements = [
      { type = "VCPU", value = "1" },
      { type = "MEMORY", value = "4" },
    ]
    environment = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/aws/batch/everything/elsewhere"
        awslogs-region        = "us-gov-west-1"
        awslogs-stream-prefix = "elsewhere"
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

  depends_on = [aws_cloudwatch_log_group.elsewhere, aws_iam_role.elsewhere]
}
