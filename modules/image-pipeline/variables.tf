variable "account_id" {
  description = "The AWS account, 12 digits; a literal, so that policies are known in the plan."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits, as a string."
  }
}

variable "base_parameter_arn" {
  description = "ARN of the SSM parameter, or parameters, that name the base image; null where the manifest names it by id."
  type        = string
  default     = null

  validation {
    condition     = var.base_parameter_arn == null || can(regex("^arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]*:parameter/[A-Za-z0-9_./-]+[*]?$", var.base_parameter_arn))
    error_message = "base_parameter_arn must be the ARN of a parameter."
  }
}

variable "bucket" {
  description = "Name of the bucket, made already, that holds the source."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket must be the name of an S3 bucket."
  }
}

variable "builder_profile_arn" {
  description = "ARN of the instance profile that the builder instances run with."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:instance-profile/", var.builder_profile_arn))
    error_message = "builder_profile_arn must be the ARN of an instance profile."
  }
}

variable "builder_role_arn" {
  description = "ARN of the role in that profile, the only one that the build may pass on."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/", var.builder_role_arn))
    error_message = "builder_role_arn must be the ARN of a role."
  }
}

variable "codebuild_image" {
  description = "Container image of the build, by digest: AWS's in ECR Public (partition aws only), or one in a private ECR repository of the region; null for CodeBuild's own, which AWS updates."
  type        = string
  default     = null

  validation {
    condition = (
      var.codebuild_image == null
      || var.partition == "aws" && can(regex("^public\\.ecr\\.aws/codebuild/amazonlinux-x86_64-standard@sha256:[0-9a-f]{64}$", var.codebuild_image))
      || can(regex("^[0-9]{12}\\.dkr\\.ecr\\.${var.region}\\.${replace(local.dns_suffix, ".", "\\.")}/[a-z0-9]+([._/-]+[a-z0-9]+)*@sha256:[0-9a-f]{64}$", var.codebuild_image))
    )
    error_message = "codebuild_image must be public.ecr.aws/codebuild/amazonlinux-x86_64-standard or the URI of an ECR repository of the region, with @sha256: and a digest."
  }
}

variable "environment" {
  description = "Name of the environment, for example prod: the suffix of everything created here, and a tag of the builder instances."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}$", var.environment))
    error_message = "environment must have 1 to 24 lowercase letters, digits or -, the first a letter."
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

variable "image_parameter" {
  description = "Name of the SSM parameter that names the image; it gets the new image's id."
  type        = string

  validation {
    condition     = can(regex("^/[A-Za-z0-9_./-]+$", var.image_parameter)) && !startswith(var.image_parameter, "/aws/")
    error_message = "image_parameter must be the name of one of your parameters and start with /."
  }
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key that encrypts source, logs, schedule, notifications and the image's volumes; its policy must let CloudWatch publish to the topic."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, not an alias or an id."
  }
}

variable "log_retention_in_days" {
  description = "How long to keep the functions' logs, in days: 0 forever, or a value of CloudWatch Logs from 365 on."
  type        = number
  default     = 365

  validation {
    condition     = contains([0, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_in_days)
    error_message = "log_retention_in_days must be 0, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "notify" {
  description = "E-mail addresses to notify of failures; each confirms its subscription once."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.notify : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "notify must be e-mail addresses."
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

variable "schedule" {
  description = "When to build, in UTC: rate(7 days) or cron(0 3 ? * SUN *)."
  type        = string

  validation {
    condition     = can(regex("^(rate|cron)\\(.+\\)$", var.schedule))
    error_message = "schedule must be rate(…) or cron(…)."
  }
}

variable "security_group_ids" {
  description = "Security groups of the build, at most five; it needs outbound HTTPS only."
  type        = list(string)

  validation {
    condition     = length(var.security_group_ids) >= 1 && length(var.security_group_ids) <= 5
    error_message = "security_group_ids needs one to five security groups."
  }
}

variable "source_key" {
  description = "Key of the source in the bucket."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9!_.*'()/-]+$", var.source_key)) && length(var.source_key) <= 1024 && endswith(var.source_key, ".zip")
    error_message = "source_key must be the key of a zip file."
  }
}

variable "source_path" {
  description = "Path of the zip: the files of src/ at its top level, gen-infra as the package gen_infra, and manifest.yaml."
  type        = string

  validation {
    condition     = endswith(var.source_path, ".zip") && fileexists(var.source_path)
    error_message = "source_path must be a zip file that exists."
  }
}

variable "subnet_ids" {
  description = "Private subnets of one VPC for the build, with a route to AWS, PyPI, GitHub and releases.hashicorp.com."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 1 && length(var.subnet_ids) <= 16
    error_message = "subnet_ids needs one to sixteen subnets."
  }
}
