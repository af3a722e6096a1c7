mock_provider "aws" {}

variables {
  name               = "batch-prod"
  account_id         = "123456789012"
  region             = "us-east-1"
  log_group_patterns = ["/aws/batch/prod/*", "/aws/lambda/batchSubmitJob-prod"]
}

run "key" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "The key must rotate and be rescuable for 30 days."
  }

  assert {
    condition     = aws_kms_alias.this.name == "alias/batch-prod"
    error_message = "The alias must be the name."
  }
}

run "auto_scaling_may_launch_instances" {
  command = plan

  assert {
    condition = [
      for s in jsondecode(aws_kms_key.this.policy).Statement : s.Condition.ArnEquals["aws:PrincipalArn"]
      if s.Sid == "LaunchInstancesWithEncryptedVolumes"
    ] == [["arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"]]
    error_message = "Without Spot, Auto Scaling's role alone may use the key."
  }

  assert {
    condition = one([
      for s in jsondecode(aws_kms_key.this.policy).Statement : s.Condition
      if s.Action == "kms:CreateGrant"
    ]).Bool["kms:GrantIsForAWSResource"] == "true"
    error_message = "Grants are for AWS's own resources only."
  }

  # A scanner takes any condition for a good one: here it must be the account.
  assert {
    condition = alltrue([
      for s in jsondecode(aws_kms_key.this.policy).Statement :
      s.Condition.StringEquals["kms:CallerAccount"] == "123456789012"
      if try(s.Principal.AWS, "") == "*"
    ])
    error_message = "A statement for any principal must be bound to the account."
  }
}

run "spot_may_launch_instances" {
  command = plan

  variables {
    spot = true
  }

  assert {
    condition = [
      for s in jsondecode(aws_kms_key.this.policy).Statement :
      [for arn in s.Condition.ArnEquals["aws:PrincipalArn"] : split("/", arn)[3]]
      if try(s.Principal.AWS, "") == "*"
    ] == [for _ in range(2) : ["AWSServiceRoleForAutoScaling", "AWSServiceRoleForEC2Spot", "AWSServiceRoleForEC2SpotFleet"]]
    error_message = "Spot and Spot Fleet launch the instances of Spot environments."
  }
}

run "logs" {
  command = plan

  assert {
    condition = one([
      for s in jsondecode(aws_kms_key.this.policy).Statement : s
      if try(s.Principal.Service, "") == "logs.us-east-1.amazonaws.com"
      ]).Condition.ArnLike["kms:EncryptionContext:aws:logs:arn"] == [
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/prod/*",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/batchSubmitJob-prod",
    ]
    error_message = "CloudWatch Logs may use the key for these log groups of this account only."
  }
}

run "no_alarms_without_topics" {
  command = plan

  assert {
    condition     = !strcontains(aws_kms_key.this.policy, "cloudwatch.amazonaws.com")
    error_message = "CloudWatch has no business with a key without topics."
  }
}

run "alarms" {
  command = plan

  variables {
    alarm_topics = ["batchImageRebuild-prod"]
  }

  assert {
    condition = one([
      for s in jsondecode(aws_kms_key.this.policy).Statement : s.Condition
      if try(s.Principal.Service, "") == "cloudwatch.amazonaws.com"
      ]) == {
      ArnEquals = { "kms:EncryptionContext:aws:sns:topicArn" = ["arn:aws:sns:us-east-1:123456789012:batchImageRebuild-prod"] }
    }
    error_message = "Alarms may use the key for these topics of this account only."
  }
}

run "no_events_without_topics" {
  command = plan

  assert {
    condition     = !strcontains(aws_kms_key.this.policy, "events.amazonaws.com")
    error_message = "EventBridge has no business with a key without topics."
  }
}

run "events" {
  command = plan

  variables {
    event_topics = ["batchQueueBlocked-prod"]
  }

  assert {
    condition = one([
      for s in jsondecode(aws_kms_key.this.policy).Statement : s.Condition
      if try(s.Principal.Service, "") == "events.amazonaws.com"
      ]) == {
      ArnEquals = { "kms:EncryptionContext:aws:sns:topicArn" = ["arn:aws:sns:us-east-1:123456789012:batchQueueBlocked-prod"] }
    }
    error_message = "Rules may use the key for these topics of this account only."
  }
}

run "other_partition" {
  command = plan

  variables {
    partition = "aws-us-gov"
  }

  assert {
    condition     = !strcontains(aws_kms_key.this.policy, "arn:aws:")
    error_message = "Every ARN must be of the partition."
  }
}

run "refuses" {
  command = plan

  variables {
    account_id              = "12345678901"
    alarm_topics            = ["a topic"]
    deletion_window_in_days = 6
    log_group_patterns      = []
    name                    = "aws/batch"
    partition               = "azure"
    region                  = "us-east"
  }

  expect_failures = [
    var.account_id, var.alarm_topics, var.deletion_window_in_days, var.log_group_patterns, var.name, var.partition, var.region,
  ]
}

run "budgets" {
  command = plan

  variables {
    budget_topics = ["batchQueueStop-prod"]
  }

  assert {
    condition = one([
      for s in jsondecode(aws_kms_key.this.policy).Statement : s.Condition
      if try(s.Principal.Service, "") == "budgets.amazonaws.com"
      ]) == {
      ArnEquals    = { "kms:EncryptionContext:aws:sns:topicArn" = ["arn:aws:sns:us-east-1:123456789012:batchQueueStop-prod"] }
      StringEquals = { "aws:SourceAccount" = "123456789012" }
    }
    error_message = "AWS Budgets may use the key for these topics, and for this account only."
  }
}

run "logs_in_china" {
  command = plan

  variables {
    partition = "aws-cn"
    region    = "cn-northwest-1"
  }

  assert {
    condition = one([
      for s in jsondecode(aws_kms_key.this.policy).Statement : s
      if try(s.Principal.Service, "") == "logs.cn-northwest-1.amazonaws.com.cn"
      ]).Condition.ArnLike["kms:EncryptionContext:aws:logs:arn"] == [
      "arn:aws-cn:logs:cn-northwest-1:123456789012:log-group:/aws/batch/prod/*",
      "arn:aws-cn:logs:cn-northwest-1:123456789012:log-group:/aws/lambda/batchSubmitJob-prod",
    ]
    error_message = "In China the service's name ends in the partition's domain, and a key policy without it is no use."
  }
}

run "logs_in_govcloud" {
  command = plan

  variables {
    partition = "aws-us-gov"
    region    = "us-gov-west-1"
  }

  assert {
    condition     = strcontains(aws_kms_key.this.policy, "\"logs.us-gov-west-1.amazonaws.com\"") && !strcontains(aws_kms_key.this.policy, "arn:aws:")
    error_message = "GovCloud has the domain of the commercial regions, and ARNs of its own."
  }
}
