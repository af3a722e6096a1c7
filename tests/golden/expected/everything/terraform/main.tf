# The resources that jobs run on. Rendered from the manifest: change the manifest and render again.

locals {
  image_id           = "ami-0123456789abcdef0"
  kms_key_arn        = "arn:aws-us-gov:kms:us-gov-west-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  security_group_ids = ["sg-0123456789abcdef0"]
  subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
}

data "aws_ssm_parameter" "image_steady" {
  name            = "/lab/images/steady"
  with_decryption = false

  lifecycle {
    postcondition {
      condition     = can(regex("^ami-(?:[0-9a-f]{8}|[0-9a-f]{17})$", self.value))
      error_message = "The parameter must contain the id of an AMI."
    }
  }
}

# The log group of every job in this account and region whose definition names none.
resource "aws_cloudwatch_log_group" "batch_default" {
  name              = "/aws/batch/job"
  retention_in_days = 731
  kms_key_id        = local.kms_key_arn
}

module "instance_role" {
  source = "./modules/instance-role"

  name                 = "batchInstance-everything"
  account_id           = "210987654321"
  partition            = "aws-us-gov"
  region               = "us-gov-west-1"
  iam_path             = "/genomics/"
  permissions_boundary = "arn:aws-us-gov:iam::210987654321:policy/boundary"

  clusters = [
    "AWSBatch-fleet-everything-??????????????????????????-*",
    "fleet-everything-??????????????????????????_Batch_*",
    "AWSBatch-steady-everything-??????????????????????????-*",
    "steady-everything-??????????????????????????_Batch_*",
  ]
  log_groups = ["/aws/batch/everything/*", "/aws/batch/job"]
  repository_arns = [
    "arn:aws-us-gov:ecr:us-gov-west-1:210987654321:repository/everything/team/aligner.v2",
  ]
}

module "image_builder" {
  source = "./modules/image-builder"

  name                 = "batchImageBuilder-everything"
  account_id           = "210987654321"
  partition            = "aws-us-gov"
  region               = "us-gov-west-1"
  iam_path             = "/genomics/"
  permissions_boundary = "arn:aws-us-gov:iam::210987654321:policy/boundary"
}

module "service_role" {
  source = "./modules/service-role"

  name                 = "batchService-everything"
  account_id           = "210987654321"
  partition            = "aws-us-gov"
  region               = "us-gov-west-1"
  iam_path             = "/genomics/"
  permissions_boundary = "arn:aws-us-gov:iam::210987654321:policy/boundary"
}

module "spot_fleet_role" {
  source = "./modules/spot-fleet-role"

  name                 = "batchSpotFleet-everything"
  account_id           = "210987654321"
  partition            = "aws-us-gov"
  region               = "us-gov-west-1"
  iam_path             = "/genomics/"
  permissions_boundary = "arn:aws-us-gov:iam::210987654321:policy/boundary"
}

module "compute_fleet" {
  source = "./modules/compute-environment"

  name                          = "fleet-everything"
  state                         = "ENABLED"
  type                          = "SPOT"
  allocation_strategy           = "BEST_FIT"
  bid_percentage                = 40
  min_vcpus                     = 4
  max_vcpus                     = 256
  instance_types                = ["m7g", "c7g.16xlarge"]
  job_execution_timeout_minutes = 360

  image_id    = local.image_id
  image_type  = "ECS_AL2023"
  kms_key_arn = local.kms_key_arn
  root_volume = {
    size_gib   = 200
    type       = "gp3"
    iops       = 4000
    throughput = 500
  }

  instance_profile_arn = module.instance_role.instance_profile_arn
  service_role_arn     = module.service_role.arn
  spot_fleet_role_arn  = module.spot_fleet_role.arn
  security_group_ids   = local.security_group_ids
  subnet_ids           = local.subnet_ids
  tags = {
    Project          = "genomics"
    "Cost Center"    = "47/11"
    "gen-infra:cost" = "everything"
  }
}

module "compute_steady" {
  source = "./modules/compute-environment"

  name                          = "steady-everything"
  state                         = "DISABLED"
  type                          = "EC2"
  allocation_strategy           = "BEST_FIT_PROGRESSIVE"
  min_vcpus                     = 0
  max_vcpus                     = 64
  instance_types                = ["m7g"]
  job_execution_timeout_minutes = 60

  image_id    = data.aws_ssm_parameter.image_steady.insecure_value
  image_type  = "ECS_AL2023"
  kms_key_arn = local.kms_key_arn
  root_volume = {
    size_gib   = 200
    type       = "gp3"
    iops       = 4000
    throughput = 500
  }

  instance_profile_arn = module.instance_role.instance_profile_arn
  service_role_arn     = "arn:aws-us-gov:iam::210987654321:role/batch-service"
  security_group_ids   = local.security_group_ids
  subnet_ids           = local.subnet_ids
  tags = {
    Project          = "genomics"
    "Cost Center"    = "47/11"
    "gen-infra:cost" = "everything"
  }
}

# Job definitions are given by name, not by reference, so that the functions' permissions are known in the plan.
module "job_functions" {
  source = "./modules/job-functions"

  package_path = "${path.module}/job-functions.zip"

  environment           = "everything"
  account_id            = "210987654321"
  partition             = "aws-us-gov"
  region                = "us-gov-west-1"
  iam_path              = "/genomics/"
  permissions_boundary  = "arn:aws-us-gov:iam::210987654321:policy/boundary"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 731
  job_queue_arns = [
    "arn:aws-us-gov:batch:us-gov-west-1:210987654321:job-queue/fair-everything",
    "arn:aws-us-gov:batch:us-gov-west-1:210987654321:job-queue/stopped-everything",
  ]
  job_definition_arns = [
    "arn:aws-us-gov:batch:us-gov-west-1:210987654321:job-definition/align-everything",
    "arn:aws-us-gov:batch:us-gov-west-1:210987654321:job-definition/elsewhere-everything",
  ]
}

module "queue_notifications" {
  source = "./modules/queue-notifications"

  environment = "everything"
  account_id  = "210987654321"
  partition   = "aws-us-gov"
  region      = "us-gov-west-1"
  emails      = ["genomics-ops@example.com"]
  job_queue_arns = [
    "arn:aws-us-gov:batch:us-gov-west-1:210987654321:job-queue/fair-everything",
    "arn:aws-us-gov:batch:us-gov-west-1:210987654321:job-queue/stopped-everything",
  ]
  kms_key_arn = local.kms_key_arn
}

module "environment_alarms" {
  source = "./modules/environment-alarms"

  package_path = "${path.module}/environment-alarms.zip"

  environment           = "everything"
  account_id            = "210987654321"
  partition             = "aws-us-gov"
  region                = "us-gov-west-1"
  iam_path              = "/genomics/"
  permissions_boundary  = "arn:aws-us-gov:iam::210987654321:policy/boundary"
  kms_key_arn           = local.kms_key_arn
  log_retention_in_days = 731
  job_queue_arns = [
    "arn:aws-us-gov:batch:us-gov-west-1:210987654321:job-queue/fair-everything",
    "arn:aws-us-gov:batch:us-gov-west-1:210987654321:job-queue/stopped-everything",
  ]
  emails = {
    critical = ["genomics-ops@example.com"]
    warning  = ["genomics-lab@example.com"]
  }

  failed_jobs = {
    percent        = 10
    window_minutes = 240
    at_least       = 2
  }
  waiting_minutes              = 600
  invalid_compute_environments = true
  spot_interruptions = {
    attempts       = 3
    window_minutes = 30
  }
  image_age_days     = 30
  dead_letters       = true
  dead_letter_queues = ["batchFunctions-everything", "batchMeasure-everything"]
  event_rules        = ["batchQueueBlocked-everything"]
  dashboard          = true
}

module "dashboard" {
  source = "./modules/dashboard"

  environment = "everything"
  region      = "us-gov-west-1"
  queues      = ["fair-everything", "stopped-everything"]
  alarm_arns = [
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchFailedJobs-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchInvalidComputeEnvironments-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchJobsWait-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchSpotInterruptions-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchImageAge-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchDeadLetters-batchFunctions-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchDeadLetters-batchMeasure-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchRuleFailed-batchQueueBlocked-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchRuleFailed-batchAlarmsCritical-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchRuleFailed-batchAlarmsWarning-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchRuleFailed-batchAlarmsCriticalCleared-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchRuleFailed-batchAlarmsWarningCleared-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchRuleFailed-batchMeasure-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchRuleFailed-batchJobsEnded-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchRuleFailed-batchHostsLost-everything",
    "arn:aws-us-gov:cloudwatch:us-gov-west-1:210987654321:alarm:batchRuleFailed-batchExplain-everything",
  ]
}
