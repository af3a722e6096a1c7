variable "account_id" {
  description = "The AWS account, 12 digits; a literal, so that policies are known in the plan."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits, as a string."
  }
}

variable "clusters" {
  description = "Names of the ECS clusters that the instances join, with ? and * for what AWS Batch and Terraform append: AWSBatch-spot-prod-*."
  type        = set(string)

  validation {
    condition     = length(var.clusters) > 0 && alltrue([for name in var.clusters : can(regex("^[A-Za-z0-9_?*-]*[A-Za-z0-9_-]{4}[A-Za-z0-9_?*-]*$", name))])
    error_message = "clusters needs at least one name of letters, digits, _ and -; beside 4 of these in a row, ? and * are allowed."
  }
}

variable "iam_path" {
  description = "Path of the IAM roles and profiles created here: / or /some/path/."
  type        = string
  default     = "/"

  validation {
    condition     = can(regex("^/([!-~]+/)?$", var.iam_path)) && length(var.iam_path) <= 512
    error_message = "iam_path must begin and end with / and have at most 512 characters."
  }
}

variable "log_groups" {
  description = "Names of the log groups that jobs write to; * at the end for all below, for example /aws/batch/prod/*."
  type        = set(string)

  validation {
    condition     = length(var.log_groups) > 0 && alltrue([for name in var.log_groups : can(regex("^[A-Za-z0-9_./#-]{2,512}[*]?$", name))])
    error_message = "log_groups needs at least one name of a log group; only its end may be *."
  }
}

variable "name" {
  description = "Name of the role and of its instance profile, for example batchInstance-prod."
  type        = string

  validation {
    condition     = can(regex("^[\\w+=,.@-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits or any of _+=,.@-."
  }
}

variable "partition" {
  description = "The AWS partition: aws, aws-cn or aws-us-gov."
  type        = string
  default     = "aws"

  validation {
    condition     = contains(["aws", "aws-cn", "aws-us-gov"], var.partition)
    error_message = "partition must be aws, aws-cn or aws-us-gov."
  }
}

variable "permissions_boundary" {
  description = "ARN of an existing policy to set as the permissions boundary of every role created here."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/", var.permissions_boundary))
    error_message = "permissions_boundary must be the ARN of an IAM policy."
  }
}

variable "region" {
  description = "The AWS region, for example us-east-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$", var.region))
    error_message = "region must look like us-east-1."
  }
}

variable "repository_arns" {
  description = "ECR repositories whose images the instances pull, by ARN; /* at the end for all below."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.repository_arns : can(regex("^arn:aws[a-z-]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9][a-z0-9._/-]*(/[*])?$", arn))])
    error_message = "repository_arns must be ARNs of ECR repositories; only their end may be /*."
  }
}
