variable "security_group_tags" {
  description = "Tags that the security groups of the instances carry; every group of the VPC that has them all is taken."
  type        = map(string)

  validation {
    condition     = length(var.security_group_tags) > 0
    error_message = "security_group_tags needs at least one tag, or every security group would match."
  }
}

variable "subnet_tags" {
  description = "Tags that the subnets of the instances carry; every subnet of the VPC that has them all is taken."
  type        = map(string)

  validation {
    condition     = length(var.subnet_tags) > 0
    error_message = "subnet_tags needs at least one tag, or every subnet would match."
  }
}

variable "vpc_tags" {
  description = "Tags that tell the one VPC from all others."
  type        = map(string)

  validation {
    condition     = length(var.vpc_tags) > 0
    error_message = "vpc_tags needs at least one tag, or every VPC would match."
  }
}
