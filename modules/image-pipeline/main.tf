# Every name and ARN is written out from the inputs, so that the policies that name them are known when planning.
locals {
  name           = "batchImageRebuild-${var.environment}"
  schedule_name  = "batchImageSchedule-${var.environment}"
  log_group_name = "/aws/codebuild/${local.name}"

  in_account         = "${var.region}:${var.account_id}"
  project_arn        = "arn:${var.partition}:codebuild:${local.in_account}:project/${local.name}"
  log_group_arn      = "arn:${var.partition}:logs:${local.in_account}:log-group:${local.log_group_name}"
  schedule_group_arn = "arn:${var.partition}:scheduler:${local.in_account}:schedule-group/${local.name}"
  schedule_arn       = "arn:${var.partition}:scheduler:${local.in_account}:schedule/${local.name}/${local.name}"
  bucket_arn         = "arn:${var.partition}:s3:::${var.bucket}"

  # Account and name of the ECR repository of the build's image; null where it has none.
  image_repository = var.codebuild_image == null ? null : try(regex("^([0-9]{12})\\.dkr\\.ecr\\.[^/]+/([^@]+)@", var.codebuild_image), null)
}

resource "aws_s3_object" "source" {
  bucket      = var.bucket
  key         = var.source_key
  source      = var.source_path
  source_hash = filesha256(var.source_path)
  kms_key_id  = var.kms_key_arn
}

resource "aws_cloudwatch_log_group" "this" {
  name              = local.log_group_name
  kms_key_id        = var.kms_key_arn
  retention_in_days = var.log_retention_in_days
}

data "aws_subnet" "first" {
  id = var.subnet_ids[0]
}

resource "aws_codebuild_project" "this" {
  name                   = local.name
  description            = "Builds the machine image of ${var.environment} again when its base or its recipe has changed"
  service_role           = aws_iam_role.build.arn
  encryption_key         = var.kms_key_arn
  concurrent_build_limit = 1
  build_timeout          = 180 # minutes; a snapshot of a large volume takes an hour

  # In a bucket with versioning, what is built is what was applied, whoever may write to the bucket.
  source_version = aws_s3_object.source.version_id

  source {
    type     = "S3"
    location = "${aws_s3_object.source.bucket}/${aws_s3_object.source.key}"
  }

  artifacts {
    type = "NO_ARTIFACTS"
  }

  environment {
    type            = "LINUX_CONTAINER"
    image           = var.codebuild_image == null ? "aws/codebuild/amazonlinux-x86_64-standard:5.0" : var.codebuild_image
    compute_type    = "BUILD_GENERAL1_SMALL"
    privileged_mode = false

    # CodeBuild takes its own credentials for its own images only.
    # https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectEnvironment.html
    image_pull_credentials_type = var.codebuild_image == null ? "CODEBUILD" : "SERVICE_ROLE"
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.this.name
    }
  }

  vpc_config {
    vpc_id             = data.aws_subnet.first.vpc_id
    subnets            = var.subnet_ids
    security_group_ids = var.security_group_ids
  }

  # CodeBuild checks the role's permissions in the VPC before it accepts the project.
  depends_on = [
    aws_iam_role_policy.encryption,
    aws_iam_role_policy.image,
    aws_iam_role_policy.image_pull,
    aws_iam_role_policy.network,
    aws_iam_role_policy.runtime,
  ]
}

# A separate group, because the role's trust and the alarm's metric are by group.
resource "aws_scheduler_schedule_group" "this" {
  name = local.name
}

resource "aws_scheduler_schedule" "this" {
  name                         = local.name
  group_name                   = aws_scheduler_schedule_group.this.name
  description                  = "Starts ${local.name}"
  schedule_expression          = var.schedule
  schedule_expression_timezone = "UTC"
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_codebuild_project.this.arn
    role_arn = aws_iam_role.schedule.arn

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 5
    }
  }

  depends_on = [aws_iam_role_policy.schedule]
}
