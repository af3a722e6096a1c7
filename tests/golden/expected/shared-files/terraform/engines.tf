# Workflow engines, which register and submit jobs themselves. ARNs are literals, so that policies are known in the plan.

data "aws_iam_policy_document" "engine_nextflow" {
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/shared-files"]
  }

  statement {
    sid       = "WorkList0"
    actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
    resources = ["arn:aws:s3:::genomics-results-123456789012"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["shared-files", "shared-files/*"]
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
    resources = ["arn:aws:s3:::genomics-results-123456789012/shared-files/*"]
  }

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

module "engine_nextflow" {
  source = "./modules/engine"

  name                  = "nextflow-shared-files"
  environment           = "shared-files"
  account_id            = "123456789012"
  partition             = "aws"
  region                = "us-east-1"
  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_group             = "/aws/batch/shared-files/nextflow"
  log_retention_in_days = 365

  definition_actions  = ["batch:TagResource"]
  definition_names    = ["nf-*"]
  describes_instances = true
  files_policy        = data.aws_iam_policy_document.engine_nextflow.json
  job_queue_arns      = ["arn:aws:batch:us-east-1:123456789012:job-queue/main-shared-files"]
}
