mock_provider "aws" {}

variables {
  name       = "batchService-prod"
  account_id = "123456789012"
  region     = "us-east-1"
}

run "role" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Principal = { Service = "batch.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = "123456789012" }
        ArnLike      = { "aws:SourceArn" = ["arn:aws:batch:us-east-1:123456789012:compute-environment/*", "arn:aws:batch:us-east-1:123456789012:job/*"] }
      }
    }]
    error_message = "The service may assume the role only for what is in this account."
  }

  assert {
    condition     = aws_iam_role_policy_attachment.this.policy_arn == "arn:aws:iam::aws:policy/service-role/AWSBatchServiceRole"
    error_message = "The role must hold AWSBatchServiceRole."
  }

  # Known when planning, or the compute environment could not decide how it is changed.
  assert {
    condition     = output.arn == "arn:aws:iam::123456789012:role/batchService-prod"
    error_message = "The ARN must be a literal."
  }
}

run "bounded" {
  command = plan

  variables {
    iam_path             = "/genomics/"
    partition            = "aws-us-gov"
    permissions_boundary = "arn:aws-us-gov:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = output.arn == "arn:aws-us-gov:iam::123456789012:role/genomics/batchService-prod" && aws_iam_role.this.path == "/genomics/"
    error_message = "The path must be in the role and in its ARN."
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == "arn:aws-us-gov:iam::123456789012:policy/boundary"
    error_message = "The role must have the boundary."
  }

  assert {
    condition     = !strcontains("${aws_iam_role.this.assume_role_policy} ${aws_iam_role_policy_attachment.this.policy_arn}", "arn:aws:")
    error_message = "Every ARN must be of the partition."
  }
}

run "refuses" {
  command = plan

  variables {
    account_id           = "012"
    iam_path             = "/genomics"
    name                 = "role/with/path"
    partition            = "azure"
    permissions_boundary = "arn:aws:iam::123456789012:role/not-a-policy"
    region               = "somewhere"
  }

  expect_failures = [
    var.account_id, var.iam_path, var.name, var.partition, var.permissions_boundary, var.region,
  ]
}
