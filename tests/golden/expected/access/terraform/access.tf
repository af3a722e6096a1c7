# The roles of people and CI. Only an administrator can change this file's resources: the role apply may read them.

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_openid_connect_provider" "gitlab" {
  url            = "https://gitlab.com"
  client_id_list = ["https://gitlab.com"]
}

resource "aws_iam_role" "access_submit" {
  name                 = "batchAccessSubmit-shared"
  path                 = "/genomics/"
  description          = "People and CI: submit shared"
  permissions_boundary = "arn:aws:iam::123456789012:policy/developer-boundary"
  max_session_duration = 28800

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Principals"
        Effect = "Allow"
        Principal = {
          AWS = [
            "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Scientist_0123456789abcdef",
          ]
        }
        Action = "sts:AssumeRole"
      },
    ]
  })
}

data "aws_iam_policy_document" "access_submit_1" {
  statement {
    sid = "Region"
    actions = [
      "autoscaling:DescribeAutoScalingGroups",
      "autoscaling:DescribeScalingActivities",
      "batch:DescribeComputeEnvironments",
      "batch:DescribeJobDefinitions",
      "batch:DescribeJobQueues",
      "batch:DescribeJobs",
      "batch:ListJobs",
      "ec2:DescribeInstances",
      "ec2:DescribeRouteTables",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcEndpoints",
      "servicequotas:GetServiceQuota",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["us-east-1"]
    }
  }

  statement {
    sid     = "Clusters"
    actions = ["ecs:DescribeClusters"]
    resources = [
      "arn:aws:ecs:us-east-1:123456789012:cluster/AWSBatch-*-shared-??????????????????????????-*",
      "arn:aws:ecs:us-east-1:123456789012:cluster/*-shared-??????????????????????????_Batch_*",
    ]
  }

  statement {
    sid     = "SubmittedTo"
    actions = ["batch:SubmitJob"]
    resources = [
      "arn:aws:batch:us-east-1:123456789012:job-queue/lowPriority-shared",
      "arn:aws:batch:us-east-1:123456789012:job-definition/*-shared:*",
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:submitted-by"
      values   = ["\u0024{aws:userid}"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:environment"
      values   = ["shared"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid       = "SubmittedJobs"
    actions   = ["batch:TagResource"]
    resources = ["arn:aws:batch:us-east-1:123456789012:job/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:submitted-by"
      values   = ["\u0024{aws:userid}"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:environment"
      values   = ["shared"]
    }

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/gen-infra:submitted-by"
      values   = ["true"]
    }

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["true"]
    }
  }

  statement {
    sid       = "OwnJobs"
    actions   = ["batch:CancelJob", "batch:TerminateJob"]
    resources = ["arn:aws:batch:us-east-1:123456789012:job/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:submitted-by"
      values   = ["\u0024{aws:userid}"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid     = "Roles"
    actions = ["iam:GetRole"]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:role/genomics/batchImageBuilder-shared",
      "arn:aws:iam::123456789012:role/genomics/*-shared-job",
      "arn:aws:iam::123456789012:role/genomics/*-shared-execution",
      "arn:aws:iam::123456789012:role/genomics/batchSubmitJob-shared",
      "arn:aws:iam::123456789012:role/genomics/batchGetJobStatus-shared",
    ]
  }

  statement {
    sid     = "JobLogs"
    actions = ["logs:GetLogEvents"]
    resources = [
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/shared/*:log-stream:*",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/job:log-stream:*",
    ]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"]
    resources = ["arn:aws:kms:us-east-1:123456789012:key/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Name"
      values   = ["batch-shared"]
    }
  }
}

resource "aws_iam_policy" "access_submit_1" {
  name   = "batchAccessSubmit-shared-1"
  path   = "/genomics/"
  policy = data.aws_iam_policy_document.access_submit_1.json
}

resource "aws_iam_role_policy_attachment" "access_submit_1" {
  role       = aws_iam_role.access_submit.name
  policy_arn = aws_iam_policy.access_submit_1.arn
}

resource "aws_iam_role" "access_operate" {
  name                 = "batchAccessOperate-shared"
  path                 = "/genomics/"
  description          = "People and CI: operate shared"
  permissions_boundary = "arn:aws:iam::123456789012:policy/developer-boundary"
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Principals"
        Effect = "Allow"
        Principal = {
          AWS = ["arn:aws:iam::123456789012:role/Operator"]
        }
        Action = "sts:AssumeRole"
      },
      {
        Sid    = "PrincipalsOfOtherAccounts"
        Effect = "Allow"
        Principal = {
          AWS = ["arn:aws:iam::210987654321:role/PartnerOperator"]
        }
        Action = "sts:AssumeRole"
        Condition = {
          StringEquals = {
            "sts:ExternalId" = "genomics-shared-4711"
          }
        }
      },
    ]
  })
}

data "aws_iam_policy_document" "access_operate_1" {
  statement {
    sid = "Region"
    actions = [
      "autoscaling:DescribeAutoScalingGroups",
      "autoscaling:DescribeScalingActivities",
      "batch:DescribeComputeEnvironments",
      "batch:DescribeJobDefinitions",
      "batch:DescribeJobQueues",
      "batch:DescribeJobs",
      "batch:ListJobs",
      "cloudtrail:LookupEvents",
      "ec2:DescribeCapacityReservations",
      "ec2:DescribeImages",
      "ec2:DescribeInstances",
      "ec2:DescribeLaunchTemplateVersions",
      "ec2:DescribeLaunchTemplates",
      "ec2:DescribePlacementGroups",
      "ec2:DescribeRouteTables",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSnapshots",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcEndpoints",
      "ec2:DescribeVpcs",
      "elasticfilesystem:DescribeAccessPoints",
      "elasticfilesystem:DescribeFileSystems",
      "kms:ListAliases",
      "logs:DescribeLogGroups",
      "servicequotas:GetServiceQuota",
      "ssm:DescribeParameters",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["us-east-1"]
    }
  }

  statement {
    sid       = "Anywhere"
    actions   = ["ce:GetCostAndUsage", "ce:ListCostAllocationTags", "ec2:DescribeRegions"]
    resources = ["*"]
  }

  statement {
    sid     = "ServiceLinkedRoles"
    actions = ["iam:GetRole"]
    resources = [
      "arn:aws:iam::123456789012:role/aws-service-role/batch.amazonaws.com/*",
      "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/*",
      "arn:aws:iam::123456789012:role/aws-service-role/spot.amazonaws.com/*",
    ]
  }

  statement {
    sid     = "Clusters"
    actions = ["ecs:DescribeClusters"]
    resources = [
      "arn:aws:ecs:us-east-1:123456789012:cluster/AWSBatch-*-shared-??????????????????????????-*",
      "arn:aws:ecs:us-east-1:123456789012:cluster/*-shared-??????????????????????????_Batch_*",
    ]
  }

  statement {
    sid     = "ContainerInstances"
    actions = ["ecs:DescribeContainerInstances"]
    resources = [
      "arn:aws:ecs:us-east-1:123456789012:container-instance/AWSBatch-*-shared-??????????????????????????-*/*",
      "arn:aws:ecs:us-east-1:123456789012:container-instance/*-shared-??????????????????????????_Batch_*/*",
    ]
  }

  statement {
    sid     = "SubmittedToAnyQueue"
    actions = ["batch:SubmitJob"]
    resources = [
      "arn:aws:batch:us-east-1:123456789012:job-queue/*-shared",
      "arn:aws:batch:us-east-1:123456789012:job-definition/*-shared:*",
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:submitted-by"
      values   = ["\u0024{aws:userid}"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:environment"
      values   = ["shared"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid       = "SubmittedJobs"
    actions   = ["batch:TagResource"]
    resources = ["arn:aws:batch:us-east-1:123456789012:job/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:submitted-by"
      values   = ["\u0024{aws:userid}"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:environment"
      values   = ["shared"]
    }

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/gen-infra:submitted-by"
      values   = ["true"]
    }

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["true"]
    }
  }

  statement {
    sid       = "Jobs"
    actions   = ["batch:CancelJob", "batch:TerminateJob"]
    resources = ["arn:aws:batch:us-east-1:123456789012:job/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid = "Roles"
    actions = [
      "iam:GetRole",
      "iam:GetRolePolicy",
      "iam:ListAttachedRolePolicies",
      "iam:ListRolePolicies",
    ]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:role/genomics/batchImageBuilder-shared",
      "arn:aws:iam::123456789012:role/genomics/*-shared-job",
      "arn:aws:iam::123456789012:role/genomics/*-shared-execution",
      "arn:aws:iam::123456789012:role/genomics/batchSubmitJob-shared",
      "arn:aws:iam::123456789012:role/genomics/batchGetJobStatus-shared",
    ]
  }

  statement {
    sid     = "InstanceProfiles"
    actions = ["iam:GetInstanceProfile"]
    resources = [
      "arn:aws:iam::123456789012:instance-profile/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:instance-profile/genomics/batchImageBuilder-shared",
    ]
  }

  statement {
    sid       = "Boundary"
    actions   = ["iam:GetPolicy", "iam:GetPolicyVersion"]
    resources = ["arn:aws:iam::123456789012:policy/developer-boundary"]
  }

  statement {
    sid     = "AccessRoles"
    actions = ["iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchAccessSubmit-shared",
      "arn:aws:iam::123456789012:role/genomics/batchAccessOperate-shared",
      "arn:aws:iam::123456789012:role/genomics/batchAccessPlan-shared",
      "arn:aws:iam::123456789012:role/genomics/batchAccessApply-shared",
    ]
  }

  statement {
    sid     = "AccessPolicies"
    actions = ["iam:GetPolicy", "iam:GetPolicyVersion"]
    resources = [
      "arn:aws:iam::123456789012:policy/genomics/batchAccessSubmit-shared-?",
      "arn:aws:iam::123456789012:policy/genomics/batchAccessOperate-shared-?",
      "arn:aws:iam::123456789012:policy/genomics/batchAccessPlan-shared-?",
      "arn:aws:iam::123456789012:policy/genomics/batchAccessApply-shared-?",
    ]
  }

  statement {
    sid     = "OidcProviders"
    actions = ["iam:GetOpenIDConnectProvider"]
    resources = [
      "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
      "arn:aws:iam::123456789012:oidc-provider/gitlab.com",
    ]
  }

  statement {
    sid     = "LogGroups"
    actions = ["logs:ListTagsForResource"]
    resources = [
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/shared/*",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/batchSubmitJob-shared",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/batchSubmitJob-shared:*",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/batchGetJobStatus-shared",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/batchGetJobStatus-shared:*",
    ]
  }

  statement {
    sid     = "JobLogs"
    actions = ["logs:GetLogEvents"]
    resources = [
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/shared/*:log-stream:*",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/job:log-stream:*",
    ]
  }

  statement {
    sid = "Functions"
    actions = [
      "lambda:GetFunction",
      "lambda:GetFunctionCodeSigningConfig",
      "lambda:GetFunctionEventInvokeConfig",
      "lambda:ListVersionsByFunction",
    ]
    resources = [
      "arn:aws:lambda:us-east-1:123456789012:function:batchSubmitJob-shared",
      "arn:aws:lambda:us-east-1:123456789012:function:batchGetJobStatus-shared",
    ]
  }

  statement {
    sid       = "SubmitFunction"
    actions   = ["lambda:InvokeFunction"]
    resources = ["arn:aws:lambda:us-east-1:123456789012:function:batchSubmitJob-shared"]
  }
}

resource "aws_iam_policy" "access_operate_1" {
  name   = "batchAccessOperate-shared-1"
  path   = "/genomics/"
  policy = data.aws_iam_policy_document.access_operate_1.json
}

resource "aws_iam_role_policy_attachment" "access_operate_1" {
  role       = aws_iam_role.access_operate.name
  policy_arn = aws_iam_policy.access_operate_1.arn
}

data "aws_iam_policy_document" "access_operate_2" {
  statement {
    sid       = "DeadLetters"
    actions   = ["sqs:GetQueueAttributes", "sqs:ListQueueTags"]
    resources = ["arn:aws:sqs:us-east-1:123456789012:batchFunctions-shared"]
  }

  statement {
    sid = "StateBucket"
    actions = [
      "s3:GetBucketPolicy",
      "s3:GetBucketPublicAccessBlock",
      "s3:GetBucketVersioning",
      "s3:ListBucket",
    ]
    resources = ["arn:aws:s3:::genomics-tfstate-123456789012"]
  }

  statement {
    sid     = "State"
    actions = ["s3:GetObject"]
    resources = [
      "arn:aws:s3:::genomics-tfstate-123456789012/gen-infra/shared/terraform.tfstate",
    ]
  }

  statement {
    sid     = "StateLock"
    actions = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = [
      "arn:aws:s3:::genomics-tfstate-123456789012/gen-infra/shared/terraform.tfstate.tflock",
    ]
  }

  statement {
    sid     = "ImageParameters"
    actions = ["ssm:GetParameter"]
    resources = [
      "arn:aws:ssm:us-east-1::parameter/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id",
      "arn:aws:ssm:us-east-1:123456789012:parameter/gen-infra/shared/ami",
      "arn:aws:ssm:us-east-1::parameter/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/*",
    ]
  }

  statement {
    sid = "Key"
    actions = [
      "kms:DescribeKey",
      "kms:GetKeyPolicy",
      "kms:GetKeyRotationStatus",
      "kms:ListGrants",
      "kms:ListResourceTags",
    ]
    resources = ["arn:aws:kms:us-east-1:123456789012:key/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Name"
      values   = ["batch-shared"]
    }
  }

  statement {
    sid       = "KeyThroughLambda"
    actions   = ["kms:Decrypt"]
    resources = ["arn:aws:kms:us-east-1:123456789012:key/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Name"
      values   = ["batch-shared"]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["lambda.us-east-1.amazonaws.com"]
    }
  }
}

resource "aws_iam_policy" "access_operate_2" {
  name   = "batchAccessOperate-shared-2"
  path   = "/genomics/"
  policy = data.aws_iam_policy_document.access_operate_2.json
}

resource "aws_iam_role_policy_attachment" "access_operate_2" {
  role       = aws_iam_role.access_operate.name
  policy_arn = aws_iam_policy.access_operate_2.arn
}

resource "aws_iam_role" "access_plan" {
  name                 = "batchAccessPlan-shared"
  path                 = "/genomics/"
  description          = "People and CI: plan shared"
  permissions_boundary = "arn:aws:iam::123456789012:policy/developer-boundary"
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "GitHub"
        Effect = "Allow"
        Principal = {
          Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
        }
        Action = "sts:AssumeRoleWithWebIdentity"
        Condition = {
          StringEquals = {
            "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
            "token.actions.githubusercontent.com:sub" = ["repo:lab/infra:pull_request", "repo:lab/infra:ref:refs/heads/main"]
          }
        }
      },
    ]
  })

  depends_on = [aws_iam_openid_connect_provider.github]
}

data "aws_iam_policy_document" "access_plan_1" {
  statement {
    sid = "Region"
    actions = [
      "batch:DescribeComputeEnvironments",
      "batch:DescribeJobDefinitions",
      "batch:DescribeJobQueues",
      "batch:ListJobs",
      "cloudtrail:LookupEvents",
      "ec2:DescribeImages",
      "ec2:DescribeLaunchTemplateVersions",
      "ec2:DescribeLaunchTemplates",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSnapshots",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcs",
      "kms:ListAliases",
      "kms:ListKeys",
      "lambda:ListFunctions",
      "logs:DescribeLogGroups",
      "servicequotas:GetServiceQuota",
      "sqs:ListQueues",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["us-east-1"]
    }
  }

  statement {
    sid       = "Anywhere"
    actions   = ["iam:ListInstanceProfiles", "iam:ListRoles"]
    resources = ["*"]
  }

  statement {
    sid = "Roles"
    actions = [
      "iam:GetRole",
      "iam:GetRolePolicy",
      "iam:ListAttachedRolePolicies",
      "iam:ListRolePolicies",
    ]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:role/genomics/batchImageBuilder-shared",
      "arn:aws:iam::123456789012:role/genomics/*-shared-job",
      "arn:aws:iam::123456789012:role/genomics/*-shared-execution",
      "arn:aws:iam::123456789012:role/genomics/batchSubmitJob-shared",
      "arn:aws:iam::123456789012:role/genomics/batchGetJobStatus-shared",
    ]
  }

  statement {
    sid     = "InstanceProfiles"
    actions = ["iam:GetInstanceProfile"]
    resources = [
      "arn:aws:iam::123456789012:instance-profile/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:instance-profile/genomics/batchImageBuilder-shared",
    ]
  }

  statement {
    sid     = "AccessRoles"
    actions = ["iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchAccessSubmit-shared",
      "arn:aws:iam::123456789012:role/genomics/batchAccessOperate-shared",
      "arn:aws:iam::123456789012:role/genomics/batchAccessPlan-shared",
      "arn:aws:iam::123456789012:role/genomics/batchAccessApply-shared",
    ]
  }

  statement {
    sid     = "AccessPolicies"
    actions = ["iam:GetPolicy", "iam:GetPolicyVersion"]
    resources = [
      "arn:aws:iam::123456789012:policy/genomics/batchAccessSubmit-shared-?",
      "arn:aws:iam::123456789012:policy/genomics/batchAccessOperate-shared-?",
      "arn:aws:iam::123456789012:policy/genomics/batchAccessPlan-shared-?",
      "arn:aws:iam::123456789012:policy/genomics/batchAccessApply-shared-?",
    ]
  }

  statement {
    sid     = "OidcProviders"
    actions = ["iam:GetOpenIDConnectProvider"]
    resources = [
      "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
      "arn:aws:iam::123456789012:oidc-provider/gitlab.com",
    ]
  }

  statement {
    sid     = "LogGroups"
    actions = ["logs:ListTagsForResource"]
    resources = [
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/shared/*",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/batchSubmitJob-shared",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/batchSubmitJob-shared:*",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/batchGetJobStatus-shared",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/batchGetJobStatus-shared:*",
    ]
  }

  statement {
    sid = "Functions"
    actions = [
      "lambda:GetFunction",
      "lambda:GetFunctionCodeSigningConfig",
      "lambda:GetFunctionEventInvokeConfig",
      "lambda:ListVersionsByFunction",
    ]
    resources = [
      "arn:aws:lambda:us-east-1:123456789012:function:batchSubmitJob-shared",
      "arn:aws:lambda:us-east-1:123456789012:function:batchGetJobStatus-shared",
    ]
  }

  statement {
    sid       = "DeadLetters"
    actions   = ["sqs:GetQueueAttributes", "sqs:ListQueueTags"]
    resources = ["arn:aws:sqs:us-east-1:123456789012:batchFunctions-shared"]
  }

  statement {
    sid       = "StateBucket"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-tfstate-123456789012"]
  }

  statement {
    sid     = "State"
    actions = ["s3:GetObject"]
    resources = [
      "arn:aws:s3:::genomics-tfstate-123456789012/gen-infra/shared/terraform.tfstate",
    ]
  }

  statement {
    sid     = "StateLock"
    actions = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = [
      "arn:aws:s3:::genomics-tfstate-123456789012/gen-infra/shared/terraform.tfstate.tflock",
    ]
  }

  statement {
    sid     = "ImageParameters"
    actions = ["ssm:GetParameter"]
    resources = [
      "arn:aws:ssm:us-east-1::parameter/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id",
      "arn:aws:ssm:us-east-1:123456789012:parameter/gen-infra/shared/ami",
      "arn:aws:ssm:us-east-1::parameter/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/*",
    ]
  }

  statement {
    sid = "Key"
    actions = [
      "kms:DescribeKey",
      "kms:GetKeyPolicy",
      "kms:GetKeyRotationStatus",
      "kms:ListResourceTags",
    ]
    resources = ["arn:aws:kms:us-east-1:123456789012:key/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Name"
      values   = ["batch-shared"]
    }
  }

  statement {
    sid       = "KeyThroughLambda"
    actions   = ["kms:Decrypt"]
    resources = ["arn:aws:kms:us-east-1:123456789012:key/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Name"
      values   = ["batch-shared"]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["lambda.us-east-1.amazonaws.com"]
    }
  }
}

resource "aws_iam_policy" "access_plan_1" {
  name   = "batchAccessPlan-shared-1"
  path   = "/genomics/"
  policy = data.aws_iam_policy_document.access_plan_1.json
}

resource "aws_iam_role_policy_attachment" "access_plan_1" {
  role       = aws_iam_role.access_plan.name
  policy_arn = aws_iam_policy.access_plan_1.arn
}

resource "aws_iam_role" "access_apply" {
  name                 = "batchAccessApply-shared"
  path                 = "/genomics/"
  description          = "People and CI: apply shared"
  permissions_boundary = "arn:aws:iam::123456789012:policy/developer-boundary"
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "GitHub"
        Effect = "Allow"
        Principal = {
          Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
        }
        Action = "sts:AssumeRoleWithWebIdentity"
        Condition = {
          StringEquals = {
            "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
            "token.actions.githubusercontent.com:sub" = ["repo:lab/infra:environment:prod"]
          }
        }
      },
      {
        Sid    = "GitLab"
        Effect = "Allow"
        Principal = {
          Federated = "arn:aws:iam::123456789012:oidc-provider/gitlab.com"
        }
        Action = "sts:AssumeRoleWithWebIdentity"
        Condition = {
          StringEquals = {
            "gitlab.com:aud" = "https://gitlab.com"
            "gitlab.com:sub" = ["project_path:lab/infra:ref_type:branch:ref:main"]
          }
        }
      },
    ]
  })

  depends_on = [aws_iam_openid_connect_provider.github, aws_iam_openid_connect_provider.gitlab]
}

data "aws_iam_policy_document" "access_apply_1" {
  statement {
    sid = "Region"
    actions = [
      "batch:DescribeComputeEnvironments",
      "batch:DescribeJobDefinitions",
      "batch:DescribeJobQueues",
      "batch:DescribeJobs",
      "batch:ListJobs",
      "batch:ListSchedulingPolicies",
      "cloudtrail:LookupEvents",
      "ec2:DescribeAddresses",
      "ec2:DescribeFlowLogs",
      "ec2:DescribeImages",
      "ec2:DescribeInternetGateways",
      "ec2:DescribeLaunchTemplateVersions",
      "ec2:DescribeLaunchTemplates",
      "ec2:DescribeNatGateways",
      "ec2:DescribeRouteTables",
      "ec2:DescribeSecurityGroupRules",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSnapshots",
      "ec2:DescribeSubnets",
      "ec2:DescribeVolumes",
      "ec2:DescribeVpcEndpoints",
      "ec2:DescribeVpcs",
      "ecr:DescribeRepositories",
      "kms:ListAliases",
      "kms:ListKeys",
      "lambda:ListFunctions",
      "logs:DescribeLogGroups",
      "servicequotas:GetServiceQuota",
      "sqs:ListQueues",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = ["us-east-1"]
    }
  }

  statement {
    sid       = "Anywhere"
    actions   = ["iam:ListInstanceProfiles", "iam:ListPolicies", "iam:ListRoles"]
    resources = ["*"]
  }

  statement {
    sid     = "BatchLinkedRole"
    actions = ["iam:CreateServiceLinkedRole"]
    resources = [
      "arn:aws:iam::123456789012:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch",
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values   = ["batch.amazonaws.com"]
    }
  }

  statement {
    sid     = "NewComputeEnvironments"
    actions = ["batch:CreateComputeEnvironment"]
    resources = [
      "arn:aws:batch:us-east-1:123456789012:compute-environment/*-shared-??????????????????????????",
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid = "ComputeEnvironments"
    actions = [
      "batch:CreateJobQueue",
      "batch:DeleteComputeEnvironment",
      "batch:UntagResource",
      "batch:UpdateComputeEnvironment",
      "batch:UpdateJobQueue",
    ]
    resources = [
      "arn:aws:batch:us-east-1:123456789012:compute-environment/*-shared-??????????????????????????",
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid     = "NewJobQueues"
    actions = ["batch:CreateJobQueue"]
    resources = [
      "arn:aws:batch:us-east-1:123456789012:job-queue/*-shared",
      "arn:aws:batch:us-east-1:123456789012:job-queue/*-shared-??????????????????????????-drain",
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid     = "JobQueues"
    actions = ["batch:DeleteJobQueue", "batch:UntagResource", "batch:UpdateJobQueue"]
    resources = [
      "arn:aws:batch:us-east-1:123456789012:job-queue/*-shared",
      "arn:aws:batch:us-east-1:123456789012:job-queue/*-shared-??????????????????????????-drain",
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid       = "SchedulingPolicies"
    actions   = ["batch:CreateJobQueue", "batch:UpdateJobQueue"]
    resources = ["arn:aws:batch:us-east-1:123456789012:scheduling-policy/*-shared"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid       = "NewJobDefinitions"
    actions   = ["batch:RegisterJobDefinition"]
    resources = ["arn:aws:batch:us-east-1:123456789012:job-definition/*-shared"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid       = "JobDefinitions"
    actions   = ["batch:DeregisterJobDefinition", "batch:UntagResource"]
    resources = ["arn:aws:batch:us-east-1:123456789012:job-definition/*-shared:*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid     = "TagsOfBatch"
    actions = ["batch:TagResource"]
    resources = [
      "arn:aws:batch:us-east-1:123456789012:compute-environment/*-shared-??????????????????????????",
      "arn:aws:batch:us-east-1:123456789012:job-queue/*-shared",
      "arn:aws:batch:us-east-1:123456789012:job-queue/*-shared-??????????????????????????-drain",
      "arn:aws:batch:us-east-1:123456789012:scheduling-policy/*-shared",
      "arn:aws:batch:us-east-1:123456789012:job-definition/*-shared",
      "arn:aws:batch:us-east-1:123456789012:job-definition/*-shared:*",
    ]

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid = "Roles"
    actions = [
      "iam:GetRole",
      "iam:GetRolePolicy",
      "iam:ListAttachedRolePolicies",
      "iam:ListInstanceProfilesForRole",
      "iam:ListRolePolicies",
    ]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:role/genomics/batchImageBuilder-shared",
      "arn:aws:iam::123456789012:role/genomics/*-shared-job",
      "arn:aws:iam::123456789012:role/genomics/*-shared-execution",
      "arn:aws:iam::123456789012:role/genomics/batchSubmitJob-shared",
      "arn:aws:iam::123456789012:role/genomics/batchGetJobStatus-shared",
    ]
  }

  statement {
    sid     = "NewRoles"
    actions = ["iam:CreateRole"]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:role/genomics/batchImageBuilder-shared",
      "arn:aws:iam::123456789012:role/genomics/*-shared-job",
      "arn:aws:iam::123456789012:role/genomics/*-shared-execution",
      "arn:aws:iam::123456789012:role/genomics/batchSubmitJob-shared",
      "arn:aws:iam::123456789012:role/genomics/batchGetJobStatus-shared",
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = ["arn:aws:iam::123456789012:policy/developer-boundary"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid = "OwnRoles"
    actions = [
      "iam:DeleteRole",
      "iam:UntagRole",
      "iam:UpdateAssumeRolePolicy",
      "iam:UpdateRole",
      "iam:UpdateRoleDescription",
    ]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:role/genomics/batchImageBuilder-shared",
      "arn:aws:iam::123456789012:role/genomics/*-shared-job",
      "arn:aws:iam::123456789012:role/genomics/*-shared-execution",
      "arn:aws:iam::123456789012:role/genomics/batchSubmitJob-shared",
      "arn:aws:iam::123456789012:role/genomics/batchGetJobStatus-shared",
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }
  }
}

resource "aws_iam_policy" "access_apply_1" {
  name   = "batchAccessApply-shared-1"
  path   = "/genomics/"
  policy = data.aws_iam_policy_document.access_apply_1.json
}

resource "aws_iam_role_policy_attachment" "access_apply_1" {
  role       = aws_iam_role.access_apply.name
  policy_arn = aws_iam_policy.access_apply_1.arn
}

data "aws_iam_policy_document" "access_apply_2" {
  statement {
    sid     = "TagsOfRoles"
    actions = ["iam:TagRole"]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:role/genomics/batchImageBuilder-shared",
      "arn:aws:iam::123456789012:role/genomics/*-shared-job",
      "arn:aws:iam::123456789012:role/genomics/*-shared-execution",
      "arn:aws:iam::123456789012:role/genomics/batchSubmitJob-shared",
      "arn:aws:iam::123456789012:role/genomics/batchGetJobStatus-shared",
    ]

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid     = "BoundedRoles"
    actions = ["iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:role/genomics/batchImageBuilder-shared",
      "arn:aws:iam::123456789012:role/genomics/*-shared-job",
      "arn:aws:iam::123456789012:role/genomics/*-shared-execution",
      "arn:aws:iam::123456789012:role/genomics/batchSubmitJob-shared",
      "arn:aws:iam::123456789012:role/genomics/batchGetJobStatus-shared",
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = ["arn:aws:iam::123456789012:policy/developer-boundary"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid     = "AttachedPolicies"
    actions = ["iam:AttachRolePolicy", "iam:DetachRolePolicy"]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:role/genomics/batchImageBuilder-shared",
      "arn:aws:iam::123456789012:role/genomics/*-shared-job",
      "arn:aws:iam::123456789012:role/genomics/*-shared-execution",
      "arn:aws:iam::123456789012:role/genomics/batchSubmitJob-shared",
      "arn:aws:iam::123456789012:role/genomics/batchGetJobStatus-shared",
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = ["arn:aws:iam::123456789012:policy/developer-boundary"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }

    condition {
      test     = "ArnEquals"
      variable = "iam:PolicyARN"
      values = [
        "arn:aws:iam::aws:policy/service-role/AWSBatchServiceRole",
        "arn:aws:iam::aws:policy/service-role/AmazonEC2SpotFleetTaggingRole",
      ]
    }
  }

  statement {
    sid     = "FormerPolicies"
    actions = ["iam:DetachRolePolicy"]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:role/genomics/batchImageBuilder-shared",
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = ["arn:aws:iam::123456789012:policy/developer-boundary"]
    }

    condition {
      test     = "ArnEquals"
      variable = "iam:PolicyARN"
      values = [
        "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
        "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role",
      ]
    }
  }

  statement {
    sid = "InstanceProfiles"
    actions = [
      "iam:AddRoleToInstanceProfile",
      "iam:CreateInstanceProfile",
      "iam:DeleteInstanceProfile",
      "iam:GetInstanceProfile",
      "iam:RemoveRoleFromInstanceProfile",
      "iam:TagInstanceProfile",
      "iam:UntagInstanceProfile",
    ]
    resources = [
      "arn:aws:iam::123456789012:instance-profile/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:instance-profile/genomics/batchImageBuilder-shared",
    ]
  }

  statement {
    sid     = "PassToEc2"
    actions = ["iam:PassRole"]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchInstance-shared",
      "arn:aws:iam::123456789012:role/genomics/batchImageBuilder-shared",
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com"]
    }
  }

  statement {
    sid     = "PassToEcsTasks"
    actions = ["iam:PassRole"]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/*-shared-job",
      "arn:aws:iam::123456789012:role/genomics/*-shared-execution",
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }

  statement {
    sid     = "PassToLambda"
    actions = ["iam:PassRole"]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchSubmitJob-shared",
      "arn:aws:iam::123456789012:role/genomics/batchGetJobStatus-shared",
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["lambda.amazonaws.com"]
    }
  }

  statement {
    sid     = "AccessRoles"
    actions = ["iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchAccessSubmit-shared",
      "arn:aws:iam::123456789012:role/genomics/batchAccessOperate-shared",
      "arn:aws:iam::123456789012:role/genomics/batchAccessPlan-shared",
      "arn:aws:iam::123456789012:role/genomics/batchAccessApply-shared",
    ]
  }

  statement {
    sid     = "AccessPolicies"
    actions = ["iam:GetPolicy", "iam:GetPolicyVersion"]
    resources = [
      "arn:aws:iam::123456789012:policy/genomics/batchAccessSubmit-shared-?",
      "arn:aws:iam::123456789012:policy/genomics/batchAccessOperate-shared-?",
      "arn:aws:iam::123456789012:policy/genomics/batchAccessPlan-shared-?",
      "arn:aws:iam::123456789012:policy/genomics/batchAccessApply-shared-?",
    ]
  }

  statement {
    sid     = "OidcProviders"
    actions = ["iam:GetOpenIDConnectProvider"]
    resources = [
      "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
      "arn:aws:iam::123456789012:oidc-provider/gitlab.com",
    ]
  }

  statement {
    sid = "LogGroups"
    actions = [
      "logs:AssociateKmsKey",
      "logs:CreateLogGroup",
      "logs:DeleteLogGroup",
      "logs:ListTagsForResource",
      "logs:PutRetentionPolicy",
      "logs:TagResource",
      "logs:UntagResource",
    ]
    resources = [
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/batch/shared/*",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/batchSubmitJob-shared",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/batchSubmitJob-shared:*",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/batchGetJobStatus-shared",
      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/batchGetJobStatus-shared:*",
    ]
  }

  statement {
    sid = "Functions"
    actions = [
      "lambda:CreateFunction",
      "lambda:DeleteFunction",
      "lambda:DeleteFunctionEventInvokeConfig",
      "lambda:GetFunction",
      "lambda:GetFunctionCodeSigningConfig",
      "lambda:GetFunctionEventInvokeConfig",
      "lambda:ListVersionsByFunction",
      "lambda:PutFunctionConcurrency",
      "lambda:PutFunctionEventInvokeConfig",
      "lambda:TagResource",
      "lambda:UntagResource",
      "lambda:UpdateFunctionCode",
      "lambda:UpdateFunctionConfiguration",
    ]
    resources = [
      "arn:aws:lambda:us-east-1:123456789012:function:batchSubmitJob-shared",
      "arn:aws:lambda:us-east-1:123456789012:function:batchGetJobStatus-shared",
    ]
  }
}

resource "aws_iam_policy" "access_apply_2" {
  name   = "batchAccessApply-shared-2"
  path   = "/genomics/"
  policy = data.aws_iam_policy_document.access_apply_2.json
}

resource "aws_iam_role_policy_attachment" "access_apply_2" {
  role       = aws_iam_role.access_apply.name
  policy_arn = aws_iam_policy.access_apply_2.arn
}

data "aws_iam_policy_document" "access_apply_3" {
  statement {
    sid = "DeadLetters"
    actions = [
      "sqs:CreateQueue",
      "sqs:DeleteQueue",
      "sqs:GetQueueAttributes",
      "sqs:ListQueueTags",
      "sqs:SetQueueAttributes",
      "sqs:TagQueue",
      "sqs:UntagQueue",
    ]
    resources = ["arn:aws:sqs:us-east-1:123456789012:batchFunctions-shared"]
  }

  statement {
    sid       = "StateBucket"
    actions   = ["s3:ListBucket"]
    resources = ["arn:aws:s3:::genomics-tfstate-123456789012"]
  }

  statement {
    sid     = "State"
    actions = ["s3:GetObject", "s3:PutObject"]
    resources = [
      "arn:aws:s3:::genomics-tfstate-123456789012/gen-infra/shared/terraform.tfstate",
    ]
  }

  statement {
    sid     = "StateLock"
    actions = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = [
      "arn:aws:s3:::genomics-tfstate-123456789012/gen-infra/shared/terraform.tfstate.tflock",
    ]
  }

  statement {
    sid     = "ImageParameters"
    actions = ["ssm:GetParameter"]
    resources = [
      "arn:aws:ssm:us-east-1::parameter/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id",
      "arn:aws:ssm:us-east-1:123456789012:parameter/gen-infra/shared/ami",
      "arn:aws:ssm:us-east-1::parameter/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/*",
    ]
  }

  statement {
    sid       = "NewLaunchTemplates"
    actions   = ["ec2:CreateLaunchTemplate"]
    resources = ["arn:aws:ec2:us-east-1:123456789012:launch-template/*"]

    condition {
      test     = "StringLike"
      variable = "aws:RequestTag/Name"
      values   = ["*-shared"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid = "LaunchTemplates"
    actions = [
      "ec2:CreateLaunchTemplateVersion",
      "ec2:CreateTags",
      "ec2:DeleteLaunchTemplate",
      "ec2:DeleteTags",
      "ec2:ModifyLaunchTemplate",
    ]
    resources = ["arn:aws:ec2:us-east-1:123456789012:launch-template/*"]

    condition {
      test     = "StringLike"
      variable = "aws:ResourceTag/Name"
      values   = ["*-shared"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/gen-infra:environment"
      values   = ["shared"]
    }
  }

  statement {
    sid       = "TagsOfNewLaunchTemplates"
    actions   = ["ec2:CreateTags"]
    resources = ["arn:aws:ec2:us-east-1:123456789012:launch-template/*"]

    condition {
      test     = "StringEquals"
      variable = "ec2:CreateAction"
      values   = ["CreateLaunchTemplate"]
    }
  }

  statement {
    sid = "Key"
    actions = [
      "kms:CreateAlias",
      "kms:DeleteAlias",
      "kms:DescribeKey",
      "kms:EnableKey",
      "kms:EnableKeyRotation",
      "kms:GetKeyPolicy",
      "kms:GetKeyRotationStatus",
      "kms:ListResourceTags",
      "kms:PutKeyPolicy",
      "kms:ScheduleKeyDeletion",
      "kms:TagResource",
      "kms:UntagResource",
      "kms:UpdateAlias",
      "kms:UpdateKeyDescription",
    ]
    resources = ["arn:aws:kms:us-east-1:123456789012:key/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Name"
      values   = ["batch-shared"]
    }
  }

  statement {
    sid       = "KeyThroughLambda"
    actions   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
    resources = ["arn:aws:kms:us-east-1:123456789012:key/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Name"
      values   = ["batch-shared"]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["lambda.us-east-1.amazonaws.com"]
    }
  }

  statement {
    sid       = "KeyGrants"
    actions   = ["kms:CreateGrant"]
    resources = ["arn:aws:kms:us-east-1:123456789012:key/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Name"
      values   = ["batch-shared"]
    }

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }

  statement {
    sid       = "NewKey"
    actions   = ["kms:CreateKey"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Name"
      values   = ["batch-shared"]
    }
  }

  statement {
    sid       = "TagsOfNewKey"
    actions   = ["kms:TagResource"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Name"
      values   = ["batch-shared"]
    }

    condition {
      test     = "Null"
      variable = "aws:ResourceTag/Name"
      values   = ["true"]
    }

    condition {
      test     = "Null"
      variable = "kms:ResourceAliases"
      values   = ["true"]
    }
  }

  statement {
    sid       = "KeyAlias"
    actions   = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
    resources = ["arn:aws:kms:us-east-1:123456789012:alias/batch-shared"]
  }

  statement {
    sid    = "KeepAccessRoles"
    effect = "Deny"
    actions = [
      "iam:AttachRolePolicy",
      "iam:CreatePolicy",
      "iam:CreatePolicyVersion",
      "iam:CreateRole",
      "iam:DeletePolicy",
      "iam:DeletePolicyVersion",
      "iam:DeleteRole",
      "iam:DeleteRolePolicy",
      "iam:DetachRolePolicy",
      "iam:PassRole",
      "iam:PutRolePermissionsBoundary",
      "iam:PutRolePolicy",
      "iam:SetDefaultPolicyVersion",
      "iam:TagPolicy",
      "iam:TagRole",
      "iam:UntagPolicy",
      "iam:UntagRole",
      "iam:UpdateAssumeRolePolicy",
      "iam:UpdateRole",
      "iam:UpdateRoleDescription",
    ]
    resources = [
      "arn:aws:iam::123456789012:role/genomics/batchAccess*",
      "arn:aws:iam::123456789012:policy/genomics/batchAccess*",
      "arn:aws:iam::123456789012:policy/developer-boundary",
    ]
  }

  statement {
    sid       = "KeepBoundaries"
    effect    = "Deny"
    actions   = ["iam:DeleteRolePermissionsBoundary"]
    resources = ["arn:aws:iam::123456789012:role/*"]
  }
}

resource "aws_iam_policy" "access_apply_3" {
  name   = "batchAccessApply-shared-3"
  path   = "/genomics/"
  policy = data.aws_iam_policy_document.access_apply_3.json
}

resource "aws_iam_role_policy_attachment" "access_apply_3" {
  role       = aws_iam_role.access_apply.name
  policy_arn = aws_iam_policy.access_apply_3.arn
}
