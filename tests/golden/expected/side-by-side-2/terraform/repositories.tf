# Where the jobs' container images are kept.

module "repository_isaac" {
  source = "./modules/repository"

  name        = "experimental/isaac"
  kms_key_arn = local.kms_key_arn
}
