variable "force_delete" {
  description = "Whether to delete the images when the repository is destroyed; otherwise AWS refuses to delete a repository with images."
  type        = bool
  default     = false
}

variable "keep_images" {
  description = "How many images to keep, newest first; null keeps every tagged image."
  type        = number
  default     = null

  validation {
    condition     = var.keep_images == null || try(var.keep_images >= 1 && floor(var.keep_images) == var.keep_images, false)
    error_message = "keep_images must be a whole number from 1, or null."
  }
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key that encrypts the images."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, not an alias or an id."
  }
}

variable "name" {
  description = "Name of the repository, for example prod/isaac."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]+([._-][a-z0-9]+|__[a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+|__[a-z0-9]+)*)*$", var.name)) && length(var.name) >= 2 && length(var.name) <= 256
    error_message = "name must have 2 to 256 lowercase letters and digits, with single . _ - between them and / between parts."
  }
}

variable "untagged_days" {
  description = "Days after which an image without a tag expires."
  type        = number
  default     = 14

  validation {
    condition     = var.untagged_days >= 1 && floor(var.untagged_days) == var.untagged_days
    error_message = "untagged_days must be a whole number from 1."
  }
}
