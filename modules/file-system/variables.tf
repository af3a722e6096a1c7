variable "client_security_group_ids" {
  description = "Ids of the clients' security groups, which may reach the mount targets."
  type        = list(string)

  validation {
    condition     = length(var.client_security_group_ids) > 0
    error_message = "client_security_group_ids needs at least one group, or nothing could mount the file system."
  }
}

variable "gid" {
  description = "The group id that all clients have on the file system."
  type        = number
  default     = 1000

  validation {
    condition     = var.gid >= 0 && var.gid <= 4294967295 && floor(var.gid) == var.gid
    error_message = "gid must be a whole number from 0 to 4294967295."
  }
}

variable "infrequent_access_days" {
  description = "Days without a read after which a file moves to Infrequent Access, until it is read again; null keeps all files in Standard."
  type        = number
  default     = null

  validation {
    condition     = var.infrequent_access_days == null || contains([1, 7, 14, 30, 60, 90, 180, 270, 365], coalesce(var.infrequent_access_days, 1))
    error_message = "infrequent_access_days must be 1, 7, 14, 30, 60, 90, 180, 270, 365 or null."
  }
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key that encrypts the files."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, not an alias or an id."
  }
}

variable "name" {
  description = "Name of the file system, for example refs-prod."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_-]{0,63}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, _ or -, the first a letter."
  }
}

variable "reader_role_names" {
  description = "Names of the roles that may mount the file system read-only, by a fixed key of each."
  type        = map(string)
  default     = {}
}

variable "security_group_name" {
  description = "Name of the mount targets' security group, for example batch-prod/file-systems/refs."
  type        = string
}

variable "subnet_ids" {
  description = "Ids of the subnets of the mount targets, by availability zone: EFS has one mount target in each."
  type        = map(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids needs at least one subnet."
  }
}

variable "uid" {
  description = "The user id that all clients have on the file system; 0 lets them change owners, as root."
  type        = number
  default     = 1000

  validation {
    condition     = var.uid >= 0 && var.uid <= 4294967295 && floor(var.uid) == var.uid
    error_message = "uid must be a whole number from 0 to 4294967295."
  }
}

variable "vpc_id" {
  description = "Id of the VPC of the subnets."
  type        = string
}

variable "writer_role_names" {
  description = "Names of the roles that may mount the file system and write to it, by a fixed key of each."
  type        = map(string)
  default     = {}
}
