variable "security_group_tags" {
  description = "Tags of the instances' security groups; selects every group of the VPC that has all of them."
  type        = map(string)

  validation {
    condition     = length(var.security_group_tags) > 0
    error_message = "security_group_tags needs at least one tag, or every security group would match."
  }
}

variable "subnet_tags" {
  description = "Tags of the instances' subnets; selects every subnet of the VPC that has all of them."
  type        = map(string)

  validation {
    condition     = length(var.subnet_tags) > 0
    error_message = "subnet_tags needs at least one tag, or every subnet would match."
  }
}

variable "vpc_tags" {
  description = "Tags that exactly one VPC has."
  type        = map(string)

  validation {
    condition     = length(var.vpc_tags) > 0
    error_message = "vpc_tags needs at least one tag, or every VPC would match."
  }
}
