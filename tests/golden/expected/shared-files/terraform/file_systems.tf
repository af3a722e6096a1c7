# The file systems that jobs share. A destroy deletes them with all files; AWS Backup keeps its copies for 35 days.

locals {
  mount_target_subnet_ids = module.network.subnet_ids_by_zone
  mount_target_vpc_id     = module.network.vpc_id
}

module "file_system_refs" {
  source = "./modules/file-system"

  name                      = "refs-shared-files"
  kms_key_arn               = local.kms_key_arn
  infrequent_access_days    = 30
  client_security_group_ids = local.security_group_ids
  security_group_name       = "batch-shared-files/file-systems/refs"
  subnet_ids                = local.mount_target_subnet_ids
  vpc_id                    = local.mount_target_vpc_id
  reader_role_names = {
    align                    = aws_iam_role.align.name
    "engine/nextflow/worker" = module.engine_nextflow.worker_role_name
    "engine/nextflow/head"   = module.engine_nextflow.head_role_name
  }
  writer_role_names = {
    fetch = aws_iam_role.fetch.name
  }
}
