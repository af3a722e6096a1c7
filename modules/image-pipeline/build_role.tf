locals {
  ec2         = "arn:${var.partition}:ec2:${local.in_account}"
  ec2_images  = "arn:${var.partition}:ec2:${var.region}:" # they and their snapshots are of no account
  ssm         = "arn:${var.partition}:ssm:${local.in_account}"
  subnet_arns = [for id in var.subnet_ids : "${local.ec2}:subnet/${id}"]
  group_arns  = [for id in var.security_group_ids : "${local.ec2}:security-group/${id}"]
  dns_suffix  = var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"
  tag         = "gen-infra:environment"
}

resource "aws_iam_role" "build" {
  name                 = local.name
  path                 = var.iam_path
  description          = "CodeBuild, to build the machine image of ${var.environment}"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "codebuild.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id, "aws:SourceArn" = local.project_arn }
      }
    }]
  })
}

# What CodeBuild itself does: https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
data "aws_iam_policy_document" "runtime" {
  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.log_group_arn}:*"]
  }

  statement {
    sid       = "ReadSource"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${local.bucket_arn}/${var.source_key}"]
  }

  statement {
    sid       = "ReadBucketLocation"
    actions   = ["s3:GetBucketAcl", "s3:GetBucketLocation"]
    resources = [local.bucket_arn]
  }

  statement {
    sid       = "DescribeNetwork" # CodeBuild also describes what the policy "image" allows
    actions   = ["ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces"]
    resources = ["*"] # no resource-level permissions
  }
}

# What `gen-infra image rebuild` and packer do. It can neither delete an image nor make a role or a security group.
data "aws_iam_policy_document" "image" {
  statement {
    sid       = "ReadParameters"
    actions   = ["ssm:GetParameter"]
    resources = compact(["${local.ssm}:parameter${var.image_parameter}", var.base_parameter_arn])
  }

  statement {
    sid       = "PutImageParameter"
    actions   = ["ssm:PutParameter"]
    resources = ["${local.ssm}:parameter${var.image_parameter}"]
  }

  statement {
    sid = "DescribeEc2"
    actions = [
      "ec2:DescribeImages",
      "ec2:DescribeInstanceStatus",
      "ec2:DescribeInstances",
      "ec2:DescribeRegions",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSnapshots",
      "ec2:DescribeSubnets",
      "ec2:DescribeTags",
      "ec2:DescribeVolumes",
      "ec2:DescribeVpcs",
    ]
    resources = ["*"] # no resource-level permissions
  }

  statement {
    sid       = "CreateTemporaryKeyPair"
    actions   = ["ec2:CreateKeyPair", "ec2:DeleteKeyPair"]
    resources = ["${local.ec2}:key-pair/packer_*"]
  }

  statement {
    sid       = "LaunchBaseImage"
    actions   = ["ec2:RunInstances"]
    resources = ["${local.ec2_images}:image/ami-*", "${local.ec2}:key-pair/packer_*"]
  }

  statement {
    sid       = "LaunchTaggedBuilders"
    actions   = ["ec2:RunInstances"]
    resources = ["${local.ec2}:instance/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/${local.tag}"
      values   = [var.environment]
    }
  }

  statement {
    sid       = "LaunchWithEncryptedVolumes"
    actions   = ["ec2:RunInstances"]
    resources = ["${local.ec2}:volume/*"]

    condition {
      test     = "Bool"
      variable = "ec2:Encrypted"
      values   = ["true"]
    }
  }

  statement {
    sid       = "TagOnCreation"
    actions   = ["ec2:CreateTags"]
    resources = [for kind in ["instance", "key-pair", "volume"] : "${local.ec2}:${kind}/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/${local.tag}"
      values   = [var.environment]
    }

    condition {
      test     = "StringEquals"
      variable = "ec2:CreateAction"
      values   = ["CreateKeyPair", "RunInstances"]
    }
  }

  # Packer tags an image and its snapshots again after they are made, and not at once in China and GovCloud: so it may tag
  # what has no environment's tag yet, and what has this one's.
  statement {
    sid       = "TagNewImages"
    actions   = ["ec2:CreateTags"]
    resources = ["${local.ec2_images}:image/*", "${local.ec2_images}:snapshot/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/${local.tag}"
      values   = [var.environment]
    }

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/${local.tag}"
      values   = [var.environment]
    }
  }

  statement {
    sid       = "CreateImages"
    actions   = ["ec2:CreateImage"]
    resources = ["${local.ec2_images}:image/*", "${local.ec2_images}:snapshot/*"]
  }

  # Nothing but that instances of the image take IMDSv2 alone. The key has the new value of that attribute: a request that
  # shares the image has no such key, and one request changes one attribute.
  # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-policies-for-amazon-ec2.html#attribute-key
  statement {
    sid       = "RequireImdsv2OfOwnImages"
    actions   = ["ec2:ModifyImageAttribute"]
    resources = ["${local.ec2_images}:image/ami-*"]

    condition {
      test     = "StringEquals"
      variable = "ec2:Attribute/ImdsSupport"
      values   = ["v2.0"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.tag}"
      values   = [var.environment]
    }
  }

  statement {
    sid       = "StopAndImageBuilders"
    actions   = ["ec2:CreateImage", "ec2:StopInstances", "ec2:TerminateInstances"]
    resources = ["${local.ec2}:instance/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.tag}"
      values   = [var.environment]
    }
  }

  statement {
    sid       = "PassBuilderRole"
    actions   = ["iam:PassRole"]
    resources = [var.builder_role_arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.${local.dns_suffix}"]
    }
  }

  statement {
    sid       = "GetBuilderProfile"
    actions   = ["iam:GetInstanceProfile"]
    resources = [var.builder_profile_arn]
  }

  statement {
    sid       = "StartBuilderSessions"
    actions   = ["ssm:StartSession"]
    resources = ["${local.ec2}:instance/*"]

    condition {
      test     = "StringEquals"
      variable = "ssm:resourceTag/${local.tag}"
      values   = [var.environment]
    }
  }

  statement {
    sid       = "ForwardPort"
    actions   = ["ssm:StartSession"]
    resources = ["arn:${var.partition}:ssm:${var.region}::document/AWS-StartPortForwardingSession"]
  }

  # CodeBuild names its sessions so: https://docs.aws.amazon.com/codebuild/latest/userguide/cloudtrail.html
  statement {
    sid       = "TerminateOwnSessions"
    actions   = ["ssm:TerminateSession"]
    resources = ["${local.ssm}:session/AWSCodeBuild-*"]
  }
}

# Separate policies: a network and a key made in the same run are unknown in the plan, and would make the other
# statements unknown too.
data "aws_iam_policy_document" "network" {
  statement {
    sid       = "LaunchInSubnets"
    actions   = ["ec2:CreateNetworkInterface", "ec2:RunInstances"]
    resources = concat(local.subnet_arns, local.group_arns)
  }

  statement {
    sid       = "CreateNetworkInterfaces"
    actions   = ["ec2:CreateNetworkInterface", "ec2:RunInstances"]
    resources = ["${local.ec2}:network-interface/*"]
  }

  statement {
    sid       = "DeleteNetworkInterfacesInSubnets"
    actions   = ["ec2:DeleteNetworkInterface"]
    resources = ["${local.ec2}:network-interface/*"]

    condition {
      test     = "ArnEquals"
      variable = "ec2:Subnet"
      values   = local.subnet_arns
    }
  }

  statement {
    sid       = "PermitCodeBuildInterfaces"
    actions   = ["ec2:CreateNetworkInterfacePermission"]
    resources = ["${local.ec2}:network-interface/*"]

    condition {
      test     = "StringEquals"
      variable = "ec2:AuthorizedService"
      values   = ["codebuild.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "ec2:Subnet"
      values   = local.subnet_arns
    }
  }
}

data "aws_iam_policy_document" "encryption" {
  statement {
    sid       = "ReadSourceAndEncryptVolumes"
    actions   = ["kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [for service in ["ec2", "s3"] : "${service}.${var.region}.${local.dns_suffix}"]
    }
  }

  statement {
    sid       = "DescribeKey"
    actions   = ["kms:DescribeKey"]
    resources = [var.kms_key_arn]
  }

  statement {
    sid       = "CreateGrantsForVolumes"
    actions   = ["kms:CreateGrant"]
    resources = [var.kms_key_arn]

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }
}

resource "aws_iam_role_policy" "runtime" {
  name   = "runtime"
  role   = aws_iam_role.build.name
  policy = data.aws_iam_policy_document.runtime.json
}

resource "aws_iam_role_policy" "image" {
  name   = "image"
  role   = aws_iam_role.build.name
  policy = data.aws_iam_policy_document.image.json
}

# CodeBuild pulls an image of a private repository as this role; its own and that of ECR Public need no permissions.
# https://docs.aws.amazon.com/codebuild/latest/userguide/sample-ecr.html
resource "aws_iam_role_policy" "image_pull" {
  for_each = toset(local.image_repository == null ? [] : ["image-pull"])

  name = each.key
  role = aws_iam_role.build.name

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
        Sid      = "PullBuildImage"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = "arn:${var.partition}:ecr:${var.region}:${local.image_repository[0]}:repository/${local.image_repository[1]}"
      },
    ]
  })
}

resource "aws_iam_role_policy" "network" {
  name   = "network"
  role   = aws_iam_role.build.name
  policy = data.aws_iam_policy_document.network.json
}

resource "aws_iam_role_policy" "encryption" {
  name   = "encryption"
  role   = aws_iam_role.build.name
  policy = data.aws_iam_policy_document.encryption.json
}
