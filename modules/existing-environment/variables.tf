variable "name" {
  description = "Name of the compute environment in AWS."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$", var.name))
    error_message = "name must be 1 to 128 letters, digits, '_' and '-'."
  }
}

variable "tags" {
  description = "Tags of the compute environment, beside the provider's default tags."
  type        = map(string)
  default     = {}
}
