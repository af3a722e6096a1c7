# The resources that jobs run on. Rendered from the manifest: change the manifest and render again.

locals {
  image_id           = data.aws_ssm_parameter.image.insecure_value
  kms_key_arn        = module.encryption.key_arn
  security_group_ids = module.network.security_group_ids
  subnet_ids         = module.network.subnet_ids
}

data "aws_ssm_parameter" "image" {
  name            = "/gen-infra/prod/ami"
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

  environment = "shared-files"
  account_id  = "123456789012"
  partition   = "aws"
  region      = "us-east-1"
  cidr_block  = "10.46.0.0/20"
  zone_names  = ["us-east-1a", "us-east-1b"]
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
  efs_access    = true
  lustre_access = true

  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
}

module "encryption" {
  source = "./modules/encryption"

  name       = "batch-shared-files"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  log_group_patterns = [
    "/aws/batch/shared-files/*",
    "/aws/lambda/batchSubmitJob-shared-files",
    "/aws/lambda/batchGetJobStatus-shared-files",
    "/aws/vpc/batch-shared-files",
  ]
  spot = true
}

module "instance_role" {
  source = "./modules/instance-role"

  name       = "batchInstance-shared-files"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  iam_path   = "/"

  clusters = [
    "AWSBatch-main-shared-files-??????????????????????????-*",
    "main-shared-files-??????????????????????????_Batch_*",
  ]
  log_groups = ["/aws/batch/shared-files/*", "/aws/batch/job"]
}

module "image_builder" {
  source = "./modules/image-builder"

  name       = "batchImageBuilder-shared-files"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  iam_path   = "/"
}

module "compute_main" {
  source = "./modules/compute-environment"

  name                          = "main-shared-files"
  state                         = "ENABLED"
  type                          = "SPOT"
  allocation_strategy           = "SPOT_CAPACITY_OPTIMIZED"
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
  user_data = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"gen-infra-262871eee3c1de05b3980285\"\n\n--gen-infra-262871eee3c1de05b3980285\nContent-Type: text/x-shellscript; charset=\"utf-8\"\nContent-Transfer-Encoding: 8bit\nContent-Disposition: attachment; filename=\"01-agent.sh\"\n\n#!/bin/bash\n# The ECS agent starts no privileged container, and keeps containers with a network of their own from the credentials of\n# the instance.\nset -euo pipefail\n\nconfig=\u0024{GEN_INFRA_ROOT:-}/etc/ecs/ecs.config # tests set the folder\nmkdir -p \"\u0024{config%/*}\"\nprintf '%s\\n' ECS_DISABLE_PRIVILEGED=true ECS_AWSVPC_BLOCK_IMDS=true >>\"$config\"\n\n--gen-infra-262871eee3c1de05b3980285\nContent-Type: text/x-shellscript; charset=\"utf-8\"\nContent-Transfer-Encoding: 8bit\nContent-Disposition: attachment; filename=\"02-fsx.sh\"\n\n#!/bin/bash\n# Mounts the FSx for Lustre file systems of the environment. A host without one of them takes no jobs.\nset -euo pipefail\n\nadd() {\n  local source=$1 folder=$2\n  local guard=$ROOT/etc/systemd/system/ecs.service.d/fsx-\u0024{folder##*/}.conf\n  mkdir -p \"\u0024{guard%/*}\"\n  printf '[Unit]\\nRequiresMountsFor=%s\\nAssertPathIsMountPoint=%s\\n' \"$folder\" \"$folder\" >\"$guard\"\n  mkdir -p \"$ROOT$folder\"\n  printf '%s %s lustre %s 0 0\\n' \"$source\" \"$folder\" \"$OPTIONS\" >>\"$ROOT/etc/fstab\"\n}\n\nOPTIONS=defaults,relatime,flock,nosuid,nodev,_netdev,nofail\nROOT=\u0024{GEN_INFRA_ROOT:-} # tests set it to another folder\n\nadd fs-0fedcba9876543210.fsx.us-east-1.amazonaws.com@tcp:/abcdefgh /fsx/work\nsystemctl daemon-reload\nmount /fsx/work\n\n--gen-infra-262871eee3c1de05b3980285--\n"

  instance_profile_arn = module.instance_role.instance_profile_arn
  security_group_ids   = local.security_group_ids
  subnet_ids           = local.subnet_ids
  tags = {
    Project          = "genomics"
    "gen-infra:cost" = "shared-files"
  }
}

# Job definitions are given by name, not by reference, so that the functions' permissions are known in the plan.
module "job_functions" {
  source = "./modules/job-functions"

  package_path = "${path.module}/job-functions.zip"

  environment           = "shared-files"
  account_id            = "123456789012"
  partition             = "aws"
  region                = "us-east-1"
  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
  job_queue_arns        = ["arn:aws:batch:us-east-1:123456789012:job-queue/main-shared-files"]
  job_definition_arns = [
    "arn:aws:batch:us-east-1:123456789012:job-definition/fetch-shared-files",
    "arn:aws:batch:us-east-1:123456789012:job-definition/align-shared-files",
  ]
}
