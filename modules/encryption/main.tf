# Everything in the policy is a literal, so that the policy is known in the plan: scanners do not see unknown policies.
locals {
  account_arn          = "arn:${var.partition}:iam::${var.account_id}:root"
  service_linked_roles = "arn:${var.partition}:iam::${var.account_id}:role/aws-service-role"

  # Auto Scaling starts the instances, for every strategy but BEST_FIT on Spot, which is Spot Fleet's.
  launch_roles = concat(
    ["${local.service_linked_roles}/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"],
    var.spot ? [
      "${local.service_linked_roles}/spot.amazonaws.com/AWSServiceRoleForEC2Spot",
      "${local.service_linked_roles}/spotfleet.amazonaws.com/AWSServiceRoleForEC2SpotFleet",
    ] : [],
  )

  # Named by a condition and not as principals: KMS refuses a policy that names a role that does not exist yet, and a
  # fresh account has none of these.
  is_launch_role = {
    ArnEquals    = { "aws:PrincipalArn" = local.launch_roles }
    StringEquals = { "kms:CallerAccount" = var.account_id }
  }

  log_group_arns = [
    for pattern in var.log_group_patterns :
    "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:${pattern}"
  ]

  # The only service here whose principal has the partition's domain:
  # https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/region-info/lib/default.ts
  logs_principal = "logs.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"

  topic_arns = [for name in sort(var.alarm_topics) : "arn:${var.partition}:sns:${var.region}:${var.account_id}:${name}"]

  # An alarm publishes as CloudWatch, for which SNS calls KMS:
  # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
  encrypt_alarms = {
    Sid       = "EncryptAlarms"
    Effect    = "Allow"
    Principal = { Service = "cloudwatch.amazonaws.com" }
    Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
    Resource  = "*"
    Condition = { ArnEquals = { "kms:EncryptionContext:aws:sns:topicArn" = local.topic_arns } }
  }

  event_topic_arns = [for name in sort(var.event_topics) : "arn:${var.partition}:sns:${var.region}:${var.account_id}:${name}"]

  # A rule publishes as EventBridge, for which SNS calls KMS:
  # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
  encrypt_events = {
    Sid       = "EncryptEvents"
    Effect    = "Allow"
    Principal = { Service = "events.amazonaws.com" }
    Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
    Resource  = "*"
    Condition = { ArnEquals = { "kms:EncryptionContext:aws:sns:topicArn" = local.event_topic_arns } }
  }

  budget_topic_arns = [for name in sort(var.budget_topics) : "arn:${var.partition}:sns:${var.region}:${var.account_id}:${name}"]

  # https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
  encrypt_budgets = {
    Sid       = "EncryptBudgets"
    Effect    = "Allow"
    Principal = { Service = "budgets.amazonaws.com" }
    Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
    Resource  = "*"
    Condition = {
      ArnEquals    = { "kms:EncryptionContext:aws:sns:topicArn" = local.budget_topic_arns }
      StringEquals = { "aws:SourceAccount" = var.account_id }
    }
  }

  # Runs of state machines are encrypted, and their logs are delivered as CloudWatch Logs:
  # https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html#encrypt-state-machine-logs
  deliver_logs = {
    Sid       = "DeliverLogs"
    Effect    = "Allow"
    Principal = { Service = "delivery.logs.amazonaws.com" }
    Action    = "kms:Decrypt"
    Resource  = "*"
    Condition = {
      ArnLike      = { "aws:SourceArn" = "arn:${var.partition}:logs:${var.region}:${var.account_id}:*" }
      StringEquals = { "aws:SourceAccount" = var.account_id }
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "Volumes, images, logs and functions of ${var.name}"
  deletion_window_in_days = var.deletion_window_in_days
  enable_key_rotation     = true

  # How policies of people name the key: its alias comes later and goes first.
  tags = { Name = var.name }

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid       = "AllowIamPoliciesOfThisAccount"
        Effect    = "Allow"
        Principal = { AWS = local.account_arn }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "LaunchInstancesWithEncryptedVolumes"
        Effect    = "Allow"
        Principal = { AWS = "*" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = local.is_launch_role
      },
      {
        Sid       = "CreateGrantsForVolumes"
        Effect    = "Allow"
        Principal = { AWS = "*" }
        Action    = "kms:CreateGrant"
        Resource  = "*"
        Condition = merge(local.is_launch_role, { Bool = { "kms:GrantIsForAWSResource" = "true" } })
      },
      {
        Sid       = "EncryptLogGroups"
        Effect    = "Allow"
        Principal = { Service = local.logs_principal }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = local.log_group_arns } }
      },
    ], length(local.topic_arns) > 0 ? [local.encrypt_alarms] : [], length(local.event_topic_arns) > 0 ? [local.encrypt_events] : [], length(local.budget_topic_arns) > 0 ? [local.encrypt_budgets] : [], var.state_machines ? [local.deliver_logs] : [])
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}
