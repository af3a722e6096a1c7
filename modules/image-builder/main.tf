resource "aws_iam_role" "this" {
  name                 = var.name
  path                 = var.iam_path
  description          = "The instance that Packer builds the machine image on"
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

# Only what Session Manager's agent needs for Packer's session.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
resource "aws_iam_role_policy" "session" {
  name = "session"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "RegisterWithSessionManager"
        Effect   = "Allow"
        Action   = "ssm:UpdateInstanceInformation"
        Resource = "arn:${var.partition}:ec2:${var.region}:${var.account_id}:instance/i-*"
      },
      {
        Sid    = "OpenSessionChannels"
        Effect = "Allow"
        Action = [
          "ssmmessages:CreateControlChannel",
          "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel",
          "ssmmessages:OpenDataChannel",
        ]
        Resource = "*" # they support no resource-level permissions
      },
    ]
  })
}

resource "aws_iam_instance_profile" "this" {
  name = var.name
  path = var.iam_path
  role = aws_iam_role_policy.session.role # once it may do its work
}
