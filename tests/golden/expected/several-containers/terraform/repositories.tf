# The repositories of the jobs' container images.

module "repository_fetch" {
  source = "./modules/repository"

  name        = "several/fetch"
  kms_key_arn = local.kms_key_arn
}
