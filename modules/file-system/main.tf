# The file system, its mount targets and the directory that clients see. Who may mount it: see access.tf.
resource "aws_efs_file_system" "this" {
  # One token names one file system: a second run cannot create another one by mistake.
  creation_token   = var.name
  encrypted        = true
  kms_key_id       = var.kms_key_arn
  performance_mode = "generalPurpose"
  throughput_mode  = "elastic"

  dynamic "lifecycle_policy" {
    for_each = var.infrequent_access_days == null ? [] : [var.infrequent_access_days]

    content {
      transition_to_ia = lifecycle_policy.value == 1 ? "AFTER_1_DAY" : "AFTER_${lifecycle_policy.value}_DAYS"
    }
  }

  # EFS takes one transition in each policy. A file that is read again is soon read by more jobs.
  dynamic "lifecycle_policy" {
    for_each = var.infrequent_access_days == null ? [] : [1]

    content {
      transition_to_primary_storage_class = "AFTER_1_ACCESS"
    }
  }

  tags = { Name = var.name }
}

resource "aws_efs_backup_policy" "this" {
  file_system_id = aws_efs_file_system.this.id

  backup_policy {
    status = "ENABLED"
  }
}

resource "aws_efs_mount_target" "this" {
  for_each = var.subnet_ids

  file_system_id  = aws_efs_file_system.this.id
  subnet_id       = each.value
  security_groups = [aws_security_group.this.id]
}

resource "aws_efs_access_point" "this" {
  file_system_id = aws_efs_file_system.this.id

  # All clients read and write as this user, whoever they are in their containers.
  posix_user {
    uid = var.uid
    gid = var.gid
  }

  root_directory {
    path = "/shared"

    creation_info {
      owner_uid   = var.uid
      owner_gid   = var.gid
      permissions = "0775"
    }
  }

  tags = { Name = var.name }
}
