# The resources that jobs run on. Rendered from the manifest: change the manifest and render again.

locals {
  kms_key_arn        = module.encryption.key_arn
  security_group_ids = ["sg-0123456789abcdef0"]
  subnet_ids         = ["subnet-0123456789abcdef0"]
}

module "encryption" {
  source = "./modules/encryption"

  name       = "batch-lab"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  log_group_patterns = [
    "/aws/batch/lab/*",
    "/aws/lambda/batchSubmitJob-lab",
    "/aws/lambda/batchGetJobStatus-lab",
  ]
  spot = false
}

# Job definitions are given by name, not by reference, so that the functions' permissions are known in the plan.
module "job_functions" {
  source = "./modules/job-functions"

  package_path = "${path.module}/job-functions.zip"

  environment           = "lab"
  account_id            = "123456789012"
  partition             = "aws"
  region                = "us-east-1"
  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
  job_queue_arns        = ["arn:aws:batch:us-east-1:123456789012:job-queue/Main_Queue"]
  job_definition_arns = [
    "arn:aws:batch:us-east-1:123456789012:job-definition/IsaacOld",
    "arn:aws:batch:us-east-1:123456789012:job-definition/StrelkaOld",
  ]
}
