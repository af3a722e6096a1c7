# The plural data sources find nothing without failing, so that each postcondition can say in plain words what was
# looked for; the singular aws_vpc fails with the provider's own words first.
data "aws_vpcs" "this" {
  tags = var.vpc_tags

  lifecycle {
    postcondition {
      condition     = length(self.ids) == 1
      error_message = "Looked for one VPC with the tags ${jsonencode(var.vpc_tags)}, found ${length(self.ids)}: ${jsonencode(self.ids)}."
    }
  }
}

data "aws_subnets" "this" {
  tags = var.subnet_tags

  filter {
    name   = "vpc-id"
    values = data.aws_vpcs.this.ids
  }

  lifecycle {
    postcondition {
      condition     = length(self.ids) > 0
      error_message = "Looked in ${one(data.aws_vpcs.this.ids)} for subnets with the tags ${jsonencode(var.subnet_tags)}; found none."
    }
  }
}

data "aws_security_groups" "this" {
  tags = var.security_group_tags

  filter {
    name   = "vpc-id"
    values = data.aws_vpcs.this.ids
  }

  lifecycle {
    postcondition {
      condition     = length(self.ids) > 0
      error_message = "Looked in ${one(data.aws_vpcs.this.ids)} for security groups with the tags ${jsonencode(var.security_group_tags)}, found none."
    }
  }
}
