# Single-container jobs share the host's network, so every job can reach this role's credentials: it may do what the ECS
# agent and Session Manager's agent do, for this environment's clusters, images and logs. AWS's managed policies for them
# allow every image and log group of the account, and to read all of Parameter Store.
locals {
  in_account = "${var.region}:${var.account_id}"
  clusters   = [for name in sort(var.clusters) : "arn:${var.partition}:ecs:${local.in_account}:cluster/${name}"]
}

resource "aws_iam_role" "this" {
  name                 = var.name
  path                 = var.iam_path
  description          = "ECS instances that AWS Batch starts"
  permissions_boundary = var.permissions_boundary

  # EC2 takes no aws:SourceAccount here.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/instance_IAM_role.html
resource "aws_iam_role_policy" "agent" {
  name = "agent"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "FindEcs"
        Effect   = "Allow"
        Action   = "ecs:DiscoverPollEndpoint"
        Resource = "*" # no resource-level permissions
      },
      {
        Sid    = "JoinClustersAndReportTasks"
        Effect = "Allow"
        Action = [
          "ecs:RegisterContainerInstance",
          "ecs:SubmitAttachmentStateChanges",
          "ecs:SubmitContainerStateChange",
          "ecs:SubmitTaskStateChange",
        ]
        Resource = local.clusters
      },
      {
        Sid       = "ReceiveTasksAndDrain"
        Effect    = "Allow"
        Action    = ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"]
        Resource  = "arn:${var.partition}:ecs:${local.in_account}:container-instance/*"
        Condition = { ArnLike = { "ecs:cluster" = local.clusters } }
      },
      {
        Sid       = "TagOnRegistration"
        Effect    = "Allow"
        Action    = "ecs:TagResource"
        Resource  = "arn:${var.partition}:ecs:${local.in_account}:container-instance/*"
        Condition = { StringEquals = { "ecs:CreateAction" = "RegisterContainerInstance" } }
      },
    ]
  })
}

# Jobs with an execution role have their images pulled as that.
resource "aws_iam_role_policy" "images" {
  for_each = toset(length(var.repository_arns) == 0 ? [] : ["images"])

  name = each.key
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "LogInToRegistries"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*" # no resource-level permissions
      },
      {
        Sid      = "PullImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = sort(var.repository_arns)
      },
    ]
  })
}

resource "aws_iam_role_policy" "logs" {
  name = "logs"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "WriteLogs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = [for name in sort(var.log_groups) : "arn:${var.partition}:logs:${local.in_account}:log-group:${name}:*"]
    }]
  })
}

# Session Manager, in place of a key pair.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
resource "aws_iam_role_policy" "session" {
  name = "session"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "RegisterWithSessionManager"
        Effect   = "Allow"
        Action   = "ssm:UpdateInstanceInformation"
        Resource = "arn:${var.partition}:ec2:${local.in_account}:instance/i-*"
      },
      {
        Sid    = "OpenSessionChannels"
        Effect = "Allow"
        Action = [
          "ssmmessages:CreateControlChannel",
          "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel",
          "ssmmessages:OpenDataChannel",
        ]
        Resource = "*" # no resource-level permissions
      },
    ]
  })
}

resource "aws_iam_instance_profile" "this" {
  name = var.name
  path = var.iam_path
  role = aws_iam_role.this.name
}
