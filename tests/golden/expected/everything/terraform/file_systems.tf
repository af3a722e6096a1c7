# The file systems that jobs share. A destroy deletes them with all files; AWS Backup keeps its copies for 35 days.

data "aws_subnet" "mount_target" {
  for_each = toset(local.subnet_ids)

  id = each.value
}

# A file system has one mount target in each zone: in the first subnet of each.
locals {
  subnets_by_zone         = { for id, subnet in data.aws_subnet.mount_target : subnet.availability_zone => id... }
  mount_target_subnet_ids = { for zone, ids in local.subnets_by_zone : zone => sort(ids)[0] }
  mount_target_vpc_id     = distinct([for subnet in data.aws_subnet.mount_target : subnet.vpc_id])[0]
}

module "file_system_shared" {
  source = "./modules/file-system"

  name                      = "shared-everything"
  kms_key_arn               = local.kms_key_arn
  infrequent_access_days    = 7
  uid                       = 0
  gid                       = 0
  client_security_group_ids = local.security_group_ids
  security_group_name       = "batch-everything/file-systems/shared"
  subnet_ids                = local.mount_target_subnet_ids
  vpc_id                    = local.mount_target_vpc_id
}
