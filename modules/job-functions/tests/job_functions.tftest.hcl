mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:batchFunctions-prod" }
  }
}

variables {
  environment         = "prod"
  account_id          = "123456789012"
  region              = "us-east-1"
  kms_key_arn         = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  job_queue_arns      = ["arn:aws:batch:us-east-1:123456789012:job-queue/highPriority-prod"]
  job_definition_arns = ["arn:aws:batch:us-east-1:123456789012:job-definition/isaac-prod"]
  package_path        = "tests/package.zip"
}

run "functions" {
  assert {
    condition     = { for f in aws_lambda_function.this : f.function_name => f.handler } == { batchSubmitJob-prod = "batch_submit_job.handler", batchGetJobStatus-prod = "batch_get_job_status.handler" }
    error_message = "Both functions must be there, each with its handler."
  }

  assert {
    condition = alltrue([
      for f in aws_lambda_function.this : f.runtime == "python3.13" && f.kms_key_arn == var.kms_key_arn &&
      one(f.environment).variables == tomap({ ENVIRONMENT = "prod" }) && one(f.tracing_config).mode == "Active" &&
      one(f.dead_letter_config).target_arn == aws_sqs_queue.dead_letters.arn && f.reserved_concurrent_executions == 5 &&
      f.source_code_hash == filebase64sha256("tests/package.zip")
    ])
    error_message = "Both functions must be encrypted, traced, limited, and set aside what failed."
  }

  assert {
    condition     = alltrue([for c in aws_lambda_function_event_invoke_config.this : c.maximum_retry_attempts == 0])
    error_message = "An event that failed must not submit its job twice."
  }

  assert {
    condition     = { for g in aws_cloudwatch_log_group.this : g.name => [g.retention_in_days, g.kms_key_id] } == { for n in ["batchGetJobStatus-prod", "batchSubmitJob-prod"] : "/aws/lambda/${n}" => [365, var.kms_key_arn] }
    error_message = "Each function must have its log group, encrypted and kept for a year."
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.name == "batchFunctions-prod" && aws_sqs_queue.dead_letters.kms_master_key_id == var.kms_key_arn
    error_message = "Dead letters must be encrypted."
  }

  assert {
    condition     = output.submit_function_name == "batchSubmitJob-prod" && output.status_function_name == "batchGetJobStatus-prod"
    error_message = "The outputs must not be mixed up."
  }
}

run "permissions" {
  command = plan

  assert {
    condition     = one(data.aws_iam_policy_document.submit.statement).actions == toset(["batch:SubmitJob"])
    error_message = "The one may submit jobs, and nothing else."
  }

  assert {
    condition = one(data.aws_iam_policy_document.submit.statement).resources == toset([
      "arn:aws:batch:us-east-1:123456789012:job-definition/isaac-prod",
      "arn:aws:batch:us-east-1:123456789012:job-definition/isaac-prod:*",
      "arn:aws:batch:us-east-1:123456789012:job-queue/highPriority-prod",
    ])
    error_message = "Only these queues, and these definitions with and without a revision."
  }

  assert {
    condition     = length(one(data.aws_iam_policy_document.submit.statement).condition) == 0
    error_message = "What is listed by name needs no tag."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.tags.statement).actions == toset(["batch:TagResource"])
    error_message = "It may tag the jobs that it submits, and nothing else."
  }

  assert {
    condition = { for c in one(data.aws_iam_policy_document.tags.statement).condition : "${c.test} ${c.variable}" => c.values } == {
      "StringEquals aws:RequestTag/gen-infra:environment" = tolist(["prod"])
      "Null aws:ResourceTag/gen-infra:environment"        = tolist(["true"])
    }
    error_message = "It may tag new jobs alone, and with its environment."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.status.statement).actions == toset(["batch:DescribeJobs"])
    error_message = "The other may describe jobs, and nothing else."
  }

  assert {
    condition = alltrue([
      for key, document in data.aws_iam_policy_document.runtime : document.statement[0].resources == toset([
        "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/${aws_iam_role.this[key].name}:*"
      ])
    ])
    error_message = "Each may write its own log only."
  }
}

run "bounded" {
  command = plan

  variables {
    iam_path              = "/genomics/"
    log_retention_in_days = 731
    permissions_boundary  = "arn:aws:iam::123456789012:policy/boundary"
    reserved_concurrency  = -1
  }

  assert {
    condition     = alltrue([for r in aws_iam_role.this : r.path == "/genomics/" && r.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"])
    error_message = "Each role must have path and boundary."
  }

  assert {
    condition     = alltrue([for g in aws_cloudwatch_log_group.this : g.retention_in_days == 731])
    error_message = "The retention must reach the log groups."
  }

  assert {
    condition     = alltrue([for f in aws_lambda_function.this : f.reserved_concurrent_executions == -1])
    error_message = "An account with a small quota must be able to set none aside."
  }
}

run "accepts_every_definition_of_an_environment" {
  command = plan

  variables {
    job_definition_arns = ["arn:aws:batch:us-east-1:123456789012:job-definition/*-prod"]
  }
}

run "refuses" {
  command = plan

  variables {
    account_id            = "012"
    environment           = "Prod"
    iam_path              = "genomics/"
    job_definition_arns   = ["arn:aws:batch:us-east-1:123456789012:job-definition/isaac-prod:3"]
    job_queue_arns        = []
    kms_key_arn           = "alias/batch-prod"
    log_retention_in_days = 30
    package_path          = "tests/missing.zip"
    partition             = "azure"
    permissions_boundary  = "boundary"
    region                = "us-east"
    reserved_concurrency  = 0
  }

  expect_failures = [
    var.account_id, var.environment, var.iam_path, var.job_definition_arns, var.job_queue_arns, var.kms_key_arn,
    var.log_retention_in_days, var.package_path, var.partition, var.permissions_boundary, var.region,
    var.reserved_concurrency,
  ]
}

run "a_pattern_of_definitions" {
  command = plan

  variables {
    job_definition_arns = [
      "arn:aws:batch:us-east-1:123456789012:job-definition/*-prod",
      "arn:aws:batch:us-east-1:123456789012:job-definition/adopted",
    ]
  }

  assert {
    condition = [for s in data.aws_iam_policy_document.submit.statement : { for c in s.condition : "${c.test} ${c.variable}" => c.values } if s.sid == "SubmitOwnJobs"] == [{
      "StringEquals aws:ResourceTag/gen-infra:environment" = tolist(["prod"])
    }]
    error_message = "A pattern covers the definitions of this environment alone."
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.submit.statement : s.sid => join(" ", sort([for r in s.resources : trimprefix(r, "arn:aws:batch:us-east-1:123456789012:")])) } == {
      SubmitJobs    = "job-definition/adopted job-definition/adopted:* job-queue/highPriority-prod"
      SubmitOwnJobs = "job-definition/*-prod:*"
      FindRevisions = "*"
    }
    error_message = "Only a revision has tags; what is named needs none."
  }
}
