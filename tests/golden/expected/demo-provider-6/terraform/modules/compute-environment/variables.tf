variable "allocation_strategy" {
  description = "How Batch chooses among the instance types. Decides, with service_role_arn, whether changes are made in place."
  type        = string

  validation {
    condition     = contains(["BEST_FIT", "BEST_FIT_PROGRESSIVE", "SPOT_CAPACITY_OPTIMIZED", "SPOT_PRICE_CAPACITY_OPTIMIZED"], var.allocation_strategy)
    error_message = "allocation_strategy must be BEST_FIT, BEST_FIT_PROGRESSIVE, SPOT_CAPACITY_OPTIMIZED or SPOT_PRICE_CAPACITY_OPTIMIZED."
  }
}

variable "bid_percentage" {
  description = "Highest Spot price to pay, in percent of the On-Demand price; null for up to all of it. For SPOT only."
  type        = number
  default     = null

  validation {
    condition     = var.bid_percentage == null || try(var.bid_percentage >= 1 && var.bid_percentage <= 100, false)
    error_message = "bid_percentage must be between 1 and 100."
  }
}

variable "capacity_reservation" {
  description = "On-Demand capacity reservation: its id, the ARN of a resource group, or none; null for any open one that matches."
  type        = string
  default     = null

  validation {
    condition     = var.capacity_reservation == null || can(regex("^(none|cr-[0-9a-f]{17}|arn:aws[a-z-]*:resource-groups:[a-z0-9-]+:[0-9]{12}:group/.+)$", var.capacity_reservation))
    error_message = "capacity_reservation must be none, an id like cr-0123456789abcdef0, or the ARN of a resource group."
  }
}

variable "compute_environment_tags" {
  description = "Tags of the compute environment itself, beside the provider's default tags; they change in place."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(var.compute_environment_tags) <= 50 && alltrue([for k, v in var.compute_environment_tags : length(k) >= 1 && length(k) <= 128 && length(v) <= 256])
    error_message = "compute_environment_tags may be at most 50, with keys of 1 to 128 and values of at most 256 characters."
  }
}

variable "efa_interfaces" {
  description = "Elastic Fabric Adapters of each instance, one on each network card; 0 for an ordinary network interface."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.efa_interfaces >= 0 && var.efa_interfaces <= 32 && floor(var.efa_interfaces) == var.efa_interfaces
    error_message = "efa_interfaces must be a whole number from 0 to 32."
  }
}

variable "image_id" {
  description = "The id of the instances' AMI, of the type image_type; null for the AMI that Batch chooses."
  type        = string
  default     = null

  validation {
    condition     = var.image_id == null || can(regex("^ami-[0-9a-f]{8,17}$", var.image_id))
    error_message = "image_id must look like ami-0123456789abcdef0."
  }
}

variable "image_type" {
  description = "The type of the AMI: ECS_AL2023, or ECS_AL2023_NVIDIA for GPU instances."
  type        = string
  default     = "ECS_AL2023"

  validation {
    condition     = contains(["ECS_AL2023", "ECS_AL2023_NVIDIA"], var.image_type)
    error_message = "image_type must be ECS_AL2023 or ECS_AL2023_NVIDIA; Batch accepts no new compute environment on Amazon Linux 2."
  }
}

variable "instance_profile_arn" {
  description = "ARN of the instance profile; take it from the instance-role module, so that its policies are attached first."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:instance-profile/", var.instance_profile_arn))
    error_message = "instance_profile_arn must be the ARN of an instance profile, not of its role."
  }
}

variable "instance_types" {
  description = "Instance types or families that Batch may start, or optimal; all of one architecture."
  type        = set(string)

  validation {
    condition     = length(var.instance_types) > 0
    error_message = "instance_types needs at least one instance type, family or optimal."
  }
}

variable "job_execution_timeout_minutes" {
  description = "Minutes that running jobs are given to end when the compute environment is updated in place: 1 to 360."
  type        = number
  default     = 360

  validation {
    condition     = var.job_execution_timeout_minutes >= 1 && var.job_execution_timeout_minutes <= 360
    error_message = "job_execution_timeout_minutes must be between 1 and 360."
  }
}

variable "kms_key_arn" {
  description = "ARN of the customer managed key that encrypts the volumes of the instances."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, not an alias or an id."
  }
}

variable "max_vcpus" {
  description = "Most vCPUs that the compute environment grows to."
  type        = number

  validation {
    condition     = var.max_vcpus >= 1 && floor(var.max_vcpus) == var.max_vcpus
    error_message = "max_vcpus must be a whole number from 1."
  }
}

variable "min_vcpus" {
  description = "The vCPUs that keep running without jobs, at your cost."
  type        = number
  default     = 0

  validation {
    condition     = var.min_vcpus >= 0 && floor(var.min_vcpus) == var.min_vcpus
    error_message = "min_vcpus must be a whole number from 0."
  }
}

variable "name" {
  description = "Name, for example genomicsEnv-prod; AWS gets it with a unique suffix, so that a replacement can exist beside it."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{2,97}$", var.name))
    error_message = "name must have 3 to 98 letters, digits, _ or -, the first a letter or digit: the suffix takes 27 of the launch template's 125."
  }
}

variable "placement_group" {
  description = "Name of an existing cluster placement group; null: none. A change replaces the compute environment."
  type        = string
  default     = null

  validation {
    condition     = var.placement_group == null || can(regex("^[ -~]{1,255}$", var.placement_group))
    error_message = "placement_group must have 1 to 255 ASCII characters."
  }
}

variable "root_volume" {
  description = "The root volume /dev/xvda, where Docker keeps images and containers. size_gib in GiB, throughput in MiB/s."
  type = object({
    size_gib   = optional(number, 100)
    type       = optional(string, "gp3")
    iops       = optional(number)
    throughput = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.root_volume.size_gib >= 30 && var.root_volume.size_gib <= 65536 && floor(var.root_volume.size_gib) == var.root_volume.size_gib
    error_message = "root_volume.size_gib must be a whole number from 30 (the size of the ECS-optimized image) to 65536."
  }

  validation {
    condition     = contains(["gp2", "gp3", "io1", "io2"], var.root_volume.type)
    error_message = "root_volume.type must be gp2, gp3, io1 or io2: an instance cannot start from sc1 or st1."
  }

  validation {
    condition     = contains(["io1", "io2"], var.root_volume.type) ? var.root_volume.iops != null : var.root_volume.iops == null || var.root_volume.type == "gp3"
    error_message = "root_volume.iops is required for io1 and io2, optional for gp3, and not supported for other types."
  }

  validation {
    condition     = var.root_volume.throughput == null || (var.root_volume.type == "gp3" && try(var.root_volume.throughput >= 125 && var.root_volume.throughput <= 2000, false))
    error_message = "root_volume.throughput is for gp3 only: 125 to 2000 MiB/s."
  }
}

variable "scratch_volume" {
  description = "The scratch volume /dev/sdb of each instance; null for none. size_gib in GiB, throughput in MiB/s."
  type = object({
    size_gib   = number
    type       = optional(string, "gp3")
    iops       = optional(number)
    throughput = optional(number)
  })
  default = null

  validation {
    condition     = var.scratch_volume == null || try(var.scratch_volume.size_gib >= 1 && var.scratch_volume.size_gib <= 65536 && floor(var.scratch_volume.size_gib) == var.scratch_volume.size_gib, false)
    error_message = "scratch_volume.size_gib must be a whole number from 1 to 65536."
  }

  validation {
    condition     = var.scratch_volume == null || try(contains(["gp2", "gp3", "io1", "io2", "sc1", "st1"], var.scratch_volume.type), false)
    error_message = "scratch_volume.type must be gp2, gp3, io1, io2, sc1 or st1."
  }

  validation {
    condition     = var.scratch_volume == null || try(contains(["io1", "io2"], var.scratch_volume.type) ? var.scratch_volume.iops != null : var.scratch_volume.iops == null || var.scratch_volume.type == "gp3", false)
    error_message = "scratch_volume.iops is required for io1 and io2, optional for gp3, and not supported for other types."
  }

  validation {
    condition     = var.scratch_volume == null || try(var.scratch_volume.throughput == null || (var.scratch_volume.type == "gp3" && try(var.scratch_volume.throughput >= 125 && var.scratch_volume.throughput <= 2000, false)), false)
    error_message = "scratch_volume.throughput is for gp3 only: 125 to 2000 MiB/s."
  }
}

variable "security_group_ids" {
  description = "Security groups of the instances."
  type        = set(string)

  validation {
    condition     = length(var.security_group_ids) > 0 && alltrue([for id in var.security_group_ids : can(regex("^sg-[0-9a-f]{8,17}$", id))])
    error_message = "security_group_ids needs at least one id like sg-0123456789abcdef0."
  }
}

variable "service_role_arn" {
  description = "ARN of a custom Batch service role; null for the service-linked role, which alone allows changes in place."
  type        = string
  default     = null

  validation {
    condition     = var.service_role_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/", var.service_role_arn))
    error_message = "service_role_arn must be the ARN of a role, or null."
  }
}

variable "spot_fleet_role_arn" {
  description = "ARN of the Spot Fleet role; needed for SPOT with BEST_FIT, refused for anything else."
  type        = string
  default     = null

  validation {
    condition     = var.spot_fleet_role_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/", var.spot_fleet_role_arn))
    error_message = "spot_fleet_role_arn must be the ARN of a role, or null."
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
  description = "Subnets of the instances; they need a route to ECR, ECS and CloudWatch Logs."
  type        = set(string)

  validation {
    condition     = length(var.subnet_ids) > 0 && alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))])
    error_message = "subnet_ids needs at least one id like subnet-0123456789abcdef0."
  }
}

variable "tags" {
  description = "Tags of the instances and their volumes. Keep them static: a change is a new launch template version."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(var.tags) <= 49 && alltrue([for k, v in var.tags : length(k) >= 1 && length(k) <= 128 && length(v) <= 256])
    error_message = "tags may be at most 49 (Name is added), with keys of 1 to 128 and values of at most 256 characters."
  }
}

variable "type" {
  description = "EC2 for On-Demand instances or SPOT."
  type        = string

  validation {
    condition     = contains(["EC2", "SPOT"], var.type)
    error_message = "type must be EC2 or SPOT."
  }
}

variable "user_data" {
  description = "User data as a MIME multi-part document, which AWS Batch adds its own part to; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.user_data == null || try(startswith(var.user_data, "MIME-Version: ") && length(base64encode(var.user_data)) <= 21848, false)
    error_message = "user_data must be a MIME multi-part document of at most 16 KiB."
  }
}
