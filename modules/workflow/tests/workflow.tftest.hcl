mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/germline-prod-workflow" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/germline-prod" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:germline-failed-prod" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  definitions_path    = "tests"
  workflow            = "germline-prod"
  account_id          = "123456789012"
  region              = "us-east-1"
  kms_key_arn         = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  job_queue_arns      = ["arn:aws:batch:us-east-1:123456789012:job-queue/main-prod"]
  job_definition_arns = ["arn:aws:batch:us-east-1:123456789012:job-definition/isaac-prod"]
  emails              = ["genomics-ops@example.com"]
  topic               = "germline-failed-prod"

  machines = {
    one  = { name = "germline-prod", definition = "one.asl.json" }
    many = { name = "germline-many-prod", definition = "one.asl.json", samples = { bucket = "results", folder = "workflows/" } }
  }
}

run "state_machines_are_encrypted_logged_and_traced" {
  assert {
    condition     = alltrue([for machine in aws_sfn_state_machine.this : machine.encryption_configuration[0].kms_key_id == var.kms_key_arn])
    error_message = "Runs must be encrypted with the environment's key."
  }

  assert {
    condition     = alltrue([for machine in aws_sfn_state_machine.this : machine.logging_configuration[0].level == "ALL" && machine.tracing_configuration[0].enabled])
    error_message = "Each state must be logged and traced."
  }

  assert {
    condition     = { for key, group in aws_cloudwatch_log_group.this : key => group.name } == { one = "/aws/vendedlogs/states/germline-prod", many = "/aws/vendedlogs/states/germline-many-prod" }
    error_message = "Log groups must be vended ones."
  }
}

run "only_these_state_machines_use_the_roles" {
  assert {
    condition = jsondecode(aws_iam_role.this["one"].assume_role_policy).Statement[0].Condition == {
      ArnLike      = { "aws:SourceArn" = "arn:aws:states:us-east-1:123456789012:stateMachine:germline-prod" }
      StringEquals = { "aws:SourceAccount" = "123456789012" }
    }
    error_message = "Another state machine could use the role."
  }
}

run "the_roles_submit_these_jobs_alone" {
  assert {
    condition = data.aws_iam_policy_document.jobs.statement[0].resources == toset([
      "arn:aws:batch:us-east-1:123456789012:job-queue/main-prod",
      "arn:aws:batch:us-east-1:123456789012:job-definition/isaac-prod",
      "arn:aws:batch:us-east-1:123456789012:job-definition/isaac-prod:*",
    ])
    error_message = "Jobs of others could be submitted."
  }

  assert {
    condition     = one([for each in data.aws_iam_policy_document.jobs.statement : one(each.condition).values if each.sid == "StopJobs"]) == tolist(["germline-prod"])
    error_message = "Jobs of others could be stopped."
  }

  assert {
    condition     = keys(data.aws_iam_policy_document.samples) == ["many"]
    error_message = "Only the machine for a list starts runs and reads the bucket."
  }

  assert {
    condition     = one([for each in data.aws_iam_policy_document.samples["many"].statement : each.resources if each.sid == "ReadLists"]) == toset(["arn:aws:s3:::results/workflows/lists/*"])
    error_message = "Lists must be read from the workflow's folder alone."
  }
}

run "failed_runs_are_reported" {
  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.failed["topic"].event_pattern).detail == {
      stateMachineArn = [
        "arn:aws:states:us-east-1:123456789012:stateMachine:germline-many-prod",
        "arn:aws:states:us-east-1:123456789012:stateMachine:germline-prod",
      ]
      status = ["ABORTED", "FAILED", "TIMED_OUT"]
    }
    error_message = "The rule must match failed runs of these state machines."
  }

  assert {
    condition     = [for each in aws_sns_topic_subscription.failed : each.endpoint] == ["genomics-ops@example.com"]
    error_message = "Every address must be subscribed."
  }
}

run "nothing_is_reported_without_addresses" {
  variables {
    emails = []
  }

  assert {
    condition     = length(aws_sns_topic.failed) + length(aws_cloudwatch_event_rule.failed) == 0
    error_message = "Without addresses there is no topic."
  }
}

run "other_partition" {
  variables {
    partition = "aws-us-gov"
  }

  assert {
    condition     = !strcontains(aws_iam_role.this["one"].assume_role_policy, "arn:aws:")
    error_message = "ARNs must have the partition."
  }
}
