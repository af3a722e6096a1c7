variable "account_id" {
  description = "The AWS account, 12 digits; a literal, so that policies are known in the plan."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits, as a string."
  }
}

variable "cidr_block" {
  description = "Addresses of the VPC: a private block from /16 to /24, for example 10.42.0.0/16."
  type        = string

  validation {
    condition     = try(cidrsubnet(var.cidr_block, 0, 0) == var.cidr_block && tonumber(split("/", var.cidr_block)[1]) >= 16 && tonumber(split("/", var.cidr_block)[1]) <= 24, false)
    error_message = "cidr_block must be an IPv4 block from /16 to /24, by its first address."
  }

  validation {
    condition     = can(regex("^(10|172\\.(1[6-9]|2[0-9]|3[01])|192\\.168)\\.", var.cidr_block)) && !startswith(var.cidr_block, "172.17.")
    error_message = "cidr_block must be private (in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16) and not Docker's own, 172.17.0.0/16."
  }
}

variable "efs_access" {
  description = "Whether instances may reach EFS mount targets in the VPC (NFS, port 2049)."
  type        = bool
  default     = false
}

variable "endpoints" {
  description = "Services to reach through interface endpoints, in every zone, for example ecr.api; not in China, where their names differ."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for service in var.endpoints : can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)?$", service))])
    error_message = "endpoints must be services as their endpoints name them, for example ecs-agent or ecr.dkr."
  }
}

variable "environment" {
  description = "Name of the environment, for example prod: the suffix of everything created here."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}$", var.environment))
    error_message = "environment must have 1 to 24 lowercase letters, digits or -, the first a letter."
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

variable "kms_key_arn" {
  description = "ARN of the customer managed key that encrypts the flow logs."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, not an alias or an id."
  }
}

variable "log_retention_in_days" {
  description = "Days that the flow logs are kept: 0 forever, or one of CloudWatch Logs' own steps from 365 on."
  type        = number
  default     = 365

  validation {
    condition     = contains([0, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_in_days)
    error_message = "log_retention_in_days must be 0, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "lustre_access" {
  description = "Whether instances and FSx for Lustre file systems in the VPC may reach each other (ports 988 and 1018 to 1023)."
  type        = bool
  default     = false
}

variable "nat" {
  description = "NAT gateways, each in its own public subnet: none, one for all zones, or one per-zone."
  type        = string
  default     = "none"

  validation {
    condition     = contains(["none", "one", "per-zone"], var.nat)
    error_message = "nat must be none, one or per-zone."
  }
}

variable "node_traffic" {
  description = "Whether instances may reach each other on every port, as the nodes of a multi-node parallel job do."
  type        = bool
  default     = false
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

variable "zone_count" {
  description = "How many of the region's availability zones to use, 2 to 6, where zone_names names none."
  type        = number
  default     = 2

  validation {
    condition     = contains([2, 3, 4, 5, 6], var.zone_count)
    error_message = "zone_count must be 2 to 6."
  }
}

variable "zone_names" {
  description = "The availability zones to use, two to six, in the order of their subnets; add new ones at the end."
  type        = list(string)
  default     = []

  validation {
    condition     = contains([0, 2, 3, 4, 5, 6], length(var.zone_names)) && length(distinct(var.zone_names)) == length(var.zone_names)
    error_message = "zone_names must be two to six different zones, or none."
  }
}
