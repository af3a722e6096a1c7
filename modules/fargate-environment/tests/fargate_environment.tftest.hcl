mock_provider "aws" {}

variables {
  name               = "smallEnv-prod"
  type               = "FARGATE_SPOT"
  max_vcpus          = 64
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]
}

run "environment" {
  command = plan

  assert {
    condition     = aws_batch_compute_environment.this.compute_environment_name_prefix == "smallEnv-prod-" && aws_batch_compute_environment.this.type == "MANAGED"
    error_message = "A successor must be able to stand beside it."
  }

  assert {
    condition = alltrue([
      for r in aws_batch_compute_environment.this.compute_resources :
      r.type == "FARGATE_SPOT" && r.max_vcpus == 64 && r.subnets == toset(["subnet-0123456789abcdef0"])
    ])
    error_message = "Type, vCPUs and subnets must be as given."
  }

  assert {
    condition = alltrue([
      for r in aws_batch_compute_environment.this.compute_resources :
      r.instance_role == null && r.bid_percentage == null && r.tags == null && length(r.launch_template) == 0
    ])
    error_message = "Batch refuses EC2's settings on Fargate."
  }
}

run "tags" {
  command = plan

  variables {
    tags = { Team = "rna" }
  }

  assert {
    condition     = aws_batch_compute_environment.this.tags == tomap({ Team = "rna" })
    error_message = "The compute environment must have the tags."
  }
}

run "refuses" {
  command = plan

  variables {
    max_vcpus          = 0
    name               = "-"
    security_group_ids = []
    state              = "PAUSED"
    subnet_ids         = ["vpc-0123456789abcdef0"]
    tags               = { for i in range(51) : "tag${i}" => "value" }
    type               = "SPOT"
  }

  expect_failures = [
    var.max_vcpus, var.name, var.security_group_ids, var.state, var.subnet_ids, var.tags, var.type,
  ]
}
