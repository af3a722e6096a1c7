mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/nextflow-prod-head" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name             = "nextflow-prod"
  environment      = "prod"
  account_id       = "123456789012"
  region           = "us-east-1"
  kms_key_arn      = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  definition_names = ["nf-*"]
  files_policy     = "{}"
  job_queue_arns   = ["arn:aws:batch:us-east-1:123456789012:job-queue/main-prod"]
  log_group        = "/aws/batch/prod/nextflow"
  principals       = ["arn:aws:iam::123456789012:role/Scientist"]
}

run "only_tasks_and_principals_have_the_roles" {
  assert {
    condition     = [for statement in jsondecode(aws_iam_role.worker.assume_role_policy).Statement : statement.Principal] == [{ Service = "ecs-tasks.amazonaws.com" }]
    error_message = "Only ECS tasks may have the worker role."
  }

  assert {
    condition     = jsondecode(aws_iam_role.head.assume_role_policy).Statement[1].Principal.AWS == "arn:aws:iam::123456789012:role/Scientist"
    error_message = "The principals may have the head role."
  }
}

run "the_head_passes_the_worker_role_alone" {
  assert {
    condition = [for statement in data.aws_iam_policy_document.head.statement : statement.resources if statement.sid == "PassWorkerRole"] == [
      toset(["arn:aws:iam::123456789012:role/nextflow-prod-worker"])
    ]
    error_message = "The head may pass another role than that of its tasks."
  }

  assert {
    condition     = length([for statement in data.aws_iam_policy_document.head.statement : statement if statement.sid == "RegisterDefinitions" && length(statement.condition) == 1]) == 1
    error_message = "Privileged definitions must be refused."
  }
}

run "an_engine_without_tags_stops_jobs_of_no_environment" {
  variables {
    privileged = true
    tags_jobs  = false
  }

  assert {
    condition     = [for statement in data.aws_iam_policy_document.head.statement : [for each in statement.condition : each.test][0] if statement.sid == "StopJobs"] == ["Null"]
    error_message = "It could stop the jobs of an environment."
  }

  assert {
    condition     = length([for statement in data.aws_iam_policy_document.head.statement : statement if statement.sid == "RegisterDefinitions" && length(statement.condition) == 0]) == 1
    error_message = "privileged must allow such definitions."
  }
}

run "an_exact_name_has_its_revisions_and_no_others" {
  variables {
    definition_actions = ["batch:DeregisterJobDefinition"]
    definition_names   = ["redun-prod"]
  }

  assert {
    condition = [for statement in data.aws_iam_policy_document.head.statement : statement.resources if statement.sid == "ChangeDefinitions"] == [
      toset(["arn:aws:batch:us-east-1:123456789012:job-definition/redun-prod:*"])
    ]
    error_message = "It could deregister the definitions of an environment whose name begins with the same letters."
  }
}

run "an_engine_with_given_definitions_registers_none" {
  variables {
    definition_names    = []
    job_definition_arns = ["arn:aws:batch:us-east-1:123456789012:job-definition/rules-prod"]
  }

  assert {
    condition     = length(setintersection([for statement in data.aws_iam_policy_document.head.statement : statement.sid], ["RegisterDefinitions", "ChangeDefinitions"])) == 0
    error_message = "It may register definitions."
  }

  assert {
    condition = [for statement in data.aws_iam_policy_document.head.statement : statement.resources if statement.sid == "SubmitJobs"] == [
      toset([
        "arn:aws:batch:us-east-1:123456789012:job-definition/rules-prod",
        "arn:aws:batch:us-east-1:123456789012:job-definition/rules-prod:*",
        "arn:aws:batch:us-east-1:123456789012:job-queue/main-prod",
      ])
    ]
    error_message = "It may submit other definitions."
  }
}

run "principals_of_other_accounts_are_refused" {
  command = plan

  variables {
    principals = ["arn:aws:iam::999999999999:role/Scientist"]
  }

  expect_failures = [var.principals]
}
