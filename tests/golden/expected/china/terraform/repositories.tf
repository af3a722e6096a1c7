# Where the jobs' container images are kept.

module "repository_isaac" {
  source = "./modules/repository"

  name        = "china/isaac"
  kms_key_arn = local.kms_key_arn
}
