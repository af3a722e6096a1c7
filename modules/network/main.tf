# The VPC is cut by position, so that one more zone at the end moves no subnet: eighths for the private subnets, and the
# last quarter for public ones of sixteen addresses each, the smallest that AWS makes; a NAT gateway takes one.
locals {
  name         = "batch-${var.environment}"
  zones        = length(var.zone_names) > 0 ? var.zone_names : slice(sort(data.aws_availability_zones.this[0].names), 0, var.zone_count)
  last_quarter = cidrsubnet(var.cidr_block, 2, 3)
  public_bits  = 28 - tonumber(split("/", local.last_quarter)[1])

  private_subnets = { for index, zone in local.zones : zone => cidrsubnet(var.cidr_block, 3, index) }
  nat_zones       = slice(local.zones, 0, { none = 0, one = 1, per-zone = length(local.zones) }[var.nat])
  public_subnets  = { for index, zone in local.nat_zones : zone => cidrsubnet(local.last_quarter, local.public_bits, index) }

  # Written out, so that the policies that name it are known when planning.
  log_group_name = "/aws/vpc/${local.name}"
  log_group_arn  = "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:${local.log_group_name}"
}

data "aws_availability_zones" "this" {
  count = length(var.zone_names) > 0 ? 0 : 1

  # By name, so that Local Zones and the like stay out, and a zone that AWS adds comes after those in use.
  filter {
    name   = "zone-name"
    values = [for letter in ["a", "b", "c", "d", "e", "f"] : "${var.region}${letter}"]
  }

  lifecycle {
    postcondition {
      condition     = length(self.names) >= var.zone_count
      error_message = "The region has ${length(self.names)} availability zones; zone_count is ${var.zone_count}."
    }
  }
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr_block
  enable_dns_hostnames = true # the interface endpoints' private names need both
  enable_dns_support   = true

  tags = { Name = local.name }
}

# Imported to remove its rules: by default its members may reach each other and the internet.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${local.name}/default" }
}

resource "aws_subnet" "private" {
  for_each = local.private_subnets

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value
  map_public_ip_on_launch = false

  tags = { Name = "${local.name}/private/${each.key}" }
}

resource "aws_route_table" "private" {
  for_each = local.private_subnets

  vpc_id = aws_vpc.this.id

  tags = { Name = "${local.name}/private/${each.key}" }
}

resource "aws_route_table_association" "private" {
  for_each = local.private_subnets

  route_table_id = aws_route_table.private[each.key].id
  subnet_id      = aws_subnet.private[each.key].id
}

# It costs nothing, and keeps samples, results and image layers off the NAT gateway's bill.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for table in aws_route_table.private : table.id]

  tags = { Name = "${local.name}/s3" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = var.endpoints

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  security_group_ids  = [one(aws_security_group.endpoints[*].id)]
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]

  tags = { Name = "${local.name}/${each.key}" }
}

resource "aws_internet_gateway" "this" {
  count = length(local.nat_zones) > 0 ? 1 : 0

  vpc_id = aws_vpc.this.id

  tags = { Name = local.name }
}

resource "aws_subnet" "public" {
  for_each = local.public_subnets

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value
  map_public_ip_on_launch = false

  tags = { Name = "${local.name}/public/${each.key}" }
}

resource "aws_route_table" "public" {
  count = length(local.nat_zones) > 0 ? 1 : 0

  vpc_id = aws_vpc.this.id

  tags = { Name = "${local.name}/public" }
}

resource "aws_route_table_association" "public" {
  for_each = local.public_subnets

  route_table_id = aws_route_table.public[0].id
  subnet_id      = aws_subnet.public[each.key].id
}

resource "aws_route" "public" {
  count = length(local.nat_zones) > 0 ? 1 : 0

  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_eip" "nat" {
  for_each = local.public_subnets

  domain = "vpc"

  tags = { Name = "${local.name}/nat/${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = local.public_subnets

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = { Name = "${local.name}/nat/${each.key}" }

  # AWS requires the route to the internet first, and its removal last.
  depends_on = [aws_route.public, aws_route_table_association.public]
}

resource "aws_route" "private" {
  for_each = var.nat == "none" ? {} : local.private_subnets

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[var.nat == "one" ? local.nat_zones[0] : each.key].id
}
