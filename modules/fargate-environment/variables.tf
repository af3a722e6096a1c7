variable "max_vcpus" {
  description = "Most vCPUs that run at once."
  type        = number

  validation {
    condition     = var.max_vcpus >= 1 && floor(var.max_vcpus) == var.max_vcpus
    error_message = "max_vcpus must be a whole number from 1."
  }
}

variable "name" {
  description = "Name, for example smallEnv-prod; AWS gets it with a unique suffix, so that a replacement can exist beside it."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,100}$", var.name))
    error_message = "name must have 1 to 101 letters, digits, _ or -, the first a letter or digit: the suffix takes 27 of 128."
  }
}

variable "security_group_ids" {
  description = "Security groups of the tasks."
  type        = set(string)

  validation {
    condition = length(var.security_group_ids) >= 1 && length(var.security_group_ids) <= 5 && alltrue([
      for id in var.security_group_ids : can(regex("^sg-[0-9a-f]{8,17}$", id))
    ])
    error_message = "security_group_ids needs one to five ids like sg-0123456789abcdef0."
  }
}

variable "state" {
  description = "ENABLED, or DISABLED so that the compute environment starts no more jobs."
  type        = string
  default     = "ENABLED"

  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.state)
    error_message = "state must be ENABLED or DISABLED."
  }
}

variable "subnet_ids" {
  description = "Subnets of the tasks, at most 16; they need a route to ECR and CloudWatch Logs."
  type        = set(string)

  validation {
    condition = length(var.subnet_ids) >= 1 && length(var.subnet_ids) <= 16 && alltrue([
      for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))
    ])
    error_message = "subnet_ids needs one to sixteen ids like subnet-0123456789abcdef0."
  }
}

variable "tags" {
  description = "Tags of the compute environment, beside the provider's default tags."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(var.tags) <= 50 && alltrue([for k, v in var.tags : length(k) >= 1 && length(k) <= 128 && length(v) <= 256])
    error_message = "tags may be at most 50, with keys of 1 to 128 and values of at most 256 characters."
  }
}

variable "type" {
  description = "FARGATE, or FARGATE_SPOT for spare capacity that AWS may take back."
  type        = string

  validation {
    condition     = contains(["FARGATE", "FARGATE_SPOT"], var.type)
    error_message = "type must be FARGATE or FARGATE_SPOT."
  }
}
