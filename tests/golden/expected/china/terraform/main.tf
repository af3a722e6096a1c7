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

  environment = "china"
  account_id  = "123456789012"
  partition   = "aws-cn"
  region      = "cn-northwest-1"
  cidr_block  = "10.45.0.0/20"
  zone_count  = 2
  nat         = "one"
  endpoints   = []

  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
}

module "encryption" {
  source = "./modules/encryption"

  name       = "batch-china"
  account_id = "123456789012"
  partition  = "aws-cn"
  region     = "cn-northwest-1"
  log_group_patterns = [
    "/aws/batch/china/*",
    "/aws/lambda/batchSubmitJob-china",
    "/aws/lambda/batchGetJobStatus-china",
    "/aws/lambda/batchMeasure-china",
    "/aws/vpc/batch-china",
  ]
  event_topics = ["batchAlarmsCritical-china", "batchAlarmsWarning-china"]
  spot         = true
}

module "instance_role" {
  source = "./modules/instance-role"

  name       = "batchInstance-china"
  account_id = "123456789012"
  partition  = "aws-cn"
  region     = "cn-northwest-1"
  iam_path   = "/"

  clusters = [
    "AWSBatch-chinaEnv-china-??????????????????????????-*",
    "chinaEnv-china-??????????????????????????_Batch_*",
  ]
  log_groups      = ["/aws/batch/china/*"]
  repository_arns = ["arn:aws-cn:ecr:cn-northwest-1:123456789012:repository/china/isaac"]
}

module "image_builder" {
  source = "./modules/image-builder"

  name       = "batchImageBuilder-china"
  account_id = "123456789012"
  partition  = "aws-cn"
  region     = "cn-northwest-1"
  iam_path   = "/"
}

module "compute_chinaEnv" {
  source = "./modules/compute-environment"

  name                          = "chinaEnv-china"
  state                         = "ENABLED"
  type                          = "SPOT"
  allocation_strategy           = "SPOT_CAPACITY_OPTIMIZED"
  min_vcpus                     = 0
  max_vcpus                     = 128
  instance_types                = ["c6i", "m6i"]
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
    size_gib = 500
    type     = "gp3"
  }
  user_data = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"gen-infra-dcb2e27f696816421b78c004\"\n\n--gen-infra-dcb2e27f696816421b78c004\nContent-Type: text/x-shellscript; charset=\"utf-8\"\nContent-Transfer-Encoding: 8bit\nContent-Disposition: attachment; filename=\"01-agent.sh\"\n\n#!/bin/bash\n# The ECS agent starts no privileged container, and keeps containers with a network of their own from the credentials of\n# the instance.\nset -euo pipefail\n\nconfig=\u0024{GEN_INFRA_ROOT:-}/etc/ecs/ecs.config # tests set the folder\nmkdir -p \"\u0024{config%/*}\"\nprintf '%s\\n' ECS_DISABLE_PRIVILEGED=true ECS_AWSVPC_BLOCK_IMDS=true >>\"$config\"\n\n--gen-infra-dcb2e27f696816421b78c004--\n"

  instance_profile_arn = module.instance_role.instance_profile_arn
  security_group_ids   = local.security_group_ids
  subnet_ids           = local.subnet_ids
  tags = {
    Project          = "genomics"
    "gen-infra:cost" = "china"
  }
}

# Job definitions are given by name, not by reference, so that the functions' permissions are known in the plan.
module "job_functions" {
  source = "./modules/job-functions"

  package_path = "${path.module}/job-functions.zip"

  environment           = "china"
  account_id            = "123456789012"
  partition             = "aws-cn"
  region                = "cn-northwest-1"
  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
  job_queue_arns        = ["arn:aws-cn:batch:cn-northwest-1:123456789012:job-queue/main-china"]
  job_definition_arns   = ["arn:aws-cn:batch:cn-northwest-1:123456789012:job-definition/isaac-china"]
}

module "environment_alarms" {
  source = "./modules/environment-alarms"

  package_path = "${path.module}/environment-alarms.zip"

  environment           = "china"
  account_id            = "123456789012"
  partition             = "aws-cn"
  region                = "cn-northwest-1"
  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
  job_queue_arns        = ["arn:aws-cn:batch:cn-northwest-1:123456789012:job-queue/main-china"]
  emails = {
    critical = ["genomics-ops@example.cn"]
    warning  = ["genomics-lab@example.cn"]
  }

  waiting_minutes              = 240
  invalid_compute_environments = false
  dead_letters                 = true
  dead_letter_queues           = ["batchFunctions-china", "batchMeasure-china"]
  event_rules                  = []
  dashboard                    = false
}
