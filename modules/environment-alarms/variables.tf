variable "account_id" {
  description = "The AWS account, 12 digits; a literal, so that policies are known in the plan."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits, as a string."
  }
}

variable "dashboard" {
  description = "Whether to measure what only the module dashboard shows: jobs by queue and state."
  type        = bool
  default     = false
}

variable "dead_letter_queues" {
  description = "Names of more dead-letter queues to watch with dead_letters."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.dead_letter_queues : can(regex("^[A-Za-z0-9_-]{1,80}$", name))])
    error_message = "dead_letter_queues must be names of SQS queues."
  }
}

variable "dead_letters" {
  description = "Whether to alarm when a function gives up an event, or a rule cannot deliver one."
  type        = bool
  default     = false
}

variable "emails" {
  description = "E-mail addresses to notify by the severity of alarms, critical or warning; each confirms its subscription once, with the link in SNS's first message. A severity with alarms needs one."
  type        = map(set(string))
  default     = {}

  validation {
    condition     = alltrue([for severity, emails in var.emails : contains(["critical", "warning"], severity) && length(emails) > 0 && alltrue([for email in emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])])
    error_message = "emails must have e-mail addresses for critical, warning or both."
  }

  validation {
    condition     = contains(keys(var.emails), "critical") == (var.failed_jobs != null || var.invalid_compute_environments || var.dead_letters)
    error_message = "emails.critical must be there with failed_jobs, invalid_compute_environments or dead_letters, and not without."
  }

  validation {
    condition     = contains(keys(var.emails), "warning") == (var.waiting_minutes != null || var.spot_interruptions != null || var.image_age_days != null || length(var.image_build_alarms) > 0)
    error_message = "emails.warning must be there with waiting_minutes, spot_interruptions, image_age_days or image_build_alarms, and not without."
  }
}

variable "environment" {
  description = "Name of the environment, for example prod: the suffix of everything created here, and the dimension of its metrics."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.environment))
    error_message = "environment must have 2 to 24 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "event_rules" {
  description = "Names of more EventBridge rules to watch with dead_letters."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.event_rules : can(regex("^[A-Za-z0-9._-]{1,64}$", name))])
    error_message = "event_rules must be names of EventBridge rules."
  }
}

variable "failed_jobs" {
  description = "Alarm when this percentage of the jobs that ended within the window failed, and at least so many; null for none."
  type        = object({ percent = number, window_minutes = number, at_least = number })
  default     = null

  validation {
    condition     = var.failed_jobs == null || try(var.failed_jobs.percent >= 1 && var.failed_jobs.percent <= 100 && var.failed_jobs.window_minutes >= 5 && var.failed_jobs.window_minutes <= 1440 && var.failed_jobs.at_least >= 1, false)
    error_message = "failed_jobs needs a percent from 1 to 100, window_minutes from 5 to 1440, and at_least from 1."
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

variable "image_age_days" {
  description = "Alarm when a compute environment runs a machine image that is older than this; null for none."
  type        = number
  default     = null

  validation {
    condition     = var.image_age_days == null || try(var.image_age_days >= 1, false)
    error_message = "image_age_days must be 1 or more."
  }
}

variable "image_build_alarms" {
  description = "Names of the alarms of the module image-pipeline, of which this module notifies too."
  type        = set(string)
  default     = []
}

variable "invalid_compute_environments" {
  description = "Whether to alarm when a compute environment of a queue is INVALID."
  type        = bool
  default     = false
}

variable "job_queue_arns" {
  description = "ARNs of the environment's job queues."
  type        = set(string)

  validation {
    condition     = length(var.job_queue_arns) > 0 && alltrue([for arn in var.job_queue_arns : can(regex("^arn:aws[a-z-]*:batch:[^:]+:[0-9]{12}:job-queue/", arn))])
    error_message = "job_queue_arns needs at least one ARN of a job queue."
  }
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key that encrypts the topics and the function's variables, logs and dead letters; its policy lets EventBridge use it for the topics."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[^:]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key."
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

variable "package_path" {
  description = "Path of the zip that holds the files of src/ at its top level, and gen_infra/why/messages.py."
  type        = string

  validation {
    condition     = endswith(var.package_path, ".zip") && fileexists(var.package_path)
    error_message = "package_path must be a zip file that exists."
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

variable "reserved_concurrency" {
  description = "Concurrent runs set aside for, and allowed to, the function; -1 for none set aside, as an account with a quota of 10 needs."
  type        = number
  default     = 5

  validation {
    condition     = var.reserved_concurrency == -1 || (var.reserved_concurrency >= 1 && var.reserved_concurrency <= 1000)
    error_message = "reserved_concurrency must be between 1 and 1000, or -1."
  }
}

variable "spot_interruptions" {
  description = "Alarm when Spot interruptions ended so many attempts of jobs within the window; null for none."
  type        = object({ attempts = number, window_minutes = number })
  default     = null

  validation {
    condition     = var.spot_interruptions == null || try(var.spot_interruptions.attempts >= 1 && var.spot_interruptions.window_minutes >= 5 && var.spot_interruptions.window_minutes <= 1440, false)
    error_message = "spot_interruptions needs attempts from 1, and window_minutes from 5 to 1440."
  }
}

variable "waiting_minutes" {
  description = "Alarm when a job is RUNNABLE for longer than this, but not while one is INVALID that invalid_compute_environments alarms of; null for none."
  type        = number
  default     = null

  validation {
    condition     = var.waiting_minutes == null || try(var.waiting_minutes >= 10, false)
    error_message = "waiting_minutes must be 10 or more."
  }
}
