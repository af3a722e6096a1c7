mock_provider "aws" {
  mock_data "aws_vpcs" {
    defaults = { ids = ["vpc-0123456789abcdef0"] }
  }

  mock_data "aws_subnets" {
    defaults = { ids = ["subnet-0bbbbbbbbbbbbbbbb", "subnet-0aaaaaaaaaaaaaaaa"] }
  }

  mock_data "aws_security_groups" {
    defaults = { ids = ["sg-0bbbbbbbbbbbbbbbb", "sg-0aaaaaaaaaaaaaaaa"] }
  }
}

variables {
  vpc_tags            = { Name = "genomics" }
  subnet_tags         = { Tier = "private" }
  security_group_tags = { Name = "genomics-batch" }
}

run "found" {
  command = plan

  assert {
    condition     = output.vpc_id == "vpc-0123456789abcdef0"
    error_message = "The VPC must be the one that was found."
  }

  assert {
    condition     = output.subnet_ids == tolist(["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"])
    error_message = "Subnets must be sorted, or plans would differ from run to run."
  }

  assert {
    condition     = output.security_group_ids == tolist(["sg-0aaaaaaaaaaaaaaaa", "sg-0bbbbbbbbbbbbbbbb"])
    error_message = "Security groups must be sorted."
  }

  assert {
    condition     = one(data.aws_subnets.this.filter).values == toset(["vpc-0123456789abcdef0"])
    error_message = "Subnets must be looked for in the VPC alone."
  }

  assert {
    condition     = one(data.aws_security_groups.this.filter).values == toset(["vpc-0123456789abcdef0"])
    error_message = "Security groups must be looked for in the VPC alone."
  }
}

run "no_vpc" {
  command = plan

  override_data {
    target = data.aws_vpcs.this
    values = { ids = [] }
  }

  expect_failures = [data.aws_vpcs.this]
}

run "two_vpcs" {
  command = plan

  override_data {
    target = data.aws_vpcs.this
    values = { ids = ["vpc-0123456789abcdef0", "vpc-0123456789abcdef1"] }
  }

  expect_failures = [data.aws_vpcs.this]
}

run "no_subnet" {
  command = plan

  override_data {
    target = data.aws_subnets.this
    values = { ids = [] }
  }

  expect_failures = [data.aws_subnets.this]
}

run "no_security_group" {
  command = plan

  override_data {
    target = data.aws_security_groups.this
    values = { ids = [] }
  }

  expect_failures = [data.aws_security_groups.this]
}

run "refuses_to_match_everything" {
  command = plan

  variables {
    vpc_tags            = {}
    subnet_tags         = {}
    security_group_tags = {}
  }

  expect_failures = [var.vpc_tags, var.subnet_tags, var.security_group_tags]
}
