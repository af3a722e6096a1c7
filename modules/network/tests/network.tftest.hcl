mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1b", "us-east-1c", "us-east-1a"] }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vpc/batch-prod" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/batchFlowLogs-prod" }
  }
}

variables {
  environment = "prod"
  account_id  = "123456789012"
  region      = "us-east-1"
  kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  cidr_block  = "10.42.0.0/16"
}

run "closed" {
  command = plan

  assert {
    condition     = { for zone, subnet in aws_subnet.private : zone => subnet.cidr_block } == { us-east-1a = "10.42.0.0/19", us-east-1b = "10.42.32.0/19" }
    error_message = "Two zones by default, an eighth of the VPC each."
  }

  assert {
    condition     = one(data.aws_availability_zones.this[0].filter).values == toset(["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d", "us-east-1e", "us-east-1f"])
    error_message = "Only the region's own zones, no Local Zones."
  }

  assert {
    condition     = length(aws_subnet.public) + length(aws_internet_gateway.this) + length(aws_nat_gateway.this) + length(aws_route.private) + length(aws_eip.nat) == 0
    error_message = "Nothing is public without a NAT gateway."
  }

  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.s3.service_name == "com.amazonaws.us-east-1.s3"
    error_message = "S3 has its gateway always."
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) + length(aws_security_group.endpoints) + length(aws_vpc_security_group_egress_rule.internet) == 0
    error_message = "No interface endpoints and no way to the internet by default."
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.nodes) + length(aws_vpc_security_group_egress_rule.nodes) + length(aws_vpc_security_group_egress_rule.efs) + length(aws_vpc_security_group_ingress_rule.lustre) + length(aws_vpc_security_group_egress_rule.lustre) == 0
    error_message = "Instances reach neither each other nor file systems by default."
  }
}

run "nodes_and_file_systems" {
  command = plan

  variables {
    efs_access    = true
    lustre_access = true
    node_traffic  = true
  }

  assert {
    condition = alltrue([
      for rules in [aws_vpc_security_group_egress_rule.lustre, aws_vpc_security_group_ingress_rule.lustre] :
      { for rule in rules : rule.from_port => rule.to_port... } == { "988" = [988], "1018" = [1023] } && alltrue([for rule in rules : rule.cidr_ipv4 == "10.42.0.0/16"])
    ])
    error_message = "FSx for Lustre and instances connect to each other on its ports, inside the VPC only."
  }

  assert {
    condition     = one(aws_vpc_security_group_ingress_rule.nodes).cidr_ipv4 == null && one(aws_vpc_security_group_egress_rule.nodes).cidr_ipv4 == null
    error_message = "Nodes may reach each other only."
  }

  assert {
    condition     = one(aws_vpc_security_group_egress_rule.efs).cidr_ipv4 == "10.42.0.0/16" && one(aws_vpc_security_group_egress_rule.efs).from_port == 2049
    error_message = "NFS goes to the VPC's own addresses only."
  }
}

run "one_nat_gateway" {
  command = plan

  variables {
    nat        = "one"
    zone_count = 3
  }

  assert {
    condition     = { for zone, subnet in aws_subnet.public : zone => subnet.cidr_block } == { us-east-1a = "10.42.192.0/28" }
    error_message = "One NAT gateway, in the first zone, in sixteen addresses of the last quarter."
  }

  assert {
    condition     = keys(aws_route.private) == ["us-east-1a", "us-east-1b", "us-east-1c"] && alltrue([for route in aws_route.private : route.destination_cidr_block == "0.0.0.0/0"])
    error_message = "Every zone goes out through it."
  }

  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.private), values(aws_subnet.public)) : !subnet.map_public_ip_on_launch])
    error_message = "No subnet gives public addresses."
  }

  assert {
    condition     = one(aws_vpc_security_group_egress_rule.internet).from_port == 443 && one(aws_vpc_security_group_egress_rule.internet).to_port == 443
    error_message = "HTTPS alone goes out."
  }
}

run "a_nat_gateway_per_zone" {
  variables {
    nat        = "per-zone"
    cidr_block = "192.168.7.0/24"
    zone_names = ["us-east-1d", "us-east-1b", "us-east-1a", "us-east-1f"]
  }

  assert {
    condition     = [for zone in var.zone_names : aws_subnet.private[zone].cidr_block] == ["192.168.7.0/27", "192.168.7.32/27", "192.168.7.64/27", "192.168.7.96/27"]
    error_message = "The subnets follow the order of the zones."
  }

  assert {
    condition     = [for zone in var.zone_names : aws_subnet.public[zone].cidr_block] == ["192.168.7.192/28", "192.168.7.208/28", "192.168.7.224/28", "192.168.7.240/28"]
    error_message = "Even the smallest VPC has room for four NAT gateways."
  }

  assert {
    condition     = alltrue([for zone, route in aws_route.private : route.nat_gateway_id == aws_nat_gateway.this[zone].id])
    error_message = "Each zone goes out through its own gateway."
  }

  assert {
    condition     = length(data.aws_availability_zones.this) == 0
    error_message = "Zones that are given are not looked up."
  }
}

run "interface_endpoints" {
  variables {
    endpoints = ["ecr.api", "logs"]
  }

  assert {
    condition     = { for name, endpoint in aws_vpc_endpoint.interface : name => endpoint.service_name } == { "ecr.api" = "com.amazonaws.us-east-1.ecr.api", logs = "com.amazonaws.us-east-1.logs" }
    error_message = "An endpoint for each service."
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled && length(endpoint.subnet_ids) == 2 && endpoint.security_group_ids == toset([aws_security_group.endpoints[0].id])])
    error_message = "Each under its usual name, in every zone, in the endpoints' own group."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints[0].referenced_security_group_id == aws_security_group.instances.id && aws_vpc_security_group_egress_rule.endpoints[0].referenced_security_group_id == aws_security_group.endpoints[0].id
    error_message = "From the instances to the endpoints, and nowhere else."
  }

  assert {
    condition     = length(aws_vpc_security_group_egress_rule.internet) + length(aws_subnet.public) == 0
    error_message = "Endpoints need no way to the internet."
  }
}

run "flow_logs" {
  command = plan

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow_logs.kms_key_id == var.kms_key_arn && aws_cloudwatch_log_group.flow_logs.retention_in_days == 365
    error_message = "All traffic is logged, encrypted, for a year."
  }

  assert {
    condition = one(jsondecode(aws_iam_role.flow_logs.assume_role_policy).Statement).Condition == {
      ArnLike      = { "aws:SourceArn" = "arn:aws:ec2:us-east-1:123456789012:vpc-flow-log/*" }
      StringEquals = { "aws:SourceAccount" = "123456789012" }
    }
    error_message = "Only this account's flow logs may use the role."
  }

  assert {
    condition     = data.aws_iam_policy_document.flow_logs.statement[0].resources == toset(["arn:aws:logs:us-east-1:123456789012:log-group:/aws/vpc/batch-prod", "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vpc/batch-prod:*"])
    error_message = "The role writes to its own log group."
  }
}

run "too_few_zones" {
  command = plan

  variables {
    zone_count = 4
  }

  expect_failures = [data.aws_availability_zones.this]
}

run "refuses" {
  command = plan

  variables {
    account_id            = "12345678901"
    cidr_block            = "10.42.0.1/16"
    endpoints             = ["com.amazonaws.us-east-1.ecs"]
    environment           = "Prod"
    iam_path              = "genomics"
    kms_key_arn           = "alias/batch-prod"
    log_retention_in_days = 30
    nat                   = "two"
    partition             = "azure"
    permissions_boundary  = "boundary"
    region                = "us-east"
    zone_count            = 1
    zone_names            = ["us-east-1a", "us-east-1a"]
  }

  expect_failures = [
    var.account_id, var.cidr_block, var.endpoints, var.environment, var.iam_path, var.kms_key_arn,
    var.log_retention_in_days, var.nat, var.partition, var.permissions_boundary, var.region, var.zone_count,
    var.zone_names,
  ]
}

run "refuses_dockers_own_block" {
  command = plan

  variables {
    cidr_block = "172.17.0.0/16"
  }

  expect_failures = [var.cidr_block]
}

run "refuses_a_public_block" {
  command = plan

  variables {
    cidr_block = "52.94.0.0/16"
  }

  expect_failures = [var.cidr_block]
}

run "refuses_a_block_without_room" {
  command = plan

  variables {
    cidr_block = "10.42.0.0/25"
  }

  expect_failures = [var.cidr_block]
}
