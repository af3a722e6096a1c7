mock_provider "aws" {
  mock_resource "aws_efs_file_system" {
    defaults = {
      arn = "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-0123456789abcdef0"
      id  = "fs-0123456789abcdef0"
    }
  }

  mock_resource "aws_efs_access_point" {
    defaults = { arn = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0" }
  }
}

variables {
  name                      = "refs-prod"
  kms_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  vpc_id                    = "vpc-0123456789abcdef0"
  subnet_ids                = { us-east-1a = "subnet-0123456789abcdef0", us-east-1b = "subnet-0123456789abcdef1" }
  client_security_group_ids = ["sg-0123456789abcdef0"]
  security_group_name       = "batch-prod/file-systems/refs"
  reader_role_names         = { align = "align-prod-job" }
  writer_role_names         = { fetch = "fetch-prod-job" }
}

run "file_system" {
  command = apply

  assert {
    condition     = aws_efs_file_system.this.encrypted && aws_efs_file_system.this.kms_key_id == var.kms_key_arn && aws_efs_file_system.this.creation_token == "refs-prod"
    error_message = "Files must be encrypted with the customer managed key, and its token must be its name."
  }

  assert {
    condition     = length(aws_efs_file_system.this.lifecycle_policy) == 0 && one(aws_efs_backup_policy.this.backup_policy).status == "ENABLED"
    error_message = "It must be backed up, and files stay in Standard by default."
  }

  assert {
    condition     = tomap({ for zone, target in aws_efs_mount_target.this : zone => target.subnet_id }) == var.subnet_ids
    error_message = "Each zone must have its mount target."
  }

  assert {
    condition = jsondecode(aws_efs_file_system_policy.this.policy).Statement == [{
      Sid       = "DenyPlainTransport"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess", "elasticfilesystem:ClientWrite"]
      Resource  = aws_efs_file_system.this.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "Plain transport must be denied."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role_policy.readers["align"].policy).Statement[0].Action == ["elasticfilesystem:ClientMount"] &&
      jsondecode(aws_iam_role_policy.writers["fetch"].policy).Statement[0].Action == ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    )
    error_message = "Readers must not write, and no role is root."
  }

  assert {
    condition = alltrue([
      for policy in [aws_iam_role_policy.readers["align"], aws_iam_role_policy.writers["fetch"]] :
      jsondecode(policy.policy).Statement[0].Condition.StringEquals["elasticfilesystem:AccessPointArn"] == aws_efs_access_point.this.arn
    ])
    error_message = "Roles must mount it through the access point only."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.clients[0].from_port == 2049 && aws_vpc_security_group_ingress_rule.clients[0].referenced_security_group_id == "sg-0123456789abcdef0"
    error_message = "Only the clients' groups may reach it, on NFS's port."
  }
}

run "root" {
  command = apply

  variables {
    infrequent_access_days = 1
    uid                    = 0
    gid                    = 0
  }

  assert {
    condition     = [for policy in aws_efs_file_system.this.lifecycle_policy : coalesce(policy.transition_to_ia, policy.transition_to_primary_storage_class)] == ["AFTER_1_DAY", "AFTER_1_ACCESS"]
    error_message = "Files must move to Infrequent Access and back."
  }

  # Without it EFS gives user 0 no rights of root.
  assert {
    condition     = contains(jsondecode(aws_iam_role_policy.writers["fetch"].policy).Statement[0].Action, "elasticfilesystem:ClientRootAccess")
    error_message = "The user 0 needs root access."
  }
}

run "refuses" {
  command = plan

  variables {
    client_security_group_ids = []
    gid                       = -1
    infrequent_access_days    = 31
    kms_key_arn               = "alias/batch-prod"
    name                      = "1refs"
    subnet_ids                = {}
    uid                       = 0.5
  }

  expect_failures = [
    var.client_security_group_ids,
    var.gid,
    var.infrequent_access_days,
    var.kms_key_arn,
    var.name,
    var.subnet_ids,
    var.uid,
  ]
}
