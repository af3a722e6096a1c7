resource "aws_iam_role" "this" {
  name                 = var.name
  path                 = var.iam_path
  description          = "Spot Fleet, for the BEST_FIT compute environments of AWS Batch"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "spotfleet.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${var.partition}:ec2:${var.region}:${var.account_id}:spot-fleet-request/sfr-*" }
      }
    }]
  })
}

# AmazonEC2SpotFleetRole is deprecated: it cannot tag.
resource "aws_iam_role_policy_attachment" "this" {
  role       = aws_iam_role.this.name
  policy_arn = "arn:${var.partition}:iam::aws:policy/service-role/AmazonEC2SpotFleetTaggingRole"
}
