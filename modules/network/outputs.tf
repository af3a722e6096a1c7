# Resources in the subnets are created after their routes, and destroyed before them.
output "security_group_ids" {
  description = "Id of the instances' security group, in a list: nothing in, HTTPS out."
  value       = [aws_security_group.instances.id]

  depends_on = [
    aws_vpc_security_group_egress_rule.endpoints,
    aws_vpc_security_group_egress_rule.internet,
    aws_vpc_security_group_egress_rule.s3,
    aws_vpc_security_group_ingress_rule.endpoints,
  ]
}

output "subnet_ids" {
  description = "Ids of the private subnets, in the order of their zones."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]

  depends_on = [
    aws_route.private,
    aws_route_table_association.private,
    aws_vpc_endpoint.interface,
    aws_vpc_endpoint.s3,
  ]
}

output "subnet_ids_by_zone" {
  description = "Ids of the private subnets, by availability zone; the zones are known when planning."
  value       = { for zone in local.zones : zone => aws_subnet.private[zone].id }
}

output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}
