# What existed before this environment, and stays as it is: Terraform adds the environment's tags, but not to job
# definitions, because that may register a new revision.

module "compute_spot" {
  source = "./modules/existing-environment"

  name = "oldSpot"

  # Batch needs its roles until it is deleted.
  depends_on = [aws_iam_instance_profile.existing, aws_iam_role.existing]
}

resource "aws_batch_job_definition" "isaac" {
  name = "IsaacOld"
  type = "container"

  lifecycle {
    ignore_changes = all
  }
}

resource "aws_ecr_repository" "isaac" {
  name = "legacy/isaac"

  lifecycle {
    ignore_changes = [encryption_configuration, force_delete, image_scanning_configuration, image_tag_mutability, tags]
  }
}

resource "aws_cloudwatch_log_group" "existing" {
  for_each = toset(["/lab/batch"])

  name = each.key

  lifecycle {
    ignore_changes = [kms_key_id, log_group_class, retention_in_days, skip_destroy, tags]
  }
}

resource "aws_iam_role" "existing" {
  for_each = toset(["labTask"])

  name               = each.key
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })

  lifecycle {
    ignore_changes = [
      assume_role_policy, description, force_detach_policies, max_session_duration, path, permissions_boundary, tags,
    ]
  }
}

resource "aws_iam_instance_profile" "existing" {
  for_each = toset(["labHosts"])

  name = each.key

  lifecycle {
    ignore_changes = [path, role, tags]
  }

  depends_on = [aws_iam_role.existing]
}
