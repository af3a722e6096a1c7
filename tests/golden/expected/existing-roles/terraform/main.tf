# The resources that jobs run on. Rendered from the manifest: change the manifest and render again.

locals {
  image_id           = data.aws_ssm_parameter.image.insecure_value
  kms_key_arn        = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  security_group_ids = module.network.security_group_ids
  subnet_ids         = module.network.subnet_ids
}

data "aws_ssm_parameter" "image" {
  name            = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
  with_decryption = false

  lifecycle {
    postcondition {
      condition     = can(regex("^ami-(?:[0-9a-f]{8}|[0-9a-f]{17})$", self.value))
      error_message = "The parameter must contain the id of an AMI."
    }
  }
}

module "network" {
  source = "./modules/network-lookup"

  security_group_tags = {
    Name = "genomics-batch"
  }
  subnet_tags = {
    Tier = "private"
  }
  vpc_tags = {
    Name = "genomics"
  }
}

module "compute_ownRolesEnv" {
  source = "./modules/compute-environment"

  name                          = "ownRolesEnv-existing"
  state                         = "ENABLED"
  type                          = "EC2"
  allocation_strategy           = "BEST_FIT_PROGRESSIVE"
  min_vcpus                     = 0
  max_vcpus                     = 64
  instance_types                = ["optimal"]
  job_execution_timeout_minutes = 360

  image_id    = local.image_id
  image_type  = "ECS_AL2023"
  kms_key_arn = local.kms_key_arn
  root_volume = {
    size_gib   = 100
    type       = "gp3"
    throughput = 250
  }
  scratch_volume = {
    size_gib = 200
    type     = "gp3"
  }

  instance_profile_arn = "arn:aws:iam::123456789012:instance-profile/central/batchInstance"
  service_role_arn     = "arn:aws:iam::123456789012:role/central/batchService"
  security_group_ids   = local.security_group_ids
  subnet_ids           = local.subnet_ids
  tags = {
    Project          = "genomics"
    "gen-infra:cost" = "existing"
  }
}

# Job definitions are given by name, not by reference, so that the functions' permissions are known in the plan.
module "job_functions" {
  source = "./modules/job-functions"

  package_path = "${path.module}/job-functions.zip"

  environment           = "existing"
  account_id            = "123456789012"
  partition             = "aws"
  region                = "us-east-1"
  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
  job_queue_arns        = ["arn:aws:batch:us-east-1:123456789012:job-queue/main-existing"]
  job_definition_arns   = ["arn:aws:batch:us-east-1:123456789012:job-definition/stats-existing"]
}
