variable "account_id" {
  description = "The AWS account, 12 digits; a literal, so that policies are known in the plan."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits, as a string."
  }
}

variable "definition_actions" {
  description = "What else the engine calls for its own job definitions: batch:DeregisterJobDefinition, batch:TagResource."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.definition_actions, ["batch:DeregisterJobDefinition", "batch:TagResource"])) == 0
    error_message = "definition_actions may contain batch:DeregisterJobDefinition and batch:TagResource."
  }

  validation {
    condition     = length(var.definition_actions) == 0 || length(var.definition_names) > 0
    error_message = "definition_actions needs definition_names."
  }
}

variable "definition_names" {
  description = "The names of the job definitions that the engine registers and submits, each exact or with * at its end; none: it may register none."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.definition_names : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{1,126}([A-Za-z0-9_-]|-[*])$", name))])
    error_message = "definition_names must have letters, digits, - and _, and may end with -*."
  }
}

variable "describes_instances" {
  description = "Whether the engine looks up the instances that its jobs run on, as Nextflow does."
  type        = bool
  default     = false
}

variable "environment" {
  description = "The environment's name, the tag gen-infra:environment of the engine's jobs."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.environment))
    error_message = "environment must have 2 to 24 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "files_policy" {
  description = "The policy for the work prefix and the buckets, as JSON; a literal, so that it is known in the plan."
  type        = string

  validation {
    condition     = can(jsondecode(var.files_policy))
    error_message = "files_policy must be a policy document as JSON."
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
  description = "Other job definitions that the engine may submit, by ARN without revision; every revision is allowed."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.job_definition_arns : can(regex("^arn:aws[a-z-]*:batch:[a-z0-9-]+:[0-9]{12}:job-definition/[A-Za-z0-9_-]{1,128}$", arn))])
    error_message = "job_definition_arns must be ARNs of job definitions, without a revision."
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
  description = "ARN of the customer managed key that encrypts the logs."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, not an alias or an id."
  }
}

variable "log_group" {
  description = "The name of the log group for the engine's tasks."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_./#-]{1,512}$", var.log_group))
    error_message = "log_group must be the name of a log group."
  }
}

variable "log_retention_in_days" {
  description = "How long to keep the tasks' logs, in days: 0 forever, or a value of CloudWatch Logs from 365 on."
  type        = number
  default     = 365

  validation {
    condition     = contains([0, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_in_days)
    error_message = "log_retention_in_days must be 0, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "name" {
  description = "The engine with its environment, nextflow-prod: what the names of its roles begin with."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_-]{0,56}$", var.name))
    error_message = "name must have 1 to 57 letters, digits, - and _, and begin with a letter."
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

variable "principals" {
  description = "ARNs of IAM roles and users of this account that may assume the head role."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.principals : can(regex("^arn:aws[a-z-]*:iam::${var.account_id}:(role|user)/[A-Za-z0-9_+=,.@/-]{1,512}$", arn))])
    error_message = "principals must be ARNs of roles and users of this account, without wildcards."
  }
}

variable "privileged" {
  description = "Whether the engine may register containers that are privileged, as Nextflow's Fusion needs."
  type        = bool
  default     = false
}

variable "region" {
  description = "The AWS region, for example us-east-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$", var.region))
    error_message = "region must look like us-east-1."
  }
}

variable "tags_jobs" {
  description = "Whether the engine tags its jobs; if not, it may stop all jobs without the tag gen-infra:environment."
  type        = bool
  default     = true
}
