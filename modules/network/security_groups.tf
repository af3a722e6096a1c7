# No inbound traffic: Session Manager's agent connects outwards. The VPC's DNS and time servers need no rule.
resource "aws_security_group" "instances" {
  # checkov:skip=CKV2_AWS_5:The compute environments carry it, which cannot be seen through the modules between them
  name        = "${local.name}/instances"
  description = "Batch instances: nothing in, HTTPS out"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${local.name}/instances" }
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  security_group_id = aws_security_group.instances.id
  description       = "HTTPS to S3, through its gateway endpoint"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id

  tags = { Name = "${local.name}/instances/egress/s3" }
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  count = length(var.endpoints) > 0 ? 1 : 0

  security_group_id            = aws_security_group.instances.id
  description                  = "HTTPS to the interface endpoints"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.endpoints[0].id

  tags = { Name = "${local.name}/instances/egress/endpoints" }
}

resource "aws_vpc_security_group_egress_rule" "internet" {
  count = var.nat == "none" ? 0 : 1

  security_group_id = aws_security_group.instances.id
  description       = "HTTPS to AWS and to registries, through the NAT gateway"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"

  tags = { Name = "${local.name}/instances/egress/internet" }
}

resource "aws_vpc_security_group_egress_rule" "efs" {
  count = var.efs_access ? 1 : 0

  security_group_id = aws_security_group.instances.id
  description       = "NFS to EFS mount targets in this VPC"
  ip_protocol       = "tcp"
  from_port         = 2049
  to_port           = 2049
  cidr_ipv4         = var.cidr_block

  tags = { Name = "${local.name}/instances/egress/efs" }
}

# Lustre connects in both directions.
# https://docs.aws.amazon.com/fsx/latest/LustreGuide/limit-access-security-groups.html
locals {
  lustre_ports = var.lustre_access ? { "988" = 988, "1018" = 1023 } : {}
}

resource "aws_vpc_security_group_egress_rule" "lustre" {
  for_each = local.lustre_ports

  security_group_id = aws_security_group.instances.id
  description       = "To FSx for Lustre in this VPC"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = each.value
  cidr_ipv4         = var.cidr_block

  tags = { Name = "${local.name}/instances/egress/lustre/${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "lustre" {
  for_each = local.lustre_ports

  security_group_id = aws_security_group.instances.id
  description       = "From FSx for Lustre in this VPC"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = each.value
  cidr_ipv4         = var.cidr_block

  tags = { Name = "${local.name}/instances/ingress/lustre/${each.key}" }
}

# MPI chooses its ports at run time.
resource "aws_vpc_security_group_egress_rule" "nodes" {
  count = var.node_traffic ? 1 : 0

  security_group_id            = aws_security_group.instances.id
  description                  = "To the other nodes of a multi-node parallel job"
  ip_protocol                  = "-1"
  referenced_security_group_id = aws_security_group.instances.id

  tags = { Name = "${local.name}/instances/egress/nodes" }
}

resource "aws_vpc_security_group_ingress_rule" "nodes" {
  count = var.node_traffic ? 1 : 0

  security_group_id            = aws_security_group.instances.id
  description                  = "From the other nodes of a multi-node parallel job"
  ip_protocol                  = "-1"
  referenced_security_group_id = aws_security_group.instances.id

  tags = { Name = "${local.name}/instances/ingress/nodes" }
}

resource "aws_security_group" "endpoints" {
  count = length(var.endpoints) > 0 ? 1 : 0

  name        = "${local.name}/endpoints"
  description = "Interface endpoints: HTTPS in from the Batch instances"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${local.name}/endpoints" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count = length(var.endpoints) > 0 ? 1 : 0

  security_group_id            = aws_security_group.endpoints[0].id
  description                  = "HTTPS from the Batch instances"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.instances.id

  tags = { Name = "${local.name}/endpoints/ingress/endpoints" }
}
