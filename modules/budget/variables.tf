variable "at_percent" {
  description = "Percentages of the amount at which e-mails are sent."
  type        = set(number)
  default     = [50, 80, 100]

  validation {
    condition     = length(var.at_percent) <= 9 && alltrue([for percent in var.at_percent : percent >= 1 && percent <= 1000])
    error_message = "at_percent must be at most 9 numbers from 1 to 1000."
  }
}

variable "emails" {
  description = "E-mail addresses to notify, 10 at most."
  type        = set(string)

  validation {
    condition     = length(var.emails) >= 1 && length(var.emails) <= 10 && alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])
    error_message = "emails must be 1 to 10 e-mail addresses."
  }
}

variable "environment" {
  description = "The environment's name, and the value of the tag gen-infra:cost of what counts; the budget is batchBudget-<environment>."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.environment))
    error_message = "environment must have 2 to 24 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "stop_queues_at" {
  description = "The percentage at which stop_topic_arn is notified too; null for never."
  type        = number
  default     = null

  validation {
    condition     = var.stop_queues_at == null || try(var.stop_queues_at >= 1 && var.stop_queues_at <= 1000, false)
    error_message = "stop_queues_at must be a number from 1 to 1000."
  }
}

variable "stop_topic_arn" {
  description = "ARN of the SNS topic that stops the queues, of the module queue-stop."
  type        = string
  default     = null

  validation {
    condition     = (var.stop_topic_arn == null) == (var.stop_queues_at == null) && (var.stop_topic_arn == null || can(regex("^arn:aws[a-z-]*:sns:[^:]+:[0-9]{12}:", var.stop_topic_arn)))
    error_message = "stop_topic_arn must be the ARN of a topic where stop_queues_at is set, and null where it is not."
  }
}

variable "usd_a_month" {
  description = "The amount in US dollars, of a calendar month."
  type        = number

  validation {
    condition     = var.usd_a_month >= 1
    error_message = "usd_a_month must be at least 1."
  }
}
