mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:batchQueueStop-prod" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:batchQueueStop-prod" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:batchQueueStop-prod" }
  }
}

variables {
  environment    = "prod"
  account_id     = "123456789012"
  region         = "us-east-1"
  kms_key_arn    = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  job_queue_arns = ["arn:aws:batch:us-east-1:123456789012:job-queue/low-prod", "arn:aws:batch:us-east-1:123456789012:job-queue/high-prod"]
  package_path   = "tests/package.zip"
  stop_queues_at = 120
}

run "topic" {
  assert {
    condition     = aws_sns_topic.this.name == "batchQueueStop-prod" && aws_sns_topic.this.kms_master_key_id == var.kms_key_arn
    error_message = "The topic must be encrypted with the environment's key."
  }

  assert {
    condition = jsondecode(aws_sns_topic_policy.this.policy).Statement == [{
      Sid       = "PublishBudget"
      Effect    = "Allow"
      Principal = { Service = "budgets.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:us-east-1:123456789012:batchQueueStop-prod"
      Condition = {
        StringEquals = { "aws:SourceAccount" = "123456789012" }
        ArnLike      = { "aws:SourceArn" = "arn:aws:budgets::123456789012:*" }
      }
    }]
    error_message = "Only the budgets of this account may publish."
  }

  assert {
    condition     = [aws_sns_topic_subscription.this.protocol, aws_sns_topic_subscription.this.endpoint] == ["lambda", aws_lambda_function.this.arn]
    error_message = "The function must be subscribed."
  }

  assert {
    condition     = [aws_lambda_permission.this.principal, aws_lambda_permission.this.source_arn, aws_lambda_permission.this.action] == ["sns.amazonaws.com", aws_sns_topic.this.arn, "lambda:InvokeFunction"]
    error_message = "Only this topic may start the function."
  }
}

run "function" {
  assert {
    condition = (
      aws_lambda_function.this.handler == "batch_queue_stop.handler" && aws_lambda_function.this.runtime == "python3.13" &&
      aws_lambda_function.this.kms_key_arn == var.kms_key_arn && one(aws_lambda_function.this.tracing_config).mode == "Active" &&
      one(aws_lambda_function.this.dead_letter_config).target_arn == aws_sqs_queue.dead_letters.arn &&
      aws_lambda_function.this.reserved_concurrent_executions == 1 &&
      aws_lambda_function.this.source_code_hash == filebase64sha256("tests/package.zip")
    )
    error_message = "The function must be encrypted, traced, limited, and set aside what failed."
  }

  assert {
    condition     = one(aws_lambda_function.this.environment).variables == tomap({ ACCOUNT = "123456789012", BUDGET = "batchBudget-prod", STOP_QUEUES_AT = "120" })
    error_message = "The function must know its budget."
  }

  assert {
    condition     = [aws_cloudwatch_log_group.this.name, aws_cloudwatch_log_group.this.kms_key_id] == ["/aws/lambda/batchQueueStop-prod", var.kms_key_arn]
    error_message = "The log must be encrypted."
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.kms_master_key_id == var.kms_key_arn
    error_message = "Dead letters must be encrypted."
  }
}

run "least_privilege" {
  assert {
    condition = jsonencode({ for s in data.aws_iam_policy_document.stop.statement : s.sid => [sort(s.actions), sort(s.resources)] }) == jsonencode({
      ReadBudget     = [["budgets:ViewBudget"], ["arn:aws:budgets::123456789012:budget/batchBudget-prod"]]
      DescribeQueues = [["batch:DescribeJobQueues"], ["*"]]
      DisableQueues  = [["batch:UpdateJobQueue"], sort(var.job_queue_arns)]
      MarkQueues     = [["batch:TagResource"], sort(var.job_queue_arns)]
    })
    error_message = "The function must change nothing but these queues."
  }

  assert {
    condition = { for c in one([for s in data.aws_iam_policy_document.stop.statement : s if s.sid == "MarkQueues"]).condition : "${c.test} ${c.variable}" => c.values } == {
      "ForAllValues:StringEquals aws:TagKeys" = tolist(["gen-infra:stopped-by-budget"])
    }
    error_message = "The function must set no other tag."
  }
}

run "other_partition" {
  variables {
    partition = "aws-us-gov"
  }

  assert {
    condition     = !strcontains(aws_sns_topic_policy.this.policy, "arn:aws:")
    error_message = "Every ARN must be of the partition."
  }
}

run "refuses" {
  command = plan

  variables {
    account_id            = "012"
    environment           = "Prod"
    iam_path              = "genomics"
    job_queue_arns        = []
    kms_key_arn           = "alias/aws/sns"
    log_retention_in_days = 30
    package_path          = "none.zip"
    partition             = "azure"
    permissions_boundary  = "boundary"
    region                = "somewhere"
    reserved_concurrency  = 0
    stop_queues_at        = 0
  }

  expect_failures = [
    var.account_id, var.environment, var.iam_path, var.job_queue_arns, var.kms_key_arn, var.log_retention_in_days,
    var.package_path, var.partition, var.permissions_boundary, var.region, var.reserved_concurrency, var.stop_queues_at,
  ]
}
