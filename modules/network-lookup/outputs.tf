output "security_group_ids" {
  description = "Ids of the security groups, sorted."
  value       = sort(data.aws_security_groups.this.ids)
}

output "subnet_ids" {
  description = "Ids of the subnets, sorted."
  value       = sort(data.aws_subnets.this.ids)
}

output "vpc_id" {
  description = "Id of the VPC."
  value       = one(data.aws_vpcs.this.ids)
}
