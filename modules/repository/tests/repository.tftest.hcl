mock_provider "aws" {}

variables {
  name        = "prod/isaac"
  kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "repository" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && !aws_ecr_repository.this.force_delete
    error_message = "A tag must not move, and images must not go with the repository unasked."
  }

  assert {
    condition     = one(aws_ecr_repository.this.image_scanning_configuration).scan_on_push
    error_message = "Images must be scanned."
  }

  # A scanner is content with AWS's own key.
  assert {
    condition     = one(aws_ecr_repository.this.encryption_configuration).kms_key == var.kms_key_arn
    error_message = "Images must be encrypted with the customer managed key."
  }

  assert {
    condition = jsondecode(aws_ecr_lifecycle_policy.this.policy).rules == [{
      rulePriority = 1
      description  = "Images that no tag names any more"
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
      action       = { type = "expire" }
    }]
    error_message = "By default only untagged images expire."
  }
}

run "limited" {
  command = plan

  variables {
    force_delete  = true
    keep_images   = 20
    untagged_days = 3
  }

  assert {
    condition     = aws_ecr_repository.this.force_delete
    error_message = "force_delete must reach the repository."
  }

  # ECR refuses a number in quotes.
  assert {
    condition     = strcontains(aws_ecr_lifecycle_policy.this.policy, "\"countNumber\":3,") && strcontains(aws_ecr_lifecycle_policy.this.policy, "\"countNumber\":20,")
    error_message = "Counts must be numbers."
  }

  assert {
    condition     = [for r in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : [r.rulePriority, r.selection.tagStatus]] == [[1, "untagged"], [2, "any"]]
    error_message = "The rule for any tag must come last."
  }
}

run "refuses" {
  command = plan

  variables {
    keep_images   = 0
    kms_key_arn   = "alias/batch-prod"
    name          = "prod/Isaac"
    untagged_days = 0.5
  }

  expect_failures = [var.keep_images, var.kms_key_arn, var.name, var.untagged_days]
}
