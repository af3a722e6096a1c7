mock_provider "aws" {}

variables {
  name       = "batchInstance-prod"
  account_id = "123456789012"
  region     = "us-east-1"
  clusters   = ["spot-prod-??_Batch_*", "AWSBatch-spot-prod-??-*"]
  log_groups = ["/aws/batch/prod/*"]

  repository_arns = ["arn:aws:ecr:us-east-1:123456789012:repository/prod/isaac"]
}

run "role" {
  command = plan

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
    error_message = "Only EC2 may assume the role."
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

run "policies" {
  command = plan

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.agent.policy).Statement : flatten([statement.Resource]) if statement.Sid == "JoinClustersAndReportTasks"
      ] == [[
        "arn:aws:ecs:us-east-1:123456789012:cluster/AWSBatch-spot-prod-??-*",
        "arn:aws:ecs:us-east-1:123456789012:cluster/spot-prod-??_Batch_*",
    ]]
    error_message = "The instances must join the named clusters only."
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.agent.policy).Statement : statement.Condition if statement.Sid == "ReceiveTasksAndDrain"
      ] == [{ ArnLike = { "ecs:cluster" = [
        "arn:aws:ecs:us-east-1:123456789012:cluster/AWSBatch-spot-prod-??-*",
        "arn:aws:ecs:us-east-1:123456789012:cluster/spot-prod-??_Batch_*",
    ] } }]
    error_message = "The instances must receive the tasks of these clusters only."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.logs.policy).Statement[0].Resource == ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/prod/*:*"]
    error_message = "Jobs must write to the named log groups only."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.images["images"].policy).Statement[1].Resource == ["arn:aws:ecr:us-east-1:123456789012:repository/prod/isaac"]
    error_message = "The instances must pull from the named repositories only."
  }

  assert {
    condition = alltrue([
      for policy in [aws_iam_role_policy.agent.policy, aws_iam_role_policy.logs.policy, aws_iam_role_policy.session.policy] : !strcontains(policy, "ssm:GetParameter") && !strcontains(policy, "ecr:")
    ])
    error_message = "The role must read no parameters: every job can reach it."
  }
}

run "without_repositories" {
  command = plan

  variables {
    repository_arns = []
  }

  assert {
    condition     = length(aws_iam_role_policy.images) == 0
    error_message = "Without repositories the role must not log in to ECR."
  }
}

run "bounded" {
  command = plan

  variables {
    iam_path             = "/genomics/"
    partition            = "aws-cn"
    region               = "cn-north-1"
    permissions_boundary = "arn:aws-cn:iam::123456789012:policy/boundary"
    repository_arns      = []
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
    condition     = strcontains(aws_iam_role_policy.session.policy, "arn:aws-cn:ec2:cn-north-1:123456789012:instance/i-*")
    error_message = "The resources must be those of the partition."
  }
}

run "refuses" {
  command = plan

  variables {
    account_id           = "12345678901"
    clusters             = ["*"]
    iam_path             = "genomics"
    log_groups           = ["*"]
    name                 = "a name with spaces"
    partition            = "azure"
    permissions_boundary = "boundary"
    region               = "somewhere"
    repository_arns      = ["arn:aws:ecr:us-east-1:123456789012:repository/*"]
  }

  expect_failures = [
    var.account_id, var.clusters, var.iam_path, var.log_groups, var.name, var.partition, var.permissions_boundary,
    var.region, var.repository_arns,
  ]
}
