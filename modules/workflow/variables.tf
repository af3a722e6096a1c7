variable "account_id" {
  description = "The AWS account, 12 digits; a literal, so that policies are known in the plan."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits, as a string."
  }
}

variable "definitions_path" {
  description = "The folder of the definitions."
  type        = string
}

variable "emails" {
  description = "E-mail addresses to notify; each confirms its subscription once, with the link in SNS's first message."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])
    error_message = "emails must be e-mail addresses."
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

variable "job_definition_arns" {
  description = "Job definitions that may be submitted, by ARN without revision; every revision of them is allowed."
  type        = set(string)

  validation {
    condition     = length(var.job_definition_arns) > 0 && alltrue([for arn in var.job_definition_arns : can(regex("^arn:aws[a-z-]*:batch:[a-z0-9-]+:[0-9]{12}:job-definition/[*]?[A-Za-z0-9_-]{1,128}$", arn))])
    error_message = "job_definition_arns needs at least one ARN of a job definition, without a revision; its name may begin with *."
  }
}

variable "job_queue_arns" {
  description = "Job queues that may be submitted to, by ARN."
  type        = set(string)

  validation {
    condition     = length(var.job_queue_arns) > 0 && alltrue([for arn in var.job_queue_arns : can(regex("^arn:aws[a-z-]*:batch:[a-z0-9-]+:[0-9]{12}:job-queue/[A-Za-z0-9_-]{1,128}$", arn))])
    error_message = "job_queue_arns needs at least one ARN of a job queue."
  }
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key that encrypts runs, logs and the topic."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, not an alias or an id."
  }
}

variable "log_retention_in_days" {
  description = "How long to keep the state machines' logs, in days: 0 forever, or a value of CloudWatch Logs from 365 on."
  type        = number
  default     = 365

  validation {
    condition     = contains([0, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_in_days)
    error_message = "log_retention_in_days must be 0, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "machines" {
  description = "The state machines by a key of your choice: name, file of the definition, and for a list of samples the bucket with its folder and key."
  type = map(object({
    name       = string
    definition = string
    samples = optional(object({
      bucket      = string
      folder      = string
      kms_key_arn = optional(string)
    }))
  }))

  validation {
    condition     = length(var.machines) > 0 && alltrue([for machine in var.machines : can(regex("^[A-Za-z0-9_-]{1,80}$", machine.name))])
    error_message = "machines needs at least one, each with a name of 1 to 80 letters, digits, - and _."
  }

  validation {
    condition     = alltrue([for machine in var.machines : fileexists("${var.definitions_path}/${machine.definition}")])
    error_message = "Each definition must be a file in definitions_path."
  }

  validation {
    condition     = alltrue([for machine in var.machines : machine.samples == null || can(regex("^([A-Za-z0-9!_.'()-]+/)+$", machine.samples.folder))])
    error_message = "Each folder must be a prefix that ends with /, without wildcards."
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

variable "topic" {
  description = "The name of the topic and the rule for failed runs; used with emails."
  type        = string
  default     = "unused"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.topic))
    error_message = "topic must have 1 to 64 letters, digits, - and _."
  }
}

variable "workflow" {
  description = "The workflow with its environment, for descriptions and as the tag gen-infra:workflow of its jobs."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_-]{0,64}$", var.workflow))
    error_message = "workflow must have 1 to 65 letters, digits, - and _, and begin with a letter."
  }
}
