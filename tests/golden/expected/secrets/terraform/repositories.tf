# The repositories of the jobs' container images.

module "repository_caller" {
  source = "./modules/repository"

  name        = "secrets/caller"
  kms_key_arn = local.kms_key_arn
}
