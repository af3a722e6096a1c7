variable "account_id" {
  description = "The AWS account, 12 digits; a literal, so that policies are known in the plan."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits, as a string."
  }
}

variable "alarm_topics" {
  description = "Names of the SNS topics of this account, encrypted with this key, that CloudWatch alarms publish to."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.alarm_topics : can(regex("^[A-Za-z0-9_-]{1,256}$", name))])
    error_message = "alarm_topics must be names of topics."
  }
}

variable "budget_topics" {
  description = "Names of the SNS topics of this account, encrypted with this key, that AWS Budgets publishes to."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.budget_topics : can(regex("^[A-Za-z0-9_-]{1,256}$", name))])
    error_message = "budget_topics must be names of topics."
  }
}

variable "deletion_window_in_days" {
  description = "Days between the key's deletion and its end, in which the deletion can be cancelled: 7 to 30."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_in_days >= 7 && var.deletion_window_in_days <= 30
    error_message = "deletion_window_in_days must be between 7 and 30."
  }
}

variable "event_topics" {
  description = "Names of the SNS topics of this account, encrypted with this key, that EventBridge rules publish to."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.event_topics : can(regex("^[A-Za-z0-9_-]{1,256}$", name))])
    error_message = "event_topics must be names of topics."
  }
}

variable "log_group_patterns" {
  description = "Names of the log groups that CloudWatch Logs may encrypt with this key; * stands for any characters."
  type        = set(string)

  validation {
    condition     = length(var.log_group_patterns) > 0 && alltrue([for p in var.log_group_patterns : can(regex("^[A-Za-z0-9._/#*-]{1,512}$", p))])
    error_message = "log_group_patterns needs at least one log group name made of letters, digits, . _ / # - and *."
  }
}

variable "name" {
  description = "The alias without the prefix alias/, for example batch-prod."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9/_-]{1,250}$", var.name)) && !startswith(var.name, "aws/")
    error_message = "name must have 1 to 250 letters, digits, / _ or - and must not begin with aws/."
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

variable "spot" {
  description = "Whether Spot instances use the key too."
  type        = bool
  default     = false
}

variable "state_machines" {
  description = "Whether runs of state machines are encrypted with the key, and their logs delivered."
  type        = bool
  default     = false
}
