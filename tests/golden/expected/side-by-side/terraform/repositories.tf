# Where the jobs' container images are kept.

module "repository_isaac" {
  source = "./modules/repository"

  name        = "stable/isaac"
  kms_key_arn = local.kms_key_arn
}
