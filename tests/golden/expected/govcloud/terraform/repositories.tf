# The repositories of the jobs' container images.

module "repository_aligner" {
  source = "./modules/repository"

  name        = "govcloud/aligner"
  kms_key_arn = local.kms_key_arn
}
