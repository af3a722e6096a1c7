# The ways in: the network, the file system's own policy, and the policies of the roles that mount it.
resource "aws_security_group" "this" {
  name        = var.security_group_name
  description = "Mount targets of ${var.name}: NFS in from the clients"
  vpc_id      = var.vpc_id

  tags = { Name = var.security_group_name }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  count = length(var.client_security_group_ids)

  security_group_id            = aws_security_group.this.id
  description                  = "NFS from the clients"
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049
  referenced_security_group_id = var.client_security_group_ids[count.index]

  tags = { Name = "${var.security_group_name}/ingress/${count.index}" }
}

# It allows nothing by itself, but as long as it exists EFS asks for the client's role.
resource "aws_efs_file_system_policy" "this" {
  file_system_id = aws_efs_file_system.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "DenyPlainTransport"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess", "elasticfilesystem:ClientWrite"]
      Resource  = aws_efs_file_system.this.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

locals {
  through_access_point = { StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.this.arn } }
  # To EFS, user 0 is a client like any other without it.
  root = var.uid == 0 ? ["elasticfilesystem:ClientRootAccess"] : []
}

resource "aws_iam_role_policy" "readers" {
  for_each = var.reader_role_names

  name = "file-system-${var.name}"
  role = each.value

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Read"
      Effect    = "Allow"
      Action    = concat(["elasticfilesystem:ClientMount"], local.root)
      Resource  = aws_efs_file_system.this.arn
      Condition = local.through_access_point
    }]
  })
}

resource "aws_iam_role_policy" "writers" {
  for_each = var.writer_role_names

  name = "file-system-${var.name}"
  role = each.value

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Write"
      Effect    = "Allow"
      Action    = concat(["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"], local.root)
      Resource  = aws_efs_file_system.this.arn
      Condition = local.through_access_point
    }]
  })
}
