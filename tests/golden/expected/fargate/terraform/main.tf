# The resources that jobs run on. Rendered from the manifest: change the manifest and render again.

locals {
  kms_key_arn        = module.encryption.key_arn
  security_group_ids = module.network.security_group_ids
  subnet_ids         = module.network.subnet_ids
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

module "encryption" {
  source = "./modules/encryption"

  name       = "batch-fargate"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  log_group_patterns = [
    "/aws/batch/fargate/*",
    "/aws/lambda/batchSubmitJob-fargate",
    "/aws/lambda/batchGetJobStatus-fargate",
  ]
  spot = false
}

module "compute_fargateSpotEnv" {
  source = "./modules/fargate-environment"

  name               = "fargateSpotEnv-fargate"
  state              = "ENABLED"
  type               = "FARGATE_SPOT"
  max_vcpus          = 128
  security_group_ids = local.security_group_ids
  subnet_ids         = local.subnet_ids
  tags = {
    Team = "reports"
  }
}

module "compute_fargateEnv" {
  source = "./modules/fargate-environment"

  name               = "fargateEnv-fargate"
  state              = "ENABLED"
  type               = "FARGATE"
  max_vcpus          = 32
  security_group_ids = local.security_group_ids
  subnet_ids         = local.subnet_ids
}

# Job definitions are given by name, not by reference, so that the functions' permissions are known in the plan.
module "job_functions" {
  source = "./modules/job-functions"

  package_path = "${path.module}/job-functions.zip"

  environment           = "fargate"
  account_id            = "123456789012"
  partition             = "aws"
  region                = "us-east-1"
  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
  job_queue_arns        = ["arn:aws:batch:us-east-1:123456789012:job-queue/small-fargate"]
  job_definition_arns = [
    "arn:aws:batch:us-east-1:123456789012:job-definition/report-fargate",
    "arn:aws:batch:us-east-1:123456789012:job-definition/notify-fargate",
  ]
}
