variable "alarm_arns" {
  description = "ARNs of the alarms whose states the dashboard shows; at most 100."
  type        = set(string)
  default     = []

  validation {
    condition     = length(var.alarm_arns) <= 100 && alltrue([for arn in var.alarm_arns : can(regex("^arn:aws[a-z-]*:cloudwatch:[^:]+:[0-9]{12}:alarm:", arn))])
    error_message = "alarm_arns must be at most 100 ARNs of CloudWatch alarms."
  }
}

variable "environment" {
  description = "Name of the environment, the dimension of its metrics; the dashboard is batch-<environment>."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.environment))
    error_message = "environment must have 2 to 24 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "queues" {
  description = "Names of the job queues; each has a graph of its jobs by state."
  type        = set(string)

  validation {
    condition     = length(var.queues) > 0 && alltrue([for name in var.queues : can(regex("^[A-Za-z0-9_-]{1,128}$", name))])
    error_message = "queues needs at least one name of a job queue."
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
