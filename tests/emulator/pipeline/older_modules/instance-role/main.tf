locals {
  # Only what an ECS instance needs, and Session Manager in place of a key pair: single-container jobs share the
  # host's network, so every job can reach this role's credentials.
  managed_policies = toset(["AmazonSSMManagedInstanceCore", "service-role/AmazonEC2ContainerServiceforEC2Role"])
}

resource "aws_iam_role" "this" {
  name                 = var.name
  path                 = var.iam_path
  description          = "ECS instances that AWS Batch starts"
  permissions_boundary = var.permissions_boundary

  # EC2 takes no aws:SourceAccount here.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.managed_policies

  role       = aws_iam_role.this.name
  policy_arn = "arn:${var.partition}:iam::aws:policy/${each.value}"
}

resource "aws_iam_instance_profile" "this" {
  name = var.name
  path = var.iam_path
  role = aws_iam_role.this.name
}
