resource "aws_iam_role" "schedule" {
  name                 = local.schedule_name
  path                 = var.iam_path
  description          = "EventBridge Scheduler, to start ${local.name}"
  permissions_boundary = var.permissions_boundary

  # https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html: by group.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id, "aws:SourceArn" = local.schedule_group_arn }
      }
    }]
  })
}

data "aws_iam_policy_document" "schedule" {
  statement {
    sid       = "StartBuild"
    actions   = ["codebuild:StartBuild"]
    resources = [local.project_arn]
  }

  statement {
    sid       = "ReadSchedule"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:aws:scheduler:schedule:arn"
      values   = [local.schedule_arn]
    }
  }
}

resource "aws_iam_role_policy" "schedule" {
  name   = "schedule"
  role   = aws_iam_role.schedule.name
  policy = data.aws_iam_policy_document.schedule.json
}
