mock_provider "aws" {}

variables {
  name = "batchInstance-prod"
}

run "role" {
  command = plan

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
    error_message = "Only EC2 may assume the role."
  }

  assert {
    condition = toset([for a in aws_iam_role_policy_attachment.this : a.policy_arn]) == toset([
      "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
      "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role",
    ])
    error_message = "The role must hold these two policies and no other: every job can reach it."
  }

  assert {
    condition     = aws_iam_role.this.path == "/" && aws_iam_role.this.permissions_boundary == null
    error_message = "Path and boundary must be AWS's defaults."
  }

  assert {
    condition     = aws_iam_instance_profile.this.name == "batchInstance-prod" && aws_iam_instance_profile.this.role == "batchInstance-prod"
    error_message = "The profile must carry the role, under the same name."
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
    condition     = alltrue([for a in aws_iam_role_policy_attachment.this : startswith(a.policy_arn, "arn:aws-cn:iam::aws:policy/")])
    error_message = "The policies must be those of the partition."
  }
}

run "refuses" {
  command = plan

  variables {
    iam_path             = "genomics"
    name                 = "a name with spaces"
    partition            = "azure"
    permissions_boundary = "boundary"
  }

  expect_failures = [var.iam_path, var.name, var.partition, var.permissions_boundary]
}
