mock_provider "aws" {}

variables {
  name                 = "genomicsEnv-prod"
  type                 = "SPOT"
  allocation_strategy  = "SPOT_CAPACITY_OPTIMIZED"
  max_vcpus            = 1024
  instance_types       = ["optimal"]
  subnet_ids           = ["subnet-0123456789abcdef0"]
  security_group_ids   = ["sg-0123456789abcdef0"]
  instance_profile_arn = "arn:aws:iam::123456789012:instance-profile/batchInstance-prod"
  kms_key_arn          = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "refuses_each" {
  command = plan

  variables {
    allocation_strategy           = "WORST_FIT"
    bid_percentage                = 101
    compute_environment_tags      = { for i in range(51) : "tag${i}" => "value" }
    image_id                      = "ami-prod"
    image_type                    = "ECS_AL2"
    instance_profile_arn          = "arn:aws:iam::123456789012:role/batchInstance-prod"
    instance_types                = []
    job_execution_timeout_minutes = 361
    kms_key_arn                   = "alias/batch-prod"
    max_vcpus                     = 0
    min_vcpus                     = -1
    name                          = "genomicsEnv prod"
    root_volume                   = { size_gib = 29 }
    scratch_volume                = { size_gib = 0 }
    security_group_ids            = ["vpc-0123456789abcdef0"]
    service_role_arn              = "batchService-prod"
    spot_fleet_role_arn           = "batchSpotFleet-prod"
    state                         = "enabled"
    subnet_ids                    = []
    tags                          = { for i in range(50) : "tag${i}" => "value" }
    type                          = "FARGATE"
  }

  expect_failures = [
    var.allocation_strategy, var.bid_percentage, var.compute_environment_tags, var.image_id, var.image_type,
    var.instance_profile_arn, var.instance_types, var.job_execution_timeout_minutes, var.kms_key_arn, var.max_vcpus, var.min_vcpus, var.name,
    var.root_volume, var.scratch_volume, var.security_group_ids, var.service_role_arn, var.spot_fleet_role_arn,
    var.state, var.subnet_ids, var.tags, var.type,
  ]
}

run "refuses_a_name_without_room_for_the_suffix" {
  command = plan

  variables {
    name = join("", [for _ in range(99) : "n"])
  }

  expect_failures = [var.name]
}

run "refuses_throughput_of_gp2" {
  command = plan

  variables {
    root_volume    = { type = "gp2", throughput = 250 }
    scratch_volume = { size_gib = 1000, type = "st1", throughput = 250 }
  }

  expect_failures = [var.root_volume, var.scratch_volume]
}

run "refuses_iops_left_out" {
  command = plan

  variables {
    root_volume    = { type = "io2" }
    scratch_volume = { size_gib = 1000, type = "io1" }
  }

  expect_failures = [var.root_volume, var.scratch_volume]
}

run "refuses_iops_of_gp2" {
  command = plan

  variables {
    root_volume    = { type = "gp2", iops = 3000 }
    scratch_volume = { size_gib = 1000, type = "st1", iops = 3000 }
  }

  expect_failures = [var.root_volume, var.scratch_volume]
}

run "refuses_unknown_volumes" {
  command = plan

  variables {
    root_volume    = { type = "st1" }
    scratch_volume = { size_gib = 1000, type = "standard" }
  }

  expect_failures = [var.root_volume, var.scratch_volume]
}

run "refuses_more_on_than_there_may_be" {
  command = plan

  variables {
    min_vcpus = 2000
  }

  expect_failures = [terraform_data.replacement]
}

run "refuses_a_bid_on_demand" {
  command = plan

  variables {
    type                = "EC2"
    allocation_strategy = "BEST_FIT_PROGRESSIVE"
    bid_percentage      = 50
  }

  expect_failures = [terraform_data.replacement]
}

run "refuses_a_spot_strategy_on_demand" {
  command = plan

  variables {
    type = "EC2"
  }

  expect_failures = [terraform_data.replacement]
}

run "refuses_best_fit_on_spot_without_its_role" {
  command = plan

  variables {
    allocation_strategy = "BEST_FIT"
  }

  expect_failures = [terraform_data.replacement]
}

run "refuses_the_spot_fleet_role_for_anything_else" {
  command = plan

  variables {
    spot_fleet_role_arn = "arn:aws:iam::123456789012:role/batchSpotFleet-prod"
  }

  expect_failures = [terraform_data.replacement]
}

run "refuses_user_data_that_batch_cannot_add_to" {
  command = plan

  variables {
    user_data = "#!/bin/sh\ntrue\n"
  }

  expect_failures = [var.user_data]
}

run "refuses_user_data_above_ec2s_limit" {
  command = plan

  variables {
    user_data = join("", ["MIME-Version: 1.0\n", join("", [for _ in range(1024) : "0123456789abcdef"])])
  }

  expect_failures = [var.user_data]
}

run "refuses_more_adapters_than_any_type_has" {
  command = plan

  variables {
    efa_interfaces = 33
  }

  expect_failures = [var.efa_interfaces]
}

run "refuses_another_reservation" {
  command = plan

  variables {
    capacity_reservation = "open"
  }

  expect_failures = [var.capacity_reservation]
}
