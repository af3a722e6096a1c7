# The resources that jobs run on. Rendered from the manifest: change the manifest and render again.

locals {
  image_id           = data.aws_ssm_parameter.image.insecure_value
  kms_key_arn        = module.encryption.key_arn
  security_group_ids = ["sg-0123456789abcdef0"]
  subnet_ids         = ["subnet-0123456789abcdef0"]
}

data "aws_ssm_parameter" "image" {
  name            = "/gen-infra/pinned/ami"
  with_decryption = false

  lifecycle {
    postcondition {
      condition     = can(regex("^ami-(?:[0-9a-f]{8}|[0-9a-f]{17})$", self.value))
      error_message = "The parameter must contain the id of an AMI."
    }
  }
}

module "encryption" {
  source = "./modules/encryption"

  name       = "batch-pinned"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  log_group_patterns = [
    "/aws/batch/pinned/*",
    "/aws/lambda/batchSubmitJob-pinned",
    "/aws/lambda/batchGetJobStatus-pinned",
    "/aws/codebuild/batchImageRebuild-pinned",
  ]
  alarm_topics = ["batchImageRebuild-pinned"]
  spot         = true
}

module "instance_role" {
  source = "./modules/instance-role"

  name       = "batchInstance-pinned"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  iam_path   = "/"

  clusters = [
    "AWSBatch-spot-pinned-??????????????????????????-*",
    "spot-pinned-??????????????????????????_Batch_*",
  ]
  log_groups = ["/aws/batch/pinned/*"]
}

module "image_builder" {
  source = "./modules/image-builder"

  name       = "batchImageBuilder-pinned"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  iam_path   = "/"
}

module "compute_spot" {
  source = "./modules/compute-environment"

  name                          = "spot-pinned"
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
    size_gib = 1000
    type     = "gp3"
  }
  user_data = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"gen-infra-dcb2e27f696816421b78c004\"\n\n--gen-infra-dcb2e27f696816421b78c004\nContent-Type: text/x-shellscript; charset=\"utf-8\"\nContent-Transfer-Encoding: 8bit\nContent-Disposition: attachment; filename=\"01-agent.sh\"\n\n#!/bin/bash\n# The ECS agent starts no privileged container, and keeps containers with a network of their own from the credentials of\n# the instance.\nset -euo pipefail\n\nconfig=\u0024{GEN_INFRA_ROOT:-}/etc/ecs/ecs.config # tests set the folder\nmkdir -p \"\u0024{config%/*}\"\nprintf '%s\\n' ECS_DISABLE_PRIVILEGED=true ECS_AWSVPC_BLOCK_IMDS=true >>\"$config\"\n\n--gen-infra-dcb2e27f696816421b78c004--\n"

  instance_profile_arn = module.instance_role.instance_profile_arn
  security_group_ids   = local.security_group_ids
  subnet_ids           = local.subnet_ids
  tags = {
    "gen-infra:cost" = "pinned"
  }
}

module "image_pipeline" {
  source = "./modules/image-pipeline"

  source_path = "${path.module}/image-rebuild.zip"

  environment           = "pinned"
  account_id            = "123456789012"
  partition             = "aws"
  region                = "us-east-1"
  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
  security_group_ids    = local.security_group_ids
  subnet_ids            = local.subnet_ids

  schedule            = "rate(7 days)"
  bucket              = "genomics-builds-123456789012"
  source_key          = "gen-infra/pinned/image-rebuild.zip"
  image_parameter     = "/gen-infra/pinned/ami"
  base_parameter_arn  = "arn:aws:ssm:us-east-1::parameter/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/*"
  builder_profile_arn = "arn:aws:iam::123456789012:instance-profile/batchImageBuilder-pinned"
  builder_role_arn    = "arn:aws:iam::123456789012:role/batchImageBuilder-pinned"
  codebuild_image     = "210987654321.dkr.ecr.us-east-1.amazonaws.com/builds/codebuild@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  notify              = []
}
