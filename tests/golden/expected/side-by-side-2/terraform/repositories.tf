# The repositories of the jobs' container images.

module "repository_isaac" {
  source = "./modules/repository"

  name        = "experimental/isaac"
  kms_key_arn = local.kms_key_arn
}
