mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_data "aws_subnet" {
    defaults = { vpc_id = "vpc-0123456789abcdef0" }
  }
}

variables {
  environment        = "prod"
  account_id         = "123456789012"
  region             = "us-east-1"
  kms_key_arn        = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  subnet_ids         = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  security_group_ids = ["sg-0123456789abcdef0"]
  schedule           = "rate(7 days)"
  bucket             = "genomics-builds-123456789012"
  source_key         = "gen-infra/prod/image-rebuild.zip"
  source_path        = "tests/package.zip"
  image_parameter    = "/gen-infra/prod/ami"
  base_parameter_arn = "arn:aws:ssm:us-east-1::parameter/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/*"
  notify             = ["genomics-ops@example.com"]

  builder_profile_arn = "arn:aws:iam::123456789012:instance-profile/batchImageBuilder-prod"
  builder_role_arn    = "arn:aws:iam::123456789012:role/batchImageBuilder-prod"
}

run "build" {
  command = plan

  assert {
    condition     = aws_codebuild_project.this.name == "batchImageRebuild-prod" && aws_codebuild_project.this.concurrent_build_limit == 1
    error_message = "One build at a time, or two would race for the parameter."
  }

  assert {
    condition     = one(aws_codebuild_project.this.source).location == "genomics-builds-123456789012/gen-infra/prod/image-rebuild.zip"
    error_message = "The source is the object in the bucket."
  }

  assert {
    condition     = aws_s3_object.source.source_hash == filesha256("tests/package.zip") && aws_s3_object.source.kms_key_id == var.kms_key_arn
    error_message = "Another zip must be another object, encrypted with the environment's key."
  }

  assert {
    condition     = one(aws_codebuild_project.this.vpc_config).vpc_id == "vpc-0123456789abcdef0" && one(aws_codebuild_project.this.vpc_config).subnets == toset(var.subnet_ids)
    error_message = "The build runs in the environment's network."
  }

  assert {
    condition     = !one(aws_codebuild_project.this.environment).privileged_mode
    error_message = "Nothing in the build needs privileges."
  }

  assert {
    condition     = one(one(aws_codebuild_project.this.logs_config).cloudwatch_logs).group_name == "/aws/codebuild/batchImageRebuild-prod" && aws_cloudwatch_log_group.this.kms_key_id == var.kms_key_arn
    error_message = "The log goes to its own encrypted group."
  }
}

run "schedule" {
  command = plan

  assert {
    condition     = aws_scheduler_schedule.this.schedule_expression == "rate(7 days)" && aws_scheduler_schedule.this.schedule_expression_timezone == "UTC"
    error_message = "The schedule is that of the variable, in UTC."
  }

  assert {
    condition     = aws_scheduler_schedule.this.kms_key_arn == var.kms_key_arn
    error_message = "The schedule is encrypted with the environment's key."
  }

  assert {
    condition = jsondecode(aws_iam_role.schedule.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = {
          "aws:SourceAccount" = "123456789012"
          "aws:SourceArn"     = "arn:aws:scheduler:us-east-1:123456789012:schedule-group/batchImageRebuild-prod"
        }
      }
    }]
    error_message = "Scheduler takes the role for this group of this account only."
  }
}

run "role" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.build.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Principal = { Service = "codebuild.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = {
          "aws:SourceAccount" = "123456789012"
          "aws:SourceArn"     = "arn:aws:codebuild:us-east-1:123456789012:project/batchImageRebuild-prod"
        }
      }
    }]
    error_message = "CodeBuild takes the role for this project of this account only."
  }

  assert {
    condition     = local.subnet_arns == ["arn:aws:ec2:us-east-1:123456789012:subnet/subnet-0123456789abcdef0", "arn:aws:ec2:us-east-1:123456789012:subnet/subnet-0123456789abcdef1"]
    error_message = "Builders and builds go into these subnets only."
  }
}

run "curated_image" {
  command = plan

  assert {
    condition     = one(aws_codebuild_project.this.environment).image == "aws/codebuild/amazonlinux-x86_64-standard:5.0" && one(aws_codebuild_project.this.environment).image_pull_credentials_type == "CODEBUILD"
    error_message = "Without codebuild_image, the image is CodeBuild's own, which it pulls itself."
  }

  assert {
    condition     = length(aws_iam_role_policy.image_pull) == 0
    error_message = "CodeBuild's own image needs no permissions."
  }
}

run "public_image" {
  command = plan

  variables {
    codebuild_image = "public.ecr.aws/codebuild/amazonlinux-x86_64-standard@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  assert {
    condition     = one(aws_codebuild_project.this.environment).image == var.codebuild_image && one(aws_codebuild_project.this.environment).image_pull_credentials_type == "SERVICE_ROLE"
    error_message = "The image is the given one, which is none of CodeBuild's own."
  }

  assert {
    condition     = length(aws_iam_role_policy.image_pull) == 0
    error_message = "A public image needs no permissions."
  }
}

run "private_image" {
  command = plan

  variables {
    codebuild_image = "210987654321.dkr.ecr.us-east-1.amazonaws.com/builds/codebuild@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  assert {
    condition     = one(aws_codebuild_project.this.environment).image == var.codebuild_image && one(aws_codebuild_project.this.environment).image_pull_credentials_type == "SERVICE_ROLE"
    error_message = "The image is the given one, pulled as the build's role."
  }

  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.image_pull["image-pull"].policy).Statement : [s.Action, s.Resource]] == [
      ["ecr:GetAuthorizationToken", "*"],
      [
        ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "arn:aws:ecr:us-east-1:210987654321:repository/builds/codebuild",
      ],
    ]
    error_message = "The role pulls from that repository of that account only."
  }
}

run "china_image" {
  command = plan

  variables {
    partition          = "aws-cn"
    region             = "cn-north-1"
    kms_key_arn        = "arn:aws-cn:kms:cn-north-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    base_parameter_arn = null
    codebuild_image    = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/codebuild@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.image_pull["image-pull"].policy).Statement[1].Resource == "arn:aws-cn:ecr:cn-north-1:123456789012:repository/codebuild"
    error_message = "The registry and the repository are those of the partition."
  }
}

run "refuses_image_without_digest" {
  command = plan

  variables {
    codebuild_image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/codebuild:5.0"
  }

  expect_failures = [var.codebuild_image]
}

run "refuses_other_public_image" {
  command = plan

  variables {
    codebuild_image = "public.ecr.aws/mallory/build@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  expect_failures = [var.codebuild_image]
}

run "refuses_public_image_in_china" {
  command = plan

  variables {
    partition       = "aws-cn"
    region          = "cn-north-1"
    codebuild_image = "public.ecr.aws/codebuild/amazonlinux-x86_64-standard@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  expect_failures = [var.codebuild_image]
}

run "refuses_image_of_another_region" {
  command = plan

  variables {
    codebuild_image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/codebuild@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  expect_failures = [var.codebuild_image]
}

run "failures" {
  command = plan

  assert {
    condition = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => [alarm.namespace, alarm.metric_name, alarm.dimensions] } == {
      failed      = ["AWS/CodeBuild", "FailedBuilds", tomap({ ProjectName = "batchImageRebuild-prod" })]
      not_started = ["AWS/Scheduler", "TargetErrorCount", tomap({ ScheduleGroup = "batchImageRebuild-prod" })]
    }
    error_message = "A build that fails, and one that does not start, each have an alarm."
  }

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == var.kms_key_arn && [for s in aws_sns_topic_subscription.this : [s.protocol, s.endpoint]] == [["email", "genomics-ops@example.com"]]
    error_message = "The topic must be encrypted and have the given subscriptions."
  }
}

run "other_partition" {
  command = plan

  variables {
    iam_path             = "/genomics/"
    partition            = "aws-us-gov"
    permissions_boundary = "arn:aws-us-gov:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = aws_iam_role.build.path == "/genomics/"
    error_message = "Partition and path are those of the environment."
  }

  assert {
    condition     = toset([aws_iam_role.build.permissions_boundary, aws_iam_role.schedule.permissions_boundary]) == toset([var.permissions_boundary])
    error_message = "Every role has the boundary."
  }
}

run "refuses" {
  command = plan

  variables {
    account_id            = "12345678901"
    base_parameter_arn    = "/aws/service/ecs"
    bucket                = "Bucket"
    builder_profile_arn   = "arn:aws:iam::123456789012:role/builder"
    builder_role_arn      = "builder"
    environment           = "Prod"
    iam_path              = "/genomics"
    image_parameter       = "/aws/service/ami"
    kms_key_arn           = "alias/batch-prod"
    log_retention_in_days = 7
    notify                = ["not-an-address"]
    partition             = "azure"
    permissions_boundary  = "arn:aws:iam::123456789012:role/not-a-policy"
    region                = "somewhere"
    schedule              = "weekly"
    security_group_ids    = ["sg-1", "sg-2", "sg-3", "sg-4", "sg-5", "sg-6"]
    source_key            = "source.tar"
    source_path           = "nothing.zip"
    subnet_ids            = []
  }

  expect_failures = [
    var.account_id, var.base_parameter_arn, var.bucket, var.builder_profile_arn, var.builder_role_arn, var.environment, var.iam_path,
    var.image_parameter, var.kms_key_arn, var.log_retention_in_days, var.notify, var.partition,
    var.permissions_boundary, var.region, var.schedule, var.security_group_ids, var.source_key, var.source_path,
    var.subnet_ids,
  ]
}
