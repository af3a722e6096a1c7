locals {
  untagged = {
    description = "Images that no tag names any more"
    selection   = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = var.untagged_days }
  }
  old_images = {
    description = "All but the newest images"
    selection   = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.keep_images }
  }

  # A rule for any tag must come last. Joined by concat: a conditional over both lists would give their different
  # selections one type and turn the numbers into strings, which ECR refuses.
  rules = concat([local.untagged], [for rule in [local.old_images] : rule if var.keep_images != null])
}

resource "aws_ecr_repository" "this" {
  name                 = var.name
  force_delete         = var.force_delete
  image_tag_mutability = "IMMUTABLE"

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name

  policy = jsonencode({
    rules = [
      for index, rule in local.rules : {
        rulePriority = index + 1
        description  = rule.description
        selection    = rule.selection
        action       = { type = "expire" }
      }
    ]
  })
}
