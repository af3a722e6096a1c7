# Which environments are changed in place and which are replaced.

mock_provider "aws" {
  mock_resource "aws_launch_template" {
    defaults = { latest_version = 7 }
  }
}

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

run "service_linked_role_and_capacity_optimized" {
  assert {
    condition     = terraform_data.replacement.input == "in place"
    error_message = "A new launch template version must not replace the environment."
  }

  assert {
    condition     = terraform_data.type.input == "in place"
    error_message = "Another type must not replace a compute environment that Batch can update."
  }

  assert {
    condition     = one(aws_batch_compute_environment.this.update_policy) == { job_execution_timeout_minutes = 360, terminate_jobs_on_update = false }
    error_message = "An update must give running jobs all the time that Batch allows."
  }
}

run "on_demand" {
  variables {
    type                          = "EC2"
    allocation_strategy           = "BEST_FIT_PROGRESSIVE"
    job_execution_timeout_minutes = 30
  }

  assert {
    condition     = terraform_data.replacement.input == "in place"
    error_message = "A new launch template version must not replace the environment."
  }

  assert {
    condition     = one(aws_batch_compute_environment.this.update_policy).job_execution_timeout_minutes == 30
    error_message = "job_execution_timeout_minutes must reach the update policy."
  }
}

run "custom_service_role" {
  variables {
    service_role_arn = "arn:aws:iam::123456789012:role/batchService-prod"
  }

  assert {
    condition     = terraform_data.replacement.input == "custom role, launch template version 7" && length(aws_batch_compute_environment.this.update_policy) == 0
    error_message = "With a custom role, a new launch template version must replace the environment."
  }

  assert {
    condition     = terraform_data.type.input == "SPOT"
    error_message = "With a custom role, another type must replace the compute environment."
  }
}

run "price_capacity_optimized" {
  variables {
    allocation_strategy = "SPOT_PRICE_CAPACITY_OPTIMIZED"
  }

  assert {
    condition     = terraform_data.replacement.input == "service-linked role, launch template version 7" && length(aws_batch_compute_environment.this.update_policy) == 0
    error_message = "This strategy is not updated in place by the provider."
  }
}

run "best_fit" {
  variables {
    allocation_strategy = "BEST_FIT"
    spot_fleet_role_arn = "arn:aws:iam::123456789012:role/batchSpotFleet-prod"
  }

  assert {
    condition     = terraform_data.replacement.input == "service-linked role, launch template version 7" && length(aws_batch_compute_environment.this.update_policy) == 0
    error_message = "BEST_FIT cannot be updated in place."
  }

  assert {
    condition     = one(aws_batch_compute_environment.this.compute_resources).spot_iam_fleet_role == "arn:aws:iam::123456789012:role/batchSpotFleet-prod"
    error_message = "BEST_FIT on Spot needs the Spot Fleet role."
  }
}
