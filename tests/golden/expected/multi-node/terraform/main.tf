# The resources that jobs run on. Rendered from the manifest: change the manifest and render again.

locals {
  image_id           = data.aws_ssm_parameter.image.insecure_value
  kms_key_arn        = module.encryption.key_arn
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
  source = "./modules/network"

  environment = "mpi"
  account_id  = "123456789012"
  partition   = "aws"
  region      = "us-east-1"
  cidr_block  = "10.44.0.0/20"
  zone_count  = 2
  nat         = "none"
  endpoints = [
    "ecr.api",
    "ecr.dkr",
    "ecs",
    "ecs-agent",
    "ecs-telemetry",
    "logs",
    "ssm",
    "ssmmessages",
  ]
  node_traffic = true

  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
}

module "encryption" {
  source = "./modules/encryption"

  name       = "batch-mpi"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  log_group_patterns = [
    "/aws/batch/mpi/*",
    "/aws/lambda/batchSubmitJob-mpi",
    "/aws/lambda/batchGetJobStatus-mpi",
    "/aws/vpc/batch-mpi",
  ]
  spot = false
}

module "instance_role" {
  source = "./modules/instance-role"

  name       = "batchInstance-mpi"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  iam_path   = "/"

  clusters = [
    "AWSBatch-mpiEnv-mpi-??????????????????????????-*",
    "mpiEnv-mpi-??????????????????????????_Batch_*",
    "AWSBatch-efaEnv-mpi-??????????????????????????-*",
    "efaEnv-mpi-??????????????????????????_Batch_*",
  ]
  log_groups      = ["/aws/batch/mpi/*"]
  repository_arns = ["arn:aws:ecr:us-east-1:123456789012:repository/ray-mpi"]
}

module "image_builder" {
  source = "./modules/image-builder"

  name       = "batchImageBuilder-mpi"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  iam_path   = "/"
}

module "compute_mpiEnv" {
  source = "./modules/compute-environment"

  name                          = "mpiEnv-mpi"
  state                         = "ENABLED"
  type                          = "EC2"
  allocation_strategy           = "BEST_FIT_PROGRESSIVE"
  min_vcpus                     = 0
  max_vcpus                     = 256
  instance_types                = ["c7i"]
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
  user_data = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"gen-infra-dcb2e27f696816421b78c004\"\n\n--gen-infra-dcb2e27f696816421b78c004\nContent-Type: text/x-shellscript; charset=\"utf-8\"\nContent-Transfer-Encoding: 8bit\nContent-Disposition: attachment; filename=\"01-agent.sh\"\n\n#!/bin/bash\n# The ECS agent starts no privileged container, and keeps containers with a network of their own from the credentials of\n# the instance.\nset -euo pipefail\n\nconfig=\u0024{GEN_INFRA_ROOT:-}/etc/ecs/ecs.config # tests set the folder\nmkdir -p \"\u0024{config%/*}\"\nprintf '%s\\n' ECS_DISABLE_PRIVILEGED=true ECS_AWSVPC_BLOCK_IMDS=true >>\"$config\"\n\n--gen-infra-dcb2e27f696816421b78c004--\n"

  instance_profile_arn = module.instance_role.instance_profile_arn
  security_group_ids   = local.security_group_ids
  subnet_ids           = local.subnet_ids
  tags = {
    Project          = "genomics"
    "gen-infra:cost" = "mpi"
  }
}

module "compute_efaEnv" {
  source = "./modules/compute-environment"

  name                          = "efaEnv-mpi"
  state                         = "ENABLED"
  type                          = "EC2"
  allocation_strategy           = "BEST_FIT_PROGRESSIVE"
  min_vcpus                     = 0
  max_vcpus                     = 768
  instance_types                = ["c7i.48xlarge"]
  placement_group               = "mpi"
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
  efa_interfaces       = 1
  capacity_reservation = "cr-0123456789abcdef0"
  user_data            = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"gen-infra-dd436b7b4eb8d5b4f3017570\"\n\n--gen-infra-dd436b7b4eb8d5b4f3017570\nContent-Type: text/x-shellscript; charset=\"utf-8\"\nContent-Transfer-Encoding: 8bit\nContent-Disposition: attachment; filename=\"01-agent.sh\"\n\n#!/bin/bash\n# The ECS agent starts no privileged container, and keeps containers with a network of their own from the credentials of\n# the instance.\nset -euo pipefail\n\nconfig=\u0024{GEN_INFRA_ROOT:-}/etc/ecs/ecs.config # tests set the folder\nmkdir -p \"\u0024{config%/*}\"\nprintf '%s\\n' ECS_DISABLE_PRIVILEGED=true ECS_AWSVPC_BLOCK_IMDS=true >>\"$config\"\n\n--gen-infra-dd436b7b4eb8d5b4f3017570\nContent-Type: text/x-shellscript; charset=\"utf-8\"\nContent-Transfer-Encoding: 8bit\nContent-Disposition: attachment; filename=\"02-huge-pages.sh\"\n\n#!/usr/bin/env bash\n# Reserves huge pages, which libfabric's EFA provider uses.\nset -euo pipefail\n\nsysctl --write vm.nr_hugepages=5128\n\n--gen-infra-dd436b7b4eb8d5b4f3017570--\n"

  instance_profile_arn = module.instance_role.instance_profile_arn
  security_group_ids   = local.security_group_ids
  subnet_ids           = local.subnet_ids
  tags = {
    Project          = "genomics"
    "gen-infra:cost" = "mpi"
  }
}

# Job definitions are given by name, not by reference, so that the functions' permissions are known in the plan.
module "job_functions" {
  source = "./modules/job-functions"

  package_path = "${path.module}/job-functions.zip"

  environment           = "mpi"
  account_id            = "123456789012"
  partition             = "aws"
  region                = "us-east-1"
  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
  job_queue_arns = [
    "arn:aws:batch:us-east-1:123456789012:job-queue/mpi-mpi",
    "arn:aws:batch:us-east-1:123456789012:job-queue/efa-mpi",
  ]
  job_definition_arns = [
    "arn:aws:batch:us-east-1:123456789012:job-definition/assemble-mpi",
    "arn:aws:batch:us-east-1:123456789012:job-definition/assembleFast-mpi",
  ]
}
