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

  name       = "batch-told"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  log_group_patterns = [
    "/aws/batch/told/*",
    "/aws/lambda/batchSubmitJob-told",
    "/aws/lambda/batchGetJobStatus-told",
    "/aws/lambda/batchMeasure-told",
    "/aws/lambda/batchQueueStop-told",
    "/aws/codebuild/batchImageRebuild-told",
  ]
  alarm_topics  = ["batchImageRebuild-told"]
  budget_topics = ["batchQueueStop-told"]
  event_topics = [
    "batchQueueBlocked-told",
    "batchAlarmsCritical-told",
    "batchAlarmsWarning-told",
  ]
  spot = true
}

module "instance_role" {
  source = "./modules/instance-role"

  name       = "batchInstance-told"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  iam_path   = "/"

  clusters = [
    "AWSBatch-toldEnv-told-??????????????????????????-*",
    "toldEnv-told-??????????????????????????_Batch_*",
  ]
  log_groups = ["/aws/batch/told/*"]
}

module "image_builder" {
  source = "./modules/image-builder"

  name       = "batchImageBuilder-told"
  account_id = "123456789012"
  partition  = "aws"
  region     = "us-east-1"
  iam_path   = "/"
}

module "compute_toldEnv" {
  source = "./modules/compute-environment"

  name                          = "toldEnv-told"
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
    Project          = "genomics"
    "gen-infra:cost" = "told"
  }
}

module "image_pipeline" {
  source = "./modules/image-pipeline"

  source_path = "${path.module}/image-rebuild.zip"

  environment           = "told"
  account_id            = "123456789012"
  partition             = "aws"
  region                = "us-east-1"
  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
  security_group_ids    = local.security_group_ids
  subnet_ids            = local.subnet_ids

  schedule            = "rate(7 days)"
  bucket              = "genomics-results-123456789012"
  source_key          = "gen-infra/told/image-rebuild.zip"
  image_parameter     = "/gen-infra/prod/ami"
  base_parameter_arn  = "arn:aws:ssm:us-east-1::parameter/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/*"
  builder_profile_arn = "arn:aws:iam::123456789012:instance-profile/batchImageBuilder-told"
  builder_role_arn    = "arn:aws:iam::123456789012:role/batchImageBuilder-told"
  notify              = []
}

module "queue_notifications" {
  source = "./modules/queue-notifications"

  environment    = "told"
  account_id     = "123456789012"
  partition      = "aws"
  region         = "us-east-1"
  emails         = ["genomics-ops@example.com"]
  job_queue_arns = ["arn:aws:batch:us-east-1:123456789012:job-queue/main-told"]
  kms_key_arn    = local.kms_key_arn
}

module "environment_alarms" {
  source = "./modules/environment-alarms"

  package_path = "${path.module}/environment-alarms.zip"

  environment           = "told"
  account_id            = "123456789012"
  partition             = "aws"
  region                = "us-east-1"
  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
  job_queue_arns        = ["arn:aws:batch:us-east-1:123456789012:job-queue/main-told"]
  emails = {
    critical = ["genomics-ops@example.com"]
    warning  = ["genomics-lab@example.com"]
  }

  failed_jobs = {
    percent        = 20
    window_minutes = 60
    at_least       = 3
  }
  waiting_minutes              = 120
  invalid_compute_environments = true
  spot_interruptions = {
    attempts       = 4
    window_minutes = 60
  }
  image_age_days     = 45
  image_build_alarms = ["batchImageRebuildFailed-told", "batchImageRebuildNotStarted-told"]
  dead_letters       = true
  dead_letter_queues = ["batchMeasure-told", "batchQueueStop-told"]
  event_rules        = ["batchQueueBlocked-told"]
  dashboard          = true
}

module "dashboard" {
  source = "./modules/dashboard"

  environment = "told"
  region      = "us-east-1"
  queues      = ["main-told"]
  alarm_arns = [
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchImageRebuildFailed-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchImageRebuildNotStarted-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchFailedJobs-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchInvalidComputeEnvironments-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchJobsWait-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchSpotInterruptions-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchImageAge-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchDeadLetters-batchMeasure-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchDeadLetters-batchQueueStop-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchRuleFailed-batchQueueBlocked-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchRuleFailed-batchAlarmsCritical-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchRuleFailed-batchAlarmsWarning-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchRuleFailed-batchAlarmsCriticalCleared-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchRuleFailed-batchAlarmsWarningCleared-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchRuleFailed-batchMeasure-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchRuleFailed-batchJobsEnded-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchRuleFailed-batchHostsLost-told",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:batchRuleFailed-batchExplain-told",
  ]
}

module "queue_stop" {
  source = "./modules/queue-stop"

  package_path = "${path.module}/queue-stop.zip"

  environment           = "told"
  account_id            = "123456789012"
  partition             = "aws"
  region                = "us-east-1"
  iam_path              = "/"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 365
  job_queue_arns        = ["arn:aws:batch:us-east-1:123456789012:job-queue/main-told"]
  stop_queues_at        = 120
}

module "budget" {
  source = "./modules/budget"

  environment    = "told"
  usd_a_month    = 5000
  at_percent     = [50, 80, 100]
  emails         = ["lab-head@example.com"]
  stop_queues_at = 120
  stop_topic_arn = module.queue_stop.topic_arn
}
