variable "account_id" {
  description = "The AWS account, 12 digits; a literal, so that policies are known in the plan."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits, as a string."
  }
}

variable "emails" {
  description = "E-mail addresses to notify; each confirms its subscription once, with the link in SNS's first message."
  type        = set(string)

  validation {
    condition     = alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])
    error_message = "emails must be e-mail addresses."
  }
}

variable "environment" {
  description = "The environment's name; the topic and the rule are batchQueueBlocked-<environment>."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.environment))
    error_message = "environment must have 2 to 24 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "job_queue_arns" {
  description = "ARNs of the job queues to watch."
  type        = set(string)

  validation {
    condition     = length(var.job_queue_arns) > 0 && alltrue([for arn in var.job_queue_arns : can(regex("^arn:aws[a-z-]*:batch:[^:]+:[0-9]{12}:job-queue/", arn))])
    error_message = "job_queue_arns needs at least one ARN of a job queue."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the topic; its policy lets EventBridge use it."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[^:]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key."
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

variable "region" {
  description = "The AWS region, for example us-east-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$", var.region))
    error_message = "region must look like us-east-1."
  }
}
