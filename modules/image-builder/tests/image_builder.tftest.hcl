mock_provider "aws" {}

variables {
  name       = "batchImageBuilder-prod"
  account_id = "123456789012"
  region     = "us-east-1"
}

run "role" {
  command = plan

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
    error_message = "Only EC2 may assume the role."
  }

  assert {
    condition = toset(flatten([for s in jsondecode(aws_iam_role_policy.session.policy).Statement : s.Action])) == toset([
      "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ])
    error_message = "The role must carry sessions and do nothing else."
  }

  assert {
    condition     = aws_iam_instance_profile.this.name == "batchImageBuilder-prod" && aws_iam_instance_profile.this.role == "batchImageBuilder-prod"
    error_message = "The profile must carry the role, under the same name."
  }

  assert {
    condition     = aws_iam_role.this.path == "/" && aws_iam_role.this.permissions_boundary == null
    error_message = "Path and boundary must be AWS's defaults."
  }
}

run "bounded" {
  command = plan

  variables {
    iam_path             = "/genomics/"
    partition            = "aws-cn"
    permissions_boundary = "arn:aws-cn:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = aws_iam_role.this.path == "/genomics/" && aws_iam_instance_profile.this.path == "/genomics/"
    error_message = "Role and profile must have the path."
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == "arn:aws-cn:iam::123456789012:policy/boundary"
    error_message = "The role must have the boundary."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.session.policy, "arn:aws:")
    error_message = "Every ARN must be of the partition."
  }
}

run "refuses" {
  command = plan

  variables {
    account_id           = "1234"
    iam_path             = "genomics"
    name                 = "a name with spaces"
    partition            = "azure"
    permissions_boundary = "boundary"
    region               = "Virginia"
  }

  expect_failures = [
    var.account_id, var.iam_path, var.name, var.partition, var.permissions_boundary, var.region,
  ]
}
