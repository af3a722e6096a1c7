locals {
  batch = "arn:${var.partition}:batch:${var.region}:${var.account_id}"
}

resource "aws_iam_role" "this" {
  name                 = var.name
  path                 = var.iam_path
  description          = "AWS Batch, for the compute environments that do not use its service-linked role"
  permissions_boundary = var.permissions_boundary

  # Batch acts for a compute environment and for the jobs in it; a job's ARN names no environment.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "batch.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = ["${local.batch}:compute-environment/*", "${local.batch}:job/*"] }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  role       = aws_iam_role.this.name
  policy_arn = "arn:${var.partition}:iam::aws:policy/service-role/AWSBatchServiceRole"
}
